import { z } from 'zod';
import { IngotError } from '../../core/errors.ts';
import { defineStep } from '../../core/kinds.ts';
import { projectPath } from '../../core/published.ts';
import type { Script } from '../../core/script.ts';

const shared = {
  args: z.array(z.string()).default([]).describe('Arguments: $1, $2, ...'),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a variable name, such as VERSION'), z.string())
    .default({})
    .describe('Environment variables; the only place where ${secret.x} may stand.'),
};

const fromFile = z.strictObject({ file: projectPath.describe('A script of the project.'), ...shared });
const inline = z.strictObject({
  run: z.string().regex(/\S/, 'the script is empty').describe('The script itself.'),
  ...shared,
});

export type ShellOptions = z.infer<typeof fromFile> | z.infer<typeof inline>;

const options = z.union([
  z
    .string()
    .regex(/\S/, 'the script is empty')
    .transform((text, check): ShellOptions => {
      if (!isPath(text)) return { run: text, args: [], env: {} };
      for (const { message } of projectPath.safeParse(text).error?.issues ?? []) check.addIssue(message);
      return { file: text, args: [], env: {} };
    }),
  fromFile,
  inline,
]);

/**
 * Run a script in the image as root. The script is a file of the project or inline text; a bare string is a file when it
 * is one word that ends in an extension such as .sh or holds a slash (but is not absolute), and text otherwise.
 * Either is run by the program on its `#!` line, else by `/bin/sh -eu`. It starts in /root; only the script itself
 * is put into the image, not the files next to it (`copy` brings those).
 */
export const shell = defineStep<ShellOptions>({
  name: 'shell',
  version: 1,
  summary: 'Run a script in the image as root: a file of the project or inline text.',
  on: ['tree', 'guest'],
  options,
  example: 'scripts/base.sh',
  title: (o) => ('file' in o ? `run ${o.file}` : `run ${firstLine(o.run)}`),
  files: (o) => ('file' in o ? [o.file] : []),
  secretsIn: [['env', '*']],
  run: async (o, work, ctx) => {
    if ('run' in o) return work.exec(shellScript(o.run, o));
    const text = await ctx.host.files.readText(ctx.projectFile(o.file));
    if (text === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `there is no script ${o.file}` });
    if (/^[^\n]*\r\n/.test(text)) throw windowsLineEnds(o.file);
    return work.exec({ ...shellScript(text, o), name: o.file });
  },
});

function isPath(text: string): boolean {
  return /^[^\s/;&|<>()$`"'\\*?{}#!=~][^\s;&|<>()$`"'\\*?{}#!=~]*$/.test(text) && /\/|\.[a-z][a-z0-9]{0,4}$/.test(text);
}

/** The script with the interpreter that its `#!` line names. */
export function shellScript(text: string, o: Pick<ShellOptions, 'args' | 'env'>): Script {
  return { text, interpreter: interpreterOf(text), args: o.args, env: o.env };
}

/** The words of a `#!` line as the kernel reads it: a program and at most one argument (execve(2)). */
export function interpreterOf(text: string): readonly [string, ...string[]] {
  const match = /^#![ \t]*(\S+)[ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(text);
  const [, program, argument] = match ?? [];
  if (program === undefined) return ['/bin/sh', '-eu'];
  return argument === undefined || argument === '' ? [program] : [program, argument];
}

function firstLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const line = lines.find((one) => one !== '' && !one.startsWith('#')) ?? lines[0] ?? '';
  return line.length <= 60 ? line : `${line.slice(0, 57)}...`;
}

function windowsLineEnds(file: string): IngotError {
  return new IngotError({
    code: 'STEP_FAILED',
    message: `${file} has Windows line ends, which no interpreter in the image understands`,
    hint: `save it with line feeds only: sed -i 's/\\r$//' ${file}`,
  });
}
