/** A file of an initramfs; folders are made for it. */
export type CpioFile = { readonly name: string; readonly mode: number; readonly data: Uint8Array };

/**
 * An archive as the kernel unpacks it at boot (format `newc`, Documentation/driver-api/early-userspace/buffer-format);
 * the same for the same files.
 */
export function cpio(files: readonly CpioFile[]): Buffer {
  const folders = new Set(files.flatMap(({ name }) => parents(name)));
  const none = new Uint8Array();
  const members = [
    ...[...folders].map((name) => ({ name, mode: 0o40755, data: none })),
    ...files.map((file) => ({ ...file, mode: 0o100000 | file.mode })),
    { name: 'TRAILER!!!', mode: 0, data: none },
  ];
  return Buffer.concat(members.map((file, i) => entry(file, i + 1)));
}

/**
 * An initial RAM disk with these files put into its root. The kernel takes one archive behind the other, however the
 * first is packed: zeros between them are skipped, and a plain one begins at a multiple of four.
 */
export function appendToInitrd(initrd: Uint8Array, files: ReadonlyMap<string, string | Uint8Array>): Buffer {
  const added = [...files].map(([name, data]) => ({ name, mode: 0o644, data: Buffer.from(data) }));
  return Buffer.concat([initrd, zeros(initrd.length, 512), cpio(added)]);
}

function parents(name: string): readonly string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function entry({ name, mode, data }: CpioFile, inode: number): Buffer {
  const path = Buffer.from(`${name}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, path.length, 0];
  const numbers = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const header = Buffer.concat([Buffer.from(`070701${numbers}`), path]);
  return Buffer.concat([header, zeros(header.length, 4), data, zeros(data.length, 4)]);
}

/** What lacks to a multiple of `unit`. */
function zeros(length: number, unit: number): Buffer {
  return Buffer.alloc((unit - (length % unit)) % unit);
}
