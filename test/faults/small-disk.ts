import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export type SmallDisk = {
  /** Where programs that are run on it see it. */
  readonly place: string;
  /** Where we see it. */
  readonly outside: string;
  /** Leave so many bytes and inodes free, or as many as anyone could want. */
  leave(free: { readonly bytes?: number; readonly inodes?: number }): Promise<void>;
  /** What makes a program see it, before its words. */
  readonly inside: readonly string[];
  run(argv: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>;
  close(): Promise<void>;
};

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const plenty = { bytes: 2 ** 30, inodes: 100_000 };

/** A tmpfs in a mount namespace of its own, that nobody else sees and that is gone with us. */
export async function openSmallDisk(place: string): Promise<SmallDisk> {
  await mkdir(place, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? [] : ['--user', '--map-root-user', '--map-auto'];
  const script = `mount -t tmpfs -o size=${plenty.bytes},nr_inodes=${plenty.inodes} ingot "$0" && echo $$ && exec cat`;
  const holder = spawn('unshare', [...user, '--mount', 'sh', '-c', script, place], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [pid] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
  const inside = ['nsenter', '--target', pid, ...(isRoot ? [] : ['--user', '--preserve-credentials']), '--mount', '--'];
  const run = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    new Promise<Ended>((resolve) => {
      const [file = '', ...args] = [...inside, ...argv];
      const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 };
      const child = execFile(file, args, options, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  const used = async () => {
    const { stdout } = await exec(inside[0] as string, [
      ...inside.slice(1),
      ...['df', '--output=used,iused', '-B1', place],
    ]);
    const [bytes = 0, inodes = 0] = (stdout.split('\n')[1] ?? '').trim().split(/\s+/).map(Number);
    return { bytes, inodes };
  };
  return {
    place,
    inside,
    outside: `/proc/${pid}/root${place}`,
    leave: async (free) => {
      const now = await used();
      const size = free.bytes === undefined ? plenty.bytes : now.bytes + free.bytes;
      const inodes = free.inodes === undefined ? plenty.inodes : now.inodes + free.inodes;
      // A size of 0 would mean without a limit.
      const options = `remount,size=${Math.max(size, 4096)},nr_inodes=${inodes}`;
      const ended = await run(['mount', '-o', options, place]);
      if (ended.code !== 0) throw new Error(`${options}: ${ended.stderr}`);
    },
    run,
    close: async () => {
      holder.stdin.end();
      await once(holder, 'close');
    },
  };
}
