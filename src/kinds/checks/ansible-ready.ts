import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { type CheckGuest, type CheckSubject, defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

const ansibleMs = 900_000;

/** Ansible can take the image over: ssh, Python 3, and sudo without a password for the user who logs in. */
export const ansibleReady = defineCheck<Record<string, never>>({
  name: 'ansible-ready',
  version: 1,
  summary: 'ssh, python3 and sudo without a password; Ansible itself gathers facts where it is on the build machine.',
  options: z.strictObject({}),
  example: {},
  title: () => 'ready for Ansible',
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  run: async (_, subject, ctx) => {
    const pythons = await onEach(subject.guests, prepared);
    const has = `${pythons[0]}, ${subject.guests[0]?.ssh.user === 'root' ? 'root' : 'sudo'}`;
    if ((await ctx.host.which('ansible')) === undefined) {
      return `${has}, ${underAll(subject.guests)}; ansible is not on this machine, so it was not run itself`;
    }
    return `${has}, ${await gatherFacts(subject, ctx)}, ${underAll(subject.guests)}`;
  },
});

/** Everything Ansible needs in a guest; gives the version of Python. */
async function prepared(guest: CheckGuest): Promise<string> {
  const python = await guest.execAsUser({ text: 'python3 --version' });
  if (python.exitCode !== 0) throw checkFailed('there is no python3', lastLines(python));
  const user = guest.ssh.user;
  const sudo = user === 'root' ? python : await guest.execAsUser({ text: 'sudo -n true' });
  if (sudo.exitCode !== 0) throw checkFailed(`${user} cannot use sudo without a password`, lastLines(sudo));
  return python.stdout.trim();
}

async function gatherFacts({ guests, scratch }: CheckSubject, ctx: Context): Promise<string> {
  const folder = `${scratch}/ansible`;
  const { files } = ctx.host;
  await files.makeDirectory(folder, 0o700);
  await files.write(`${folder}/inventory.json`, JSON.stringify(inventory(guests)));
  // Ansible reads the user's configuration unless it is given one, and /dev/null is none to it.
  await files.write(`${folder}/ansible.cfg`, '');
  const command = { argv: ansibleArgv(`${folder}/inventory.json`), env: environment(folder) };
  const result = await ctx.host
    .run(command, { signal: ctx.signal, timeoutMs: ansibleMs, ok: [0, 2, 4] })
    .catch((error: unknown) => {
      throw error instanceof IngotError ? checkFailed(error.message, error.detail) : error;
    });
  if (result.exitCode !== 0) throw checkFailed('ansible could not gather facts', lastLines(result));
  const system = /"ansible_distribution": "([^"]*)"/.exec(result.stdout)?.[1];
  return `ansible -m setup saw ${system ?? 'the system'}`;
}

/** Nothing of the user's own settings, and no persistent ssh connections: those would outlive us. */
export function environment(folder: string): Readonly<Record<string, string>> {
  return {
    ANSIBLE_CONFIG: `${folder}/ansible.cfg`,
    ANSIBLE_HOME: `${folder}/home`,
    ANSIBLE_LOCAL_TEMP: `${folder}/tmp`,
    ANSIBLE_HOST_KEY_CHECKING: 'True',
    ANSIBLE_PIPELINING: 'True',
    ANSIBLE_SSH_ARGS: '-F none',
    ANSIBLE_TIMEOUT: '120',
  };
}

function ansibleArgv(inventoryFile: string): readonly [string, ...string[]] {
  return ['ansible', 'all', '-i', inventoryFile, '-b', '-m', 'setup', '-a', 'gather_subset=min'];
}

/** The guests as Ansible wants them. */
export function inventory(guests: readonly Pick<CheckGuest, 'firmware' | 'ssh'>[]): object {
  const hosts = guests.map(({ firmware, ssh }) => {
    const options = {
      StrictHostKeyChecking: 'yes',
      IdentitiesOnly: 'yes',
      UserKnownHostsFile: ssh.knownHostsFile,
      HostKeyAlias: ssh.hostKeyAlias,
    };
    const words = Object.entries(options).map(([name, value]) => `-o ${name}=${value}`);
    const variables = {
      ansible_host: ssh.host,
      ansible_port: ssh.port,
      ansible_user: ssh.user,
      ansible_ssh_private_key_file: ssh.keyFile,
      ansible_ssh_common_args: words.join(' '),
    };
    return [firmware, variables] as const;
  });
  return { all: { hosts: Object.fromEntries(hosts) } };
}
