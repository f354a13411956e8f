import type { Host } from '../core/host.ts';

const versionArguments: Readonly<Record<string, readonly string[]>> = {
  mmdebstrap: ['--version'],
  bwrap: ['--version'],
  mke2fs: ['-V'],
  'qemu-img': ['--version'],
  sfdisk: ['--version'],
  mformat: ['--version'],
  zstd: ['--version'],
};

/** The versions of the programs that decide what an image is made with; of those that are here. */
export async function toolVersions(host: Host, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(versionArguments).map(async ([program, args]) => {
    if ((await host.which(program)) === undefined) return undefined;
    const { stdout, stderr } = await host.run({ argv: [program, ...args] }, { signal, ok: [0, 1] });
    const version = /\d+\.\d+[\w.+:~-]*/.exec(`${stdout}\n${stderr}`)?.[0];
    return [program, version ?? 'unknown'] as const;
  });
  const found = (await Promise.all(entries)).filter((entry) => entry !== undefined);
  return Object.fromEntries([['node', process.versions.node], ...found]);
}

/** The commit a project is at and whether its folder has changes; undefined outside git. */
export async function gitState(
  host: Host,
  root: string,
  signal: AbortSignal,
): Promise<{ readonly commit: string; readonly dirty: boolean } | undefined> {
  if ((await host.which('git')) === undefined) return undefined;
  const git = (...args: string[]) => host.run({ argv: ['git', '-C', root, ...args] }, { signal, ok: [0, 1, 128, 129] });
  const head = await git('rev-parse', '--verify', 'HEAD');
  if (head.exitCode !== 0) return undefined;
  const status = await git('status', '--porcelain', '--', '.');
  return { commit: head.stdout.trim(), dirty: status.stdout !== '' };
}
