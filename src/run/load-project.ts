import { dirname, join } from 'node:path';
import { archFromNode } from '../core/arch.ts';
import { IngotError, SpecError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Project } from '../core/spec.ts';
import { type Document, readDocument, refusedDocument } from '../spec/document.ts';
import { Problems } from '../spec/problems.ts';
import { type Choice, type NamedFile, parseProject, type Reading } from '../spec/read-project.ts';

const specFileLimit = 1024 * 1024;

/** The nearest folder with `ingot.yaml`, from `start` (absolute) upwards; undefined where there is none. */
export async function findProject(start: string, host: Host): Promise<string | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    if ((await host.files.stat(join(folder, 'ingot.yaml'))) !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * Read the project in `root` (absolute), only the files that the choice needs, none outside the folder. All mistakes
 * of all of them come as one SpecError, files that steps name and that are not there among them.
 */
export async function loadProject(
  root: string,
  around: { readonly kinds: Kinds; readonly host: Host },
  choice: Choice = {},
): Promise<Project> {
  const { host, kinds } = around;
  const hostArch = archFromNode(host.arch);
  if (hostArch === undefined) {
    throw new IngotError({ code: 'HOST_UNFIT', message: `Ingot makes no images on ${host.arch} machines` });
  }
  const loader = await Loader.open(root, host);
  const reading = await loader.readAll((files) => parseProject(files, { kinds, hostArch }, choice));
  const problems = new Problems();
  for (const problem of reading.problems) problems.add(problem);
  await loader.findFiles(reading.files, problems);
  if (problems.size > 0) throw new SpecError(problems.sorted());
  return reading.project;
}

type ProjectFiles = Parameters<typeof parseProject>[0];

/** The real path of something in the project; undefined where there is nothing. */
type Located = { readonly real: string } | 'outside' | undefined;

type Refusal = { readonly message: string; readonly hint?: string };

/** Reads spec files as they turn out to be needed; lives for one project. */
class Loader {
  private readonly root: string;
  private readonly realRoot: string;
  private readonly host: Host;
  private readonly paths: Set<string>;
  private readonly documents = new Map<string, Document>();
  private readonly tried = new Set<string>();

  private constructor(fields: {
    readonly root: string;
    readonly realRoot: string;
    readonly host: Host;
    readonly paths: readonly string[];
  }) {
    this.root = fields.root;
    this.realRoot = fields.realRoot;
    this.host = fields.host;
    this.paths = new Set(fields.paths);
  }

  static async open(root: string, host: Host): Promise<Loader> {
    if ((await host.files.stat(join(root, 'ingot.yaml'))) === undefined) {
      const hint = '`ingot new NAME` makes a project; --project FOLDER names one';
      throw new IngotError({ code: 'USAGE', message: `there is no ingot.yaml in ${root}`, hint });
    }
    const lists = ['images', 'sites'].map(async (folder) => {
      const names = await namesIn(join(root, folder), host);
      return names.map((name) => `${folder}/${name}`);
    });
    const paths = ['ingot.yaml', 'versions.yaml', 'isos.yaml', ...(await Promise.all(lists)).flat()];
    return new Loader({ root, realRoot: await host.files.realPath(root), host, paths });
  }

  async readAll(parse: (files: ProjectFiles) => Reading): Promise<Reading> {
    for (;;) {
      const { root, documents, paths, tried } = this;
      const reading = parse({ root, documents, paths, absent: (path) => tried.has(path) });
      if (reading.missing.length === 0) return reading;
      await Promise.all(reading.missing.map((path) => this.read(path)));
    }
  }

  /** Tell of those files that are not there, or are outside the project. */
  async findFiles(files: readonly NamedFile[], problems: Problems): Promise<void> {
    const paths = [...new Set(files.map(({ path }) => path))];
    const found = new Map(await Promise.all(paths.map(async (path) => [path, await this.locate(path)] as const)));
    for (const { path, place } of files) {
      const name = JSON.stringify(path);
      const hint = `looked for ${join(this.root, path)}`;
      if (found.get(path) === undefined) problems.add({ message: `there is no file ${name}`, place, hint });
      if (found.get(path) === 'outside') problems.add({ message: `${name} leads out of the project`, place });
    }
  }

  private async read(path: string): Promise<void> {
    this.tried.add(path);
    const found = await this.locate(path);
    if (found === undefined) return this.noteNeighbours(path);
    const content =
      found === 'outside' ? { message: 'this file leads out of the project' } : await this.text(found.real);
    const file = join(this.root, path);
    const isText = typeof content === 'string';
    this.documents.set(path, isText ? readDocument(path, file, content) : refusedDocument(path, file, content));
  }

  /** The text of a spec file, or why it is refused. */
  private async text(real: string): Promise<string | Refusal> {
    const stat = await this.host.files.stat(real);
    if (stat?.kind !== 'file') return { message: 'this is not a file' };
    if (stat.size > specFileLimit) {
      const message = `this file has ${(stat.size / 1024 ** 2).toFixed(1)} MiB; a spec file has at most 1 MiB`;
      return { message, hint: 'move long texts into files of their own' };
    }
    const bytes = await this.host.files
      .read(real)
      .catch((error: unknown) => ({ message: `cannot be read: ${wordsOf(error)}` }));
    if ('message' in bytes) return bytes;
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return { message: 'this file is not UTF-8 text', hint: 'save it as UTF-8' };
    }
  }

  private async locate(path: string): Promise<Located> {
    const real = await this.host.files.realPath(join(this.root, path)).catch(() => undefined);
    if (real === undefined) return undefined;
    return real === this.realRoot || real.startsWith(join(this.realRoot, '/')) ? { real } : 'outside';
  }

  /** What stands beside a file that is not there, for a hint with its right name. */
  private async noteNeighbours(path: string): Promise<void> {
    const folder = dirname(path);
    const found = await this.locate(folder);
    if (found === undefined || found === 'outside') return;
    for (const name of await namesIn(found.real, this.host))
      this.paths.add(folder === '.' ? name : `${folder}/${name}`);
  }
}

async function namesIn(folder: string, host: Host): Promise<readonly string[]> {
  const real = await host.files.realPath(folder).catch(() => undefined);
  const stat = real === undefined ? undefined : await host.files.stat(real);
  return real !== undefined && stat?.kind === 'directory' ? host.files.list(real) : [];
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
