import { z } from 'zod';
import type { RunResult } from '../../core/host.ts';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

const line = z.string().regex(/\S/, 'the command is empty');

const full = z.strictObject({
  run: line.describe('A shell command line or script.'),
  exit: z.number().int().min(0).max(254).default(0).describe('The exit code it must have.'),
  stdout: z
    .union([
      z.strictObject({ contains: z.string().min(1) }),
      z.strictObject({ matches: z.string().refine(isPattern, 'not a regular expression') }),
    ])
    .optional()
    .describe('What it must print: a text it contains, or a regular expression (JavaScript, multi-line) it matches.'),
  as: z.enum(['root', 'user']).default('root').describe('Who runs it: root, or the user that logs in.'),
});

export type CommandOptions = z.infer<typeof full>;

const options = z.union([line.transform((run): CommandOptions => ({ run, exit: 0, as: 'root' })), full]);

/** A command does what it should in the booted image. */
export const command = defineCheck<CommandOptions>({
  name: 'command',
  version: 1,
  summary: 'A command in the booted image ends with the right exit code and prints what it should.',
  options,
  example: { run: 'python3 --version', stdout: { contains: 'Python 3' } },
  title: ({ run }) => `command ${run.trim().split('\n')[0]}`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'without steps',
  run: async (o, { guests }) => {
    const results = await onEach(guests, async (guest) => {
      const script = { text: o.run };
      const result = await (o.as === 'root' ? guest.exec(script) : guest.execAsUser(script));
      const wrong = judge(o, result);
      if (wrong !== undefined) throw checkFailed(wrong, lastLines(result));
      return result;
    });
    const said = lastLines(results[0] ?? { stdout: '', stderr: '' }, 1)[0];
    return `exit code ${o.exit}${said === undefined ? '' : `, ${said.slice(0, 80)}`}, ${underAll(guests)}`;
  },
});

/** What is wrong with a result, or undefined. */
export function judge(
  { exit, stdout }: Pick<CommandOptions, 'exit' | 'stdout'>,
  result: RunResult,
): string | undefined {
  if (result.exitCode !== exit) return `exit code ${result.exitCode} instead of ${exit}`;
  if (stdout === undefined) return undefined;
  if ('contains' in stdout) {
    return result.stdout.includes(stdout.contains)
      ? undefined
      : `stdout does not contain ${JSON.stringify(stdout.contains)}`;
  }
  return new RegExp(stdout.matches, 'm').test(result.stdout) ? undefined : `stdout does not match /${stdout.matches}/`;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'm');
    return true;
  } catch {
    return false;
  }
}
