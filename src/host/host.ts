import { randomBytes } from 'node:crypto';
import { availableParallelism, userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Host } from '../core/host.ts';
import { connect } from './connect.ts';
import { files } from './files.ts';
import { run, start, which } from './process.ts';
import { withTemporary } from './temporary.ts';

/** The machine we run on, behind the port that everything else uses. */
export function createHost(): Host {
  const { uid, gid, username } = userInfo();
  return {
    run,
    start,
    which,
    connect,
    files,
    withTemporary,
    env: process.env,
    pid: process.pid,
    user: { uid, gid, name: username },
    platform: process.platform,
    arch: process.arch,
    cpus: availableParallelism(),
    now: () => Date.now(),
    monotonic: () => performance.now(),
    randomBytes,
    sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
  };
}
