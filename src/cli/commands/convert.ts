import { InvalidArgumentError } from 'commander';
import type { ConvertRequest } from '../requests/artifacts.ts';
import type { Session } from '../session.ts';
import { bytes } from '../text.ts';
import { archName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot convert`: an image file in another format. */
export const convert: Verb = {
  summary: 'Write an image file in another format; needs no project',
  examples: [
    ['convert disk.qcow2 --to vmdk --output disk.vmdk', 'for VMware'],
    ['convert disk.raw --to vma --output server.vma.zst', 'for qmrestore'],
    ['convert server.img.xz --to ova --option memory=4G --output server.ova', 'with an option of the format'],
  ],
  notes: [
    'FILE is a qcow2, raw, vmdk, vhdx or vdi, also compressed with xz, zst, gz or bz2. It is looked at before any program ' +
      'opens it, as disks to start from are; one that leads to other files is refused.',
    'FORMAT is the name of a format, or what its files end in: img.xz, raw.zst. The output appears whole or not at all. ' +
      'stdout has its path.',
  ],
  register(command, act) {
    command
      .argument('<file>', 'the image file')
      .requiredOption('--to <format>', 'the format to write')
      .requiredOption('--output <path>', 'the file to write')
      .option('--option <key=value>', 'an option of the format; may be repeated', keyValue)
      .option('--arch <arch>', 'x86_64 or aarch64: what the disk is for (default: this machine)', archName)
      .option('--force', 'write over a file that is there')
      .action((file, options, cmd) => {
        const { to, output, option = {}, arch, force } = options;
        const common = { file, to, output, options: option, force: force === true };
        const request: ConvertRequest = { ...common, arch: arch ?? 'native' };
        return act(cmd.optsWithGlobals(), (session) => run(session, request), 'streams');
      });
  },
};

async function run(session: Session, request: ConvertRequest): Promise<number> {
  const engine = await session.engine();
  const converted = await engine.convert(request, session.io);
  if (session.json) session.printJson('convert', converted);
  else session.print([converted.path, ...converted.beside]);
  session.remark(`${converted.format}, ${bytes(converted.bytes)}`);
  return 0;
}

function keyValue(text: string, before?: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
