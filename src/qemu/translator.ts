import type { Arch } from '../core/arch.ts';
import type { Accelerator } from './argv.ts';

/** Translation in software (TCG): works everywhere. A guest whose kernel is known to bear it gets two processors. */
export function translator(arch: Arch, kernelVersion?: string): Accelerator {
  if (arch !== 'x86_64') return { name: 'tcg', cpu: 'cortex-a57' };
  // QEMU 7.2's translation of cmpxchg16b breaks Linux 6.12: most boots of Debian 13 oops or hang with it. And with
  // two processors 6.12, which patches itself, was seen to run into a breakpoint of its own (oops: int3); 6.1 was not.
  // Where `rep movsb` and `rep stosb` are said to be fast (ERMS), kernels clear and copy memory by them. Translated, they
  // are loops over single bytes: a boot takes a tenth longer.
  return { name: 'tcg', cpu: 'max,-cx16,-erms', cpus: isOlder(kernelVersion, 6, 6) ? 2 : 1 };
}

function isOlder(version: string | undefined, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (first === undefined) return false;
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}

/** The newest kernel among names of installed packages: `linux-image-6.1.0-31-amd64` is `6.1.0-31-amd64`. */
export function kernelAmong(packages: readonly string[]): string | undefined {
  const versions = packages.flatMap((name) => /^linux-image-(?:unsigned-)?(\d+\.\d.*)$/.exec(name)?.[1] ?? []);
  return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
}
