import type { Host } from '../core/host.ts';

/** Programs that decide what an image is made with. */
const makers = ['mmdebstrap', 'bwrap', 'mke2fs', 'qemu-img', 'sfdisk', 'mformat', 'zstd'];

const saying: Readonly<Record<string, readonly string[]>> = {
  '--version': [
    ...['ansible', 'bwrap', 'grub-fstest', 'grub-mkimage', 'mcopy', 'mformat', 'mkfs.btrfs', 'mmdebstrap', 'setpriv'],
    ...['qemu-aarch64-static', 'qemu-img', 'qemu-system-aarch64', 'qemu-system-x86_64', 'qemu-x86_64-static'],
    ...['sfdisk', 'tar', 'tar2sqfs', 'unshare', 'xorriso', 'zstd'],
  ],
  '-V': ['debugfs', 'mke2fs', 'mkfs.xfs', 'ssh'],
};

/** The versions of the programs that decide what an image is made with; of those that are here. */
export async function toolVersions(host: Host, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const entries = makers.map(async (program) => {
    if ((await host.which(program)) === undefined) return undefined;
    return [program, (await versionOf(program, host, signal)) ?? 'unknown'] as const;
  });
  const found = (await Promise.all(entries)).filter((entry) => entry !== undefined);
  return Object.fromEntries([['node', process.versions.node], ...found]);
}

/** What a program says its version is; undefined for one that does not say, or would do its work instead. */
export async function versionOf(program: string, host: Host, signal: AbortSignal): Promise<string | undefined> {
  const argument = Object.keys(saying).find((word) => saying[word]?.includes(program));
  if (argument === undefined) return undefined;
  const { stdout, stderr } = await host.run({ argv: [program, argument] }, { signal, ok: [0, 1], timeoutMs: 20_000 });
  return /\d+\.\d+[\w.+:~-]*/.exec(`${stdout}\n${stderr}`)?.[0];
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
