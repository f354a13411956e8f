import { exitCodeOfAll, isGood } from '../outcomes.ts';
import { archOrAll } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso download`: have ISOs here. */
export const isoDownload: Verb = {
  summary: 'Fetch ISOs into the store, and check them; prints their paths',
  examples: [
    ['iso download debian-13-netinst', 'one; a download that broke off goes on'],
    ['iso download', 'all of isos.yaml'],
    ['iso download pve-9 --from pve.iso', 'take a file that is here, once it is checked'],
  ],
  notes: [
    'However many runs want one ISO, it is fetched once and the others wait. One with another checksum is never used: exit code 3.',
  ],
  register(command, act) {
    command
      .argument('[name...]', 'ISOs of isos.yaml (default: all)')
      .option('--arch <arch>', "x86_64, aarch64 or all (default: this machine's)", archOrAll)
      .option('--from <file>', 'a file of this machine, in place of the address')
      .option('--refresh', 'ask the lists of checksums again')
      .action((names, options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          async (session) => {
            const engine = await session.engine();
            const request = {
              names,
              arch: options.arch ?? ('native' as const),
              refresh: options.refresh === true,
              ...(options.from === undefined ? {} : { from: options.from }),
            };
            const results = await engine.downloadIsos(request, session.io);
            if (session.json) session.printJson('iso download', results);
            else session.print(results.filter(({ outcome }) => isGood(outcome)).flatMap(({ paths }) => paths));
            for (const { name, arch, error } of results) {
              if (error !== undefined) session.complain({ ...error, message: `${name} ${arch}: ${error.message}` });
            }
            return exitCodeOfAll(results, session.io.signal);
          },
          'streams',
        ),
      );
  },
};
