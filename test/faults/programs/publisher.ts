// `node publisher.ts HOME N`: starts as every command does that changes anything, says what it then finds (`SEEN JSON`),
// and publishes two images side by side from version N on, with what belongs to it, until it is killed. `N` 0: only looks.

import { writeSync } from 'node:fs';
import { recordDeployment } from '../../../src/engine/registry.ts';
import { reap } from '../../../src/store/ledger.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { retireBuilds, settleTree } from '../../../src/store/retire.ts';
import { readRegistryFile, registryProblems } from '../../support/registry.ts';
import { lookAtArtifacts } from '../../support/visible.ts';
import { leftovers } from '../leftovers.ts';
import { publishVersion } from './versions.ts';

/** What a start finds. */
export type Found = {
  readonly problems: readonly string[];
  /** The number that was deployed last, by image; as the id of the deployment. */
  readonly deployed: Readonly<Record<string, number>>;
};

const images = ['left', 'right'];
const target = 'lab';
const hour = 3_600_000;

const [home = '', first = '0'] = process.argv.slice(2);
const paths = storePaths(home);
const { signal } = new AbortController();
const say = (text: string) => void writeSync(1, `${text}\n`);

await reap(paths);
await settleTree(paths, signal, true);
say(`SEEN ${JSON.stringify(await find())}`);
if (first !== '0') for (let n = Number(first); ; n += 1) await turn(n);

async function find(): Promise<Found> {
  const look = await lookAtArtifacts(paths.artifacts, { all: true });
  const problems = [...look.problems, ...(await registryProblems(home)), ...(await leftovers(home))];
  const { deployments = {} } = (await readRegistryFile(home).catch(() => undefined)) ?? {};
  const deployed = Object.entries(deployments).map(([image, targets]) => [image, Number(targets[target]?.id)] as const);
  return { problems, deployed: Object.fromEntries(deployed) };
}

/** Publish each image once more, write down where it went, and let the rule take what is older. */
async function turn(n: number): Promise<void> {
  await Promise.all(images.map((image) => publishVersion(paths, image, n)));
  say(`ACK ${n}`);
  for (const name of n % 4 === 0 ? images : []) {
    const host = { arch: 'x64', now: () => Date.now() };
    await recordDeployment({ paths, host }, { name, target, type: 'stub', id: String(n), arch: 'x86_64' }, signal);
    say(`DEPLOYED ${name} ${n}`);
  }
  // As if nobody had used them for long.
  const later = Date.now() + hour;
  for (const image of images) await retireBuilds(paths, { image, arch: 'x86_64', keep: { last: 2 } }, later, signal);
}
