import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

// Nothing but Node's own: a guest of the power cut reads with it too.

type Manifest = {
  readonly build: string;
  readonly artifacts: readonly { readonly file: string; readonly bytes: number; readonly sha256: string }[];
};

/** One look at everything that can be seen in a served tree. */
export type Look = {
  /** What does not match its digest, or is not whole. */
  readonly problems: readonly string[];
  /** The build behind each `image/arch`. */
  readonly builds: ReadonlyMap<string, string>;
};

/**
 * Read every artifact as a client would, through its stable name, and compare it with the digest beside it and with the
 * manifest; `all`: also the builds that no name stands for.
 */
export async function lookAtArtifacts(artifacts: string, { all = false } = {}): Promise<Look> {
  const problems: string[] = [];
  const builds = new Map<string, string>();
  const root = join(artifacts, 'images');
  for (const image of await names(root)) {
    for (const arch of (await names(join(root, image))).filter((name) => !name.startsWith('.'))) {
      const stable = join(root, image, arch);
      // A client is in one folder while it reads; the name may lead elsewhere in the meantime.
      const target = await readlink(stable).catch(() => '.');
      const folder = join(target === '.' ? stable : dirname(stable), target);
      // An earlier build may go while it is looked at, when the name leads elsewhere.
      const isTurned = async () => (await readlink(stable).catch(() => target)) !== target;
      const isGone = async () => (await stat(folder).catch(() => undefined)) === undefined;
      if (await isGone()) {
        if (await isTurned()) continue;
        problems.push(`${image}/${arch} leads nowhere`);
        continue;
      }
      const { build, wrong } = await verifyFolder(folder);
      if (wrong.length > 0 && (await isGone()) && (await isTurned())) continue;
      problems.push(...wrong.map((why) => `${image}/${arch}: ${why}`));
      if (build !== undefined) builds.set(`${image}/${arch}`, build);
    }
    if (!all) continue;
    // With a dot it is on its way out, and nothing leads to it.
    for (const name of (await names(join(root, image, '.builds'))).filter((one) => !one.startsWith('.'))) {
      const { wrong } = await verifyFolder(join(root, image, '.builds', name));
      problems.push(...wrong.map((why) => `${image}/.builds/${name}: ${why}`));
    }
  }
  return { problems: [...problems, ...(await indexProblems(artifacts))], builds };
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort((a, b) => (a < b ? -1 : 1));
}

async function verifyFolder(folder: string): Promise<{ readonly build?: string; readonly wrong: readonly string[] }> {
  const manifest = await readJson<Manifest>(join(folder, 'manifest.json'));
  if (manifest === undefined) return { wrong: [`no manifest in ${basename(folder)}`] };
  const wrong: string[] = [];
  for (const { file, bytes, sha256 } of manifest.artifacts) {
    const found = await readDigest(join(folder, file));
    const beside = (await readFile(join(folder, `${file}.sha256`), 'utf8').catch(() => 'nothing')).split(' ')[0];
    if (found?.sha256 !== beside) wrong.push(`${file} is ${found?.sha256}, ${file}.sha256 says ${beside}`);
    if (found?.sha256 !== sha256) wrong.push(`${file} is ${found?.sha256}, the manifest says ${sha256}`);
    if (found?.bytes !== bytes) wrong.push(`${file} has ${found?.bytes} bytes, the manifest says ${bytes}`);
  }
  return { build: manifest.build, wrong };
}

async function readDigest(path: string): Promise<{ readonly sha256: string; readonly bytes: number } | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20, autoClose: false })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    return { sha256: hash.digest('hex'), bytes };
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Whatever is at `index.json` is a whole index. */
async function indexProblems(artifacts: string): Promise<readonly string[]> {
  const text = await readFile(join(artifacts, 'index.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  try {
    JSON.parse(text);
    return [];
  } catch {
    return [`index.json is not whole: ${JSON.stringify(text.slice(0, 40))}`];
  }
}

/** The build that the index names for each `image/arch`. */
export async function buildsInIndex(artifacts: string): Promise<ReadonlyMap<string, string>> {
  type Index = { readonly images: Readonly<Record<string, Readonly<Record<string, { readonly build: string }>>>> };
  const index = await readJson<Index>(join(artifacts, 'index.json'));
  const entries = Object.entries(index?.images ?? {}).flatMap(([image, arches]) =>
    Object.entries(arches).map(([arch, { build }]) => [`${image}/${arch}`, build] as const),
  );
  return new Map(entries);
}
