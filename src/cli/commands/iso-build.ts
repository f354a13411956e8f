import { InvalidArgumentError } from 'commander';
import { exitCodeOfAll, isGood } from '../outcomes.ts';
import { archOrAll, consoleName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot iso build`: an ISO that installs by itself. */
export const isoBuild: Verb = {
  summary: "Put an image's answers into its vendor's ISO, which then installs by itself",
  examples: [
    ['iso build lab', 'an ISO that installs lab on the machine that boots it'],
    ['iso build lab --output .', 'the same, put here too'],
    ['iso build lab --oemdrv', 'answers on a second disk, which the installer looks for'],
    ['iso build pve --answers https://pxe.lab/pve/', 'answers are fetched from there'],
  ],
  notes: [
    "The image has the source `installer`. The ISO boots in all the ways that the vendor's does; its menu has one entry more, which starts by itself. WHAT BOOTS IT IS INSTALLED ON, and loses what is on its disk.",
    'Before it is shown it is booted under BIOS and UEFI, installs on an empty disk, and that disk is booted and checked; without hardware virtualization this takes many minutes.',
    'With an address, the files to put there lie beside the ISO, which is not booted then.',
  ],
  register(command, act) {
    command
      .argument('<image>', 'an image with the source installer')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .option('--site <site>', 'the site whose values to use')
      .option('--answers <where>', 'iso, disk, or an address that ends with / (default: iso)', answersAt)
      .option('--oemdrv', 'short for --answers disk')
      .option('--console <console>', 'where the installer speaks, such as ttyS0,115200', consoleName)
      .option('--timeout <seconds>', 'until the entry starts by itself (default: 5)', seconds)
      .option('--power-off', 'turn the machine off at the end, instead of starting it again')
      .option('--no-check', 'do not boot it and install from it')
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
              answers: options.answers ?? (options.oemdrv === true ? 'disk' : 'iso'),
              timeoutSeconds: options.timeout ?? 5,
              powerOff: options.powerOff === true,
              checks: options.check,
              refresh: options.refresh === true,
              ...(options.site === undefined ? {} : { site: options.site }),
              ...(options.console === undefined ? {} : { console: options.console }),
              ...(options.output === undefined ? {} : { output: options.output }),
            };
            const results = await engine.buildIsos(request, session.io);
            for (const { error } of results) if (error !== undefined) session.complain(error);
            if (session.json) session.printJson('iso build', results);
            else session.print(results.filter(({ outcome }) => isGood(outcome)).flatMap(({ paths }) => paths));
            return exitCodeOfAll(results, session.io.signal);
          },
          'streams',
        ),
      );
  },
};

function answersAt(text: string): string {
  if (text === 'iso' || text === 'disk') return text;
  if (/^https?:\/\/[^\s"'\\]+\/$/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('Expected iso, disk, or an address that ends with /.');
}

function seconds(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of seconds.');
  return Number(text);
}
