import { markdownLines } from '../markdown.ts';
import type { Change, Difference, DiffRequest, DiffSide } from '../requests/trace.ts';
import { oneImage } from '../selection.ts';
import type { Session } from '../session.ts';
import { ago, bytes, count, oneLine, table } from '../text.ts';
import { archName, imageRef } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot diff`: what changed between two builds. */
export const diff: Verb = {
  summary: 'Show what changed between two builds: inputs, packages, files and sizes',
  examples: [
    ['diff debian-13', 'its newest build against the one before'],
    ['diff debian-13@20261120-0911-03ab debian-13', 'an earlier build against the newest'],
    ['diff debian-13@2026-11-14 debian-13 --markdown', 'release notes since a day'],
    ['diff debian-12 debian-13', 'two images'],
    ['diff debian-13@v13.2 debian-13@v13.3', 'two releases on GitHub'],
    ['diff debian-13@latest', 'the release `latest` against the newest build here'],
  ],
  register(command, act) {
    command
      .argument('<from>', 'IMAGE, IMAGE@BUILD, IMAGE@DAY or IMAGE@RELEASE', imageRef)
      .argument('[to]', 'IMAGE, IMAGE@BUILD, IMAGE@DAY or IMAGE@RELEASE', imageRef)
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .option('--site <site>', 'the site whose values to use')
      .option('--all', 'every file, however many')
      .option('--markdown', 'a changelog for release notes')
      .action((from, to, options, cmd) =>
        act(cmd.optsWithGlobals(), (session) => {
          const request = { from: oneImage(from, options), ...(to === undefined ? {} : { to: oneImage(to, options) }) };
          return run(session, request, options);
        }),
      );
  },
};

type Shown = { readonly all?: true; readonly markdown?: true };

async function run(session: Session, request: DiffRequest, { all, markdown }: Shown): Promise<number> {
  const engine = await session.engine();
  const difference = await engine.diff(request, session.io);
  if (session.json) session.printJson('diff', difference);
  else if (markdown === true) session.print(markdownLines(difference));
  else session.print(differenceLines(difference, session, all === true ? Number.POSITIVE_INFINITY : shownChanges));
  return 0;
}

const shownChanges = 40;

type DiffView = Pick<Session, 'paint' | 'wallMs'>;

/** A difference for people, each list cut to `most` lines. */
export function differenceLines(difference: Difference, view: DiffView, most: number): readonly string[] {
  const { paint } = view;
  const head = [
    `${paint('red', '-')} ${side(difference.from, view)}`,
    `${paint('green', '+')} ${side(difference.to, view)}`,
  ];
  if (difference.same) return [...head, 'the same bytes'];
  const sizes = difference.sizes.map((change) => ({ ...change, ...readable(change) }));
  const lists = [
    section('Inputs', difference.inputs, view, most),
    section('Packages', difference.packages, view, most),
    section('Files', difference.files, view, most),
    section('Sizes', sizes, view, most),
  ].flat();
  if (lists.length === 0) return [...head, 'the bytes differ, but no input, package or file does'];
  const surprise = difference.inputs.length === 0 ? ['no input changed, and still not the same bytes came out'] : [];
  return [...head, ...surprise, ...lists];
}

function side(one: DiffSide, view: DiffView): string {
  const age = ago((view.wallMs() - Date.parse(one.at)) / 1000);
  const release = one.release === undefined ? '' : `release ${oneLine(one.release)}, `;
  return `${oneLine(one.image)} ${one.arch}  ${release}build ${oneLine(one.build)}, ${age}`;
}

function section(title: string, changes: readonly Change[], view: DiffView, most: number): readonly string[] {
  if (changes.length === 0) return [];
  const shown = changes.slice(0, most);
  const hidden = changes.length - shown.length;
  return [
    '',
    view.paint('bold', `${title} (${count(changes.length, 'change')})`),
    ...table(
      shown.map((change) => row(change, view)),
      '  ',
    ),
    ...(hidden === 0 ? [] : [view.paint('dim', `  and ${hidden} more: --all shows them`)]),
  ];
}

function row(change: Change, { paint }: DiffView): readonly string[] {
  const name = oneLine(change.name);
  if (change.from === undefined) return [paint('green', '+'), name, oneLine(change.to ?? '')];
  if (change.to === undefined) return [paint('red', '-'), name, paint('dim', oneLine(change.from))];
  return [paint('yellow', '~'), name, `${oneLine(change.from)} -> ${oneLine(change.to)}`];
}

/** `153 MB -> 153 MB (+ 96 kB)`: large files seldom change by as much as their size shows. */
function readable({ from, to }: Change): Omit<Change, 'name'> {
  const grown = Number(to) - Number(from);
  const difference = Number.isNaN(grown) ? '' : ` (${grown < 0 ? '-' : '+'} ${bytes(Math.abs(grown))})`;
  return {
    ...(from === undefined ? {} : { from: bytes(Number(from)) }),
    ...(to === undefined ? {} : { to: `${bytes(Number(to))}${difference}` }),
  };
}
