import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { goodToken } from '../support/fake-github-data.ts';
import { noise, openLab, type ReleaseLab, sha256 } from '../support/release-lab.ts';

let lab: ReleaseLab;
const open = async (options: Parameters<typeof openLab>[0] = {}) => {
  lab = await openLab(options);
  return lab;
};
afterEach(async () => {
  await lab.close();
});

const disk = (build: string, bytes = 200_000) => noise(build, bytes);
const assets = (tag: string) => lab.github.releases.find((one) => one.tag === tag)?.assets ?? [];
const assetData = (tag: string, name: string) => assets(tag).find((one) => one.name === name)?.data;

test('without --execute a release is only planned: sizes are shown, nothing is asked to change', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  const ran = await lab.run('release web --part-size 64K');
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toMatch(/^release latest of me\/images \(new\)\n\nweb x86_64 {2}build 01\n/);
  expect(ran.stdout).toContain('  +  web-x86_64.qcow2.part00');
  expect(ran.stdout).toContain('  +  web-x86_64.qcow2.part03             3.4 kB\n');
  expect(ran.stdout).toMatch(/to upload: \d+ \(2\d\d kB\), to keep: 0, to remove: 0; add --execute to do it\n$/);
  expect(lab.github.asked.every((line) => line.startsWith('GET '))).toBe(true);
});

test('a release is a draft until all of it is there, and its notes say how to get it', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  const seen: string[] = [];
  lab.github.onChange = (all) =>
    void seen.push(...all.filter(({ draft }) => !draft).map((one) => `${one.assets.length}`));
  const ran = await lab.run('release web --execute');
  expect([ran.code, ran.stdout]).toEqual([0, `${lab.github.origins.api}/me/images/releases/tag/latest\n`]);
  expect(ran.stderr).toMatch(/\d+ \(2\d\d kB\) uploaded, 0 kept, 0 removed\n$/);
  expect(lab.github.names('latest')).toEqual([
    'web-x86_64.SHA256SUMS',
    'web-x86_64.cache-key',
    'web-x86_64.contents.tsv.zst',
    'web-x86_64.image-version.txt',
    'web-x86_64.manifest.json',
    'web-x86_64.provenance.intoto.jsonl',
    'web-x86_64.qcow2',
    'web-x86_64.release.json',
    'web-x86_64.sbom.cdx.json',
  ]);
  expect(seen).toEqual(['9']);
  expect(assetData('latest', 'web-x86_64.qcow2')).toEqual(disk('01'));
  expect(lab.github.releases[0]?.body).toContain('a web server; Debian GNU/Linux 13.3; build 01.');
  expect(lab.github.releases[0]?.body).toContain('`ingot images download web`');
});

test('the same once more uploads nothing; --force uploads all', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute --part-size 64K');
  const ids = assets('latest').map(({ id }) => id);
  const plan = await lab.run('release web --part-size 64K');
  expect(plan.stdout).toMatch(/= 13 assets kept\n\nnothing to do\n$/);
  const again = await lab.run('release web --execute --part-size 64K');
  expect([again.code, assets('latest').map(({ id }) => id)]).toEqual([0, ids]);
  const forced = await lab.run('release web --execute --force --part-size 64K');
  expect(forced.code).toBe(0);
  expect(assets('latest').some(({ id }) => ids.includes(id))).toBe(false);
  expect(assets('latest').length).toBe(ids.length);
});

test('digests that GitHub does not tell are taken from what the release tells', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute');
  for (const asset of assets('latest')) asset.digestIn = 1000;
  const told = await lab.run('release web');
  // Of the lists and scripts themselves nothing else tells the digest.
  expect(told.stdout).toMatch(/= 7 assets kept/);
});

test('a newer build takes the names of the one before only when all of it is there', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01'), packages: { bash: '5.1', vim: '9' } });
  await lab.run('release web --execute --part-size 64K');
  const before = lab.github.names('latest').filter((name) => !/part0[23]$/.test(name));
  await lab.finish({ build: '02', disk: disk('02', 100_000), packages: { bash: '5.2' } });
  const looks: { readonly missing: readonly string[]; readonly coming: number }[] = [];
  lab.github.onChange = () => {
    const names = lab.github.names('latest');
    const coming = names.filter((name) => name.includes('.new-')).length;
    looks.push({ missing: before.filter((name) => !names.includes(name)), coming });
  };
  const ran = await lab.run('release web --execute --part-size 64K');
  expect(ran.code).toBe(0);
  // Under each name are the old bytes, then for the time between two requests nothing, then the new ones.
  expect(looks.every(({ missing }) => missing.length <= 1)).toBe(true);
  const turned = looks.flatMap(({ missing }) => missing);
  expect([new Set(turned).size, turned.at(-1)]).toEqual([turned.length, 'web-x86_64.release.json']);
  const [first] = looks.filter(({ missing }) => missing.length > 0);
  expect(first?.coming).toBe(turned.length);
  expect(lab.github.names('latest').filter((name) => /qcow2|new-|old-/.test(name))).toEqual([
    'web-x86_64.qcow2.part00',
    'web-x86_64.qcow2.part01',
  ]);
  expect(
    Buffer.concat(['00', '01'].map((n) => assetData('latest', `web-x86_64.qcow2.part${n}`) ?? Buffer.of())),
  ).toEqual(disk('02', 100_000));
  const { body = '' } = lab.github.releases[0] ?? {};
  expect(body).toContain('- bash 5.1 → 5.2');
  expect(body).toContain('- vim 9 (removed)');
});

test('other images and what a person put there stay, also in the notes', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.finish({ image: 'db', arch: 'aarch64', build: '01', disk: disk('d1') });
  await lab.run('release --all --execute');
  const [held] = lab.github.releases;
  held?.assets.push({ id: 1, name: 'web-x86_64.txt', state: 'uploaded', data: Buffer.from('mine'), digestIn: 0 });
  if (held !== undefined) held.body = `By hand.\n\n${held.body}`;
  await lab.finish({ build: '02', disk: disk('02') });
  const plan = await lab.run('release web');
  expect(plan.stdout).toContain('also in it, and left alone: db-aarch64\n');
  await lab.run('release web --execute');
  expect(assetData('latest', 'web-x86_64.txt')?.toString()).toBe('mine');
  expect(assetData('latest', 'db-aarch64.qcow2')).toEqual(disk('d1'));
  expect(held?.body).toMatch(/^By hand\.\n/);
  expect(held?.body.match(/## (web x86_64|db aarch64)/g)).toEqual(['## db aarch64', '## web x86_64']);
});

test('a version is a release of its own, called by a tag, the day or the point release', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01'), packages: { bash: '5.1' } });
  await lab.run('release web --version v1 --execute');
  await lab.finish({ build: '02', disk: disk('02'), packages: { bash: '5.2' } });
  await lab.run('release web --version date --execute');
  await lab.run('release web --version point --execute');
  expect(lab.github.releases.map(({ tag, draft }) => [tag, draft])).toEqual([
    ['v1', false],
    ['2026.11.02', false],
    ['13.3', false],
  ]);
  expect(lab.github.releases[1]?.body).toContain('- bash 5.1 → 5.2');
  await lab.run('release web --execute');
  expect(lab.github.releases.filter(({ isLatest }) => isLatest).map(({ tag }) => tag)).toEqual(['latest']);
  const bad = await lab.run('release web --version a..b');
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('cannot be the tag')]);
});

test('a run that broke off leaves a draft, and the next one goes on with it', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  lab.github.fail(...Array.from({ length: 6 }, () => ({ on: 'POST *name=web-x86_64.sbom*', status: 502 })));
  const broken = await lab.run('release web --execute');
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain('uploading web-x86_64.sbom.cdx.json: GitHub answered 502');
  expect(broken.stderr).toContain('nothing of it is visible yet');
  expect(lab.github.releases.map(({ draft }) => draft)).toEqual([true]);
  const before = assets('latest').map(({ id, state }) => [id, state] as const);
  const again = await lab.run('release web --execute');
  expect(again.code).toBe(0);
  const kept = before.filter(([, state]) => state === 'uploaded').map(([id]) => id);
  const now = assets('latest').map(({ id }) => id);
  expect(kept.every((id) => now.includes(id))).toBe(true);
  expect(assets('latest').every(({ state }) => state === 'uploaded')).toBe(true);
  expect(lab.github.releases.map(({ draft }) => draft)).toEqual([false]);
});

test('a published release that was left in the middle of the turn is mended by the next run', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute');
  await lab.finish({ build: '02', disk: disk('02') });
  let turns = 0;
  lab.github.onChange = () => {
    turns = assets('latest').filter(({ name }) => name.includes('.old-')).length;
    if (turns === 2) lab.github.fail(...Array.from({ length: 12 }, () => ({ on: 'PATCH *', status: 502 })));
  };
  const broken = await lab.run('release web --execute');
  expect(broken.code).toBe(1);
  lab.github.onChange = () => {};
  lab.github.calm();
  const left = lab.github.names('latest');
  expect(left.some((name) => name.includes('.old-'))).toBe(true);
  // Readers have the old build until the entry itself is turned.
  const read = await lab.run('images download web --output got', { home: 'other' });
  expect([read.stderr.includes('error'), read.code]).toEqual([false, 0]);
  expect(await readFile(join(lab.folder, 'got/web/x86_64/web.qcow2'))).toEqual(disk('01'));
  const again = await lab.run('release web --execute');
  expect(again.code).toBe(0);
  expect(lab.github.names('latest').filter((name) => /\.(old|new)-/.test(name))).toEqual([]);
  expect(assetData('latest', 'web-x86_64.qcow2')).toEqual(disk('02'));
});

test('one of two images that cannot be uploaded leaves the other released: exit code 7', async () => {
  await open();
  for (const image of ['web', 'db']) await lab.finish({ image, build: '01', disk: disk(image) });
  await lab.run('release --all --execute');
  for (const image of ['web', 'db']) await lab.finish({ image, build: '02', disk: disk(`${image}2`) });
  lab.github.fail(...Array.from({ length: 6 }, () => ({ on: 'POST *name=db-x86_64.qcow2*', cutAfter: 1000 })));
  const ran = await lab.run('release --all --execute');
  expect(ran.code).toBe(7);
  expect(ran.stderr).toContain('error[TOOL_FAILED]: db x86_64: uploading db-x86_64.qcow2.new-');
  expect(assetData('latest', 'web-x86_64.qcow2')).toEqual(disk('web2'));
  expect(assetData('latest', 'db-x86_64.qcow2')).toEqual(disk('db'));
});

test('images are taken out by name; a release that is left empty goes', async () => {
  await open();
  for (const image of ['web', 'db']) await lab.finish({ image, build: '01', disk: disk(image) });
  await lab.run('release --all --execute --part-size 64K');
  const plan = await lab.run('release db --remove');
  expect(plan.stdout).toMatch(/db x86_64 .*\n {2}- {2}db-x86_64.*/);
  expect(lab.github.names('latest').some((name) => name.startsWith('db'))).toBe(true);
  const ran = await lab.run('release db --remove --execute');
  expect(ran.code).toBe(0);
  expect(lab.github.names('latest').some((name) => name.startsWith('db'))).toBe(false);
  expect(lab.github.names('latest').filter((name) => name.startsWith('web')).length).toBe(13);
  expect(lab.github.releases[0]?.body).not.toContain('db x86_64');
  const none = await lab.run('release nothing --remove');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('it holds: web-x86_64')]);
  await lab.run('release --all --remove --execute');
  expect(lab.github.releases).toEqual([]);
});

test.each([
  ['no token', 'release web --execute', {}, 4, 'there is no token for GitHub'],
  ['a wrong token', 'release web --execute', { GH_TOKEN: 'ghp_wrong' }, 4, 'does not take the token'],
  ['no image named', 'release', {}, 2, 'no image is named'],
  ['an image that is not built', 'release db', {}, 1, 'db is not built'],
  ['an image that is not there', 'release wib', {}, 2, 'did you mean "web"'],
  ['parts that are too large', 'release web --part-size 2G', {}, 2, 'less than 2G'],
  ['a repository that is none', 'release web --repository me', {}, 2, 'Expected a repository like owner/name'],
  ['an address without https', 'release web --api http://example.org', {}, 2, 'Expected an https address'],
])('%s is told', async (_, line, env, code, words) => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  const ran = await lab.run(line, { env });
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(words)]);
  expect(lab.github.asked.filter((asked) => !asked.startsWith('GET'))).toEqual([]);
});

test('images whose checks failed are not released', async () => {
  await open();
  const failed = { check: 'boot', title: 'boot', outcome: 'failed' as const, seconds: 1 };
  await lab.finish({ build: '01', disk: disk('01'), checks: [failed] });
  const ran = await lab.run('release web --execute');
  expect([ran.code, ran.stderr]).toEqual([6, expect.stringContaining('web x86_64: checks of it failed')]);
});

test('an immutable release is said to be one', async () => {
  await open({ immutable: true });
  await lab.finish({ build: '01', disk: disk('01') });
  expect((await lab.run('release web --version v1 --execute')).code).toBe(0);
  const ran = await lab.run('release web --version v1 --execute --force');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('the release v1 is immutable')]);
});

test('a secret of the project may be the token, and no token is ever shown', async () => {
  await open({ isPrivate: true });
  await lab.finish({ build: '01', disk: disk('01') });
  const settings = await readFile(join(lab.project, 'ingot.yaml'), 'utf8');
  await writeFile(join(lab.project, 'ingot.yaml'), `${settings}  token: "\${secret.github}"\n`);
  const env = { INGOT_SECRET_GITHUB: goodToken };
  lab.github.fail({
    on: 'POST *name=web-x86_64.qcow2*',
    status: 403,
    message: `no ${goodToken}`,
    headers: { 'retry-after': '3' },
  });
  const ran = await lab.run('release web --execute --verbose --log-file /log', { env });
  expect(ran.code).toBe(0);
  expect(lab.slept).toContain(3000);
  const list = await lab.run('images list --json', { env });
  expect(JSON.stringify([ran, list])).not.toContain(goodToken);
  expect((await lab.run('images list')).code).toBe(2);
  expect((await lab.run('release web --execute', { env: { INGOT_SECRET_GITHUB: 'ghp_bad' } })).stderr).not.toContain(
    'ghp_bad',
  );
});

test('a stop in the middle of an upload ends with 130, and leaves no release to be seen', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  let stop = () => {};
  lab.github.onChange = () => {
    if (assets('latest').length === 2) stop();
  };
  const ran = await lab.run('release web --execute', {
    hand: (interrupts) => {
      stop = () => interrupts.deliver('SIGINT');
    },
  });
  expect(ran.code).toBe(130);
  expect(lab.github.releases.map(({ draft }) => draft)).toEqual([true]);
});

const sh = promisify(execFile);

test('the script of a release puts the parts together with any sh, fetching what is not there', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run('release web --execute --part-size 64K');
  const folder = join(lab.folder, 'parts');
  await mkdir(folder);
  const script = join(folder, 'assemble.sh');
  await writeFile(script, assetData('latest', 'web-x86_64.assemble.sh') ?? '');
  await sh('sh', ['-n', script]);
  await writeFile(join(folder, 'web-x86_64.qcow2.part01'), disk('01').subarray(65_536, 131_072));
  const first = await sh('dash', [script], { cwd: folder });
  expect(first.stdout).toBe('web.qcow2 is whole\nall files are whole\n');
  expect(sha256(await readFile(join(folder, 'web.qcow2')))).toBe(sha256(disk('01')));
  expect(lab.github.asked.some((line) => line.endsWith('qcow2.part01'))).toBe(false);
  const second = await sh('dash', [script, '--remove-parts'], { cwd: folder });
  expect(second.stdout).toContain('web.qcow2 is here already');
  await writeFile(join(folder, 'web-x86_64.qcow2.part02'), 'other');
  await writeFile(join(folder, 'web.qcow2'), 'other');
  const refused = await sh('dash', [script], { cwd: folder }).catch(
    (error: unknown) => error as { code: number; stderr: string },
  );
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('has other bytes than this release') });
});

test('digests that come late are waited for by nobody, and sizes over the limit are told', async () => {
  await open({ lateDigests: true, mostBytes: 65_536 });
  await lab.finish({ build: '01', disk: disk('01') });
  const tooLarge = await lab.run('release web --execute');
  expect([tooLarge.code, tooLarge.stderr]).toEqual([1, expect.stringContaining('GitHub answered 422')]);
  expect((await lab.run('release web --execute --part-size 64K')).code).toBe(0);
  expect((await lab.run('release web --execute --part-size 64K')).stderr).toContain('nothing changed');
});

test('more assets than a release takes are told before anything is uploaded', async () => {
  await open();
  await lab.finish({ build: '01', disk: disk('01', 1_100_000) });
  const ran = await lab.run('release web --execute --part-size 1K');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('GitHub takes 1000')]);
  expect(lab.github.releases).toEqual([]);
});

test('only the architecture that is named is released', async () => {
  await open();
  for (const arch of ['x86_64', 'aarch64'] as const) await lab.finish({ arch, build: '01', disk: disk(arch) });
  await lab.run('release web --arch arm64 --execute');
  expect(lab.github.names('latest').filter((name) => name.endsWith('.qcow2'))).toEqual(['web-aarch64.qcow2']);
  await lab.run('release web --execute');
  const got = await lab.run('images download web --arch all --output got', { env: {}, home: 'other' });
  expect(got.stdout.split('\n').map((line) => line.slice(lab.folder.length))).toEqual([
    '/got/web/aarch64/web.qcow2',
    '/got/web/x86_64/web.qcow2',
    '',
  ]);
});
