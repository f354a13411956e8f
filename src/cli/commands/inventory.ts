import { IngotError } from '../../core/errors.ts';
import { hostVariables, inventory as inventoryOf } from '../exports/inventory.ts';
import { baseUrl } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot inventory`: the registry as Ansible asks for it. */
export const inventory: Verb = {
  summary: 'Give the registry as a dynamic inventory of Ansible',
  examples: [
    ['inventory --list', 'all hosts and groups with their variables'],
    ['inventory --host debian-13@pve', 'the variables of one host'],
  ],
  notes: [
    'Hosts are images (debian-13.x86_64) and deployments (debian-13@pve); groups are images, deployments, stale, ' +
      'image_NAME, arch_ARCH, target_NAME and type_TYPE. Ansible wants a program without arguments: ' +
      'examples/ansible/ingot.sh is one.',
  ],
  register(command, act) {
    command
      .option('--list', 'everything')
      .option('--host <name>', 'the variables of one host')
      .option('--url <url>', 'where the artifacts are served (default: as files of this machine)', baseUrl)
      .action((options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const { list, host, url } = options;
          if ((list === true) === (host !== undefined)) {
            const hint = 'ingot inventory --list, or ingot inventory --host NAME';
            throw new IngotError({ code: 'USAGE', message: 'expected either --list or --host', hint });
          }
          const view = await (await session.engine()).registry(session.io);
          const data = host === undefined ? inventoryOf(view, { url }) : hostVariables(view, { url }, host);
          session.print([JSON.stringify(data, undefined, 2)]);
          return 0;
        }),
      );
  },
};
