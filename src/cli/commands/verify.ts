import type { VerifiedFile } from '../requests/trace.ts';
import type { Session } from '../session.ts';
import { oneLine, table } from '../text.ts';
import { archName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot verify`: whether files are what they say they are. */
export const verify: Verb = {
  summary: 'Prove that an image is what its provenance says: digest, signature, origin, name',
  examples: [
    ['verify debian-13', 'all files of its newest build'],
    ['verify ./debian-13.qcow2', 'a file, with what lies beside it'],
    ['verify https://example.org/web.qcow2 --key theirs.pub', 'before you use it'],
  ],
  notes: [
    'Exit code 3 and the reason when anything does not fit. Trusted are the keys of this home (keys/*.pub under INGOT_HOME) or the one that --key names. Where there is none, what nobody signed is taken by its digest alone, and the answer says so.',
  ],
  register(command, act) {
    command
      .argument('<target>', 'IMAGE, IMAGE@BUILD, a file or an address')
      .option('--key <key>', 'the public key to trust: a file, or its line')
      .option('--allow-unsigned', 'take what no trusted key signed, by its digest alone')
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .action((target, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const request = {
            target,
            arch: options.arch ?? ('native' as const),
            allowUnsigned: options.allowUnsigned === true,
            ...(options.key === undefined ? {} : { key: options.key }),
          };
          const result = await engine.verify(request, session.io);
          if (session.json) session.printJson('verify', result);
          else session.print(verifiedLines(result.files, session));
          return 0;
        }),
      );
  },
};

/** What was proven of each file, for people. */
export function verifiedLines(files: readonly VerifiedFile[], { paint, marks }: Pick<Session, 'paint' | 'marks'>) {
  const rows = files.map(({ path, image, arch, build, signedBy }) => {
    const signed =
      signedBy === undefined ? paint('yellow', 'not signed by a trusted key') : `signed by key ${signedBy}`;
    return [paint('green', marks.done), oneLine(path), oneLine(`${image} ${arch}, build ${build}`), signed];
  });
  return table(rows);
}
