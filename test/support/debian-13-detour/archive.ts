import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { xzDecompress } from './compression.ts';
import { parseStanzas, type Stanza } from './stanzas.ts';

const exec = promisify(execFile);

export const suite = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian 13 on a mirror, each file as the signed Release says. */
export type Archive = {
  /** The Release file as it is signed. */
  readonly release: string;
  /** The packages of an index, such as `main/binary-amd64`. */
  index(path: string): Promise<readonly Stanza[]>;
  /** A package of an index. */
  download(stanza: Stanza): Promise<Buffer>;
  /** Whether the mirror has the file of this package at all. */
  has(stanza: Stanza): Promise<boolean>;
};

/** `folder`: for files of the moment. */
export async function openArchive(mirror: string, folder: string): Promise<Archive> {
  const signed = join(folder, 'InRelease');
  const plain = join(folder, 'Release');
  await writeFile(signed, await fetchBytes(`${mirror}/dists/${suite}/InRelease`));
  await exec('gpgv', ['--keyring', keyring, '--output', plain, signed]);
  const release = await readFile(plain, 'utf8');
  return {
    release,
    index: async (path) => {
      const file = `${path}/Packages.xz`;
      const [, sha256 = ''] = new RegExp(`^ ([0-9a-f]{64}) +\\d+ ${file}$`, 'm').exec(release) ?? [];
      return parseStanzas(await xzDecompress(await fetchExactly(`${mirror}/dists/${suite}/${file}`, sha256)));
    },
    download: (stanza) => fetchExactly(`${mirror}/${stanza.get('Filename')}`, stanza.get('SHA256') ?? ''),
    has: async (stanza) => (await fetch(`${mirror}/${stanza.get('Filename')}`, { method: 'HEAD' })).ok,
  };
}

async function fetchExactly(url: string, sha256: string): Promise<Buffer> {
  const bytes = await fetchBytes(url);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw new Error(`${url} is ${found}, and not ${sha256}`);
  return bytes;
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
