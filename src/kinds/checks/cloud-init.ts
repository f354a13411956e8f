import { z } from 'zod';
import { type CheckGuest, defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

const waitMs = 60_000;

/** cloud-init found its data, ran to its end and met no error. */
export const cloudInit = defineCheck<Record<string, never>>({
  name: 'cloud-init',
  version: 1,
  summary: 'cloud-init runs to its end without an error; without cloud-init, systemd does.',
  options: z.strictObject({}),
  example: {},
  title: () => 'cloud-init finishes',
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  run: async (_, { guests }) => {
    const notes = await onEach(guests, finish);
    return `${notes.find((note) => note !== 'done') ?? 'done'}, ${underAll(guests)}`;
  },
});

// 127 where there is no cloud-init.
const script = `command -v cloud-init >/dev/null || exit 127
cloud-init status --wait --format json`;

async function finish(guest: CheckGuest): Promise<string> {
  const result = await guest.exec({ text: script }, { timeoutMs: waitMs });
  if (result.exitCode === 127) return withoutCloudInit(guest);
  const status = parseStatus(result.stdout);
  if (status === undefined) throw checkFailed('cloud-init did not tell its status', lastLines(result));
  if (status.status !== 'done') throw checkFailed(`cloud-init ended with status ${status.status}`, status.problems);
  return status.problems.length === 0
    ? 'done'
    : `done with ${status.problems.length} recoverable: ${status.problems.join('; ')}`;
}

async function withoutCloudInit(guest: CheckGuest): Promise<string> {
  const result = await guest.exec({ text: 'systemctl is-system-running --wait' }, { timeoutMs: waitMs });
  if (result.exitCode !== 0) throw checkFailed(`systemd is ${result.stdout.trim()}`, lastLines(result));
  return 'no cloud-init in this image, systemd is running';
}

const statusSchema = z.object({
  status: z.string(),
  errors: z.array(z.string()).default([]),
  recoverable_errors: z.record(z.string(), z.array(z.string())).default({}),
});

/**
 * What `cloud-init status --format json` says. Dots of waiting may come before it; older versions know no
 * recoverable errors.
 */
export function parseStatus(
  stdout: string,
): { readonly status: string; readonly problems: readonly string[] } | undefined {
  const start = stdout.indexOf('{');
  if (start === -1) return undefined;
  try {
    const { status, errors, recoverable_errors } = statusSchema.parse(JSON.parse(stdout.slice(start)));
    const recoverable = Object.entries(recoverable_errors).flatMap(([level, lines]) =>
      lines.map((line) => `${level}: ${line}`),
    );
    return { status: errors.length > 0 ? 'error' : status, problems: [...errors, ...recoverable] };
  } catch {
    return undefined;
  }
}
