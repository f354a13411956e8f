import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
import { type Script, shellLine } from '../../core/script.ts';

const unit = z
  .string()
  .regex(
    /^(?!-)[A-Za-z0-9:_.@\\-]{1,255}$/,
    'expected the name of a systemd unit, such as ssh, ssh.service or getty@ttyS1',
  );

const options = z
  .strictObject({
    enable: z.array(unit).default([]).describe('Units that start at boot.'),
    disable: z.array(unit).default([]).describe('Units that do not start by themselves.'),
    mask: z.array(unit).default([]).describe('Units that cannot be started at all.'),
  })
  .refine((o) => o.enable.length + o.disable.length + o.mask.length > 0, 'nothing to enable, disable or mask')
  .refine((o) => !o.enable.some((name) => [...o.disable, ...o.mask].includes(name)), {
    message: 'a unit that is enabled cannot be disabled or masked as well',
    path: ['enable'],
  });

export type ServicesOptions = z.infer<typeof options>;

/** Choose which systemd units start at boot. Nothing is started or stopped now. */
export const services = defineStep<ServicesOptions>({
  name: 'services',
  version: 1,
  summary: 'Enable, disable or mask systemd units; nothing is started or stopped now.',
  on: ['tree', 'guest'],
  options,
  example: { enable: ['ssh'], disable: ['apt-daily.timer'], mask: ['systemd-networkd-wait-online.service'] },
  title: (o) =>
    (['disable', 'mask', 'enable'] as const)
      .filter((verb) => o[verb].length > 0)
      .map((verb) => `${verb} ${o[verb].join(' ')}`)
      .join(', '),
  run: (o, work) => work.exec(servicesScript(o)),
});

/** Disabling comes first, so that a name it frees (an alias) can be taken by a unit that is enabled. */
export function servicesScript(o: ServicesOptions): Script {
  const verbs = ['disable', 'mask', 'enable'] as const;
  const lines = verbs
    .filter((verb) => o[verb].length > 0)
    .map((verb) => shellLine(['systemctl', verb, '--', ...o[verb]]));
  return { text: ['set -eu', ...lines, ''].join('\n') };
}
