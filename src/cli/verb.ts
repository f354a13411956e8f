import type { Command } from '@commander-js/extra-typings';
import type { Globals, Session } from './session.ts';

/** A command before its own arguments and options. */
export type BareCommand = Command<[], Record<never, never>, Globals>;

/** Do a command's work in a session; the exit code comes from the work. */
export type Act = (
  globals: Globals,
  work: (session: Session) => Promise<number>,
  mode?: 'single' | 'streams',
) => Promise<void>;

/** One command; everything about it stands in its own file. */
export type Verb = {
  /** One sentence, no full stop, shown in the list of commands. */
  readonly summary: string;
  /** Command lines as a person types them, without `ingot`, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** More to know, a paragraph each, after the options. */
  readonly notes?: readonly string[];
  /** Commands below this one, by name. */
  readonly verbs?: Readonly<Record<string, Verb>>;
  /** It does something without one of those too. */
  readonly alone?: true;
  readonly register: (command: BareCommand, act: Act) => void;
};
