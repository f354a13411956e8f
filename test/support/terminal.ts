import { spawn } from 'node:child_process';
import { shellLine } from '../../src/core/script.ts';

export type Typed = {
  readonly code: number;
  /** Everything that was on the terminal, without escapes. */
  readonly screen: string;
};

/**
 * Run a program on a terminal of its own, as a person does: each line is typed when the prompt is there, none before.
 * Both streams of the program are the terminal.
 */
export function typeInto(
  argv: readonly string[],
  typing: { readonly prompt: RegExp; readonly lines: readonly string[] },
  setting: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Typed> {
  const env = { ...setting.env, TERM: 'xterm' };
  const child = spawn('script', ['-qefc', shellLine(argv), '/dev/null'], { ...setting, env, stdio: 'pipe' });
  const left = [...typing.lines];
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += plain(text);
    const rest = screen.slice(seen);
    if (!typing.prompt.test(rest)) return;
    seen = screen.length;
    const line = left.shift();
    if (line !== undefined) child.stdin.write(`${line}\n`);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, screen }));
  });
}

function plain(text: string): string {
  return text.replaceAll(/\x1b\[[0-?]*[ -/]*[@-~]/g, '').replaceAll('\r', '');
}
