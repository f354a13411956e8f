import type { IngotError } from '../core/errors.ts';
import type { Child, Command, Host } from '../core/host.ts';

/** A program that lives on and says on lines of their own what it has come to. */
export type Talking = {
  readonly child: Child;
  /** Wait for a line whose first word is this; fails when the program ends before. */
  readonly says: (word: string) => Promise<string>;
};

/** Start such a program; `ended` is why it is an error that it ended, given its last lines. */
export async function startTalking(
  command: Command,
  ended: (lines: readonly string[]) => IngotError,
  host: Host,
): Promise<Talking> {
  const heard: string[] = [];
  let look: () => void = () => undefined;
  const onLine = (line: string) => {
    heard.push(line);
    look();
  };
  const child = await host.start(command, { onLine });
  const says = (word: string) =>
    new Promise<string>((resolve, reject) => {
      look = () => {
        const line = heard.find((one) => one.split(' ')[0] === word);
        if (line !== undefined) resolve(line);
      };
      look();
      void child.exited.then(() => reject(ended(child.lastLines())));
    });
  return { child, says };
}
