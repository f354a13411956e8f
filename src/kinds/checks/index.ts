import { byName } from '../../core/kinds.ts';
import { ansibleReady } from './ansible-ready.ts';
import { boot } from './boot.ts';
import { cloudInit } from './cloud-init.ts';
import { command } from './command.ts';
import { file } from './file.ts';
import { hygiene } from './hygiene.ts';
import { packageCheck } from './package.ts';
import { reboot } from './reboot.ts';
import { service } from './service.ts';
import { ssh } from './ssh.ts';
import { userAbsent } from './user-absent.ts';

export const checks = byName([
  ansibleReady,
  boot,
  cloudInit,
  command,
  file,
  hygiene,
  packageCheck,
  reboot,
  service,
  ssh,
  userAbsent,
]);
