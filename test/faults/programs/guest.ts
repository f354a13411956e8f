// Runs in the guest of the power cut as `node guest.ts FIRST DISK...`: says what each disk holds, then publishes one
// version after the other on each, from number FIRST, until the power goes.

import { writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { reap } from '../../../src/store/ledger.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { readRegistryOf } from '../../../src/store/registry.ts';
import { buildsInIndex, lookAtArtifacts } from '../../support/visible.ts';
import { leftovers } from '../leftovers.ts';
import { publishVersion, versionNumber } from './versions.ts';

export type Seen = {
  readonly disk: string;
  /** The visible version, and those that the index and the registry name; -1: none. */
  readonly visible: number;
  readonly indexed: number;
  readonly registered: number;
  /** What is visible and wrong. */
  readonly problems: readonly string[];
  /** What is still there of unfinished work after the clean-up that each start begins with. */
  readonly left: readonly string[];
};

const [first = '', ...disks] = process.argv.slice(2);
const image = 'small';
const say = (text: string) => void writeSync(1, `${text}\n`);

await Promise.all(disks.map(look));
await Promise.all(disks.map(publishOn));

function pathsOf(disk: string) {
  return storePaths(`/disks/${disk}/home`);
}

async function look(disk: string): Promise<void> {
  const paths = pathsOf(disk);
  const { artifacts } = paths;
  const { problems, builds } = await lookAtArtifacts(artifacts, { all: true });
  const [visible, indexed] = [builds, await buildsInIndex(artifacts)].map((map) => map.get(`${image}/x86_64`));
  await mkdir(paths.home, { recursive: true });
  await reap(paths);
  const left = await leftovers(paths.home);
  const [, registered] = (await readRegistryOf(paths)).images[image]?.['x86_64']?.image.split('@') ?? [];
  const versions = {
    visible: versionNumber(visible),
    indexed: versionNumber(indexed),
    registered: versionNumber(registered),
  };
  const seen: Seen = { disk, ...versions, problems, left };
  say(`SEEN ${JSON.stringify(seen)}`);
}

async function publishOn(disk: string): Promise<void> {
  const paths = pathsOf(disk);
  for (let n = Number(first); ; n += 1) {
    await publishVersion(paths, image, n);
    say(`ACK ${disk} ${n}`);
  }
}
