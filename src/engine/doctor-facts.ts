import { dirname, join } from 'node:path';
import type { DoctorReport } from '../cli/requests/upkeep.ts';
import { bytes } from '../cli/text.ts';
import { type Arch, archFromNode } from '../core/arch.ts';
import type { Host } from '../core/host.ts';
import type { Firmware } from '../core/spec.ts';
import { knownVerdict, translationFactor, verdictFile } from '../qemu/accelerator.ts';
import { findUefi, firmwarePackages, type UefiRequest } from '../qemu/firmware.ts';
import { explainDead, findObstacle } from '../qemu/hardware.ts';
import type { Obstacle } from '../qemu/obstacle.ts';
import { idCount, subordinateRange } from '../tree/namespace.ts';

/** What an image asks of the machine itself. */
export type Need = {
  readonly image: string;
  readonly arch: Arch;
  /** Whether it is made in a tree. */
  readonly inTree: boolean;
  /** Whether its build or its checks boot it, and under what. */
  readonly boots: boolean;
  readonly firmware: readonly Firmware[];
  readonly secureBoot: boolean;
  readonly virtualization: 'auto' | 'required';
};

type Fact = DoctorReport['facts'][number];
type Place = { readonly host: Host; readonly home: string };

/** What this machine is able to do, with the command that mends what it is not. */
export async function stateFacts(needs: readonly Need[], place: Place): Promise<readonly Fact[]> {
  const { host } = place;
  const images = namesOf(needs);
  const own = archFromNode(host.arch);
  const needed = new Set(needs.map(({ arch }) => arch));
  const arches = needed.size > 0 ? [...needed] : own === undefined ? [] : [own];
  const uefi = needs.filter((need) => need.firmware.includes('uefi'));
  const firmwares = arches.flatMap((arch) => [true, false].map((secureBoot) => ({ arch, secureBoot })));
  const facts = await Promise.all([
    namespaces(host, namesOf(needs.filter(({ inTree }) => inTree))),
    subordinates(host, namesOf(needs.filter(({ inTree }) => inTree))),
    ...arches.map((arch) => virtualization(arch, needs, place)),
    ...firmwares.map((request) => firmware(request, uefi, host)),
    space(place, images),
    memory(host),
  ]);
  return facts.filter((fact) => fact !== undefined);
}

function namesOf(needs: readonly Need[]): readonly string[] {
  return [...new Set(needs.map(({ image }) => image))];
}

async function namespaces(host: Host, images: readonly string[]): Promise<Fact> {
  const name = 'user namespaces';
  if (host.platform !== 'linux') return { name, state: 'missing', found: 'only Linux has them', images };
  const tried = await host.run({ argv: ['unshare', '--user', 'true'] }, { ok: [0, 1] }).catch(() => undefined);
  if (tried?.exitCode === 0) return { name, state: 'ok', found: 'allowed', images };
  if (tried === undefined) return { name, state: 'missing', found: 'cannot be tried without unshare', images };
  const setting = await userNamespaceSetting(host);
  return { name, state: 'missing', found: `refused by ${setting.by}`, fix: setting.fix, images };
}

/** Which of the kernel's settings refuses user namespaces, as far as it can be seen. */
async function userNamespaceSetting(host: Host): Promise<{ readonly by: string; readonly fix: string }> {
  const settings = [
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['user.max_user_namespaces', '0', '28633'],
  ] as const;
  for (const [key, refusing, allowing] of settings) {
    const value = await host.files.readText(`/proc/sys/${key.replaceAll('.', '/')}`);
    if (value?.trim() === refusing) return { by: `${key}=${refusing}`, fix: `sudo sysctl -w ${key}=${allowing}` };
  }
  return { by: 'the kernel or a container', fix: 'sudo sysctl -w user.max_user_namespaces=28633' };
}

const rangeFiles = ['/etc/subuid', '/etc/subgid'] as const;

async function subordinates(host: Host, images: readonly string[]): Promise<Fact> {
  const name = 'subordinate ids';
  const { user } = host;
  if (host.platform !== 'linux') return { name, state: 'missing', found: 'only Linux has them', images };
  if (user.uid === 0) return { name, state: 'ok', found: 'root needs none', images };
  const texts = await Promise.all(rangeFiles.map(async (file) => (await host.files.readText(file)) ?? ''));
  const [uids, gids] = texts.map((text) => subordinateRange(text, user));
  if (uids !== undefined && gids !== undefined)
    return { name, state: 'ok', found: `${uids.count} for ${user.name}`, images };
  const without = rangeFiles.filter((_, index) => [uids, gids][index] === undefined);
  const first = freeId(texts);
  const range = `${first}-${first + idCount - 1}`;
  const fix = `sudo usermod --add-subuids ${range} --add-subgids ${range} ${user.name}`;
  return { name, state: 'missing', found: `no ${idCount} for ${user.name} in ${without.join(' and ')}`, fix, images };
}

/** The first id after every range that was granted, so that no two users share one. */
function freeId(texts: readonly string[]): number {
  const ends = texts
    .join('\n')
    .split('\n')
    .map((line) => {
      const [, start, count] = line.split(':');
      return Number(start) + Number(count);
    });
  return Math.max(100_000, ...ends.filter(Number.isFinite));
}

/** Whether guests of an architecture run on the processor itself, as far as it is known without booting one. */
async function virtualization(arch: Arch, needs: readonly Need[], { host, home }: Place): Promise<Fact> {
  const mine = needs.filter((need) => need.arch === arch);
  const images = namesOf(mine.filter((need) => need.boots && need.virtualization === 'required'));
  const { works, found, fix } = await hardwareState(arch, host, join(home, 'state'));
  const name = `${arch} guests`;
  if (works) return { name, state: 'ok', found, images };
  const slow = `emulated, about ${translationFactor} times slower: ${found}`;
  const state = images.length > 0 ? 'missing' : 'slow';
  return { name, state, found: slow, ...(fix === undefined ? {} : { fix }), images };
}

type HardwareState = Obstacle & { readonly works: boolean };

async function hardwareState(arch: Arch, host: Host, state: string): Promise<HardwareState> {
  const obstacle = await findObstacle(arch, host);
  if (obstacle !== undefined) return { works: false, ...obstacle };
  const verdict = await knownVerdict(arch, state, host);
  if (verdict === undefined)
    return { works: true, found: 'virtualization is there; proven when the first guest boots' };
  if (verdict.works) return { works: true, found: 'virtualization works: a guest was seen to boot' };
  return { works: false, ...(await explainDead(arch, verdict.reason, verdictFile(state), host)) };
}

async function firmware(request: UefiRequest, needs: readonly Need[], host: Host): Promise<Fact | undefined> {
  const { arch, secureBoot } = request;
  const images = namesOf(needs.filter((need) => need.arch === arch && need.secureBoot === secureBoot));
  if (images.length === 0) return undefined;
  const name = `${arch} ${secureBoot ? 'Secure Boot' : 'UEFI'} firmware`;
  const file = (await findUefi(request, host)).chosen?.mapping.executable.filename;
  if (file !== undefined) return { name, state: 'ok', found: file, images };
  const fix = `sudo apt-get install ${firmwarePackages[arch]}`;
  return { name, state: 'missing', found: 'none', fix, images };
}

/** What one build of an ordinary image takes at least, and at most with its disk unpacked. */
const leastBytes = 1e9;
const wantedBytes = 4e9;

async function space({ host, home }: Place, images: readonly string[]): Promise<Fact> {
  let folder = home;
  while (folder !== '/' && (await host.files.stat(folder)) === undefined) folder = dirname(folder);
  const free = await host.files.freeBytes(folder);
  const found = `${bytes(free)} free for ${home}`;
  if (free >= wantedBytes) return { name: 'space', state: 'ok', found, images };
  const short = `${found}; a build takes up to ${bytes(wantedBytes)}`;
  return { name: 'space', state: free < leastBytes ? 'missing' : 'slow', found: short, fix: 'ingot gc', images };
}

/** A tree lives in memory while it is built. */
const wantedMemory = 2e9;

async function memory(host: Host): Promise<Fact | undefined> {
  const text = await host.files.readText('/proc/meminfo');
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  if (available === undefined) return undefined;
  const free = Number(available) * 1024;
  const found = `${bytes(free)} available`;
  if (free >= wantedMemory) return { name: 'memory', state: 'ok', found, images: [] };
  const short = `${found}; trees are built in memory and take up to ${bytes(wantedMemory)}`;
  return { name: 'memory', state: 'slow', found: short, images: [] };
}
