import { gzipSync } from 'node:zlib';

/**
 * An overlay for Alpine's live system: an archive of /etc, the same bytes for the same files. With one, the usual
 * services start only when it has the empty file `.default_boot_services` (mkinitfs's init).
 */
export function overlay({ answers, install }: { readonly answers: string; readonly install: string }): Uint8Array {
  const packed = gzipSync(
    Buffer.concat([
      entry({ name: 'etc/.default_boot_services', mode: 0o644, data: '' }),
      entry({ name: 'etc/ingot/answers', mode: 0o600, data: answers }),
      entry({ name: 'etc/local.d/ingot.start', mode: 0o700, data: install }),
      entry({ name: 'etc/runlevels/default/local', mode: 0o777, link: '/etc/init.d/local' }),
      Buffer.alloc(2 * block),
    ]),
    { level: 9 },
  );
  // The system that packed it is named here (RFC 1952); 255: unknown.
  packed[9] = 255;
  return packed;
}

const block = 512;

type Entry = { readonly name: string; readonly mode: number; readonly data?: string; readonly link?: string };

/** One member of a ustar archive (POSIX.1-1988), owned by root, at time 0. */
function entry({ name, mode, data = '', link }: Entry): Buffer {
  const bytes = Buffer.from(data, 'utf8');
  const header = Buffer.alloc(block);
  const octal = (value: number, size: number) => `${value.toString(8).padStart(size - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(bytes.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write(link === undefined ? '0' : '2', 156);
  header.write(link ?? '', 157);
  header.write('ustar\x0000', 257);
  header.write('root', 265);
  header.write('root', 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}
