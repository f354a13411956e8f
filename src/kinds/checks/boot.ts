import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { type CheckGuest, type DiskFile, defineCheck, isDisk } from '../../core/kinds.ts';
import { firmwares } from '../../core/spec.ts';
import { grownSize } from '../../guest/growth.ts';
import { guestTools } from '../../guest/tools.ts';
import { diskSize } from '../../qemu/img.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

const options = z.strictObject({
  firmware: z
    .array(z.enum(firmwares))
    .min(1)
    .optional()
    .describe('Firmwares that must be among those it was booted under; default: those of the image.'),
  grows: z
    .boolean()
    .optional()
    .describe(
      'Whether the root file system has to grow to a larger disk; default: where cloud-init or systemd-repart does it.',
    ),
});

export type BootOptions = z.infer<typeof options>;

const settleMs = 60_000;

/** The image boots under each firmware, systemd starts everything without a failed unit, and the root file system grows where that is promised. */
export const boot = defineCheck<BootOptions>({
  name: 'boot',
  version: 1,
  summary:
    'It boots under each firmware, no systemd unit fails, and the root file system grows to the disk where something in it is to do that; a live ISO runs from its medium.',
  options,
  example: {},
  title: ({ firmware }) => `system comes up${firmware === undefined ? '' : ` under ${firmware.join(' and ')}`}`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  run: async ({ firmware, grows }, { guests, medium }, ctx) => {
    const missing = (firmware ?? []).filter((name) => !guests.some((guest) => guest.firmware === name));
    if (missing.length > 0) throw checkFailed(`no guest is up under ${missing.join(' and ')}`);
    await onEach(guests, settled);
    const root = isDisk(medium) ? await grownRoot(medium, { guests, grows }, ctx) : await liveRoot(guests);
    return `systemd is running, no failed unit, ${root} ${underAll(guests)}`;
  },
});

async function grownRoot(
  disk: DiskFile,
  { guests, grows }: { readonly guests: readonly CheckGuest[]; readonly grows: boolean | undefined },
  ctx: Context,
): Promise<string> {
  const wanted = grownSize(await diskSize(disk, ctx));
  const sizes = await onEach(guests, (guest) => rootSize(guest, { wanted, grows }));
  const gib = (Math.min(...sizes) / 1024 ** 3).toFixed(1);
  return `root file system ${Math.min(...sizes) < wanted ? 'keeps its size of' : 'grew to'} ${gib} GiB`;
}

/** Prints the type of the root file system where it can be written, and that of the medium (live-boot(7)). */
const liveScript = `set -e
touch /etc/.ingot-check
rm /etc/.ingot-check
findmnt -no FSTYPE /
findmnt -no FSTYPE /run/live/medium`;

/** With `toram` all of it was copied to memory. */
const fromMedium = new Set(['iso9660', 'tmpfs']);

/** The root of a live system is an overlay of its medium, and takes changes. */
async function liveRoot(guests: readonly CheckGuest[]): Promise<string> {
  await onEach(guests, async (guest) => {
    const result = await guest.exec({ text: liveScript });
    const [root, medium] = result.stdout.trim().split('\n');
    if (result.exitCode === 0 && root === 'overlay' && fromMedium.has(medium ?? '')) return;
    throw checkFailed('it does not run as a live system from its medium', lastLines(result));
  });
  return 'live system on an overlay of its medium';
}

/** Wait until systemd has started everything; every failed unit is named. */
async function settled(guest: CheckGuest): Promise<void> {
  const { stdout } = await guest.exec({ text: 'systemctl is-system-running --wait' }, { timeoutMs: settleMs });
  const state = stdout.trim();
  if (state === 'running') return;
  const units = failedUnits((await guest.exec({ text: 'systemctl list-units --failed --plain --no-legend' })).stdout);
  const logs = units.map((unit) => guest.exec({ text: 'systemctl status --no-pager --lines=8 -- "$1"', args: [unit] }));
  const detail = (await Promise.all(logs)).flatMap((log) => lastLines(log, 10));
  const which = units.length > 0 ? `failed: ${units.join(', ')}` : `state: ${state}`;
  throw checkFailed(`the system did not come up whole, ${which}`, detail);
}

/** The first word of each line of `systemctl list-units --plain --no-legend`. */
export function failedUnits(listing: string): readonly string[] {
  return listing.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
}

/** Bytes of the root file system; ext4 says more exactly than df(1), which leaves its tables out. */
const sizeScript = `set -e
device=$(findmnt -nvo SOURCE /)
type=$(findmnt -no FSTYPE /)
if [ "$type" = ext4 ] && command -v dumpe2fs >/dev/null; then
  dumpe2fs -h "$device" 2>/dev/null | awk -F: '/^Block count/ {c = $2} /^Block size/ {s = $2} END {printf "%.0f\\n", c * s}'
else
  stat -f -c '%b %S' / | { read -r blocks size; echo $((blocks * size)); }
fi`;

/** Whether something is there that grows a root file system to its disk at a boot, partition and all. */
const promiseScript = `[ ! -x /usr/bin/cloud-init ] || exit 0
for file in /etc/repart.d/*.conf /usr/lib/repart.d/*.conf; do [ ! -e "$file" ] || exit 0; done
exit 1`;

type Growth = { readonly wanted: number; readonly grows: boolean | undefined };

async function rootSize(guest: CheckGuest, { wanted, grows }: Growth): Promise<number> {
  const result = await guest.exec({ text: sizeScript });
  const size = Number(result.stdout.trim());
  if (result.exitCode !== 0 || !Number.isSafeInteger(size) || size === 0) {
    throw checkFailed('the size of the root file system could not be read', lastLines(result));
  }
  const mayStay = async () => !(grows ?? (await guest.exec({ text: promiseScript })).exitCode === 0);
  if (size >= wanted || (await mayStay())) return size;
  const layout = await guest.exec({ text: 'lsblk -o NAME,SIZE,TYPE,FSTYPE,MOUNTPOINTS; df -h /' });
  throw checkFailed(
    `the root file system did not grow: it has ${size} bytes, on a larger disk than it came on`,
    lastLines(layout),
  );
}
