import type { Problem } from '../core/errors.ts';
import type { Finding } from './explain.ts';
import { type Node, placeOf, type Spot, spotAt } from './node.ts';

// A person fixes a screenful at a time; a hostile file could make millions.
const perFile = 50;

/** Collects the mistakes of all files: each once, however many images and architectures run into it. */
export class Problems {
  private readonly found = new Map<string, Problem>();
  private readonly counts = new Map<string, number>();

  add(problem: Problem): void {
    const { file, line, column } = problem.place;
    const id = `${file}\0${line}\0${column}\0${problem.message}`;
    const count = this.counts.get(file) ?? 0;
    if (this.found.has(id) || count >= perFile) return;
    this.found.set(id, problem);
    this.counts.set(file, count + 1);
  }

  at(spot: Spot, message: string, hint?: string): void {
    this.add({ message, place: placeOf(spot), ...(hint === undefined ? {} : { hint }) });
  }

  /** Findings of `check` about the value of `node`, which stands under the key at `above` and is called `name`. */
  findings(
    findings: readonly Finding[],
    about: { readonly node: Node; readonly above: Spot; readonly name: string },
  ): void {
    for (const { path, message, hint, atKey } of findings) {
      const spot = spotAt(about.node, path, { key: atKey === true, above: about.above });
      const isUnknown = message.startsWith('unknown key');
      const where = [about.name, ...(isUnknown ? path.slice(0, -1) : path).map(String)].filter((word) => word !== '');
      this.at(spot, where.length === 0 ? message : `${where.join('.')}: ${message}`, hint);
    }
  }

  get size(): number {
    return this.found.size;
  }

  /** By file, then line, then column. */
  sorted(): readonly Problem[] {
    return [...this.found.values()].sort((a, b) => {
      if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
      return a.place.line - b.place.line || a.place.column - b.place.column;
    });
  }
}
