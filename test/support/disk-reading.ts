import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const chunkBytes = 1024 * 1024;
const zeros = Buffer.alloc(chunkBytes);

/** A finished qcow2 as a raw, sparse file. */
export async function asRawDisk(qcow2: string, raw: string): Promise<void> {
  await exec('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', qcow2, raw]);
}

/** Which of these bytes stand anywhere on a raw disk, free space too. */
export async function tracesIn(raw: string, needles: ReadonlyMap<string, Buffer>): Promise<readonly string[]> {
  const longest = Math.max(...[...needles.values()].map((bytes) => bytes.length));
  const found = new Set<string>();
  const handle = await open(raw);
  try {
    let before = Buffer.alloc(0);
    for (let offset = 0; ; offset += chunkBytes) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset);
      if (bytesRead === 0) return [...found];
      const window = Buffer.concat([before, buffer.subarray(0, bytesRead)]);
      before = window.subarray(-longest);
      if (buffer.equals(zeros)) continue;
      for (const [name, bytes] of needles) if (window.includes(bytes)) found.add(name);
    }
  } finally {
    await handle.close();
  }
}

/** Reads from the root file system (ext4) of a raw disk without mounting it. */
export async function openRoot(raw: string) {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, DEBUGFS_PAGER: 'cat' };
  const table = JSON.parse((await exec('sfdisk', ['--json', raw], { env })).stdout) as {
    readonly partitiontable: { readonly partitions: readonly { readonly name?: string; readonly start: number }[] };
  };
  const root = table.partitiontable.partitions.find(({ name }) => name === 'root');
  const disk = `${raw}?offset=${(root?.start ?? 0) * 512}`;
  const ask = async (request: string) => (await exec('debugfs', ['-R', request, disk], { env })).stdout;
  return {
    read: (path: string) => ask(`cat ${path}`),
    list: async (path: string) => {
      const lines = (await ask(`ls -p ${path}`)).split('\n');
      return lines.flatMap((line) => line.split('/')[5] ?? []).filter((name) => !['', '.', '..'].includes(name));
    },
    /** Exit code 0: no errors. It opens nothing for writing. */
    check: () => exec('e2fsck', ['-fn', disk], { env }),
  };
}
