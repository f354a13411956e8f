/** Machine architectures by their kernel names (`uname -m`). */
export const arches = ['x86_64', 'aarch64'] as const;

export type Arch = (typeof arches)[number];

const debianNames: Readonly<Record<Arch, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
const nodeNames: Readonly<Record<string, Arch>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The dpkg name of an architecture. */
export function debianArch(arch: Arch): string {
  return debianNames[arch];
}

/** The architecture of this machine from `process.arch`; undefined where Ingot makes no images for it. */
export function archFromNode(processArch: string): Arch | undefined {
  return nodeNames[processArch];
}
