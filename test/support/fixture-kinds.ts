import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { byName, defineCheck, defineFormat, defineSource, defineStep, type Kinds } from '../../src/core/kinds.ts';
import { qcow2 } from '../../src/kinds/formats/qcow2.ts';
import { raw } from '../../src/kinds/formats/raw.ts';

/**
 * Kinds whose images are built in about a second by everything that builds a real one: namespaces, layers, seal, disk,
 * formats, a check, publishing. Only the content is small.
 */
const fixtureSource = defineSource<{ readonly archive: string; readonly mark: string }>({
  name: 'fixture',
  version: 1,
  bench: 'tree',
  summary: 'A tree from an archive of the project.',
  options: z.strictObject({ archive: z.string(), mark: z.string() }),
  example: { archive: 'base.tar', mark: 'a' },
  title: (o) => `unpack ${o.archive}`,
  files: (o) => [o.archive],
  pin: async () => ({ release: '1' }),
  fill: async (o, _, tree) => {
    fillDiskAt('source');
    const script = 'tar -xf "$1" -C "$0" && echo "$2" > "$0/etc/mark"';
    await tree.run({ argv: ['sh', '-c', script, tree.root, tree.projectFile(o.archive), o.mark] }, {});
  },
});

/** Writes a file of bytes that cannot be compressed, the same for the same mark. */
const dataStep = defineStep<{ readonly mark: string; readonly bytes: number }>({
  name: 'data',
  version: 1,
  on: ['tree'],
  summary: 'A file of noise.',
  options: z.strictObject({ mark: z.string(), bytes: z.number() }),
  example: { mark: 'a', bytes: 1000 },
  title: (o) => `write ${o.bytes} bytes of ${o.mark}`,
  run: async (o, work) => {
    const text = 'mkdir -p /srv && cat > "/srv/$1"';
    await work.exec({ text, args: [o.mark] }, { stdin: noise(o.mark, o.bytes) });
  },
});

/** The bytes of SHA-256 in counter mode. */
async function* noise(mark: string, bytes: number): AsyncGenerator<Uint8Array> {
  const { createHash } = await import('node:crypto');
  for (let made = 0; made < bytes; made += 32) {
    yield createHash('sha256')
      .update(`${mark} ${made}`)
      .digest()
      .subarray(0, Math.min(32, bytes - made));
  }
}

/** Takes so many seconds in a program of the build machine, and writes little. */
const slowFormat = defineFormat<{ readonly seconds: number }>({
  name: 'slow',
  version: 1,
  summary: 'A file that takes its time.',
  options: z.strictObject({ seconds: z.number() }),
  example: { seconds: 1 },
  title: (o) => `slow (${o.seconds} s)`,
  extension: () => 'slow',
  boots: () => undefined,
  write: async (o, { output }, ctx) => {
    await ctx.host.run(
      { argv: ['sh', '-c', 'sleep "$0" && echo slow > "$1"', String(o.seconds), output] },
      { signal: ctx.signal },
    );
  },
});

const presentCheck = defineCheck({
  name: 'present',
  version: 1,
  needs: 'file',
  summary: 'The file is there.',
  options: z.strictObject({}),
  example: {},
  title: () => 'present',
  run: async (_, subject, ctx) => {
    fillDiskAt('check');
    return `${(await ctx.host.files.stat(subject.medium.path))?.size} bytes`;
  },
});

const qcow2Format = defineFormat({
  ...(qcow2 as object),
  write: async (...request: Parameters<typeof qcow2.write>) => {
    fillDiskAt('format');
    await qcow2.write(...request);
  },
} as typeof qcow2);

export const fixtureKinds: Kinds = {
  sources: byName([fixtureSource]),
  steps: byName([dataStep]),
  checks: byName([presentCheck]),
  formats: byName([qcow2Format, raw, slowFormat]),
};

/**
 * Where a test asked for it (`INGOT_FILL='check 8192 /mount'`), leave no more than so many bytes free on a tmpfs from
 * this moment on.
 */
function fillDiskAt(moment: string): void {
  const [wanted, slack, mount = ''] = (process.env['INGOT_FILL'] ?? '').split(' ');
  if (wanted !== moment) return;
  const used = Number(execFileSync('df', ['--output=used', '-B1', mount]).toString().split('\n')[1]);
  execFileSync('mount', ['-o', `remount,size=${used + Number(slack)}`, mount]);
}
