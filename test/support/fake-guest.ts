import type { Context } from '../../src/core/context.ts';
import type { Host, RunResult } from '../../src/core/host.ts';
import type { CheckGuest, CheckSubject } from '../../src/core/kinds.ts';
import type { Script } from '../../src/core/script.ts';
import type { Firmware } from '../../src/core/spec.ts';

export type Answer = Partial<RunResult> & { readonly to?: RegExp };

export type FakeGuest = CheckGuest & { readonly asked: { readonly who: string; readonly script: Script }[] };

/** A guest that answers scripts with the first answer that fits their text; without any: exit code 0, no output. */
export function fakeGuest(answers: readonly Answer[] = [], firmware: Firmware = 'bios'): FakeGuest {
  const asked: FakeGuest['asked'] = [];
  const answer = async (who: string, script: Script): Promise<RunResult> => {
    asked.push({ who, script });
    const { exitCode = 0, stdout = '', stderr = '' } = answers.find(({ to }) => to?.test(script.text) ?? true) ?? {};
    return { exitCode, stdout, stderr };
  };
  return {
    ...{ firmware, arch: 'x86_64', asked },
    exec: (script) => answer('root', script),
    execAsUser: (script) => answer('user', script),
    reboot: async () => void asked.push({ who: 'us', script: { text: 'reboot' } }),
    identity: { machineId: `id-${firmware}`, hostKeys: [`ssh-ed25519 ${firmware}`] },
    ssh: {
      ...{ host: '127.0.0.1', port: 4022, user: 'ingot', keyFile: '/k/login' },
      ...{ knownHostsFile: '/k/known_hosts', hostKeyAlias: 'ingot-guest' },
    },
  };
}

export function fakeSubject(guests: readonly CheckGuest[]): CheckSubject {
  return { arch: 'x86_64', medium: { path: '/a/disk.qcow2', format: 'qcow2' }, guests, scratch: '/s' };
}

/** A context over some functions of a host; what is not given may not be used. */
export function fakeContext(host: Partial<Host> = {}): Context {
  return { host: host as Host, signal: new AbortController().signal, emit: () => undefined, step: 'check' };
}
