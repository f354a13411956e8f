import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archFromNode } from '../../src/core/arch.ts';
import type { Context } from '../../src/core/context.ts';
import type { EventBody } from '../../src/core/events.ts';
import type { Json } from '../../src/core/keys.ts';
import type { Work } from '../../src/core/kinds.ts';
import { fillSecrets } from '../../src/core/secrets.ts';
import { createHost } from '../../src/host/host.ts';
import { openPackageCache } from '../../src/host/package-cache.ts';
import { sources } from '../../src/kinds/sources/index.ts';
import { steps } from '../../src/kinds/steps/index.ts';
import { withStepContext } from '../../src/run/step-context.ts';
import { storePaths } from '../../src/store/paths.ts';
import { openTree } from '../../src/tree/session.ts';
import { fakeKinds } from './fake-kinds.ts';
import { imageOf } from './spec-project.ts';

/** A real, small Debian on the tree bench with a project beside it, to run steps on one after another. */
export type SmallTree = {
  /** Where the project, the layers and the work files of the test lie. */
  readonly folder: string;
  /** Everything told since it was last emptied. */
  readonly events: EventBody[];
  /** Write a file of the project; `mode` as in chmod. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Run a step; its sidecars lie in `folder`/layer. */
  step(name: string, options: unknown, secrets?: Readonly<Record<string, string>>): Promise<void>;
  /** Do something with the image as a step would. */
  work<T>(action: (work: Work, ctx: Context) => Promise<T>): Promise<T>;
  /** Which of these paths are in the image at rest. */
  present(...paths: readonly string[]): Promise<readonly string[]>;
  close(): Promise<void>;
};

const host = createHost();
const arch = archFromNode(host.arch) ?? 'x86_64';
const image = imageOf('source: { packages: { suite: trixie } }\ndisk: 1G\nformats: [qcow2]\n');

/** Make one of the suite's `apt` variant with these packages; whoever opens it closes it. */
export async function openSmallTree(include: readonly string[]): Promise<SmallTree> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-steps-'));
  const project = join(folder, 'project');
  const layer = join(folder, 'layer');
  for (const name of ['', 'project', 'layer', 'tree'])
    await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  const events: EventBody[] = [];
  const emit = (event: EventBody) => void events.push(event);
  const ctx = { host, step: 'test', signal: new AbortController().signal, emit };
  const cache = await openPackageCache(join(folder, 'packages'));
  const projectFile = (path: string) => join(project, path);
  const request = { arch, place: join(folder, 'tree'), epoch: 1_700_000_000, proxy: cache.url, projectFile };
  const tree = await openTree(request, ctx);
  const close = async () => {
    await tree.close();
    await cache.close();
    await rm(folder, { recursive: true });
  };
  const work: SmallTree['work'] = async (action) => {
    const session = tree.as(ctx);
    try {
      return await action(session.work, ctx);
    } finally {
      await session.leave();
    }
  };
  const step: SmallTree['step'] = async (name, written, secrets = {}) => {
    const kind = steps.get(name);
    if (kind === undefined) throw new Error(`no step ${name}`);
    const options = fillSecrets(kind.options.parse(written) as Json, kind.secretsIn, (secret) => secrets[secret] ?? '');
    const workshop = { host, kinds: fakeKinds, root: project, paths: storePaths(folder), secret: (one: string) => one };
    const place = { workshop, spec: image, folder, layer };
    await work((inside) => withStepContext(place, ctx, (stepCtx) => kind.run(options, inside, stepCtx)));
  };
  try {
    const source = sources.get('packages');
    const options = source?.options.parse({ suite: 'trixie', variant: 'apt', kernel: 'none', include });
    const read = () => Promise.reject(new Error('nothing is read'));
    const pin = (await source?.pin?.(options, arch, { ...ctx, projectFile, read })) ?? null;
    await source?.fill?.(options, { arch, pin }, tree.as(ctx), ctx);
  } catch (error) {
    await close();
    throw error;
  }
  events.length = 0;
  const write: SmallTree['write'] = async (path, text, mode = 0o644) => {
    await mkdir(join(projectFile(path), '..'), { recursive: true });
    await writeFile(projectFile(path), text, { mode });
  };
  const present: SmallTree['present'] = async (...paths) => {
    const script = 'root=$1; shift; for path; do if [ -e "$root$path" ]; then echo "$path"; fi; done';
    const session = tree.as(ctx);
    const { stdout } = await session.run({ argv: ['sh', '-c', script, 'sh', session.root, ...paths] }, {});
    return stdout.split('\n').filter((line) => line !== '');
  };
  return { folder, events, write, step, work, present, close };
}

/** What a script of the image prints. */
export function printed(tree: SmallTree, text: string): Promise<string> {
  return tree.work(async (work) => (await work.read({ text })).trim());
}

/** The lines that went to the log. */
export function logged({ events }: SmallTree): readonly string[] {
  return events.flatMap((event) => (event.type === 'log' ? [event.line] : []));
}
