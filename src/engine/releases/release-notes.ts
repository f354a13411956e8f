import { join } from 'node:path';
import { markdownLines } from '../../cli/markdown.ts';
import { bytes } from '../../cli/text.ts';
import { IngotError } from '../../core/errors.ts';
import type { Asset, Release } from '../../host/github-types.ts';
import type { Entry } from '../../release/entry.ts';
import { scriptName, stemOf } from '../../release/names.ts';
import { sectionOf } from '../../release/notes.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';
import { compareFinished } from '../diff/diff.ts';
import { systemName } from '../show.ts';
import { planImage, type ReleaseWork } from './release-image.ts';
import type { Setting } from './release-remove.ts';
import { movingTag } from './release-tag.ts';
import { bringBuild } from './released-build.ts';
import { entryOf } from './remote-entries.ts';

/** What the notes of a release are to say of each image that changes in it, by its stem. */
export async function sectionsFor(
  setting: Setting,
  found: Release | undefined,
  works: readonly ReleaseWork[],
): Promise<ReadonlyMap<string, string>> {
  const isPublished = found !== undefined && !found.isDraft;
  const changing = works.filter((work) => !isPublished || planImage(work).upload.length > 0);
  const sections = new Map<string, string>();
  const olderOnes = olderReleases(setting, found);
  for (const work of changing) {
    const { manifest } = work.build;
    const own = isPublished && work.before !== undefined ? { entry: work.before, assets: work.held } : undefined;
    const previous = own ?? (await previousOf(setting, work.build, olderOnes));
    const lines = previous === undefined ? firstLines(work.build) : await changeLines(setting, previous, work.build);
    sections.set(stemOf(manifest), sectionOf([...lines, '', ...gettingLines(work)], works.length));
  }
  return sections;
}

type Previous = { readonly entry: Entry; readonly assets: readonly Asset[]; readonly tag?: string };
type Older = () => Promise<readonly { readonly release: Release; readonly assets: readonly Asset[] }[]>;

const mostLookedAt = 5;

/** The newest releases of versions, asked for once and only when they are needed. */
function olderReleases({ remote }: Setting, found: Release | undefined): Older {
  let asked: ReturnType<Older> | undefined;
  const ask = async () => {
    const all = (await remote.github.releases()).filter(({ isDraft, tag }) => !isDraft && tag !== movingTag);
    const older = all.filter(({ id }) => id !== found?.id).slice(0, mostLookedAt);
    return Promise.all(older.map(async (release) => ({ release, assets: await remote.github.assets(release) })));
  };
  return () => (asked ??= ask());
}

async function previousOf(
  { host, io, remote }: Setting,
  build: FinishedBuild,
  older: Older,
): Promise<Previous | undefined> {
  for (const { assets, release } of await older()) {
    const entry = await entryOf(remote, assets, build.manifest, { host, signal: io.signal });
    if (entry !== undefined) return { entry, assets, tag: release.tag };
  }
  return undefined;
}

/** Without a comparison the release is as good: it is only told that there is none. */
async function changeLines(setting: Setting, previous: Previous, build: FinishedBuild): Promise<readonly string[]> {
  const { host, io, remote } = setting;
  try {
    return await host.withTemporary(async (folder) => {
      const before = await bringBuild(remote, previous, { host, signal: io.signal, folder: join(folder, 'before') });
      const from = previous.tag === undefined ? before : { ...before, tag: previous.tag };
      return markdownLines(await compareFinished(from, build, host.files));
    });
  } catch (error) {
    io.signal.throwIfAborted();
    if (!(error instanceof IngotError)) throw error;
    return firstLines(build);
  }
}

function firstLines({ manifest }: FinishedBuild): readonly string[] {
  const { image, arch, builtAt, build, description } = manifest;
  const system = systemName(manifest.system);
  const about = [description, system, `build ${build}`].filter((word) => word !== undefined && word !== '');
  return [`## ${image} ${arch}: ${builtAt.slice(0, 10)}`, '', `${about.join('; ')}.`];
}

function gettingLines({ build, files }: ReleaseWork): readonly string[] {
  const { image, artifacts } = build.manifest;
  const size = bytes(artifacts.reduce((sum, one) => sum + one.bytes, 0));
  const isSplit = files.some(({ parts }) => parts.length > 1);
  const script = isSplit ? `, or run \`${scriptName(build.manifest)}\` with sh` : '';
  return [`${size}. Get it with \`ingot images download ${image}\`${script}.`];
}
