import { InvalidArgumentError } from 'commander';
import { exitCodeOfAll, isGood } from '../outcomes.ts';
import { archOrAll, consoleName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso netboot`: a folder to install from over the network. */
export const isoNetboot: Verb = {
  summary: "Put an image's installer into a folder that machines start from over the network",
  examples: [
    ['iso netboot lab', 'kernel, initrd with the answers, and scripts for iPXE and GRUB'],
    ['iso netboot lab --base http://192.0.2.1:8417/', 'with whole addresses, which Ubuntu needs'],
  ],
  notes: [
    'The folder is netboot/NAME/ARCH/ of what `ingot serve` gives out; lead iPXE to boot.ipxe in it, or GRUB to grub.cfg where TFTP has a copy. WHAT BOOTS IT IS INSTALLED ON, and loses what is on its disk. Hashes of passwords are in the answers: serve them to your own network only.',
  ],
  register(command, act) {
    command
      .argument('<image>', 'an image with the source installer')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .option('--site <site>', 'the site whose values to use')
      .option('--base <address>', 'where what is served is to be reached, ends with /', address)
      .option('--console <console>', 'where the installer speaks, such as ttyS0,115200', consoleName)
      .option('--power-off', 'turn the machine off at the end, instead of starting it again')
      .option('--refresh', 'ask the lists of checksums again')
      .option('--output <dir>', 'also put the finished files into this folder')
      .action((image, options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          async (session) => {
            const engine = await session.engine();
            const request = {
              image,
              arch: options.arch ?? ('native' as const),
              powerOff: options.powerOff === true,
              refresh: options.refresh === true,
              ...(options.site === undefined ? {} : { site: options.site }),
              ...(options.base === undefined ? {} : { base: options.base }),
              ...(options.console === undefined ? {} : { console: options.console }),
              ...(options.output === undefined ? {} : { output: options.output }),
            };
            const results = await engine.buildNetboots(request, session.io);
            for (const { error } of results) if (error !== undefined) session.complain(error);
            if (session.json) session.printJson('iso netboot', results);
            else session.print(results.filter(({ outcome }) => isGood(outcome)).flatMap(({ paths }) => paths));
            return exitCodeOfAll(results, session.io.signal);
          },
          'streams',
        ),
      );
  },
};

function address(text: string): string {
  if (/^https?:\/\/[^\s"'\\]+\/$/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('Expected an address that ends with /, such as http://192.0.2.1:8417/.');
}
