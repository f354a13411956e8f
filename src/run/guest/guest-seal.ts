import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { InstalledPackage } from '../../core/manifest.ts';
import type { Channel } from '../../guest/channel.ts';
import { lastActScript, restWords } from '../../guest/rest.ts';
import { accessFiles, buildUser, hostsMark } from '../../guest/seed.ts';
import { forgetSystemText } from '../../tree/seal.ts';
import { imageFactsScript, parseImageFacts } from '../image-facts.ts';
import type { BootedGuest } from './boot-guest.ts';
import { runInGuest } from './guest-work.ts';

export type GuestFacts = {
  readonly system: Readonly<Record<string, string>>;
  readonly packages: readonly InstalledPackage[];
  /** As `listContents`, with times of change in the place of digests, which a guest would take long to find. */
  readonly contents: string;
};

/** What is in a guest, just before it is sealed. */
export async function readFacts(guest: BootedGuest): Promise<GuestFacts> {
  const read = async (script: Parameters<BootedGuest['run']>[0]) => (await runInGuest(guest, script, {})).stdout;
  const facts = parseImageFacts(await read(imageFactsScript));
  return { ...facts, contents: await read({ text: contentsText }) };
}

const contentsText = `find / -xdev -mindepth 1 -type f -printf '%y\\t%m\\t%U:%G\\t%s\\tchanged %Ts\\t%p\\n' \\
  -o -type l -printf '%y\\t%m\\t%U:%G\\t-\\t%l\\t%p\\n' -o -printf '%y\\t%m\\t%U:%G\\t-\\t-\\t%p\\n' | LC_ALL=C sort -t "$(printf '\\t')" -k 6`;

/**
 * Seal a guest and turn it off: as its last act, when nothing runs any more that could leave a trace. `access`: whose
 * way in it was, ours or the image's own.
 */
export async function sealGuest(
  guest: BootedGuest,
  channel: Channel,
  access: 'ours' | 'own',
  ctx: Context,
): Promise<void> {
  const isOurs = access === 'ours';
  const text = `${forgetSystemText(isOurs ? ownFiles : [])}\n${isOurs ? ownLines : ''}`;
  const end = new AbortController();
  const sealed = Promise.race([
    channel.heard(restWords.sealed, end.signal),
    guest.console.line(/ingot: sealed/, end.signal),
  ]);
  sealed.catch(() => undefined);
  let done = false;
  void sealed.then(
    () => (done = true),
    () => undefined,
  );
  await guest.untilOff(() => runInGuest(guest, lastActScript(text), {}).catch(connectionEnds));
  end.abort();
  ctx.signal.throwIfAborted();
  if (done) return;
  const message = 'the guest turned itself off before it was sealed';
  throw await guest.explain(new IngotError({ code: 'STEP_FAILED', message }));
}

/** The guest may be gone before it can answer; whether it was sealed is asked elsewhere. */
function connectionEnds(error: unknown): void {
  if (error instanceof IngotError && error.code === 'TOOL_FAILED') return;
  throw error;
}

/** How we got in: the build user, our keys, what cloud-init wrote for our boots. */
const ownFiles = [
  ...accessFiles,
  ...[`/home/${buildUser}`, `/var/mail/${buildUser}`],
  ...[`/var/lib/systemd/linger/${buildUser}`, `/var/lib/sudo/lectured/${buildUser}`],
  ...['/etc/ssh/sshd_config.d/50-cloud-init.conf', '/etc/netplan/50-cloud-init.yaml'],
  ...['/etc/network/interfaces.d/50-cloud-init', '/etc/network/interfaces.d/50-cloud-init.cfg'],
  ...['/etc/systemd/network/10-cloud-init-*.network', '/etc/NetworkManager/system-connections/cloud-init-*'],
];

/** What is left of that in files which are not ours alone. Backups of them come from it. */
const ownLines = `
if id ${buildUser} >/dev/null 2>&1; then
  userdel -f -r ${buildUser} >/dev/null 2>&1 || :
  rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid-
fi
for file in /etc/sudoers.d/90-cloud-init-users; do
  [ -e "$file" ] || continue
  sed -i '/^# User rules for ${buildUser}$/d; /^${buildUser} /d' "$file"
  grep -qv -e '^#' -e '^$' "$file" || rm -f "$file"
done
! grep -q '${hostsMark}$' /etc/hosts 2>/dev/null || sed -i '/${hostsMark}$/d' /etc/hosts
if [ -d /root/.ssh ]; then
  [ -s /root/.ssh/authorized_keys ] || rm -f /root/.ssh/authorized_keys
  rmdir /root/.ssh 2>/dev/null || :
fi
`;
