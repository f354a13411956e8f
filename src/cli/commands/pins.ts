import { InvalidArgumentError } from 'commander';
import { exitCodeOfAll } from '../outcomes.ts';
import type { PinReport, PinsResult } from '../requests/upkeep.ts';
import type { Session } from '../session.ts';
import { count, oneLine, table } from '../text.ts';
import type { Verb } from '../verb.ts';

/** `ingot pins`: what moved upstream. */
export const pins: Verb = {
  summary: 'Show which pins moved upstream, and follow them',
  examples: [
    ['pins check', 'what moved: pins of versions.yaml, ISOs, and what images start from'],
    ['pins update', 'follow all of it; versions.yaml is rewritten in place'],
    ['pins update debian-12', 'one pin, or what one image starts from'],
  ],
  notes: [
    'A pin of versions.yaml is followed when it has `sums`: the address of a list of checksums (or `sidecar`), with `signature` and `keyring` where the list is signed. What images start from is looked up at their first build and kept; `pins update` and `build --refresh` look it up again.',
  ],
  register(command, act) {
    command
      .argument('<action>', 'check or update', actionWord)
      .argument('[name...]', 'pins of versions.yaml, ISOs, images (default: all)')
      .option('--site <site>', 'the site whose values to use')
      .action((action, names, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const update = action === 'update';
          const engine = await session.engine();
          const request = { names, update, ...(options.site === undefined ? {} : { site: options.site }) };
          const result = await engine.pins(request, session.io);
          if (session.json) session.printJson('pins', { update, ...result });
          else tell(result, update, session);
          const ends = result.pins.map(({ state, error }) => {
            const outcome = state === 'failed' ? ('failed' as const) : ('done' as const);
            return { outcome, ...(error === undefined ? {} : { error }) };
          });
          return exitCodeOfAll(ends, session.io.signal);
        }),
      );
  },
};

function actionWord(text: string): 'check' | 'update' {
  if (text === 'check' || text === 'update') return text;
  throw new InvalidArgumentError('Expected check or update.');
}

function tell(result: PinsResult, update: boolean, session: Session): void {
  session.print(pinLines(result.pins, session));
  for (const { name, arch, error } of result.pins) {
    if (error !== undefined)
      session.complain({ ...error, message: `${[name, arch].join(' ').trim()}: ${error.message}` });
  }
  const moved = result.pins.filter(({ state }) => state === 'moved' || state === 'new').length;
  if (result.pins.length === 0) session.remark('nothing is pinned here');
  else if (moved === 0) session.remark('nothing moved');
  else if (!update) session.remark(`next: ingot pins update (${count(moved, 'change')})`);
  if (result.written !== undefined) session.remark(`written: ${result.written}`);
}

/** What is known of each pin, for people. */
export function pinLines(all: readonly PinReport[], view: Pick<Session, 'paint'>): readonly string[] {
  const rows = all.flatMap((pin) => {
    const name = pin.what === 'pin' ? pin.name : `${pin.what === 'iso' ? 'ISO' : 'image'} ${pin.name}`;
    const head = [oneLine(name), pin.arch ?? '', stateWord(pin, view)];
    const told = pin.changes.map(({ name: field, from, to }) => `${field} ${change(from, to)}`.trim());
    const [first = '', ...more] = told.map(oneLine);
    return [[...head, first], ...more.map((line) => ['', '', '', line])];
  });
  return table(rows);
}

function stateWord({ state }: PinReport, { paint }: Pick<Session, 'paint'>): string {
  if (state === 'moved' || state === 'new') return paint('yellow', state);
  if (state === 'failed') return paint('red', state);
  return state === 'fixed' ? paint('dim', state) : paint('green', state);
}

function change(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return short(to ?? '');
  return to === undefined ? `${short(from)} -> nothing` : `${short(from)} -> ${short(to)}`;
}

const digestForm = /^((?:sha(?:256|512):)?[0-9a-f]{12})[0-9a-f]{52,}$/;

function short(value: string): string {
  return digestForm.exec(value)?.[1] ?? value;
}
