import { archName, deploymentId, imageRef, kindName, targetName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot registry record`: an image was brought to a target. */
export const registryRecord: Verb = {
  summary: 'Write down that an image was brought to a target',
  examples: [
    ['registry record debian-13 --target pve --type proxmox --id 9000', 'its newest build is template 9000 there'],
    ['registry record debian-13@20261121-0412-7c1e --target lab --type libvirt --id web', 'an earlier build'],
  ],
  notes: ['It takes the place of what was written down for the image and the target before.'],
  register(command, act) {
    command
      .argument('<image>', 'IMAGE, or IMAGE@BUILD for an earlier build', imageRef)
      .requiredOption('--target <name>', 'where it was brought, by a name of your own', targetName)
      .requiredOption('--type <type>', 'the kind of target: proxmox, libvirt, aws', kindName)
      .requiredOption('--id <id>', 'what the target calls it', deploymentId)
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .option('--address <host>', 'where the machine is reached, for `ingot inventory`', deploymentId)
      .action(({ image: name, build }, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const { target, type, id, arch = 'native' as const, address } = options;
          const request = {
            ...{ name, target, type, id, arch },
            ...(build === undefined ? {} : { build }),
            ...(address === undefined ? {} : { address }),
          };
          const recorded = await engine.recordDeployment(request, session.io);
          if (session.json) session.printJson('registry record', recorded);
          else
            session.print([
              `${recorded.image ?? recorded.name} on ${recorded.target}: ${recorded.type} ${recorded.id}`,
            ]);
          return 0;
        }),
      );
  },
};
