import type { ReleaseRequest } from '../../cli/requests/release.ts';
import { IngotError } from '../../core/errors.ts';
import { isTag } from '../../core/repository.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';

/** The tag of the release that always holds the newest images. */
export const movingTag = 'latest';

/** The tag of the release that is meant. `date`: of the newest of the builds; `point`: the version of the system in all of them. */
export function tagOf({ version, remove }: ReleaseRequest, builds: readonly FinishedBuild[]): string {
  if (version === undefined) return movingTag;
  if ((version === 'date' || version === 'point') && remove) {
    const hint = 'name the tag: --version 2026.11.21';
    throw new IngotError({ code: 'USAGE', message: `--version ${version} is for new releases`, hint });
  }
  if (version === 'date') {
    const newest = builds.map(({ manifest }) => manifest.builtAt.slice(0, 10)).sort();
    return (newest.at(-1) ?? '').replaceAll('-', '.');
  }
  const tag = version === 'point' ? pointOf(builds) : version;
  if (isTag(tag)) return tag;
  const message = `${JSON.stringify(tag)} cannot be the tag of a release`;
  throw new IngotError({ code: 'USAGE', message, hint: 'use letters, digits, dots and dashes, like v13.3' });
}

function pointOf(builds: readonly FinishedBuild[]): string {
  const points = builds.map(({ manifest }) => {
    const { ID, DEBIAN_VERSION, VERSION_ID = '' } = manifest.system;
    return ID === 'debian' ? (DEBIAN_VERSION ?? VERSION_ID) : VERSION_ID;
  });
  const [point, ...others] = new Set(points);
  if (point !== undefined && point !== '' && others.length === 0) return point;
  const message =
    others.length > 0
      ? `these images have several point releases: ${[point, ...others].join(', ')}`
      : 'these images tell no version of their system';
  throw new IngotError({ code: 'USAGE', message, hint: 'name the tag: --version v1' });
}
