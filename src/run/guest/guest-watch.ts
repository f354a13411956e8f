import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { isNoSpace } from '../../core/space.ts';
import type { Firmware } from '../../core/spec.ts';
import { within } from '../../core/within.ts';
import { type Console, createConsole } from '../../guest/console.ts';
import type { Machine } from '../../qemu/machine.ts';
import type { GuestBench } from './guest-bench.ts';

const tailLines = 20;
const leastTail = 5;
/** As many as a question has with its choices. */
const explainedLines = 60;
/** What a panic still prints after its first line. */
const moreMs = 500;
/** A connection ends before QEMU itself, which gives back all its memory first. */
const endingMs = 2_000;
/** How long programs of the guest have to answer each other. */
const answerMs = 4_000;

/** What is known beforehand of what a guest will say. */
export type Expectation = {
  /** Hear a line; one that does not end is heard again. True: it was told in other words. */
  hear(line: string): boolean;
  /** What a line means for which there is no way on; `none`: nothing, whatever it looks like. */
  troubleIn(line: string): string | undefined;
  /** The same in the light of the last lines. */
  explain(meaning: string, said: readonly string[]): { readonly message: string; readonly hint?: string };
};

export const firmwareNames: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

/** Watches one guest's console and process, and says why it is lost. */
export class Watch {
  readonly console: Console;
  readonly firmware: Console;
  readonly lost = new AbortController();
  quiet = false;
  readonly #bench: Pick<GuestBench, 'logs' | 'purpose'>;
  readonly #name: Firmware | 'installer';
  readonly #expected: Expectation | undefined;
  readonly #ctx: Context;
  readonly #explained = new WeakSet<Error>();
  #machine: Machine | undefined;

  constructor(
    bench: Pick<GuestBench, 'logs' | 'purpose'>,
    name: Firmware | 'installer',
    ctx: Context,
    expected?: Expectation,
  ) {
    this.#bench = bench;
    this.#expected = expected;
    this.#name = name;
    this.#ctx = ctx;
    const onTrouble = (meaning: string): void => void this.trouble(meaning);
    const onLine = (line: string): void => {
      if (expected?.hear(line) !== true && !this.quiet) ctx.emit({ type: 'log', id: ctx.step, line });
    };
    const onQuestion = (question: string): void => void this.#wonder(question);
    const more =
      expected === undefined
        ? {}
        : {
            onUnfinished: (line: string): void => void expected.hear(line),
            signs: (line: string) => expected.troubleIn(line),
          };
    this.console = createConsole({ onLine, onTrouble, onQuestion, ...more });
    this.firmware = createConsole({ onTrouble });
  }

  /** `isFine`: asked when the machine has ended by itself. */
  observe(machine: Machine, isFine: () => boolean = () => false): void {
    this.#machine = machine;
    void machine.ended.then(async (error) => {
      this.#machine = undefined;
      if (!isFine()) this.lost.abort(await this.#describe(error));
    });
  }

  /** The error with what there was to see; or why the guest is lost, where that came first. */
  async explain(error: unknown): Promise<unknown> {
    if (error instanceof IngotError && error.code === 'TOOL_FAILED') await this.#untilLost(endingMs);
    return this.#describe(error);
  }

  async #untilLost(milliseconds: number): Promise<void> {
    const { signal } = this.lost;
    const heard = new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', resolve, { once: true });
    });
    await within(milliseconds, this.#ctx, () => heard).catch(() => undefined);
  }

  /** The end of the console, a picture of the screen, where the log is. */
  async #describe(error: unknown): Promise<unknown> {
    if (this.#ctx.signal.aborted) return this.#ctx.signal.reason;
    if (this.lost.signal.aborted) return this.lost.signal.reason;
    if (!(error instanceof IngotError) || isNoSpace(error) || this.#explained.has(error)) return error;
    const { logs, purpose } = this.#bench;
    const picture = `${logs}/screen-${this.#name}.png`;
    const shot = (await this.#machine?.screenshot(picture)) === true;
    const said = this.console.tail(Math.max(leastTail, tailLines - error.detail.length));
    // A guest that goes on from a saved state may have said nothing yet.
    const console = ['last lines of the console:', ...said.map((line) => `  ${line}`)];
    const detail = [
      ...error.detail,
      ...(said.length === 0 ? [] : [...console, `console log: ${logs}/console-${this.#name}.log`]),
      ...(shot ? [`screen: ${picture}`] : []),
    ];
    // Checks boot a disk under each of its firmwares, a build under one.
    const isCheck = purpose === 'check' && this.#name !== 'installer';
    const where = isCheck ? ` (under ${firmwareNames[this.#name]})` : '';
    const { code, hint } = error;
    const message = `${error.message}${where}`;
    const explained = new IngotError({ code, message, ...(hint === undefined ? {} : { hint }), detail, cause: error });
    this.#explained.add(explained);
    return explained;
  }

  /** A question that nobody answers itself is waited for in vain. */
  async #wonder(question: string): Promise<void> {
    await this.#ctx.host.sleep(answerMs, this.#ctx.signal).catch(() => undefined);
    if (this.console.tail(1)[0] !== question) return;
    await this.trouble(`the guest asks a question on its console, and nobody is there to answer it: ${question}`);
  }

  /** The guest is as good as dead: tell why. */
  async trouble(message: string): Promise<void> {
    await this.#ctx.host.sleep(moreMs, this.#ctx.signal).catch(() => undefined);
    const told = this.#expected?.explain(message, this.console.tail(explainedLines)) ?? { message };
    this.lost.abort(await this.#describe(new IngotError({ code: 'STEP_FAILED', ...told })));
  }
}
