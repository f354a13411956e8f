import { Option } from '@commander-js/extra-typings';
import { isoDistributions } from '../../core/isos.ts';
import type { AddIsoRequest } from '../requests/isos.ts';
import { archName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso add`: one more entry in isos.yaml. */
export const isoAdd: Verb = {
  summary: 'Put an ISO into isos.yaml',
  examples: [
    ['iso add pve isos/proxmox-ve_9.1-1.iso', 'a file that is here; its checksum is written down'],
    ['iso add rocky-10 URL --checksum sha256:HEX --arch x86_64', 'an address'],
    ['iso add deb URL --checksum URL --signature URL --keyring keys/cd.asc', 'a list that is signed'],
  ],
  notes: ['Everything else in isos.yaml stays as it is, comments too. Nothing is fetched.'],
  register(command, act) {
    command
      .argument('<name>', 'how images call it')
      .argument('<source>', 'an address (https://...), or a file')
      .option('--checksum <sum>', 'sha256:HEX, sha512:HEX, sidecar, or the address of a list')
      .option('--signature <url>', 'the signature of the list')
      .option('--keyring <file>', 'a file of the project with the keys that may sign it')
      .addOption(
        new Option('--distribution <name>', 'whose installer it has (default: as its name tells)').choices(
          isoDistributions,
        ),
      )
      .option('--arch <arch>', 'x86_64 or aarch64 (default: as its name tells)', archName)
      .option('--kernel <path>', 'where in the ISO the kernel is')
      .option('--initrd <path>', 'where in the ISO its initrd is')
      .action((name, from, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const added = await engine.addIso({ name, from, ...said(options) }, session.io);
          if (session.json) session.printJson('iso add', added);
          else session.print([`${added.file}:${added.line}`]);
          session.remark(`next: ingot iso download ${name}`);
          return 0;
        }),
      );
  },
};

type Said = Omit<AddIsoRequest, 'name' | 'from'>;

function said({ checksum, signature, keyring, distribution, arch, kernel, initrd }: Said): Said {
  const all = { checksum, signature, keyring, distribution, arch, kernel, initrd };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
