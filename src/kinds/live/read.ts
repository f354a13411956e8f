import type { Context } from '../../core/context.ts';
import { extractArgv } from '../../iso/facts.ts';
import type { ImageEntry, ImageFiles } from '../../qemu/image-files.ts';
import { squashFile } from './menu.ts';

/** The root file system of a live ISO, read without mounting or booting it. `scratch`: a folder for work files. */
export async function openLive(iso: string, scratch: string, ctx: Context): Promise<ImageFiles> {
  const { host, signal } = ctx;
  const squash = `${scratch}/filesystem.squashfs`;
  await host.run({ argv: extractArgv(iso, [[squashFile, squash]]) }, { signal });
  const nodes = new Map<string, Node>();
  const onAnswer = (line: string) => {
    const node = parseNode(line);
    if (node !== undefined) nodes.set(node.path, node);
  };
  const list = 'sqfs2tar "$0" | tar --list --verbose --numeric-owner --utc --full-time --quoting-style=literal';
  await host.run({ argv: ['sh', '-c', list, squash] }, { signal, onAnswer, onLine: () => undefined });
  const at = (path: string) => nodes.get(follow(nodes, path));
  const cat = (node: Node) => ['rdsquashfs', '--cat', node.path, squash] as const;
  return {
    list: async (folder) => entriesOf(nodes, follow(nodes, folder)),
    readText: async (path) => {
      const node = at(path);
      return node?.kind === 'file' ? (await host.run({ argv: cat(node) }, { signal })).stdout : undefined;
    },
    copy: async (path, to) => {
      const node = at(path);
      if (node === undefined) throw new Error(`the live system has no ${path}`);
      await host.run({ argv: cat(node) }, { signal, stdoutFile: to });
    },
  };
}

/** Something in the tree; a path has no slash at its end, that of the root is empty. */
export type Node = Omit<ImageEntry, 'kind'> & {
  readonly path: string;
  readonly kind: ImageEntry['kind'] | 'link';
  readonly target?: string;
};

const line =
  /^([-dlhbcp])\S{9}\+? +\S+\/\S+ +(\d+|\d+,\d+) +(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? (?:\.?\/)?(.*)$/;

/** A line of GNU tar's long listing; undefined for what is none of an entry. */
export function parseNode(text: string): Node | undefined {
  const [, type, size, day, time, rest] = line.exec(text) ?? [];
  if (type === undefined || rest === undefined) return undefined;
  const [named = '', target] = type === 'l' ? rest.split(' -> ') : [type === 'h' ? rest.split(' link to ')[0] : rest];
  const path = named === '' ? '' : `/${named.replace(/\/$/, '')}`;
  return {
    ...{ path, name: path.slice(path.lastIndexOf('/') + 1), size: Number(size) || 0 },
    kind: type === 'd' ? 'directory' : type === 'l' ? 'link' : 'file',
    changed: Date.parse(`${day}T${time}Z`) / 1000,
    ...(target === undefined ? {} : { target }),
  };
}

const mostLinks = 40;

/** Where a path leads when all links in it are followed, as in the system itself. */
export function follow(nodes: ReadonlyMap<string, Node>, path: string): string {
  let [done, rest] = ['', path.split('/')];
  for (let links = 0; rest.length > 0; ) {
    const [part = '', ...more] = rest;
    rest = more;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done = done.slice(0, Math.max(0, done.lastIndexOf('/')));
      continue;
    }
    const target = nodes.get(`${done}/${part}`)?.target;
    if (target === undefined) done = `${done}/${part}`;
    else if (++links > mostLinks) return path;
    else {
      rest = [...target.split('/'), ...rest];
      if (target.startsWith('/')) done = '';
    }
  }
  return done;
}

function entriesOf(nodes: ReadonlyMap<string, Node>, folder: string): readonly ImageEntry[] {
  const inside = [...nodes.values()].filter(
    ({ path }) => path !== '' && path.slice(0, path.lastIndexOf('/')) === folder,
  );
  return inside.map((node) => {
    // What a link leads to is what a reader sees; one that leads nowhere is a file without bytes.
    const { kind, size, changed } = nodes.get(follow(nodes, node.path)) ?? { ...node, size: 0 };
    return { name: node.name, kind: kind === 'directory' ? kind : 'file', size, changed };
  });
}
