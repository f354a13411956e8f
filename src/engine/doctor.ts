import type { DoctorReport } from '../cli/requests/upkeep.ts';
import { type Arch, archFromNode } from '../core/arch.ts';
import { exampleOptions } from '../core/example.ts';
import type { Host } from '../core/host.ts';
import type { Kinds, Tool } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { guestTools } from '../guest/tools.ts';
import { versionOf } from '../run/machine-facts.ts';
import { treeTools } from '../tree/tools.ts';
import { type Need, stateFacts } from './doctor-facts.ts';

export type Clinic = {
  readonly host: Host;
  readonly kinds: Kinds;
  /** INGOT_HOME. */
  readonly home: string;
  readonly signal: AbortSignal;
};

/** What this machine has of what these images need. `all`: also of what any other image might need. */
export async function examine(specs: readonly ImageSpec[], all: boolean, clinic: Clinic): Promise<DoctorReport> {
  const { host, kinds, signal } = clinic;
  const needs = specs.map((spec) => needOf(spec, kinds, host));
  const needed = together([
    ...needs.map(({ tools, image }) => ({ tools, images: [image] })),
    ...(all ? [{ tools: anyTools(clinic), images: [] }] : []),
  ]);
  const [tools, facts] = await Promise.all([
    Promise.all(needed.map(({ tool, images }) => look(tool, images, host, signal))),
    stateFacts(needs, clinic),
  ]);
  return { tools, facts };
}

function needOf(spec: ImageSpec, kinds: Kinds, host: Host): Need & { readonly tools: readonly Tool[] } {
  const { arch, filesystem } = spec;
  const request = { arch, filesystem, hostArch: archFromNode(host.arch), isRoot: host.user.uid === 0 };
  const inTree = kinds.sources.get(spec.source.kind)?.bench !== 'guest';
  const boots = !inTree || spec.checks.some(({ kind }) => kinds.checks.get(kind)?.needs === 'guest');
  const tools = [
    ...(inTree ? treeTools(request) : guestTools(arch)),
    ...toolsOf(kinds.sources, spec.source, arch),
    ...spec.steps.flatMap((use) => toolsOf(kinds.steps, use, arch)),
    ...spec.formats.flatMap((use) => toolsOf(kinds.formats, use, arch)),
    ...spec.checks.flatMap((use) => toolsOf(kinds.checks, use, arch)),
  ];
  const { virtualization, secureBoot } = spec;
  const firmware = boots ? spec.firmware : [];
  return { image: spec.name, arch, tools, inTree, boots, firmware, secureBoot, virtualization };
}

type Kind = { tools?(options: unknown, arch: Arch): readonly Tool[] };

function toolsOf(
  kinds: ReadonlyMap<string, Kind>,
  use: { readonly kind: string; readonly options: unknown },
  arch: Arch,
): readonly Tool[] {
  return kinds.get(use.kind)?.tools?.(use.options, arch) ?? [];
}

/** What images of this machine's architecture could need, by the examples of every kind. */
function anyTools({ host, kinds }: Clinic): readonly Tool[] {
  const arch = archFromNode(host.arch) ?? 'x86_64';
  const request = { arch, hostArch: arch, isRoot: host.user.uid === 0 };
  const every = [kinds.sources, kinds.steps, kinds.formats, kinds.checks].flatMap((map) => [...map.values()]);
  return [
    ...treeTools({ ...request, filesystem: 'ext4' }),
    ...every.flatMap((kind) => kind.tools?.(exampleOptions(kind), arch) ?? []),
    ...guestTools(arch),
  ];
}

type Needed = { readonly tool: Tool; readonly images: readonly string[] };

/** Each program once, with all the images that need it; the first reason given stands for all. */
function together(
  lists: readonly { readonly tools: readonly Tool[]; readonly images: readonly string[] }[],
): readonly Needed[] {
  const found = new Map<string, { readonly tool: Tool; readonly images: Set<string> }>();
  for (const { tools, images } of lists) {
    for (const tool of tools) {
      const known = found.get(tool.program) ?? { tool, images: new Set<string>() };
      for (const image of images) known.images.add(image);
      found.set(tool.program, known);
    }
  }
  const sorted = [...found.values()].sort((a, b) => (a.tool.program < b.tool.program ? -1 : 1));
  return sorted.map(({ tool, images }) => ({ tool, images: [...images] }));
}

async function look(
  tool: Tool,
  images: readonly string[],
  host: Host,
  signal: AbortSignal,
): Promise<DoctorReport['tools'][number]> {
  if (tool.program.startsWith('/')) {
    const isThere = (await host.files.stat(tool.program)) !== undefined;
    return { ...tool, images, ...(isThere ? { path: tool.program } : {}) };
  }
  const path = await host.which(tool.program);
  if (path === undefined) return { ...tool, images };
  const version = await versionOf(tool.program, host, signal).catch(() => undefined);
  return { ...tool, images, path, ...(version === undefined ? {} : { version }) };
}
