import type { Arch } from './arch.ts';
import type { ErrorCode } from './errors.ts';

export type Outcome = 'done' | 'cached' | 'failed' | 'cancelled' | 'skipped';

/** An error as data, for events and `--json`. */
export type ErrorRecord = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly detail?: readonly string[];
};

/**
 * What happens, as data; every reader (terminal, log file, `--json`) draws it in its own way.
 * `id` names a step within its build and is stable between runs; `seconds` are wall time.
 */
export type EventBody =
  | { readonly type: 'build.start'; readonly image: string; readonly arch: Arch; readonly key: string }
  | { readonly type: 'step.start'; readonly id: string; readonly title: string; readonly expectedSeconds?: number }
  | {
      readonly type: 'progress';
      readonly id: string;
      readonly done: number;
      readonly total?: number;
      readonly unit: 'bytes' | 'items';
    }
  | { readonly type: 'log'; readonly id: string; readonly line: string }
  | { readonly type: 'warning'; readonly message: string; readonly hint?: string }
  | {
      readonly type: 'step.end';
      readonly id: string;
      readonly title: string;
      readonly outcome: Outcome;
      readonly seconds: number;
      readonly error?: ErrorRecord;
    }
  | {
      readonly type: 'build.end';
      readonly image: string;
      readonly arch: Arch;
      readonly outcome: Outcome;
      readonly seconds: number;
      readonly path?: string;
      readonly error?: ErrorRecord;
    }
  /** The artifact service takes requests; who knows what is in `tokenFile` may bring files. */
  | { readonly type: 'serve.start'; readonly url: string; readonly tokenFile: string }
  | {
      readonly type: 'access';
      readonly method: string;
      /** As it was asked for, percent-encoded. */
      readonly path: string;
      /** 0: nothing was answered. */
      readonly status: number;
      readonly bytes: number;
      readonly seconds: number;
      readonly remote: string;
      /** Whether the whole answer went out. */
      readonly whole: boolean;
    };

/** An event as it is written: numbered from 1 within a build, `time` in ISO 8601 UTC. */
export type IngotEvent = EventBody & { readonly seq: number; readonly time: string; readonly build: string };

export type Emit = (event: EventBody) => void;
