import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noise, openLab, type ReleaseLab } from '../support/release-lab.ts';
import { lookAtArtifacts } from '../support/visible.ts';

let lab: ReleaseLab;
afterEach(async () => {
  await lab.close();
});

const disk = (build: string) => noise(build, 200_000);
const anonymous = { env: {}, home: 'other' };

/** A lab whose release `latest` holds an image in four parts. */
async function released(options: Parameters<typeof openLab>[0] = {}): Promise<void> {
  lab = await openLab(options);
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute --part-size 64K');
  lab.github.asked.splice(0);
}

const got = (path: string) => join(lab.folder, 'got', path);

test('images list shows what a release holds, and what of it is here', async () => {
  await released();
  const ran = await lab.run('images list', anonymous);
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toBe(
    [
      'IMAGE  ARCH    SYSTEM                 FORMATS  SIZE    BUILT',
      'web    x86_64  Debian GNU/Linux 13.3  qcow2    200 kB  20 days ago',
      '',
    ].join('\n'),
  );
  expect((await lab.run('images list')).stdout).toMatch(/20 days ago {2}here\n$/);
  const json = JSON.parse((await lab.run('images list --json', anonymous)).stdout);
  expect(json).toMatchObject({ kind: 'images', data: [{ image: 'web', arch: 'x86_64', build: '01', here: false }] });
});

test('an image is fetched without a token or a project, put together, and checked', async () => {
  await released();
  const ran = await lab.run('images download web --output got', anonymous);
  expect([ran.code, ran.stdout]).toEqual([0, `${got('web/x86_64/web.qcow2')}\n`]);
  expect(ran.stderr).toContain('by whom it was signed is not proven');
  expect(await readFile(got('web/x86_64/web.qcow2'))).toEqual(disk('01'));
  expect((await readdir(got('web/x86_64'))).sort()).toEqual([
    '.cache-key',
    'contents.tsv.zst',
    'image-version.txt',
    'manifest.json',
    'provenance.intoto.jsonl',
    'sbom.cdx.json',
    'web.qcow2',
    'web.qcow2.sha256',
  ]);
  const asked = lab.github.asked.length;
  const again = await lab.run('images download web --output got', anonymous);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('nothing changed')]);
  expect(lab.github.asked.slice(asked).filter((line) => line.includes('/blobs/')).length).toBe(1);
});

test('with a token everything comes through the API, and the token goes to nobody else', async () => {
  await released({ isPrivate: true });
  const none = await lab.run('images list', anonymous);
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('a private one is only found with a token')]);
  const ran = await lab.run('images download web --output got', { home: 'other' });
  expect(ran.code).toBe(0);
  // The fake's storage refuses a request that still has the token.
  expect(lab.github.asked.filter((line) => line.startsWith('GET /blobs/')).length).toBeGreaterThan(4);
});

test('a download that broke off goes on behind the last part that is whole, and within a part', async () => {
  await released();
  const cut = Array.from({ length: 7 }, () => ({ on: 'GET *qcow2.part02', status: 404 }));
  lab.github.fail(...cut);
  const broken = await lab.run('images download web --output got', anonymous);
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('web x86_64')]);
  lab.github.calm();
  expect((await readdir(got('web/x86_64'))).filter((name) => name.includes('partial')).length).toBe(1);
  lab.github.asked.splice(0);
  const ran = await lab.run('images download web --output got', anonymous);
  expect(ran.code).toBe(0);
  const parts = lab.github.asked.filter((line) => /qcow2\.part/.test(line)).map((line) => line.slice(-6));
  expect(parts).toEqual(['part02', 'part03']);
  expect(await readFile(got('web/x86_64/web.qcow2'))).toEqual(disk('01'));
  expect((await readdir(got('web/x86_64'))).filter((name) => name.includes('partial'))).toEqual([]);
});

test('a storage that asks for a moment gets it', async () => {
  await released();
  lab.github.fail({ on: 'GET *qcow2.part00', status: 403, headers: { 'retry-after': '0' } });
  const ran = await lab.run('images download web --output got', anonymous);
  expect([ran.code, await readFile(got('web/x86_64/web.qcow2'))]).toEqual([0, disk('01')]);
});

test('with --publish the whole build is among the artifacts, as if it was built here', async () => {
  await released();
  const ran = await lab.run('images download all --publish', anonymous);
  const tree = join(lab.folder, 'other', 'artifacts');
  expect([ran.code, ran.stdout]).toEqual([0, `${join(tree, 'images/web/x86_64/web.qcow2')}\n`]);
  const { problems, builds } = await lookAtArtifacts(tree, { all: true });
  expect([problems, [...builds]]).toEqual([[], [['web/x86_64', '01']]]);
  expect((await readdir(join(tree, 'images/web/x86_64'))).sort()).toEqual(
    (await readdir(join(lab.folder, 'home/artifacts/images/web/x86_64'))).sort(),
  );
  lab.github.asked.splice(0);
  const again = await lab.run('images download all --publish', anonymous);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('nothing changed')]);
  expect((await lab.run('images list', anonymous)).stdout).toContain('here');
  expect((await lab.run('show web', anonymous)).stdout).toContain('01');
});

test('an older version takes the place of a newer one when it is asked for', async () => {
  await released();
  await lab.run('release web --version v1 --execute');
  await lab.finish({ build: '02', disk: disk('02') });
  await lab.run('release web --execute');
  await lab.run('images download web --publish', anonymous);
  const path = join(lab.folder, 'other/artifacts/images/web/x86_64/web.qcow2');
  expect(await readFile(path)).toEqual(disk('02'));
  await lab.run('images download web --publish --version v1', anonymous);
  expect(await readFile(path)).toEqual(disk('01'));
  await lab.run('images download web --publish', anonymous);
  expect(await readFile(path)).toEqual(disk('02'));
});

test('bytes that are not those of the release are refused: exit code 3, and nothing of it is there', async () => {
  await released();
  const held = lab.github.releases[0]?.assets.find(({ name }) => name.endsWith('part01'));
  if (held !== undefined) Object.assign(held, { data: Buffer.from(noise('x', 65_536)), digestIn: 1000 });
  const ran = await lab.run('images download web --output got', anonymous);
  expect([ran.code, ran.stdout]).toEqual([3, '']);
  expect((await readdir(got('web/x86_64'))).includes('web.qcow2')).toBe(false);
});

test('a key that is trusted must have signed the image', async () => {
  lab = await openLab();
  const key = await lab.makeKey();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute');
  const signed = await lab.run(`images download web --output got --key ${key.publicFile}`, anonymous);
  expect([signed.code, signed.stderr]).toEqual([0, expect.stringContaining(`signed by key ${key.id}`)]);
  const other = `untrusted comment: x\n${Buffer.concat([Buffer.from('Ed'), noise('k', 40)]).toString('base64')}\n`;
  await writeFile(join(lab.folder, 'other.pub'), other);
  const refused = await lab.run('images download web --output not --key other.pub', anonymous);
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('is not trusted')]);
  expect(await readdir(join(lab.folder, 'not/web/x86_64'))).toContain('web.qcow2.refused');
  const unknown = await lab.run('images download web --output third', anonymous);
  expect([unknown.code, unknown.stderr]).toEqual([0, expect.stringContaining('is not proven')]);
});

test.each([
  ['an image that is not there', 'images download db', 1, 'it holds: web-x86_64'],
  ['another architecture', 'images download web --arch aarch64', 1, 'no image web for aarch64'],
  ['a release that is not there', 'images list --version v9', 1, 'me/images has no release v9'],
  ['nothing named', 'images download', 2, 'image'],
])('%s is told', async (_, line, code, words) => {
  await released();
  const ran = await lab.run(line, anonymous);
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(words)]);
});

test('a list that contradicts itself is not followed', async () => {
  await released();
  const held = lab.github.releases[0]?.assets.find(({ name }) => name.endsWith('.release.json'));
  const text = held?.data.toString() ?? '';
  for (const bad of [
    text.replace('"web.qcow2"', '"../web.qcow2"'),
    text.replace('"bytes": 200000', '"bytes": 200001'),
  ]) {
    if (held !== undefined) held.data = Buffer.from(bad);
    const ran = await lab.run('images download web --output got', anonymous);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('no image web')]);
  }
});

test('diff compares releases with each other, and with what is here', async () => {
  lab = await openLab();
  await lab.finish({ build: '01', disk: disk('01'), packages: { bash: '5.1' } });
  await lab.run('release web --execute --version v1');
  await lab.finish({ build: '02', disk: disk('02'), packages: { bash: '5.2' } });
  await lab.run('release web --execute --version v2');
  await lab.finish({ build: '03', disk: disk('03'), packages: { bash: '5.3' } });
  const two = await lab.run('diff web@v1 web@v2', anonymous);
  expect([two.code, two.stderr]).toEqual([0, '']);
  expect(two.stdout).toContain('- web x86_64  release v1, build 01, 20 days ago');
  expect(two.stdout).toContain('~  bash  5.1 -> 5.2');
  expect(two.stdout).toContain('~  /etc/issue');
  const notes = await lab.run('diff web@v2 --markdown');
  expect(notes.stdout).toContain('Since release v2, build 02 of web (2026-11-02).');
  expect(notes.stdout).toContain('- bash 5.2 → 5.3');
  const none = await lab.run('diff web@v9 web');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('me/images has no release v9')]);
  const day = await lab.run('diff web@2026-10-01 web');
  expect([day.code, day.stderr]).toEqual([1, expect.stringContaining('web has no build 2026-10-01')]);
});
