import { z } from 'zod';
import { IngotError } from '../../core/errors.ts';
import { defineStep, type StepContext } from '../../core/kinds.ts';
import { projectPath } from '../../core/published.ts';
import type { Script } from '../../core/script.ts';
import { fileBytes, fileMode, imageFolder, owner, placeFileScript, unpackWords } from '../image-files.ts';
import { packTar } from '../tar.ts';

const options = z
  .strictObject({
    from: projectPath.optional().describe('A file or a folder of the project.'),
    content: z.string().optional().describe('The text of the file, in place of from; ${secret.x} may stand in it.'),
    to: imageFolder.describe('The path of the copy itself, not of the folder to put it in.'),
    owner: owner.default('root:root').describe('user:group of all that is copied.'),
    mode: fileMode
      .default('0644')
      .describe('Of files. In a folder, executable files and folders get x wherever this has r.'),
  })
  .refine((o) => (o.from === undefined) !== (o.content === undefined), 'give either from or content')
  .refine((o) => o.content === undefined || o.to !== '/', { message: 'expected the path of a file', path: ['to'] });

export type CopyOptions = z.infer<typeof options>;

/**
 * Copy a file, a folder with all it holds, or a text into the image. A file appears whole, in the place of a link and not
 * through it. A folder is laid over what is there: existing folders keep their owner and mode, missing parents are
 * made for root with mode 0755.
 */
export const copy = defineStep<CopyOptions>({
  name: 'copy',
  version: 1,
  summary: 'Copy a file, a folder or a text into the image.',
  on: ['tree', 'guest'],
  options,
  example: { from: 'files/motd', to: '/etc/motd' },
  title: (o) => (o.from === undefined ? `write ${o.to}` : `copy ${o.from} to ${o.to}`),
  files: (o) => (o.from === undefined ? [] : [o.from]),
  secretsIn: [['content']],
  run: async (o, work, ctx) => {
    if (o.from === undefined) return work.exec(placeFileScript(o), { stdin: o.content ?? '' });
    const { files } = ctx.host;
    const source = await resolveSource(o.from, ctx);
    if (source.kind === 'file') return work.exec(placeFileScript(o), { stdin: fileBytes(files, source.path) });
    return work.exec(placeTreeScript(o), { stdin: packTar({ ...o, folder: source.path }, files) });
  },
});

type Source = { readonly kind: 'file' | 'directory'; readonly path: string };

async function resolveSource(from: string, ctx: StepContext): Promise<Source> {
  const { files } = ctx.host;
  const named = ctx.projectFile(from);
  const path = (await files.stat(named)) === undefined ? undefined : await files.realPath(named);
  const kind = path === undefined ? undefined : (await files.stat(path))?.kind;
  if (path !== undefined && (kind === 'file' || kind === 'directory')) return { kind, path };
  throw new IngotError({ code: 'NOT_FOUND', message: `there is no file or folder ${from} in the project` });
}

/** Unpacks a tar stream into a folder of the image. An unknown owner is found before anything is written. */
export function placeTreeScript(o: Pick<CopyOptions, 'to' | 'owner'>): Script {
  return { text: placeTreeText, args: [o.to, o.owner] };
}

// tar would give the files of an unknown user to root without a word.
const placeTreeText = `set -eu
to=$1 owner=$2
umask 022
probe=$(mktemp)
trap 'rm -f -- "$probe"' EXIT
chown -- "$owner" "$probe"
mkdir -p -- "$to"
${unpackWords.join(' ')} --same-owner --same-permissions --directory="$to"
`;
