import { z } from 'zod';
import type { RunResult } from '../../core/host.ts';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { fileMode, imageFolder } from '../image-files.ts';
import { checkFailed, onEach, underAll } from './on-each.ts';

const full = z
  .strictObject({
    path: imageFolder.describe('An absolute path in the image; a link there is followed.'),
    exists: z.boolean().default(true).describe('Whether there must be something.'),
    absent: z.literal(true).optional().describe('The same as exists: false.'),
    mode: fileMode.optional().describe('Its permissions, octal.'),
    owner: z
      .string()
      .regex(/^[^\s:]+(:[^\s:]+)?$/, 'expected a user, or user:group')
      .optional()
      .describe('Who owns it: user, or user:group.'),
    contains: z.string().min(1).optional().describe('A text that is in it.'),
  })
  .transform(({ absent, ...rest }) => ({ ...rest, exists: absent === true ? false : rest.exists }))
  .refine((o) => o.exists || (o.mode ?? o.owner ?? o.contains) === undefined, {
    message: 'what is absent has no mode, owner or content',
  });

export type FileOptions = z.infer<typeof full>;

const options = z.union([imageFolder.transform((path): FileOptions => ({ path, exists: true })), full]);

/** A file is there, or is not, with its mode, owner and content. */
export const file = defineCheck<FileOptions>({
  name: 'file',
  version: 1,
  summary: 'A file or folder of the booted image exists, or does not, with the right mode, owner and content.',
  options,
  example: { path: '/etc/hostname', mode: '0644', owner: 'root:root' },
  title: ({ path, exists }) => `file ${path}${exists ? '' : ' absent'}`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'without steps',
  run: async (o, { guests }) => {
    await onEach(guests, async (guest) => {
      const result = await guest.exec({ text: fileScript, args: [o.path, o.contains ?? ''] });
      const wrong = judge(o, parseFile(result));
      if (wrong.length > 0) throw checkFailed(`${o.path}: ${wrong.join(', ')}`);
    });
    return `${o.exists ? 'as it should be' : 'absent'}, ${underAll(guests)}`;
  },
});

const fileScript = `[ -e "$1" ] || [ -L "$1" ] || { echo absent; exit 0; }
[ -e "$1" ] || { echo dangling; exit 0; }
stat -L -c '%a %U %G' -- "$1"
[ -z "$2" ] || if grep -qF -e "$2" -- "$1"; then echo contains; else echo lacks; fi`;

export type FoundFile =
  | { readonly there: false; readonly dangling: boolean }
  | {
      readonly there: true;
      readonly mode: string;
      readonly owner: string;
      readonly group: string;
      readonly contains: boolean;
    };

/** What the script found. */
export function parseFile({ stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>): FoundFile {
  const [first = '', second] = stdout.split('\n');
  if (first === 'absent' || first === 'dangling') return { there: false, dangling: first === 'dangling' };
  const [mode, owner, group] = first.split(' ');
  if (mode === undefined || owner === undefined || group === undefined)
    throw checkFailed(`cannot look at it: ${stderr.trim()}`);
  return { there: true, mode, owner, group, contains: second === 'contains' };
}

/** Everything that is not as it should be. */
export function judge(o: FileOptions, found: FoundFile): readonly string[] {
  if (!found.there) {
    if (!o.exists && !found.dangling) return [];
    return [found.dangling ? 'is a link that leads nowhere' : 'does not exist'];
  }
  if (!o.exists) return ['exists'];
  const wrong: string[] = [];
  if (o.mode !== undefined && Number.parseInt(o.mode, 8) !== Number.parseInt(found.mode, 8)) {
    wrong.push(`mode ${found.mode.padStart(4, '0')} instead of ${o.mode}`);
  }
  const owner = o.owner?.includes(':') === true ? `${found.owner}:${found.group}` : found.owner;
  if (o.owner !== undefined && owner !== o.owner) wrong.push(`owner ${owner} instead of ${o.owner}`);
  if (o.contains !== undefined && !found.contains) wrong.push(`does not contain ${JSON.stringify(o.contains)}`);
  return wrong;
}
