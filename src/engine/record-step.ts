import { dirname, join } from 'node:path';
import type { RecordedStep } from '../cli/requests/images.ts';
import { IngotError } from '../core/errors.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { Boundary } from '../plan/pick-step.ts';
import { type Entered, recordedScript, recordingOf } from '../run/recording.ts';
import { projectFolder } from '../run/root-shell.ts';
import type { Workshop } from '../run/workshop.ts';
import { insertStep, stepLine } from '../spec/insert-step.ts';
import { writeDurable } from '../store/durable.ts';

type Recorder = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly boundary: Boundary;
  /** The command line that records. */
  readonly how: string;
  /** The name of the script; undefined: one that is free. */
  readonly script?: string;
};

/** See to it that a recording can be kept; gives what makes a step of commands that were entered. */
export async function prepareRecording(
  recorder: Recorder,
): Promise<(entered: readonly Entered[]) => Promise<RecordedStep>> {
  await scriptPath(recorder);
  const before = await recorder.workshop.host.files.readText(recorder.spec.file);
  return (entered) => recordStep(recorder, entered, before);
}

async function recordStep(
  recorder: Recorder,
  entered: readonly Entered[],
  before: string | undefined,
): Promise<RecordedStep> {
  const { workshop, how } = recorder;
  const recording = recordingOf(entered, projectFolder);
  if (recording.commands.length === 0) return recording;
  const path = await scriptPath(recorder);
  const script = join(workshop.root, path);
  await writeDurable({ path: script, staging: dirname(script) }, recordedScript(recording, how), 0o755);
  const end = await putStep(recorder, path, before);
  return { ...recording, script, step: stepLine({ shell: path }), ...end };
}

/** A path of the project where no file is yet. */
async function scriptPath({ workshop, spec, boundary, script }: Recorder): Promise<string> {
  const isFree = async (path: string) => (await workshop.host.files.stat(join(workshop.root, path))) === undefined;
  if (script !== undefined) {
    const path = `scripts/${script}.sh`;
    if (await isFree(path)) return path;
    const hint = 'name another one; without --script one is found';
    throw new IngotError({ code: 'USAGE', message: `${path} is there already`, hint });
  }
  for (let number = 1; ; number += 1) {
    const path = `scripts/${spec.name}-step-${boundary.count + 1}${number === 1 ? '' : `-${number}`}.sh`;
    if (await isFree(path)) return path;
  }
}

/** Put the step into the image's own file, where that is the place for it. */
async function putStep(
  { workshop, spec, boundary }: Recorder,
  path: string,
  before: string | undefined,
): Promise<Pick<RecordedStep, 'place' | 'why'>> {
  const { files } = workshop.host;
  const inherited = spec.steps.filter(({ place }) => place.file !== spec.file).length;
  const index = boundary.count - inherited;
  const next = spec.steps[boundary.count];
  if (index < 0) return { why: `the step after it is one of ${next?.place.file}, which other images may use` };
  const file = await files.realPath(spec.file);
  const text = await files.readText(file);
  if (text === undefined || text !== before) return { why: `${spec.file} was changed in the meantime` };
  const inserted = insertStep(text, index, { shell: path });
  if (inserted === undefined) return { why: `the steps of ${spec.file} are not written one a line` };
  const { mode } = (await files.stat(file)) ?? { mode: 0o644 };
  await writeDurable({ path: file, staging: dirname(file) }, inserted.text, mode);
  return { place: { file: spec.file, line: inserted.line } };
}
