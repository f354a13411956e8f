import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IngotEvent } from '../../src/core/events.ts';
import { type GuestLab, openGuestLab, pathOf } from '../support/guest-lab.ts';
import { startTagged, survivors } from '../support/processes.ts';
import { lookAtArtifacts } from '../support/visible.ts';
import { leftovers } from './leftovers.ts';
import { scale } from './scale.ts';

const crowd = scale > 1 ? 8 : 3;
const main = new URL('../../src/main.ts', import.meta.url).pathname;
const tool = '#!/bin/sh\necho downloaded\n';
const shared = ['source', '1-shell', '2-download'];

let lab: GuestLab;
let base = '';
const asked: string[] = [];
const server = createServer(({ method, url }, response) => {
  asked.push(`${method} ${url}`);
  if (url !== '/base.qcow2') return response.end(tool);
  response.writeHead(200, { 'content-length': statSync(base).size });
  return createReadStream(base).pipe(response);
});

beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  base = pathOf(await lab.build(['base', '--no-check']), 'base');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  server.close();
  await lab.close();
});

async function writeImages(): Promise<readonly string[]> {
  const { port } = server.address() as AddressInfo;
  const digest = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
  const names = Array.from({ length: crowd }, (_, n) => `one-${n}`);
  const firmware = process.arch === 'x64' ? 'firmware: bios\n' : '';
  const source = `{ url: "http://127.0.0.1:${port}/base.qcow2", checksum: "sha256:${digest(await readFile(base))}" }`;
  for (const name of names) {
    await lab.write(
      `images/${name}.yaml`,
      `source: { disk-image: ${source} }
disk: 3G
memory: 768M
${firmware}steps:
  - shell: { run: "echo shared > /etc/shared" }
  - download: { url: "http://127.0.0.1:${port}/tool", sha256: ${digest(tool)}, to: /usr/local/bin/tool, mode: "0755" }
  - shell: { run: 'test "$(cat /etc/shared) $(tool)" = "shared downloaded"; echo ${name} > /etc/own' }
`,
    );
  }
  return names;
}

function endsOf(stdout: string): readonly string[] {
  const events = stdout
    .split('\n')
    .flatMap((line) => (line.startsWith('{"type"') ? [JSON.parse(line) as IngotEvent] : []));
  return events.flatMap((event) => (event.type === 'step.end' ? [`${event.id} ${event.outcome}`] : []));
}

test(`${crowd} images are built at once over one cold cache: what they share is fetched once and made once`, async () => {
  const names = await writeImages();
  const home = join(lab.folder, 'cold');
  const tag = `${lab.folder}-crowd`;
  const words = (name: string) => ['build', name, '--no-check', '--json', '--home', home, '--project', lab.project];
  const programs = names.map((name) => startTagged([process.execPath, main, ...words(name)], tag));
  const ended = await Promise.all(programs.map((program) => program.ended));
  const failures = ended.filter(({ code }) => code !== 0);
  expect(failures.map(({ stderr, stdout }) => `${stderr}${stdout}`.split('\n').slice(-15).join('\n'))).toEqual([]);
  const ends = ended.flatMap(({ stdout }) => endsOf(stdout));
  const count = (end: string) => ends.filter((one) => one === end).length;
  expect(shared.map((id) => [id, count(`${id} done`), count(`${id} cached`)])).toEqual(
    shared.map((id) => [id, 1, crowd - 1]),
  );
  expect(count('3-shell done')).toBe(crowd);
  expect(asked.sort()).toEqual(['GET /base.qcow2', 'GET /tool']);
  expect(await survivors(tag, 0)).toEqual(new Map());
  const pids = new Set(programs.map(({ pid }) => String(pid)));
  const sockets = (await readdir('/tmp')).filter((name) => pids.has(/^ingot-guests-(\d+)-/.exec(name)?.[1] ?? ''));
  expect([...sockets, ...(await leftovers(home))]).toEqual([]);
  const { problems, builds } = await lookAtArtifacts(join(home, 'artifacts'), { all: true });
  expect([problems, builds.size]).toEqual([[], crowd]);
});
