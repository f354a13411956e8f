import { digest } from '../core/keys.ts';
import { shellLine } from '../core/script.ts';

/** A file that starting a machine depends on, and when it was changed: seconds since 1970; of a link the link's own. */
export type BootFile = { readonly path: string; readonly changed: number };

const kernelPrefix = '/boot/vmlinuz-';

/** Prints the files of a running system that its start depends on: all of /boot, and these. */
export function bootFilesText(paths: readonly string[]): string {
  return `stat -c 'boot:%Y:%F:%n' /boot/* ${shellLine(paths)} 2>/dev/null || :\n`;
}

/** What it printed, among other lines. */
export function parseBootFiles(text: string): readonly BootFile[] {
  return text.split('\n').flatMap((line): readonly BootFile[] => {
    const [, changed, kind, path] = /^boot:(\d+):([^:]*):(.+)$/.exec(line) ?? [];
    return path === undefined || kind === 'directory' ? [] : [{ path, changed: Number(changed) }];
  });
}

/** Equal for equal files: nothing was added, removed or written since. */
export function bootState(files: readonly BootFile[]): string {
  const lines = files.map(({ path, changed }) => `${path} ${changed}`);
  return digest([...new Set(lines)].sort());
}

/** The version of the newest kernel in /boot. */
export function newestKernel(files: readonly Pick<BootFile, 'path'>[]): string | undefined {
  const versions = files.flatMap(({ path }) => (path.startsWith(kernelPrefix) ? path.slice(kernelPrefix.length) : []));
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}
