import { z } from 'zod';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, onEach, underAll } from './on-each.ts';

const unit = z
  .string()
  .regex(
    /^(?!-)[A-Za-z0-9:_.@\\-]{1,255}$/,
    'expected the name of a systemd unit, such as ssh, ssh.service or getty@ttyS1',
  );

const full = z.strictObject({
  name: unit.describe('The systemd unit.'),
  active: z.boolean().default(true).describe('Whether it must run.'),
  enabled: z.boolean().optional().describe('Whether it must start at boot by itself; default: not looked at.'),
});

export type ServiceOptions = z.infer<typeof full>;

const options = z.union([unit.transform((name): ServiceOptions => ({ name, active: true })), full]);

/** A systemd unit runs, or does not, and is enabled, or is not. */
export const service = defineCheck<ServiceOptions>({
  name: 'service',
  version: 1,
  summary: 'A systemd unit of the booted image is active or not, enabled or not.',
  options,
  example: { name: 'ssh', active: true, enabled: true },
  title: ({ name, active }) => `service ${name}${active ? '' : ' not'} active`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'without steps',
  run: async (o, { guests }) => {
    const states = await onEach(guests, async (guest) => {
      const { stdout } = await guest.exec({ text: stateScript, args: [o.name] });
      const [active = '', enabled = ''] = stdout.trim().split('\n');
      const wrong = judge(o, { active, enabled });
      if (wrong.length === 0) return `${active}, ${enabled}`;
      const status = await guest.exec({ text: 'systemctl status --no-pager --lines=10 -- "$1"', args: [o.name] });
      throw checkFailed(`${o.name} is ${wrong.join(' and ')}`, status.stdout.trim().split('\n'));
    });
    return `${states[0]}, ${underAll(guests)}`;
  },
});

// A unit that is still on its way up (waiting for the network, say) gets some time.
const stateScript = `for try in 1 2 3 4 5 6 7 8 9 10; do
  active=$(systemctl is-active -- "$1")
  [ "$active" = activating ] || break
  sleep 2
done
echo "\${active:-unknown}"
systemctl is-enabled -- "$1" 2>/dev/null || true`;

/** What `systemctl` said that should be otherwise. A static unit cannot be enabled, and counts as neither. */
export function judge(o: ServiceOptions, is: { readonly active: string; readonly enabled: string }): readonly string[] {
  const wrong: string[] = [];
  if ((is.active === 'active') !== o.active) wrong.push(`${is.active || 'unknown'}`);
  const enabled = is.enabled.startsWith('enabled') || is.enabled === 'alias';
  if (o.enabled !== undefined && enabled !== o.enabled) wrong.push(is.enabled || 'not there');
  return wrong;
}
