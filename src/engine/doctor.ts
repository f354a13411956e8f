import { freemem } from 'node:os';
import { dirname } from 'node:path';
import type { DoctorReport } from '../cli/engine.ts';
import { bytes } from '../cli/text.ts';
import { type Arch, archFromNode } from '../core/arch.ts';
import type { Host } from '../core/host.ts';
import type { Kinds, Tool } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { subordinateRange } from '../tree/namespace.ts';

type Fact = DoctorReport['facts'][number];
type Examined = DoctorReport['tools'][number];

/** What this machine has of what these images need, and what it can do. */
export async function examine(specs: readonly ImageSpec[], ground: Ground): Promise<DoctorReport> {
  const { host } = ground;
  const needed = toolsOf(specs, ground.kinds);
  const tools = await Promise.all([...needed.values()].map((one) => look(one.tool, [...one.images], host)));
  const names = [...new Set(specs.map((spec) => spec.name))];
  const facts = await Promise.all([
    namespaces(host, names),
    subordinates(host, names),
    kvm(host),
    space(ground, names),
  ]);
  return { tools: tools.sort((a, b) => (a.program < b.program ? -1 : 1)), facts: [...facts, memory()] };
}

export type Ground = {
  readonly host: Host;
  readonly kinds: Kinds;
  /** INGOT_HOME. */
  readonly home: string;
  readonly signal: AbortSignal;
};

type Needed = { readonly tool: Tool; readonly images: Set<string> };

function toolsOf(specs: readonly ImageSpec[], kinds: Kinds): ReadonlyMap<string, Needed> {
  const needed = new Map<string, Needed>();
  for (const spec of specs) {
    for (const tool of [...diskTools, ...toolsOfSpec(spec, kinds)]) {
      const known = needed.get(tool.program) ?? { tool, images: new Set<string>() };
      known.images.add(spec.name);
      needed.set(tool.program, known);
    }
  }
  return needed;
}

const diskTools: readonly Tool[] = [
  { program: 'mke2fs', debian: 'e2fsprogs', why: 'writes file systems' },
  { program: 'mcopy', debian: 'mtools', why: 'fills the EFI system partition' },
  { program: 'sfdisk', debian: 'fdisk', why: 'writes partition tables' },
  { program: 'zstd', debian: 'zstd', why: 'packs layers' },
];

function toolsOfSpec(spec: ImageSpec, kinds: Kinds): readonly Tool[] {
  const of = (
    use: { readonly kind: string; readonly options: unknown },
    known: ReadonlyMap<string, { tools?(options: unknown, arch: Arch): readonly Tool[] }>,
  ) => known.get(use.kind)?.tools?.(use.options, spec.arch) ?? [];
  return [
    ...of(spec.source, kinds.sources),
    ...spec.steps.flatMap((use) => of(use, kinds.steps)),
    ...spec.formats.flatMap((use) => of(use, kinds.formats)),
    ...spec.checks.flatMap((use) => of(use, kinds.checks)),
  ];
}

async function look(tool: Tool, images: readonly string[], host: Host): Promise<Examined> {
  if (tool.program.startsWith('/')) {
    const isThere = (await host.files.stat(tool.program)) !== undefined;
    return { ...tool, images, ...(isThere ? { path: tool.program } : {}) };
  }
  const path = await host.which(tool.program);
  if (path === undefined) return { ...tool, images };
  const version = await versionOf(path, tool.program, host);
  return { ...tool, images, path, ...(version === undefined ? {} : { version }) };
}

// What does not say its version when asked in this way would do its work instead.
const versionArguments: readonly (readonly [RegExp, string])[] = [
  [/^(mmdebstrap|bwrap|qemu-.*|sfdisk|mformat|mcopy|zstd|ansible)$/, '--version'],
  [/^(mke2fs|ssh)$/, '-V'],
];

async function versionOf(path: string, program: string, host: Host): Promise<string | undefined> {
  const argument = versionArguments.find(([pattern]) => pattern.test(program))?.[1];
  if (argument === undefined) return undefined;
  const options = { ok: [0, 1], timeoutMs: 10_000 };
  const said = await host.run({ argv: [path, argument] }, options).catch(() => undefined);
  return said === undefined ? undefined : /\d+\.\d+[\w.+:~-]*/.exec(`${said.stdout}\n${said.stderr}`)?.[0];
}

async function namespaces(host: Host, images: readonly string[]): Promise<Fact> {
  const name = 'user namespaces';
  if (host.platform !== 'linux') return { name, state: 'missing', found: 'this system has none', images };
  const tried = await host
    .run({ argv: ['unshare', '--user', '--mount', 'true'] }, { ok: [0, 1] })
    .catch(() => undefined);
  if (tried?.exitCode === 0) return { name, state: 'ok', found: 'allowed', images };
  if (host.user.uid === 0) return { name, state: 'ok', found: 'refused, but root needs none', images };
  const setting = (await host.files.readText('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim();
  const key = setting === '1' ? 'kernel.apparmor_restrict_unprivileged_userns=0' : 'user.max_user_namespaces=28633';
  return { name, state: 'missing', found: 'refused', fix: `sudo sysctl -w ${key}`, images };
}

async function subordinates(host: Host, images: readonly string[]): Promise<Fact> {
  const name = 'subordinate ids';
  const { user } = host;
  if (host.platform !== 'linux') return { name, state: 'missing', found: 'this system has none', images };
  if (user.uid === 0) return { name, state: 'ok', found: 'root needs none', images };
  const texts = await Promise.all(['/etc/subuid', '/etc/subgid'].map((file) => host.files.readText(file)));
  const ranges = texts.map((text) => subordinateRange(text ?? '', user));
  const [first] = ranges;
  if (first !== undefined && ranges.every((range) => range !== undefined)) {
    return { name, state: 'ok', found: `${first.count} for ${user.name}`, images };
  }
  const fix = `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}`;
  return { name, state: 'missing', found: `none for ${user.name}`, fix, images };
}

/** Only what can be told at once: whether guests really boot under it is proven when the first one starts. */
async function kvm(host: Host): Promise<Fact> {
  const name = 'kvm';
  const slow = 'guests are emulated, about six times slower';
  if (host.platform !== 'linux' || archFromNode(host.arch) === undefined)
    return { name, state: 'slow', found: `not here: ${slow}`, images: [] };
  if ((await host.files.stat('/dev/kvm')) === undefined)
    return { name, state: 'slow', found: `no /dev/kvm: ${slow}`, images: [] };
  const opened = await host.run({ argv: ['sh', '-c', ': <>/dev/kvm'] }, { ok: [0, 1, 2] });
  if (opened.exitCode === 0)
    return { name, state: 'ok', found: '/dev/kvm opens; proven when the first guest boots', images: [] };
  const found = `/dev/kvm is not open to ${host.user.name}: ${slow}`;
  return { name, state: 'slow', found, fix: `sudo usermod --append --groups kvm ${host.user.name}`, images: [] };
}

const wantedBytes = 4e9;

async function space({ host, home }: Ground, images: readonly string[]): Promise<Fact> {
  let folder = home;
  while (folder !== '/' && (await host.files.stat(folder)) === undefined) folder = dirname(folder);
  const free = await host.files.freeBytes(folder);
  const found = `${bytes(free)} free in ${home}`;
  if (free >= wantedBytes) return { name: 'space', state: 'ok', found, images };
  return {
    name: 'space',
    state: 'missing',
    found: `${found}; a build takes up to ${bytes(wantedBytes)}`,
    fix: 'ingot gc',
    images,
  };
}

function memory(): Fact {
  return { name: 'memory', state: 'ok', found: `${bytes(freemem())} free`, images: [] };
}
