import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { machineLine, repository, say, withFolder } from './compare.ts';
import { catalogPackages } from './peers.ts';

type Fetched = { readonly bytes: number; readonly fetchedBytes: number };

// Two builds of the same image: of Debian as it was at its last point release, and with all updates since. What of the
// second one is fetched by somebody who has the first one?
await withFolder(async (folder) => {
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  writeProject(project);
  say(machineLine());
  for (const name of ['before', 'after']) {
    ingot(['build', name, '--no-check', '--project', project, '--home', home, '-q']);
    say(`built ${name}`);
  }
  const { stdout } = ingot(['diff', 'before', 'after', '--project', project, '--home', home, '--json']);
  say(`${packagesIn(stdout)} packages differ`);
  const artifacts = (name: string) => join(home, 'artifacts', 'images', name, arch());
  const mine = join(folder, 'image.raw.zst');
  copyFileSync(join(artifacts('before'), 'before.raw.zst'), mine);
  const server = await serve(home);
  try {
    const url = `${server.url}images/after/${arch()}/after.raw.zst`;
    const out = ingot(['fetch', url, '--output', mine, '--home', join(folder, 'other'), '--json']).stdout;
    const { data } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { data: Fetched };
    if (!readFileSync(mine).equals(readFileSync(join(artifacts('after'), 'after.raw.zst'))))
      throw new Error('it differs');
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    say(`${megabytes(data.fetchedBytes)} fetched of ${megabytes(data.bytes)}, its list of chunks among them`);
    say(`fetched ratio ${(data.fetchedBytes / data.bytes).toFixed(3)}`);
  } finally {
    server.child.kill();
    await once(server.child, 'exit');
  }
});

function arch(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

function writeProject(project: string): void {
  mkdirSync(join(project, 'images'), { recursive: true });
  writeFileSync(join(project, 'ingot.yaml'), 'name: bench\n');
  const image = (more: string) => `source:
  packages: { distro: debian, suite: trixie, ${more}include: [${catalogPackages.join(', ')}] }
disk: 4G
formats: [raw.zst]
steps:
  - services: { enable: [ssh, systemd-networkd, systemd-resolved] }
`;
  // With a mirror of its own and no source for security updates, it is the release alone.
  writeFileSync(join(project, 'images', 'before.yaml'), image(`mirror: ${debianMirror()}, `));
  writeFileSync(join(project, 'images', 'after.yaml'), image(''));
}

/** Where this machine gets Debian from, as apt is told. */
function debianMirror(): string {
  const folder = '/etc/apt/sources.list.d';
  const files = [...readdirSync(folder).map((name) => join(folder, name)), '/etc/apt/sources.list'];
  const text = files.map((file) => spawnSync('cat', [file], { encoding: 'utf8' }).stdout).join('\n');
  const found = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
  if (found === undefined) throw new Error('apt is told of no mirror of Debian');
  return found;
}

function ingot(words: readonly string[]): { readonly stdout: string } {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr } = spawnSync(join(repository, 'ingot'), words, options);
  if (status !== 0) throw new Error(`ingot ${words.join(' ')} ended with ${status}: ${stderr}`);
  return { stdout };
}

function packagesIn(diff: string): number {
  const { data } = JSON.parse(diff) as { data: { packages: readonly unknown[] } };
  return data.packages.length;
}

async function serve(home: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const argv = ['serve', '--listen', '127.0.0.1:0', '--home', home, '--json'];
  const child = spawn(join(repository, 'ingot'), argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url === undefined) continue;
    child.stdout.resume();
    return { child, url };
  }
  throw new Error('ingot serve ended');
}
