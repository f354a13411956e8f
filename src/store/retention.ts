import { dirname } from 'node:path';
import type { Keep, Manifest } from '../core/manifest.ts';
import type { Registry } from '../core/registry.ts';
import type { FinishedBuild } from './artifacts.ts';

/** Whether a finished build stays or goes, and why; `open`: limits of age and room decide. */
export type Verdict = { readonly fate: 'stays' | 'goes' | 'open'; readonly why: string };

export type RetentionFacts = {
  /** The folders of the builds that stable names stand for, and of those that somebody may be using. */
  readonly current: ReadonlySet<string>;
  readonly inUse: ReadonlySet<string>;
  readonly deployments: Registry['deployments'];
  /** The rule of an image, whose newest build this is. */
  readonly keepOf: (newest: Manifest) => Keep | undefined;
  readonly nowMs: number;
};

/** How many finished builds of an image without a rule stay: the newest and the one to compare it with. */
const newestWithoutRule = 2;

/** The fate of finished builds, by their folders. */
export function judgeBuilds(builds: readonly FinishedBuild[], facts: RetentionFacts): ReadonlyMap<string, Verdict> {
  const lines = [...Map.groupBy(builds, ({ folder, manifest }) => `${dirname(folder)} ${manifest.arch}`).values()];
  const verdicts = new Map<string, Verdict>();
  for (const line of lines) {
    const sorted = line.toSorted((a, b) => (a.manifest.build < b.manifest.build ? 1 : -1));
    const deployed = deployedOn(sorted, facts.deployments);
    const [newest] = sorted;
    const keep = newest && facts.keepOf(newest.manifest);
    for (const [index, build] of sorted.entries()) {
      const held = heldBy(build, deployed, facts);
      const verdict = held === undefined ? underRule(build, { keep, index, nowMs: facts.nowMs }) : stays(held);
      verdicts.set(build.folder, verdict);
    }
  }
  return withBases(builds, verdicts);
}

function stays(why: string): Verdict {
  return { fate: 'stays', why };
}

function heldBy(
  { folder }: FinishedBuild,
  deployed: ReadonlyMap<string, readonly string[]>,
  facts: RetentionFacts,
): string | undefined {
  if (facts.current.has(folder)) return 'current';
  const targets = deployed.get(folder);
  if (targets !== undefined) return `deployed on ${targets.join(', ')}`;
  return facts.inUse.has(folder) ? 'in use' : undefined;
}

type Ruling = { readonly keep: Keep | undefined; readonly index: number; readonly nowMs: number };

function underRule({ manifest }: FinishedBuild, { keep, index, nowMs }: Ruling): Verdict {
  if (keep === undefined) {
    return index < newestWithoutRule ? stays('newest') : { fate: 'open', why: 'its image has no `keep`' };
  }
  const { last, days } = keep;
  if (last !== undefined && index < last) return stays(last === 1 ? 'the newest' : `one of the newest ${last}`);
  // A build whose time cannot be read is taken for a new one.
  const isOld = nowMs - Date.parse(manifest.builtAt) > (days ?? 0) * 86_400_000;
  if (days !== undefined && !isOld) return stays(`not older than ${count(days)}`);
  const lacks = [
    ...(last === undefined ? [] : [last === 1 ? 'not the newest' : `not one of the newest ${last}`]),
    ...(days === undefined ? [] : [`older than ${count(days)}`]),
  ];
  return { fate: 'goes', why: lacks.join(', ') };
}

function count(days: number): string {
  return days === 1 ? 'a day' : `${days} days`;
}

/** Which targets have which of an image's builds, the newest first: that of the id, else the newest with the key. */
function deployedOn(
  builds: readonly FinishedBuild[],
  deployments: Registry['deployments'],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const name = builds[0]?.manifest.image ?? '';
  for (const [target, { image, image_cache_key: key, arch }] of Object.entries(deployments[name] ?? {})) {
    const mine = builds.filter(({ manifest }) => arch === undefined || manifest.arch === arch);
    const build =
      mine.find(({ manifest }) => `${name}@${manifest.build}` === image) ??
      mine.find(({ manifest }) => manifest.key === key);
    if (build !== undefined) found.set(build.folder, [...(found.get(build.folder) ?? []), target]);
  }
  return found;
}

/** What a build that does not go was made from stays, and what that was made from. */
function withBases(
  builds: readonly FinishedBuild[],
  verdicts: ReadonlyMap<string, Verdict>,
): ReadonlyMap<string, Verdict> {
  const judged = new Map(verdicts);
  const left = builds.filter(({ folder }) => judged.get(folder)?.fate !== 'goes');
  for (let child = left.pop(); child !== undefined; child = left.pop()) {
    const base = baseOf(child.manifest, builds);
    if (base === undefined || judged.get(base.folder)?.fate === 'stays') continue;
    const wasGoing = judged.get(base.folder)?.fate === 'goes';
    judged.set(base.folder, stays(`${child.manifest.image}@${child.manifest.build} was made from it`));
    if (wasGoing) left.push(base);
  }
  return judged;
}

/** The newest build that can be what an image was made from: by the key it was planned with, or by a file's digest. */
function baseOf({ base, source, arch }: Manifest, builds: readonly FinishedBuild[]): FinishedBuild | undefined {
  const pin: unknown = source.pin;
  const keyOf = (image: string): unknown =>
    typeof pin === 'object' && pin !== null && Object.hasOwn(pin, image) ? Reflect.get(pin, image) : undefined;
  const fits = ({ manifest }: FinishedBuild) =>
    manifest.arch === arch &&
    (keyOf(manifest.image) === manifest.key ||
      (base?.digest['sha256'] !== undefined &&
        base.name.startsWith(`${manifest.image}/`) &&
        manifest.artifacts.some(({ sha256 }) => sha256 === base.digest['sha256'])));
  return builds.filter(fits).toSorted((a, b) => (a.manifest.build < b.manifest.build ? 1 : -1))[0];
}
