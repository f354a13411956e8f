import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs';

/**
 * Everything below a folder, one line per entry, sorted by path: type, mode, owner, size, SHA-256 or link target, path;
 * tab-separated, a tab or newline in a name shown as an escape. Also a program of its own, to be run where the folder
 * is seen: `list-tree.ts FOLDER`. Much faster than sha256sum(1), which does without the processor's help.
 */
export function listTree(folder: string): string {
  const lines: (readonly [path: Buffer, line: string])[] = [];
  const waiting = [Buffer.from(folder)];
  const skip = Buffer.byteLength(folder);
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const name of readdirSync(parent, { encoding: 'buffer' })) {
      const path = Buffer.concat([parent, slash, name]);
      const facts = lstatSync(path);
      if (facts.isDirectory()) waiting.push(path);
      const shown = path.subarray(skip);
      lines.push([shown, `${[...cells(path, facts), shown.toString()].map(oneCell).join('\t')}\n`]);
    }
  }
  return lines
    .sort(([a], [b]) => Buffer.compare(a, b))
    .map(([, line]) => line)
    .join('');
}

const slash = Buffer.from('/');

function cells(path: Buffer, facts: Stats): readonly string[] {
  const isFile = facts.isFile();
  const content = isFile ? digestOf(path) : facts.isSymbolicLink() ? readlinkSync(path) : '-';
  const mode = (facts.mode & 0o7777).toString(8);
  return [letterOf(facts), mode, `${facts.uid}:${facts.gid}`, isFile ? String(facts.size) : '-', content];
}

/** As find(1) has them. */
function letterOf(facts: Stats): string {
  if (facts.isFile()) return 'f';
  if (facts.isDirectory()) return 'd';
  if (facts.isSymbolicLink()) return 'l';
  if (facts.isFIFO()) return 'p';
  if (facts.isSocket()) return 's';
  return facts.isBlockDevice() ? 'b' : 'c';
}

const chunk = Buffer.alloc(1024 * 1024);

function digestOf(path: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function oneCell(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

if (import.meta.main) process.stdout.write(listTree(process.argv[2] ?? '.'));
