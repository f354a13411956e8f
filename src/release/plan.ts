import type { Entry } from './entry.ts';
import { comingName, entryName, type Subject, scriptName, settledName, sumsName, wholeName } from './names.ts';

/** An asset as a release holds it. */
export type HeldAsset = {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  /** `starter`: what an upload that failed left behind; it cannot be used. */
  readonly isWhole: boolean;
  /** Absent where GitHub does not tell it: of old assets, and for a moment of new ones. */
  readonly sha256?: string;
};

/** An asset as a release is to hold it. */
export type WantedAsset = { readonly name: string; readonly bytes: number; readonly sha256: string };

export type AssetPlan<T extends WantedAsset> = {
  /** To be uploaded, in this order. */
  readonly upload: readonly T[];
  /** Uploaded by an earlier run, and only to be given their names. */
  readonly arrived: readonly { readonly wanted: T; readonly held: HeldAsset }[];
  readonly keep: readonly T[];
  /** Of no use any more. */
  readonly remove: readonly HeldAsset[];
};

type Terms = {
  readonly subject: Subject;
  /** What the release said of this image before. */
  readonly before: Entry | undefined;
  /** Upload what is there already, too. */
  readonly force: boolean;
};

/** What is to be done so that a release holds these assets of an image. Assets of others are never touched. */
export function planAssets<T extends WantedAsset>(
  held: readonly HeldAsset[],
  wanted: readonly T[],
  { subject, before, force }: Terms,
): AssetPlan<T> {
  const told = new Map(before?.files.flatMap(({ assets }) => assets.map((one) => [one.name, one.sha256] as const)));
  const byName = new Map(held.map((one) => [one.name, one]));
  const digestOf = (one: HeldAsset) => one.sha256 ?? told.get(one.name);
  const isSame = (one: HeldAsset | undefined, want: T): one is HeldAsset =>
    one?.isWhole === true && one.bytes === want.bytes && digestOf(one) === want.sha256;
  const keep = wanted.filter((want) => !force && isSame(byName.get(want.name), want));
  const rest = wanted.filter((want) => !keep.includes(want));
  const arrived = rest.flatMap((want) => {
    const one = byName.get(comingName(want.name, want.sha256));
    return isSame(one, want) ? [{ wanted: want, held: one }] : [];
  });
  const own = ownNames(subject, before);
  for (const { name } of wanted) own.add(name);
  const kept = new Set([...keep.map(({ name }) => name), ...arrived.map((one) => one.held.name)]);
  return {
    upload: rest.filter((want) => !arrived.some((one) => one.wanted === want)),
    arrived,
    keep,
    remove: held.filter((one) => isOwn(one, own) && !kept.has(one.name)),
  };
}

/** Whether an asset has one of these names, or one of a file that was split otherwise, whatever it is called just now. */
export function isOwn({ name }: Pick<HeldAsset, 'name'>, own: ReadonlySet<string>): boolean {
  const settled = settledName(name).name;
  const whole = wholeName(settled);
  return own.has(settled) || (whole !== settled && [...own].some((one) => wholeName(one) === whole));
}

/** All names that an image has in a release, by what the release says of it. */
export function ownNames(subject: Subject, before: Entry | undefined): Set<string> {
  const lists = [entryName(subject), sumsName(subject), scriptName(subject)];
  return new Set([...lists, ...(before?.files ?? []).flatMap(({ assets }) => assets.map(({ name }) => name))]);
}
