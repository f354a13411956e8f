import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { InstalledPackage } from '../core/manifest.ts';
import { parseOsRelease } from '../core/os-release.ts';
import type { Ext4, Ext4Entry } from '../qemu/ext4.ts';
import { openRoot, osReleaseOf } from '../qemu/root-files.ts';
import type { GuestFacts } from './guest/guest-seal.ts';
import { installed, sortPackages } from './image-facts.ts';

const packageDatabase = '/var/lib/dpkg/status';

/** Whether `readDiskFacts` can read a disk like this one. */
export async function hasReadableFacts(raw: string, { host }: Context): Promise<boolean> {
  const root = await openRoot(raw, host.files);
  return (await root?.read(packageDatabase)) !== undefined;
}

/** What is on a sealed disk (raw), read without booting it: in a translated guest that takes ten times as long. */
export async function readDiskFacts(raw: string, { host }: Context): Promise<GuestFacts> {
  const root = await openRoot(raw, host.files);
  if (root === undefined) {
    throw new IngotError({ code: 'STEP_FAILED', message: 'the sealed disk has no root file system that can be read' });
  }
  const text = async (path: string) => (await root.read(path))?.toString('utf8');
  const release = parseOsRelease((await osReleaseOf(root)) ?? '');
  const debian = (await text('/etc/debian_version'))?.trim();
  return {
    system: debian === undefined ? release : { ...release, DEBIAN_VERSION: debian },
    packages: parseDpkgStatus((await text(packageDatabase)) ?? ''),
    contents: await listContents(root),
  };
}

/** The installed packages of dpkg's database (deb822(5), dpkg-query(1)). */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  const packages = text.split(/\n\n+/).flatMap((paragraph): readonly InstalledPackage[] => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    const isThere = / installed$/.test(field('Status'));
    if (!isThere) return [];
    const one = { name: field('Package'), version: field('Version'), arch: field('Architecture') };
    // deb-src's `Source: NAME (VERSION)`; the version stands there where it is another.
    const [, name = one.name, version = one.version] = /^(\S+)(?: \((.*)\))?$/.exec(field('Source')) ?? [];
    return [installed(one, 'deb', { name, version })];
  });
  return sortPackages(packages);
}

/** Lines like those of a tree's list, with times of change in the place of digests. */
async function listContents(root: Ext4): Promise<string> {
  const entries: Ext4Entry[] = [];
  for await (const entry of root.list()) entries.push(entry);
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  return entries.map((entry) => `${cells(entry).map(oneCell).join('\t')}\n`).join('');
}

function cells({ type, mode, uid, gid, size, changed, target, path }: Ext4Entry): readonly string[] {
  const content = type === 'f' ? `changed ${changed}` : (target ?? '-');
  return [type, mode.toString(8), `${uid}:${gid}`, type === 'f' ? String(size) : '-', content, path];
}

/** Names are bytes; a tab or a newline in one is shown as an escape. */
function oneCell(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}
