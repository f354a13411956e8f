import { basename } from 'node:path';
import { z } from 'zod';
import type { Arch } from '../core/arch.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { DiskFile } from '../core/kinds.ts';
import { qemuProgram, type UefiFiles } from './argv.ts';

/** One of QEMU's firmware descriptors, as far as we use it (QEMU, docs/interop/firmware.json). */
const image = z.object({ filename: z.string(), format: z.enum(['raw', 'qcow2']) });
const descriptor = z.object({
  'interface-types': z.array(z.string()),
  mapping: z.object({
    device: z.literal('flash'),
    mode: z.literal('split').default('split'),
    executable: image,
    'nvram-template': image,
  }),
  targets: z.array(z.object({ architecture: z.string(), machines: z.array(z.string()) })),
  features: z.array(z.string()),
});

export type Descriptor = z.infer<typeof descriptor>;

/** What kind of UEFI is wanted: plain, or one that boots nothing but what is signed. */
export type UefiRequest = { readonly arch: Arch; readonly secureBoot: boolean };

const machines: Readonly<Record<Arch, string>> = { x86_64: 'pc-q35-', aarch64: 'virt-' };

/** A descriptor of firmware in split flash, or undefined when the text is something else. */
export function parseDescriptor(text: string): Descriptor | undefined {
  try {
    return descriptor.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Those that are UEFI for this architecture and our machine type, in their order: without Secure Boot, or with it and
 * with the keys that distributions' loaders are signed by.
 */
export function fittingFirmware(descriptors: readonly Descriptor[], request: UefiRequest): readonly Descriptor[] {
  const { arch } = request;
  return descriptors.filter(
    (one) =>
      one['interface-types'].includes('uefi') &&
      isAsSecure(new Set(one.features), request) &&
      one.targets.some(
        (target) => target.architecture === arch && target.machines.some((m) => fits(m, machines[arch])),
      ),
  );
}

function isAsSecure(features: ReadonlySet<string>, { arch, secureBoot }: UefiRequest): boolean {
  const smm = features.has('requires-smm');
  // Only q35 machines have SMM.
  if (secureBoot) return features.has('secure-boot') && features.has('enrolled-keys') && (!smm || arch === 'x86_64');
  return !features.has('secure-boot') && !features.has('enrolled-keys') && !smm;
}

function fits(glob: string, prefix: string): boolean {
  return glob === '*' || glob.startsWith(prefix);
}

/** Where descriptors lie, the most important folder first; a name in an earlier folder hides it in the later ones. */
export function firmwareFolders(env: Host['env'], qemu: string | undefined): readonly string[] {
  const config = env.XDG_CONFIG_HOME ?? (env.HOME === undefined ? undefined : `${env.HOME}/.config`);
  const own = qemu === undefined ? [] : [`${qemu.replace(/\/[^/]+\/[^/]+$/, '')}/share/qemu/firmware`];
  const folders = ['/etc/qemu/firmware', ...own, '/usr/local/share/qemu/firmware', '/usr/share/qemu/firmware'];
  return [...new Set([...(config === undefined ? [] : [`${config}/qemu/firmware`]), ...folders])];
}

/** The Debian packages with UEFI firmware for guests. */
export const firmwarePackages: Readonly<Record<Arch, string>> = { x86_64: 'ovmf', aarch64: 'qemu-efi-aarch64' };

/** UEFI for an architecture as QEMU's own descriptors name it, with its own copy of the variables at `vars`. */
export async function prepareUefi(request: UefiRequest, vars: string, { host }: Context): Promise<UefiFiles> {
  const { arch, secureBoot } = request;
  const { chosen, folders } = await findUefi(request, host);
  if (chosen === undefined) {
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `no UEFI firmware ${secureBoot ? 'with Secure Boot and its keys ' : ''}for ${arch} is on this machine`,
      hint: `install ${firmwarePackages[arch]}, or run ./setup`,
      detail: folders.map((folder) => `looked for descriptors in ${folder}`),
    });
  }
  const { executable, 'nvram-template': template } = chosen.mapping;
  await host.files.write(vars, await host.files.read(template.filename), 0o600);
  const smm = chosen.features.includes('requires-smm') ? { smm: true } : {};
  return { code: diskFile(executable), vars: { path: vars, format: template.format }, ...smm };
}

/** The firmware that guests would start with, whose files are there, and where descriptors were looked for. */
export async function findUefi(
  request: UefiRequest,
  host: Host,
): Promise<{ readonly chosen: Descriptor | undefined; readonly folders: readonly string[] }> {
  const program = await host.which(qemuProgram(request.arch));
  const folders = firmwareFolders(host.env, program === undefined ? undefined : await host.files.realPath(program));
  const paths = await descriptorPaths(folders, host);
  const texts = await Promise.all(paths.map((path) => host.files.readText(path)));
  const descriptors = texts.flatMap((text) => parseDescriptor(text ?? '') ?? []);
  for (const one of fittingFirmware(descriptors, request))
    if (await isWhole(one, host)) return { chosen: one, folders };
  return { chosen: undefined, folders };
}

/** Debian 12 describes firmware for arm that it does not ship. */
async function isWhole({ mapping }: Descriptor, host: Host): Promise<boolean> {
  const files = [mapping.executable.filename, mapping['nvram-template'].filename];
  const found = await Promise.all(files.map((file) => host.files.stat(file)));
  return found.every((one) => one !== undefined);
}

async function descriptorPaths(folders: readonly string[], host: Host): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const folder of folders) {
    const names = (await host.files.list(folder)).filter((name) => name.endsWith('.json'));
    for (const name of names) if (!found.has(name)) found.set(name, `${folder}/${name}`);
  }
  return [...found.values()].sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
}

function diskFile({ filename, format }: z.infer<typeof image>): DiskFile {
  return { path: filename, format };
}
