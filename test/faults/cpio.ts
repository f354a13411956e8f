/** A file of an initramfs; folders are made for it. */
export type CpioFile = { readonly name: string; readonly mode: number; readonly data: Buffer };

/** An archive as the kernel unpacks it at boot (format `newc`, Documentation/driver-api/early-userspace/buffer-format). */
export function cpio(files: readonly CpioFile[]): Buffer {
  const folders = new Set(files.flatMap(({ name }) => parents(name)));
  const entries = [
    ...[...folders].map((name) => entry({ name, mode: 0o40755, data: Buffer.alloc(0) })),
    ...files.map((file) => entry({ ...file, mode: 0o100000 | file.mode })),
    entry({ name: 'TRAILER!!!', mode: 0, data: Buffer.alloc(0) }),
  ];
  return Buffer.concat(entries);
}

function parents(name: string): readonly string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

let inode = 1;

function entry({ name, mode, data }: CpioFile): Buffer {
  // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, checksum
  const fields = [inode++, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header)), padded(data)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
