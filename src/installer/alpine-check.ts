import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';

// Without these setup-alpine asks; the root password is left to what follows (setup-alpine.in of alpine-conf 3.22).
const needed = [
  'HOSTNAMEOPTS',
  'INTERFACESOPTS',
  'TIMEZONEOPTS',
  'PROXYOPTS',
  'APKREPOSOPTS',
  'USEROPTS',
  'SSHDOPTS',
  'NTPOPTS',
  'DISKOPTS',
];

/** Find mistakes in an answer file for setup-alpine, which is shell: what is no shell, and what it would ask for. */
export async function checkAlpine(text: string, as: string, { host, signal }: Context): Promise<void> {
  const { exitCode, stderr } = await host.run({ argv: ['sh', '-n'] }, { signal, stdin: text, ok: [0, 1, 2] });
  // The shell quotes what it cannot read, which may be a secret: only the line is told.
  const line = /(?:line )?(\d+): /.exec(stderr)?.[1];
  if (exitCode !== 0) throw refused(as, line === undefined ? 'it is no shell' : `line ${line} is no shell`);
  const missing = needed.filter((name) => !new RegExp(`^\\s*(?:export )?${name}=`, 'm').test(text));
  if (missing.length > 0) throw refused(as, `it does not say ${missing.join(', ')}, so setup-alpine would ask`);
}

function refused(as: string, why: string): IngotError {
  return new IngotError({ code: 'INPUT_REFUSED', message: `${as} is no answer file of setup-alpine: ${why}` });
}
