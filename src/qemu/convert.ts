import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { convertArgv } from './img.ts';
import type { DiskFormat } from './vet.ts';

export type Foreign = {
  /** Absolute. */
  readonly path: string;
  /** For errors. */
  readonly name: string;
  readonly format: DiskFormat;
  readonly virtualSize: number;
};

type Argv = readonly [string, ...string[]];

const gibibyte = 1024 ** 3;
const cpuSeconds = 3600;
const memoryBytes = 4 * gibibyte;
const wallMs = 2 * cpuSeconds * 1000;

/**
 * Write a vetted disk image as qcow2 to `folder` (absolute). The program that reads it sees nothing else of this machine,
 * has no network, and ends when it takes too much. Fails with INPUT_REFUSED when the image cannot be read to its end.
 */
export async function convertForeign(image: Foreign, folder: string, ctx: Context): Promise<string> {
  const { host, signal } = ctx;
  const path = `${folder}/converted.qcow2`;
  const size = (await host.files.stat(image.path))?.size ?? 0;
  const most = Math.min(image.virtualSize + gibibyte, Math.max(16 * gibibyte, size * 250));
  const argv = host.platform === 'linux' ? confinedArgv(image, folder, most) : plainArgv(image, path);
  try {
    await host.run({ argv, name: 'qemu-img' }, { signal, timeoutMs: wallMs });
  } catch (error) {
    await host.files.remove(path);
    throw explained(image, error);
  }
  return path;
}

function plainArgv({ path, format }: Foreign, to: string): Argv {
  return convertArgv({ path, format }, { path: to, format: 'qcow2' });
}

const inside = '/image';
/** Where programs and their libraries are, on whichever distribution. */
const systemFolders = ['/usr', '/bin', '/lib', '/lib64', '/etc/ld.so.cache', '/nix/store', '/gnu/store', '/opt'];

/** `most`: how many bytes the result may have. */
export function confinedArgv({ path, format }: Foreign, folder: string, most: number): Argv {
  const limits = [`--cpu=${cpuSeconds}`, `--as=${memoryBytes}`, `--fsize=${most}`, '--core=0'];
  const system = systemFolders.flatMap((one) => ['--ro-bind-try', one, one]);
  const files = ['--ro-bind', path, `${inside}/disk`, '--bind', folder, `${inside}/out`];
  const alone = ['--unshare-all', '--die-with-parent', '--new-session', '--dev', '/dev', '--proc', '/proc'];
  const convert = convertArgv(
    { path: `${inside}/disk`, format },
    { path: `${inside}/out/converted.qcow2`, format: 'qcow2' },
  );
  return ['prlimit', ...limits, '--', 'bwrap', ...alone, ...system, ...files, '--', ...convert];
}

function explained({ name, format }: Foreign, error: unknown): unknown {
  if (!(error instanceof IngotError) || (error.code !== 'TOOL_FAILED' && error.code !== 'TIMEOUT')) return error;
  if (error.detail.some((line) => line.startsWith('bwrap:'))) {
    const hint = '`ingot doctor` says whether this machine allows user namespaces';
    const message = 'the program that reads foreign disk images could not be confined';
    return new IngotError({ code: 'HOST_UNFIT', message, hint, detail: error.detail, cause: error });
  }
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `the disk image ${name} (${format}) cannot be read to its end: ${error.message}`,
    hint: 'it was damaged where it was made, or was made to do harm: do not trust it',
    detail: error.detail,
    cause: error,
  });
}
