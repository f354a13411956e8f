import type { FetchRequest } from '../requests/delivery.ts';
import type { Session } from '../session.ts';
import { bytes } from '../text.ts';
import { hexDigest } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot fetch`: a file from a server, only what is new of it. */
export const fetch: Verb = {
  summary: 'Fetch an image from any web server: only what is new of it',
  examples: [
    [
      'fetch http://HOST:8417/images/web/x86_64/web.raw.zst',
      'into this folder; an older web.raw.zst here is made use of',
    ],
    ['fetch URL --output disk.raw.zst --seed old.raw', 'parts of it are taken from the disk old.raw'],
  ],
  notes: [
    'Beside files of the format raw.zst lies a list of their chunks. Those that the file of the same name here has, or one of ' +
      '--seed (a .raw.zst, or a disk as for `ingot convert`), are not fetched. The server must send ranges, as all do that serve files. ' +
      'A file without a list is fetched whole.',
    'It appears when all of it is here and its SHA-256 is right; an older one stays until then. A run that was broken off is gone on with.',
  ],
  register(command, act) {
    command
      .argument('<url>', 'its address')
      .option('--output <path>', 'the file to write (default: its name, in this folder)')
      .option('--seed <file>', 'a file that may hold parts of it; may be repeated', several)
      .option('--sha256 <hex>', 'what its SHA-256 must be', hexDigest)
      .action((url, options, cmd) => {
        const { output, seed = [], sha256 } = options;
        const request: FetchRequest = {
          ...{ url, seeds: seed },
          ...(output === undefined ? {} : { output }),
          ...(sha256 === undefined ? {} : { sha256 }),
        };
        return act(cmd.optsWithGlobals(), (session) => run(session, request), 'streams');
      });
  },
};

async function run(session: Session, request: FetchRequest): Promise<number> {
  const engine = await session.engine();
  const fetched = await engine.fetch(request, session.io);
  if (session.json) session.printJson('fetch', fetched);
  else session.print([fetched.path]);
  const share = fetched.bytes === 0 ? 0 : Math.round((100 * fetched.fetchedBytes) / fetched.bytes);
  const how =
    fetched.how === 'unchanged' ? 'it is here already' : `${bytes(fetched.fetchedBytes)} fetched (${share} %)`;
  session.remark(`${bytes(fetched.bytes)}, ${how}`);
  return 0;
}

function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
