import { dirname } from 'node:path';
import { z } from 'zod';
import { log } from '../../core/context.ts';
import { type ErrorFields, IngotError } from '../../core/errors.ts';
import { defineStep, type StepContext, type Tool, type Work } from '../../core/kinds.ts';
import { projectPath } from '../../core/published.ts';
import {
  type AnsibleFolder,
  inventory,
  inventoryFile,
  playbookArgv,
  playbookEnvironment,
  varsFile,
  vaultFile,
} from '../ansible/command.ts';
import { Report, taskFailure } from '../ansible/events.ts';
import { installRequirements } from '../ansible/install.ts';

const playbook = projectPath.refine((path) => dirname(path) !== '.', {
  message: 'expected a playbook in a folder of its own, such as playbooks/site.yml: all files of that folder count',
});

// A tag or group that began with a dash would be an option.
const word = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'expected a name of letters, digits, dots, dashes or _');
const paths = z.union([projectPath.transform((path) => [path]), z.array(projectPath)]);
const words = z.union([word.transform((one) => [one]), z.array(word)]);

const full = z.strictObject({
  playbook: playbook.describe('A playbook of the project. Everything in its folder counts for the step.'),
  requirements: projectPath
    .optional()
    .describe('Roles and collections to install first, as ansible-galaxy reads them; once for all builds.'),
  roles: paths.default([]).describe('Folders with roles, besides roles/ next to the playbook.'),
  files: paths.default([]).describe('Other files and folders that the playbook reads.'),
  'extra-vars': z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'), z.json())
    .default({})
    .describe('Variables; ${secret.x} may stand in values, down to three levels.'),
  tags: words.default([]).describe('Only what has one of these tags.'),
  'skip-tags': words.default([]).describe('Nothing that has one of these tags.'),
  groups: words.default([]).describe('Groups of the inventory that the image is in.'),
  converge: z.boolean().default(false).describe('Run it twice; fail when the second run still changes something.'),
  'vault-password': z.string().optional().describe('What ansible-vault encrypted files with, as ${secret.x}.'),
});

export type AnsibleOptions = z.infer<typeof full>;

const options = z.union([playbook.transform((path): AnsibleOptions => full.parse({ playbook: path })), full]);

/**
 * Apply an Ansible playbook to the image, from the build machine. The image is the only host, in the groups that are
 * named, and needs Python. None of the user's own settings of Ansible count: no ansible.cfg, no ~/.ansible.
 */
export const ansible = defineStep<AnsibleOptions>({
  name: 'ansible',
  version: 1,
  summary: 'Apply an Ansible playbook to the image.',
  on: ['tree', 'guest'],
  options,
  example: { playbook: 'playbooks/site.yml', requirements: 'playbooks/requirements.yml', converge: true },
  title: (o) => `play ${o.playbook}`,
  tools: (o) => tools(o),
  files: countedFiles,
  secretsIn: [['extra-vars', '*'], ['extra-vars', '*', '*'], ['extra-vars', '*', '*', '*'], ['vault-password']],
  run: async (o, work, ctx) => {
    await refuseMissingTools(o, ctx);
    if (o.requirements !== undefined)
      await installRequirements({ requirements: o.requirements, counted: countedFiles(o) }, ctx);
    const place = await prepare(o, work, ctx);
    await play(o, place, work, ctx);
    if (!o.converge) return;
    log(ctx, 'once more: nothing may change now');
    refuseChanges(o, await play(o, place, work, ctx));
  },
});

/** All of the playbook's folder: what it includes, templates and copies from there cannot be known beforehand. */
export function countedFiles(o: AnsibleOptions): readonly string[] {
  const { requirements } = o;
  const all = [dirname(o.playbook), ...(requirements === undefined ? [] : [requirements]), ...o.roles, ...o.files];
  const isWithin = (path: string) => all.some((folder) => path.startsWith(`${folder}/`));
  return [...new Set(all)].filter((path) => !isWithin(path));
}

function tools({ requirements }: AnsibleOptions): readonly Tool[] {
  const debian = 'ansible-core';
  return [
    { program: 'ansible-playbook', debian, why: 'applies playbooks to images' },
    ...(requirements === undefined
      ? []
      : [{ program: 'ansible-galaxy', debian, why: 'installs roles and collections' }]),
  ];
}

async function refuseMissingTools(o: AnsibleOptions, { host }: StepContext): Promise<void> {
  for (const { program, debian } of tools(o)) {
    if ((await host.which(program)) !== undefined) continue;
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `the program ${program} is not on this machine`,
      hint: `run ./setup, or install the package ${debian}`,
    });
  }
}

/** Everything Ansible reads besides the playbook, in files that nobody else can read. */
async function prepare(o: AnsibleOptions, work: Work, ctx: StepContext): Promise<AnsibleFolder> {
  const password = o['vault-password'];
  const { folder } = ctx;
  const place = { folder, roles: o.roles.map((path) => ctx.projectFile(path)), hasVault: password !== undefined };
  const write = (path: string, text: string) => ctx.host.files.write(path, text, 0o600);
  await write(`${folder}/ansible.cfg`, '');
  await write(inventoryFile(place), JSON.stringify(inventory(work.login, o.groups)));
  await write(varsFile(place), JSON.stringify(o['extra-vars']));
  if (password !== undefined) await write(vaultFile(place), `${password}\n`);
  return place;
}

const everyExit = Array.from({ length: 256 }, (_, code) => code);

/** One run; a failure is told with the task, what the image said and where the task stands. */
async function play(o: AnsibleOptions, place: AnsibleFolder, work: Work, ctx: StepContext): Promise<Report> {
  const report = new Report([ctx.projectFile('.'), `${place.folder}/installed`], ctx);
  const argv = playbookArgv(
    {
      playbook: ctx.projectFile(o.playbook),
      tags: o.tags,
      skipTags: o['skip-tags'],
      hasVars: Object.keys(o['extra-vars']).length > 0,
    },
    place,
  );
  const env = playbookEnvironment({ login: work.login, env: ctx.host.env }, place);
  const kept: string[] = [];
  const onLine = (line: string) => {
    kept.push(line);
    log(ctx, line);
  };
  const onAnswer = (line: string) => report.add(line);
  const command = { argv, env, cwd: ctx.projectFile(dirname(o.playbook)) };
  const { exitCode } = await work.beside(command, { onLine, onAnswer, ok: everyExit });
  if (exitCode !== 0) throw await explain(report, { exitCode, lines: kept.slice(-20) }, work);
  if (report.count > 0) return report;
  throw new IngotError({
    code: 'STEP_FAILED',
    message: `${o.playbook} did nothing: none of its plays is for this image, or the tags left no task`,
    hint: 'name the groups that its plays are for in `groups`',
  });
}

type Ended = { readonly exitCode: number; readonly lines: readonly string[] };

async function explain(report: Report, { exitCode, lines }: Ended, work: Work): Promise<IngotError> {
  const task = report.failed;
  const ended = `ansible-playbook ended with exit code ${exitCode}`;
  const failure: ErrorFields =
    task === undefined ? { code: 'STEP_FAILED', message: ended, detail: lines } : taskFailure(report, task);
  const python = await work.read({ text: 'command -v python3 python /usr/libexec/platform-python || true' });
  const hint = python.trim() === '' ? { hint: 'the image has no Python: install python3 in a step before' } : {};
  return new IngotError({ ...failure, ...hint });
}

function refuseChanges(o: AnsibleOptions, report: Report): void {
  const changed = report.changed;
  if (changed.length === 0) return;
  const count = changed.length === 1 ? 'a task' : `${changed.length} tasks`;
  throw new IngotError({
    code: 'STEP_FAILED',
    message: `${o.playbook} does not converge: ${count} changed something again`,
    hint: 'a task that finds its work done must say so: `creates`, `changed_when`, or a module instead of a command',
    detail: changed.map((task) => `${task.name} (${report.where(task)})`),
  });
}
