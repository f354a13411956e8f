import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';

const command = z.union([z.string(), z.array(z.string())]);
const flag = z.looseObject({ install: z.boolean().optional() });
const groups = z.union([
  z.array(z.string()),
  z.object({ override: z.array(z.string()).optional(), append: z.array(z.string()).optional() }),
]);
const netplan = z.looseObject({ version: z.literal(2) });

/** The rules of subiquity's autoinstall-schema.json (its state of August 2026), as far as they refuse anything. */
const rules = z.looseObject({
  version: z.literal(1),
  'interactive-sections': z.array(z.string()).optional(),
  'early-commands': z.array(command).optional(),
  'late-commands': z.array(command).optional(),
  'error-commands': z.array(command).optional(),
  reporting: z.record(z.string(), z.looseObject({ type: z.string() })).optional(),
  'user-data': z.looseObject({}).optional(),
  packages: z.array(z.string()).optional(),
  'debconf-selections': z.string().optional(),
  locale: z.string().optional(),
  'refresh-installer': z.strictObject({ update: z.boolean().optional(), channel: z.string().optional() }).optional(),
  kernel: z.union([z.looseObject({ package: z.string() }), z.looseObject({ flavor: z.string() })]).optional(),
  'kernel-crash-dumps': z.strictObject({ enabled: z.boolean().nullable() }).optional(),
  keyboard: z
    .strictObject({ layout: z.string(), variant: z.string().optional(), toggle: z.string().nullable().optional() })
    .optional(),
  zdevs: z.array(z.looseObject({ id: z.string().optional(), enabled: z.boolean().optional() })).optional(),
  source: z.looseObject({ search_drivers: z.boolean().optional(), id: z.string().optional() }).optional(),
  network: z.union([netplan, z.looseObject({ network: netplan })]).optional(),
  'ubuntu-pro': z.looseObject({ token: z.string().optional() }).optional(),
  'ubuntu-advantage': z.looseObject({ token: z.string().optional() }).optional(),
  proxy: z.string().nullable().optional(),
  apt: z
    .looseObject({
      preserve_sources_list: z.boolean().optional(),
      primary: z.array(z.unknown()).optional(),
      geoip: z.boolean().optional(),
      fallback: z.enum(['abort', 'continue-anyway', 'offline-install']).optional(),
      disable_components: z.array(z.enum(['universe', 'multiverse', 'restricted', 'contrib', 'non-free'])).optional(),
    })
    .optional(),
  storage: z.looseObject({}).optional(),
  identity: z
    .strictObject({
      realname: z.string().optional(),
      username: z.string(),
      hostname: z.string(),
      password: z.string(),
      groups: groups.optional(),
    })
    .optional(),
  ssh: z
    .looseObject({
      'install-server': z.boolean().optional(),
      'authorized-keys': z.array(z.string()).optional(),
      'allow-pw': z.boolean().optional(),
    })
    .optional(),
  snaps: z
    .array(z.strictObject({ name: z.string(), channel: z.string().optional(), classic: z.boolean().optional() }))
    .optional(),
  'active-directory': z
    .strictObject({ 'admin-name': z.string().optional(), 'domain-name': z.string().optional() })
    .optional(),
  codecs: flag.optional(),
  drivers: flag.optional(),
  oem: z.looseObject({ install: z.union([z.boolean(), z.literal('auto')]) }).optional(),
  timezone: z.string().optional(),
  updates: z.enum(['security', 'all']).optional(),
  shutdown: z.enum(['reboot', 'poweroff']).optional(),
});

// The server variant asks who there is, unless one of these says it.
const whole = rules.refine((o) => o.identity !== undefined || o['user-data'] !== undefined, {
  message: 'it says nobody who may log in: give `identity` or `user-data`',
});

/**
 * Find mistakes in user-data with `autoinstall:`, or in an autoinstall.yaml without that key. Where this machine has
 * cloud-init, that looks at it as well.
 */
export async function checkAutoinstall(text: string, as: string, ctx: Context): Promise<void> {
  const counter = new LineCounter();
  const doc = parseDocument(text, { lineCounter: counter, version: '1.1', uniqueKeys: true });
  const placed = (offset: number, message: string) => `line ${counter.linePos(offset).line}: ${message}`;
  const [broken] = doc.errors;
  if (broken !== undefined) throw refused(as, [placed(broken.pos[0], broken.message.split('\n')[0] ?? '')]);
  const hasKey = isMap(doc.contents) && doc.has('autoinstall');
  if (hasKey && !text.startsWith('#cloud-config\n')) throw refused(as, ['line 1: it must be #cloud-config']);
  const above = hasKey ? ['autoinstall'] : [];
  const found = whole.safeParse(hasKey ? (doc.toJS() as { autoinstall: unknown }).autoinstall : doc.toJS());
  if (!found.success) {
    const mistakes = found.error.issues.map(({ path, message }) => {
      const node = nearestRange(doc, [...above, ...path]);
      return placed(node, [path.join('.'), message].filter((word) => word !== '').join(': '));
    });
    throw refused(as, mistakes);
  }
  if (hasKey) await askCloudInit(text, as, ctx);
}

function nearestRange(doc: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  const node: unknown = path.length === 0 ? doc.contents : doc.getIn(path, true);
  const start = isNode(node) ? node.range?.[0] : undefined;
  return start ?? (path.length === 0 ? 0 : nearestRange(doc, path.slice(0, -1)));
}

async function askCloudInit(text: string, as: string, { host, signal }: Context): Promise<void> {
  const program = await host.which('cloud-init');
  if (program === undefined) return;
  await host.withTemporary(async (folder) => {
    const file = `${folder}/user-data`;
    await host.files.write(file, text, 0o600);
    const { exitCode } = await host.run({ argv: [program, 'schema', '--config-file', file] }, { signal, ok: [0, 1] });
    // What it prints may hold lines of the file, and so passwords.
    if (exitCode !== 0) throw refused(as, [`cloud-init refuses it: try cloud-init schema --config-file ${as}`]);
  });
}

function refused(as: string, mistakes: readonly string[]): IngotError {
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `${as} is no autoinstall file: ${mistakes[0] ?? 'it is empty'}`,
    detail: mistakes.slice(1),
  });
}
