import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';
import type { Plan } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { Boundary } from '../plan/pick-step.ts';
import type { BootedGuest } from './guest/boot-guest.ts';
import { rootShell } from './guest/boot-shell.ts';
import { visitGuest } from './guest/guest-build.ts';
import { lendProject } from './lend-project.ts';
import { type Entered, parseEntered } from './recording.ts';
import { enteredFile, projectFolder, recordFolder, rootShellScript, type ShellLook } from './root-shell.ts';
import { openTreeAfter } from './tree.ts';
import type { Workshop } from './workshop.ts';

export type VisitRequest = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly plan: Plan;
  /** The source's pin. */
  readonly pin: Json;
  /** Where to go; the layers of all steps before it are stored. */
  readonly boundary: Boundary;
  /** A work folder that the caller removes. */
  readonly folder: string;
  /** A folder that stays, for logs. */
  readonly logs: string;
  readonly proxy: string;
  /** Whether anybody wants to know what was entered. */
  readonly record: boolean;
  /** Hand over the terminal, when all is ready. */
  readonly terminal: (shell: () => Promise<void>) => Promise<void>;
};

/** Open an image as it is before a step and give the terminal to root's shell in it; nothing of it stays. Gives what was entered. */
export function visit(request: VisitRequest, ctx: Context): Promise<readonly Entered[]> {
  return request.boundary.bench === 'tree' ? visitTree(request, ctx) : visitInGuest(request, ctx);
}

async function visitTree(request: VisitRequest, ctx: Context): Promise<readonly Entered[]> {
  const { workshop, boundary, folder, terminal } = request;
  const { files } = ctx.host;
  const record = join(folder, 'record');
  await files.makeDirectory(record, 0o755);
  const tree = await openTreeAfter(boundary.before, request, ctx);
  try {
    const lent = [
      { folder: workshop.root, name: nameOf(projectFolder) },
      { folder: record, name: nameOf(recordFolder), writable: true },
    ];
    await terminal(() => tree.shell({ script: rootShellScript(lookOf(request)), lent }, ctx));
    return parseEntered((await files.readText(join(record, enteredFile))) ?? '');
  } finally {
    await tree.close();
  }
}

function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}

async function visitInGuest(request: VisitRequest, ctx: Context): Promise<readonly Entered[]> {
  const { plan, boundary, terminal, ...rest } = request;
  const here = new Set(boundary.before.map(({ id }) => id));
  const stages = plan.stages.map((stage) => ({ ...stage, steps: stage.steps.filter(({ id }) => here.has(id)) }));
  const build = { ...rest, plan: { ...plan, stages }, force: false, warm: true };
  return visitGuest(build, ctx, async (guest) => {
    await lendProject(guest, request, ctx);
    const look = lookOf(request);
    const greeting = [...look.greeting, 'To turn it off or to restart it ends this shell.'];
    await terminal(() => rootShell(guest, { ...look, greeting }, ctx));
    return request.record ? enteredIn(guest, ctx) : [];
  });
}

/** A person may have turned the guest off, or broken it. */
async function enteredIn(guest: BootedGuest, ctx: Context): Promise<readonly Entered[]> {
  try {
    const { stdout } = await guest.run({ text: `cat ${recordFolder}/${enteredFile} 2>/dev/null || :` }, {});
    return parseEntered(stdout);
  } catch (error) {
    ctx.signal.throwIfAborted();
    const why = error instanceof IngotError ? error.message : 'it does not answer';
    ctx.emit({ type: 'warning', message: `the guest is gone, and what was entered with it: ${why}` });
    return [];
  }
}

function lookOf({ spec, boundary }: VisitRequest): ShellLook {
  const what = boundary.id === 'seal' ? 'its seal' : `${boundary.id} (${boundary.title})`;
  return {
    where: `${spec.name} before ${boundary.id}`,
    greeting: [
      `This is ${spec.name} before ${what}. Nothing of what is done here stays.`,
      `The project's files are in ${projectFolder}, read-only.`,
    ],
  };
}
