// All that a build writes to the store, in its order: `node store.ts HOME N [stay]`. Says `ACK WHAT` when a thing is stored.

import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes, IngotError } from '../../../src/core/errors.ts';
import { withRoom } from '../../../src/core/space.ts';
import { currentBuild, updateManifest } from '../../../src/store/artifacts.ts';
import { packedFile, saveLayer } from '../../../src/store/layers.ts';
import { reap, withLedger } from '../../../src/store/ledger.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { writeChecks, writeHistory, writePin } from '../../../src/store/records.ts';
import { registryFile } from '../../../src/store/registry.ts';
import { retireBuilds, settleTree } from '../../../src/store/retire.ts';
import { publishVersion, versionName } from './versions.ts';

const [home = '', number = '', stay = ''] = process.argv.slice(2);
const paths = storePaths(home);
const n = Number(number);
const said = async (what: string, work: Promise<unknown>) => {
  await work;
  process.stdout.write(`ACK ${what}\n`);
};

// More than what came before leaves free at its end.
const long = 'long'.repeat(5000);

process.on('uncaughtException', (error) => {
  const code = error instanceof IngotError ? error.code : 'INTERNAL';
  process.stderr.write(`error[${code}]: ${error.stack}\n`);
  process.exit(exitCodes[code]);
});

const { signal } = new AbortController();
await reap(paths);
await settleTree(paths, signal, true);
await said('pin', writePin(paths, 'source', { release: n }));
await said('layer', storeLayer());
await said(
  'history',
  writeHistory(paths, 'small', 'x86_64', { steps: [{ id: long, key: '', inputs: {}, seconds: 1 }] }),
);
await said(
  'checks',
  writeChecks(paths, 'f'.repeat(64), '0'.repeat(64), [
    { check: 'ssh', title: long + long, outcome: 'done', seconds: 1 },
  ]),
);
await said('publish', publishVersion(paths, 'small', n));
if (n === 1) await appendFile(registryFile(paths), `# ${long}\n`);
const current = await currentBuild(paths, 'small', 'x86_64');
if (current === undefined) throw new Error('what was published is not there');
await said('manifest', updateManifest(paths, current, { ...current.manifest, description: long + long + long }));
const keep = { image: 'small', arch: 'x86_64', keep: { last: 1 } } as const;
// As if nobody had used what is older for an hour; `stay`: no build goes.
if (stay === '') await said('retire', retireBuilds(paths, keep, Date.now() + 3_600_000, signal));

async function storeLayer(): Promise<void> {
  const build = `layer-${versionName(n)}`;
  await withLedger(paths, build, new AbortController().signal, async (ledger) => {
    const work = join(paths.work, build);
    await ledger.record({ folder: work });
    const folder = join(work, 'layer-1');
    await withRoom(folder, 20_000, async () => {
      await mkdir(folder, { recursive: true });
      await writeFile(packedFile(folder), Buffer.alloc(20_000, n));
    });
    await saveLayer(paths, versionName(n), folder, { title: 'a layer', removed: [], seconds: 1 });
  });
}
