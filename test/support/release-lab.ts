import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../src/core/manifest.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { makeKey } from '../../src/engine/keys.ts';
import { createHost } from '../../src/host/host.ts';
import { writeSidecars } from '../../src/run/finish.ts';
import { openSigner } from '../../src/run/signing.ts';
import type { Workshop } from '../../src/run/workshop.ts';
import { publishBuild } from '../../src/store/artifacts.ts';
import { storePaths } from '../../src/store/paths.ts';
import { ingot, type Ran, type Scene } from './cli.ts';
import { startFakeGitHub } from './fake-github.ts';
import { type FakeOptions, goodToken } from './fake-github-data.ts';
import { fakeKinds } from './fake-kinds.ts';

const never = new AbortController().signal;

export const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** Bytes of a seed, the same every time. */
export function noise(seed: string, bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash('sha256').update(`${seed} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

export type Finished = {
  readonly image?: string;
  readonly arch?: 'x86_64' | 'aarch64';
  readonly build: string;
  readonly disk: Uint8Array;
  readonly packages?: Readonly<Record<string, string>>;
  readonly checks?: Manifest['checks'];
};

export type ReleaseLab = Awaited<ReturnType<typeof openLab>>;

/** A project with finished images, the real engine and the real client, and a GitHub of its own. */
export async function openLab(options: Partial<FakeOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-release-'));
  const github = await startFakeGitHub(options);
  const project = join(folder, 'project');
  await mkdir(join(project, 'images'), { recursive: true });
  const settings = `release:\n  repository: me/images\n  api: ${github.origins.api}\n`;
  await writeFile(join(project, 'ingot.yaml'), settings);
  for (const name of ['web', 'db']) await writeFile(join(project, 'images', `${name}.yaml`), image);
  const slept: number[] = [];
  const machine = (home: string, env: Readonly<Record<string, string>>) => {
    const host = {
      ...createHost(),
      env,
      arch: 'x64',
      sleep: async (milliseconds: number, signal: AbortSignal) => {
        signal.throwIfAborted();
        slept.push(milliseconds);
      },
    };
    const paths = storePaths(join(folder, home));
    const shop: Workshop = { host, kinds: fakeKinds, root: project, paths, secret: (name) => name };
    return { host, paths, shop, place: { project, home: paths.home } };
  };
  const withToken = { GITHUB_TOKEN: goodToken };
  const here = machine('home', withToken);
  return {
    folder,
    project,
    github,
    slept,
    paths: here.paths,
    /** A command on this machine, or on one with another home or environment. */
    run(line: string, scene: Scene & { readonly home?: string } = {}): Promise<Ran> {
      const { host, place } = machine(scene.home ?? 'home', scene.env ?? withToken);
      const engine = createEngine({ host, kinds: fakeKinds, place, cwd: folder });
      return ingot(line, { ...scene, engine: { ...engine, ...scene.engine } });
    },
    makeKey: () => makeKey(here.paths, here.host, never),
    finish: (finished: Finished) => finish(here, finished),
    close: async () => {
      await github.close();
      await rm(folder, { recursive: true });
    },
  };
}

const image = `source: { packages: { suite: trixie } }
arch: [x86_64, aarch64]
`;

/** Put a finished build of one disk among the artifacts, as a build does. */
async function finish(
  { paths, shop }: { readonly paths: ReturnType<typeof storePaths>; readonly shop: Workshop },
  { image: name = 'web', arch = 'x86_64', build, disk, packages = {}, checks = passed }: Finished,
): Promise<void> {
  const staged = join(paths.work, `staged-${name}-${arch}-${build}`);
  await mkdir(staged, { recursive: true });
  const file = `${name}.qcow2`;
  await writeFile(join(staged, file), disk);
  await writeFile(join(staged, `${file}.sha256`), `${sha256(disk)}  ${file}\n`);
  const manifest: Manifest = {
    ...{ schemaVersion: 1, image: name, arch, description: `a ${name} server`, build, key: `key-${build}`, seconds: 3 },
    builtAt: `2026-11-${build.slice(-2)}T12:00:00.000Z`,
    source: { kind: 'packages', options: {}, pin: null },
    ...{ pins: {}, tools: {}, steps: [], checks },
    system: { NAME: 'Debian GNU/Linux', ID: 'debian', VERSION_ID: '13', DEBIAN_VERSION: '13.3' },
    packages: Object.entries(packages).map(([one, version]) => ({ name: one, version, arch: 'all' })),
    artifacts: [{ file, format: 'qcow2', bytes: disk.length, sha256: sha256(disk) }],
  };
  const beside = { contents: `f\t0644\t0:0\t4\t${build}\t/etc/issue\n`, signer: await openSigner(shop), signal: never };
  await writeSidecars(shop, staged, manifest, beside);
  await publishBuild(paths, staged, manifest, never);
}

const passed: Manifest['checks'] = [{ check: 'boot', title: 'boot', outcome: 'done', seconds: 1 }];
