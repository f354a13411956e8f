import { z } from 'zod';
import { isoOption } from '../../src/core/isos.ts';
import {
  byName,
  defineCheck,
  defineFormat,
  defineSource,
  defineStep,
  type Kinds,
  type Source,
  type Step,
} from '../../src/core/kinds.ts';

const names = z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]*$/, 'expected a package name'));
const none = async () => undefined;

/** A tree source with a pin. */
const packagesSource: Source = defineSource({
  name: 'packages',
  version: 1,
  bench: 'tree',
  summary: "A base system from a distribution's own packages.",
  options: z.strictObject({
    distro: z.enum(['debian', 'ubuntu']).default('debian'),
    suite: z.string(),
    include: names.default([]),
    keyring: z.string().optional(),
  }),
  example: { suite: 'trixie' },
  title: (o) => `bootstrap ${o.suite}`,
  files: (o) => (o.keyring === undefined ? [] : [o.keyring]),
  pin: async () => null,
});

/** A guest source without a pin. */
const diskSource: Source = defineSource({
  name: 'disk-image',
  version: 1,
  bench: 'guest',
  summary: 'A disk image of somebody else.',
  options: z.strictObject({ url: z.string(), sha256: z.string() }),
  example: { url: 'https://example.org/a.qcow2', sha256: '00' },
  title: (o) => `start from ${o.url}`,
});

/** A source with the name of an ISO in its options. */
const installerSource: Source = defineSource({
  name: 'installer',
  version: 1,
  bench: 'guest',
  summary: 'An installation from an ISO.',
  options: z.strictObject({
    iso: isoOption,
    also: z.array(z.strictObject({ iso: isoOption })).default([]),
    password: z.string().optional(),
    limit: z.string().optional(),
  }),
  example: { iso: 'debian-13-netinst' },
  isosIn: [['iso'], ['also', '*', 'iso']],
  secretsIn: [['password']],
  aside: ['limit'],
  installs: true,
  title: (o) => `install from ${o.iso.name}`,
  files: (o) => (o.iso.file === undefined ? [] : [o.iso.file]),
});

/** A source that is another image. */
const imageSource: Source = defineSource({
  name: 'image',
  version: 1,
  bench: 'tree',
  summary: 'Another image of the project.',
  options: z.string(),
  example: 'debian-13',
  title: (o) => `start from ${o}`,
  parents: (o) => [o],
});

const fullPackages = z.strictObject({
  install: names.default([]),
  remove: names.default([]),
  upgrade: z.boolean().default(false),
});

const packagesStep: Step = defineStep({
  name: 'packages',
  version: 1,
  on: ['tree', 'guest'],
  summary: 'Install distribution packages.',
  options: z.union([names.transform((install) => ({ install, remove: [] as string[], upgrade: false })), fullPackages]),
  example: ['vim'],
  shorthands: ['upgrade'],
  title: (o) => `install ${o.install.join(' ')}`,
  run: none,
});

const shared = { args: z.array(z.string()).default([]), env: z.record(z.string(), z.string()).default({}) };

const shellStep: Step = defineStep({
  name: 'shell',
  version: 1,
  on: ['tree', 'guest'],
  summary: 'Run a script in the image.',
  options: z.union([
    z
      .string()
      .transform((text) => (/\.sh$/.test(text) ? { file: text, args: [], env: {} } : { run: text, args: [], env: {} })),
    z.strictObject({ file: z.string(), ...shared }),
    z.strictObject({ run: z.string(), ...shared }),
  ]),
  example: 'scripts/base.sh',
  title: (o) => ('file' in o ? `run ${o.file}` : 'run a script'),
  files: (o) => ('file' in o ? [o.file] : []),
  secretsIn: [['env', '*']],
  run: none,
});

const copyStep: Step = defineStep({
  name: 'copy',
  version: 1,
  on: ['tree'],
  summary: 'Put files into the image.',
  options: z.discriminatedUnion('from', [
    z.strictObject({ from: z.literal('file'), path: z.string(), to: z.string() }),
    z.strictObject({
      from: z.literal('text'),
      content: z.string(),
      to: z.string(),
      mode: z.int().min(0).max(0o7777).optional(),
    }),
  ]),
  example: { from: 'file', path: 'motd', to: '/etc/motd' },
  title: (o) => `write ${o.to}`,
  files: (o) => (o.from === 'file' ? [o.path] : []),
  run: none,
});

const rebootStep: Step = defineStep({
  name: 'reboot',
  version: 1,
  on: ['guest'],
  summary: 'Restart the guest.',
  options: z.strictObject({}),
  example: {},
  title: () => 'restart',
  run: none,
});

const settingsStep: Step = defineStep({
  name: 'cloud-init',
  version: 1,
  on: ['tree', 'guest'],
  summary: 'Settings of cloud-init.',
  options: z.strictObject({ config: z.record(z.string(), z.json()).default({}) }),
  example: { config: { timezone: 'UTC' } },
  title: () => 'settings',
  run: none,
});

const checkKinds = [
  defineCheck({
    name: 'ssh',
    version: 1,
    needs: 'guest',
    summary: 'Login over ssh works.',
    options: z.strictObject({}),
    example: {},
    title: () => 'ssh',
    run: async () => 'ok',
  }),
  defineCheck({
    name: 'command',
    version: 1,
    needs: 'guest',
    summary: 'A command succeeds.',
    options: z.string().min(1),
    example: 'true',
    title: (o) => o,
    run: async () => 'ok',
  }),
];

const formatKinds = (['qcow2', 'raw'] as const).map((name) =>
  defineFormat({
    name,
    version: 1,
    summary: `A ${name} disk.`,
    options: z.strictObject({ compression: z.enum(['none', 'zlib', 'zstd']).default('zstd') }),
    example: {},
    title: () => name,
    extension: () => name,
    boots: () => name,
    write: none,
  }),
);

/** A file that is no disk. */
const archiveFormat = defineFormat({
  name: 'archive',
  version: 1,
  summary: 'The files of the image.',
  options: z.strictObject({}),
  example: {},
  title: () => 'archive',
  extension: () => 'tar',
  boots: () => undefined,
  write: none,
});

/** A few kinds of every family, shaped like the real ones, that do nothing. */
export const fakeKinds: Kinds = {
  sources: byName([packagesSource, diskSource, installerSource, imageSource]),
  steps: byName([packagesStep, shellStep, copyStep, rebootStep, settingsStep]),
  checks: byName(checkKinds),
  formats: byName([...formatKinds, archiveFormat]),
};

/** The same kinds, one step of them at another version. */
export function withStepVersion(name: string, version: number): Kinds {
  const steps = [...fakeKinds.steps.values()].map((step) => (step.name === name ? { ...step, version } : step));
  return { ...fakeKinds, steps: byName(steps) };
}
