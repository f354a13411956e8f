import { dirname } from 'node:path';
import { IngotError } from './errors.ts';

/** Whether something failed because a person may not do it, or nobody may on that file system. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code));
}

/** What system calls do to a path, where it is not to open it (syscall in Node's errors). */
const acts: Readonly<Record<string, string>> = {
  access: 'change',
  chmod: 'change',
  link: 'link',
  lstat: 'look at',
  mkdir: 'make',
  rename: 'rename',
  rm: 'remove',
  rmdir: 'remove',
  scandir: 'list',
  stat: 'look at',
  symlink: 'make',
  unlink: 'remove',
  utime: 'change',
};

/** A refusal of the system to open or change a path, in plain words; any other error as it is. */
export function explainDenied(error: unknown): unknown {
  if (!isDenied(error) || !(error instanceof Error) || !('path' in error) || !('syscall' in error)) return error;
  const [path, syscall] = [String(error.path), String(error.syscall)];
  if (syscall.startsWith('spawn')) return error;
  const isReadOnly = 'code' in error && error.code === 'EROFS';
  return new IngotError({
    code: 'AUTH',
    message: `you may not ${acts[syscall] ?? 'open'} ${path}${isReadOnly ? ': its file system is read-only' : ''}`,
    hint: isReadOnly
      ? 'have it mounted for writing; --home or INGOT_HOME names another home'
      : `run it as whoever owns ${dirname(path)}; --home or INGOT_HOME names another home`,
    cause: error,
  });
}
