/** Layers on their way to the store while the work goes on. */
export class Saving {
  readonly #all: Promise<void>[] = [];
  readonly #failures: unknown[] = [];

  add(saved: Promise<void>): void {
    this.#all.push(saved);
    saved.catch((error: unknown) => this.#failures.push(error));
  }

  /** Work that goes on for nothing need not go on. */
  throwIfFailed(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** All are stored. */
  async done(): Promise<void> {
    await Promise.all(this.#all);
  }

  /** All have ended; gives the first failure. */
  async settled(): Promise<unknown> {
    await Promise.allSettled(this.#all);
    return this.#failures[0];
  }
}
