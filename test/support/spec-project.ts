import type { Arch } from '../../src/core/arch.ts';
import { type Problem, SpecError } from '../../src/core/errors.ts';
import type { Kinds } from '../../src/core/kinds.ts';
import type { ImageSpec, Project } from '../../src/core/spec.ts';
import { type Choice, readProject } from '../../src/spec/read-project.ts';
import { fakeKinds } from './fake-kinds.ts';

/** Spec files by path; `ingot.yaml` is there without being named. */
export type SpecFiles = Readonly<Record<string, string>>;

/** A project read from texts, on an x86_64 machine with the fake kinds. */
export function projectOf(
  files: SpecFiles,
  choice: Choice = {},
  around: { readonly kinds?: Kinds; readonly hostArch?: Arch } = {},
): Project {
  const texts = new Map(Object.entries({ 'ingot.yaml': 'name: demo\n', ...files }));
  return readProject({ root: '/p', files: texts }, { kinds: fakeKinds, hostArch: 'x86_64', ...around }, choice);
}

/** The only image of a project whose `images/a.yaml` is this text. */
export function imageOf(text: string, files: SpecFiles = {}, choice: Choice = {}): ImageSpec {
  const [image] = projectOf({ 'images/a.yaml': text, ...files }, { images: ['a'], ...choice }).images.filter(
    ({ name }) => name === 'a',
  );
  if (image === undefined) throw new Error('no image came out');
  return image;
}

/** What is wrong with a project: `images/a.yaml:2:3 message (hint)`. */
export function problemsOf(files: SpecFiles, choice: Choice = {}): readonly string[] {
  try {
    projectOf(files, choice);
    return [];
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return error.problems.map(problemLine);
  }
}

/** A problem in one line, its file relative to the project `/p`. */
export function problemLine({ message, place, hint }: Problem): string {
  const where = `${place.file.replace(/^\/p\//, '')}:${place.line}:${place.column}`;
  return `${where} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}
