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

const unwanted = new Set(['secure-boot', 'enrolled-keys', 'requires-smm']);
const machines: Readonly<Record<Arch, string>> = { x86_64: 'pc-q35-', aarch64: 'virt-' };

/** A descriptor of firmware in split flash, or undefined when the text is something else. */
export function parseDescriptor(text: string): Descriptor | undefined {
  try {
    return descriptor.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The first that is plain UEFI for this architecture and our machine type, without Secure Boot. */
export function chooseFirmware(descriptors: readonly Descriptor[], arch: Arch): Descriptor | undefined {
  return descriptors.find(
    (one) =>
      one['interface-types'].includes('uefi') &&
      !one.features.some((feature) => unwanted.has(feature)) &&
      one.targets.some(
        (target) => target.architecture === arch && target.machines.some((m) => fits(m, machines[arch])),
      ),
  );
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
export async function prepareUefi(arch: Arch, vars: string, { host }: Context): Promise<UefiFiles> {
  const { chosen, folders } = await findUefi(arch, host);
  if (chosen === undefined) {
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `no UEFI firmware for ${arch} is on this machine`,
      hint: `install ${firmwarePackages[arch]}, or run ./setup`,
      detail: folders.map((folder) => `looked for descriptors in ${folder}`),
    });
  }
  const { executable, 'nvram-template': template } = chosen.mapping;
  await host.files.write(vars, await host.files.read(template.filename), 0o600);
  return { code: diskFile(executable), vars: { path: vars, format: template.format } };
}

/** The firmware that guests of an architecture would start with, and where descriptors were looked for. */
export async function findUefi(
  arch: Arch,
  host: Host,
): Promise<{ readonly chosen: Descriptor | undefined; readonly folders: readonly string[] }> {
  const program = await host.which(qemuProgram(arch));
  const folders = firmwareFolders(host.env, program === undefined ? undefined : await host.files.realPath(program));
  const paths = await descriptorPaths(folders, host);
  const texts = await Promise.all(paths.map((path) => host.files.readText(path)));
  const descriptors = texts.flatMap((text) => parseDescriptor(text ?? '') ?? []);
  return { chosen: chooseFirmware(descriptors, arch), folders };
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
