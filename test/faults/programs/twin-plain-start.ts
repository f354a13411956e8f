// Broken process ownership: QEMU and ssh are started with a program between them and us, so they do not die with us.

import { start as realStart } from '../../../src/host/process.ts';
import { replaceModule } from './twin.ts';

replaceModule('host/process.ts', import.meta.url);

export * from '../../../src/host/process.ts';

export const start: typeof realStart = (command, options) =>
  realStart({ ...command, argv: ['setsid', '--fork', '--wait', ...command.argv] }, options);
