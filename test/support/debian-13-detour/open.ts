import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostInGuest } from '../../../src/qemu/argv.ts';
import { mirrorsOfThisMachine } from '../machine-mirrors.ts';
import { type Archive, openArchive, suite } from './archive.ts';
import { installedIn, kernelOf } from './initrd.ts';
import { installerIndex, mirrorFiles } from './mirror-files.ts';
import { type Place, unpacker } from './repack.ts';
import { fetchedOf, ofKernel, without } from './selection.ts';
import { serveMirror } from './server.ts';
import { nameOf, namesOf, type Stanza } from './stanzas.ts';
import { dispensable, makeUdebs } from './udebs.ts';

/**
 * Debian 13's installer and a mirror for it. Some mirrors have not all of the installer's own packages; this one makes
 * what is missing of them from packages of the system, or leaves it out with all that needs it. Only what the installer
 * loads for itself is changed: the system that it installs is Debian's, signed as ever.
 */
export type Detour = {
  readonly kernel: string;
  readonly initrd: string;
  /** As guests reach it. */
  readonly mirror: string;
  readonly suite: string;
  /** Words of the installer's kernel that it takes this mirror with. */
  readonly words: readonly string[];
  close(): Promise<void>;
};

/** A smaller kernel than the usual one: guests are translated. */
const kernelWords = ['base-installer/kernel/image=linux-image-cloud-amd64'];

const images = 'usr/lib/debian-installer/images/13/amd64/text/debian-installer/amd64';

/** `folder`: for its files. */
export async function openDetour(folder: string): Promise<Detour> {
  const { debian, security = `${debian}-security` } = await mirrorsOfThisMachine();
  if (debian === undefined) throw new Error('apt of this machine has no mirror of Debian');
  await mkdir(folder, { recursive: true });
  const archive = await openArchive(debian, folder);
  const unpack = unpacker(archive, await archive.index('main/binary-amd64'), folder);
  const netboot = await unpack('debian-installer-13-netboot-amd64');
  const [kernel, initrd] = [join(netboot, images, 'linux'), join(netboot, images, 'initrd.gz')];
  const own = await ownFiles(archive, initrd, { unpack, folder });
  const server = await serveMirror(
    new Map([
      ['debian', { from: debian, own }],
      ['debian-security', { from: security, own: new Map() }],
    ]),
  );
  const address = `${hostInGuest}:${server.port}`;
  return {
    ...{ kernel, initrd, suite, mirror: `http://${address}/debian` },
    words: ['debian-installer/allow_unauthenticated=true', `apt-setup/security_host=${address}`, ...kernelWords],
    close: () => server.close(),
  };
}

async function ownFiles(archive: Archive, initrd: string, place: Place): Promise<ReadonlyMap<string, Buffer>> {
  const installed = await installedIn(initrd);
  const version = kernelOf(installed);
  const index = ofKernel(await archive.index(installerIndex), version);
  const names = installed.flatMap(namesOf);
  const missing = await missingOf(archive, fetchedOf(index, names));
  const made = await makeUdebs(missing, version, place);
  const stanzas = new Map(made.map(({ stanza }) => [nameOf(stanza), stanza]));
  const gone = new Set(missing.map(nameOf).filter((name) => !stanzas.has(name)));
  const whole = index.map((stanza) => stanzas.get(nameOf(stanza)) ?? stanza);
  return mirrorFiles(archive.release, without(whole, gone, [...names, ...dispensable]), made);
}

/** One after the other: a mirror is not to be pressed. */
async function missingOf(archive: Archive, stanzas: readonly Stanza[]): Promise<readonly Stanza[]> {
  const missing: Stanza[] = [];
  for (const stanza of stanzas) if (!(await archive.has(stanza))) missing.push(stanza);
  return missing;
}
