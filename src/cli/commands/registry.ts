import { Option } from '@commander-js/extra-typings';
import type { RegistryView } from '../requests/registry.ts';
import type { Session } from '../session.ts';
import { ago, bytes, count, oneLine, table } from '../text.ts';
import { baseUrl } from '../values.ts';
import type { Verb } from '../verb.ts';
import { registryForget } from './registry-forget.ts';
import { registryRebuild } from './registry-rebuild.ts';
import { registryRecord } from './registry-record.ts';

const formats = ['tfvars', 'json', 'yaml', 'ansible'] as const;

/** `ingot registry`: what is built and where it was brought. */
export const registry: Verb = {
  summary: 'Show the images that are built and where they were brought, for people and other programs',
  examples: [
    ['registry', 'images, deployments, and which of these are stale'],
    ['registry --format tfvars > images.auto.tfvars.json', 'for OpenTofu: the variable `images`'],
    ['registry --format json --url http://ingot.lan:8080', 'with the addresses of `ingot serve`'],
    ['registry record debian-13 --target pve --type proxmox --id 9000', 'it was brought there'],
  ],
  notes: [
    'It lies in registry.yml under INGOT_HOME. A deployment is stale when the newest build of its image has another key. ' +
      'What is deployed is never removed.',
  ],
  verbs: { record: registryRecord, forget: registryForget, rebuild: registryRebuild },
  alone: true,
  register(command, act) {
    command
      .addOption(new Option('--format <format>', 'for other programs').choices(formats))
      .option('--url <url>', 'where the artifacts are served (default: as files of this machine)', baseUrl)
      .action((options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const view = await engine.registry(session.io);
          if (options.format !== undefined) session.print([await exported(view, options.format, options.url)]);
          else if (session.json) session.printJson('registry', view);
          else showRegistry(view, session);
          return 0;
        }),
      );
  },
};

async function exported(
  view: RegistryView,
  format: (typeof formats)[number],
  url: string | undefined,
): Promise<string> {
  const at = { url };
  const json = (data: unknown) => JSON.stringify(data, undefined, 2);
  if (format === 'tfvars') return json((await import('../exports/tofu.ts')).tofuVariables(view, at));
  if (format === 'ansible') return json((await import('../exports/inventory.ts')).inventory(view, at));
  const { imageEntries, deploymentEntries } = await import('../exports/entries.ts');
  const whole = { version: 1, images: imageEntries(view, at), deployments: deploymentEntries(view) };
  return format === 'json' ? json(whole) : (await import('yaml')).stringify(whole, { lineWidth: 0 }).trimEnd();
}

function showRegistry(view: RegistryView, session: Session): void {
  session.print(registryLines(view, session));
  const stale = view.deployments.filter(({ state }) => state === 'stale');
  if (view.images.length === 0) session.remark('no image is built here yet: ingot build');
  if (stale.length > 0) {
    const names = [...new Set(stale.map(({ name }) => name))].join(', ');
    session.remark(`${count(stale.length, 'deployment')} of an older build: ${names}`);
  }
}

type View = Pick<Session, 'paint' | 'wallMs'>;

/** The registry for people: images, then deployments. */
export function registryLines({ images, deployments }: RegistryView, view: View): readonly string[] {
  const heads = (...names: readonly string[]) => names.map((name) => view.paint('dim', name));
  const age = (at: string) => ago((view.wallMs() - Date.parse(at)) / 1000);
  const imageRows = images.map((image) => [
    ...[oneLine(image.name), image.arch, age(image.builtAt), bytes(image.bytes)],
    ...[oneLine(image.files.map(({ format }) => format).join(' ')), oneLine(image.source)],
    view.paint('dim', image.cacheKey.slice(0, 12)),
  ]);
  const deploymentRows = deployments.map((one) => [
    ...[one.target, one.name, one.type, one.id].map(oneLine),
    ...[age(one.deployedAt), stateWords(one, images, view)],
  ]);
  const section = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : [...table([head, ...rows])];
  const first = section(heads('IMAGE', 'ARCH', 'BUILT', 'SIZE', 'FORMATS', 'SOURCE', 'KEY'), imageRows);
  const second = section(heads('TARGET', 'IMAGE', 'TYPE', 'ID', 'DEPLOYED', 'STATE'), deploymentRows);
  return [...first, ...(first.length > 0 && second.length > 0 ? [''] : []), ...second];
}

function stateWords(
  { state, name, arch }: RegistryView['deployments'][number],
  images: RegistryView['images'],
  view: View,
): string {
  if (state === 'current') return view.paint('green', 'current');
  if (state === 'gone') return view.paint('dim', `${oneLine(name)} is not built here`);
  const newest = images.find((image) => image.name === name && (arch === undefined || image.arch === arch));
  return `${view.paint('yellow', 'stale')}${newest === undefined ? '' : `, newest is ${oneLine(newest.build)}`}`;
}
