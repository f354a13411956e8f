import { createHash } from 'node:crypto';
import { link, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { asRawDisk, openRoot, tracesIn } from '../support/disk-reading.ts';
import {
  type BuildOptions,
  type Built,
  endsOf,
  failureOf,
  type GuestLab,
  hasBooted,
  logOf,
  openGuestLab,
  pathOf,
} from '../support/guest-lab.ts';

// One home, one base, and one image that is changed from test to test: the order of the tests matters.
let lab: GuestLab;
const tool = '#!/bin/sh\necho downloaded\n';
const server = createServer((_, response) => response.end(tool));
const secret = 'correct horse battery staple';
const env = { INGOT_SECRET_TOKEN: secret };

// BIOS is the quicker one; on aarch64 there is only UEFI.
const firmware = process.arch === 'x64' ? 'firmware: bios\n' : '';
const head = `source: { disk-image: { file: base.qcow2 } }\ndisk: 3G\nmemory: 1G\n${firmware}`;

const sharedSteps = `steps:
  - packages: { remove: [curl] }
  - shell: scripts/base.sh
  - shell: { run: 'echo "$TOKEN" > /var/tmp/token; sync; rm /var/tmp/token', env: { TOKEN: "\${secret.token}" } }
  - copy: { from: site, to: /srv/site }
`;

const otherImage = `${head}${sharedSteps}  - shell: { run: cp /srv/site/index.html /etc/other }\n`;

/** An image with every kind of step; the last one is what tests change. */
async function writeWeb(last: string): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const sha256 = createHash('sha256').update(tool).digest('hex');
  const steps = `${sharedSteps}  - download: { url: "http://127.0.0.1:${port}/tool", sha256: ${sha256}, to: /usr/local/bin/tool, mode: "0755" }
  - cloud-init: { name: zone, config: { timezone: Europe/Berlin } }
  - services: { mask: [apt-daily.timer] }
  - kernel-cmdline: [ingot.test=1]
  - reboot
  - shell: scripts/after.sh
  - fetch: /etc/os-release
  - exec: steps/mark.py
  - ansible: { playbook: playbooks/site.yml, requirements: playbooks/requirements.yml, extra-vars: { place: the web } }
  - shell: ${last}
`;
  await lab.write('images/web.yaml', `${head}${steps}checks: [boot, ssh, hygiene]\n`);
}

const before = ['source', '1-packages', '2-shell', '3-shell', '4-copy'];
const later = ['5-download', '6-cloud-init', '7-services', '8-kernel-cmdline', '9-reboot', '10-shell', '11-fetch'];
const steady = [...before, ...later, '12-exec', '13-ansible'];

const projectFiles: Readonly<Record<string, string>> = {
  'scripts/base.sh': `#!/bin/sh -eu
# The disk has grown to what the image asks for.
test "$(df --output=size --block-size=1M / | tail -n 1)" -gt 2500
systemctl is-active ssh
echo base > /etc/base
`,
  'scripts/after.sh': `#!/bin/sh -eu
# After the restart: what was changed for the next boot holds now.
grep -q ingot.test=1 /proc/cmdline
test "$(systemctl is-enabled apt-daily.timer)" = masked
test "$(tool)" = downloaded
test "$(cat /etc/base /srv/site/index.html | wc -l)" -gt 5
`,
  'scripts/bad.sh': `#!/bin/sh
echo to-stdout; echo to-stderr >&2; exit 7
`,
  'steps/mark.py': `#!/usr/bin/env python3
import json, subprocess, sys
request = json.load(sys.stdin)
login = request["login"]
ssh = [login["ssh"], *login["options"], "-n", "-p", str(login["port"]), "-l", login["user"], login["host"]]
command = f"{'sudo -n ' if login['sudo'] else ''}touch /etc/marked-on-{request['image']['bench']}"
print(json.dumps({"type": "log", "line": "marking"}), flush=True)
sys.exit(subprocess.run([*ssh, command], stdout=sys.stderr).returncode)
`,
  'playbooks/requirements.yml': 'collections:\n  - { source: collections/tools, type: dir }\n',
  'playbooks/site.yml': `- name: the image
  hosts: all
  gather_facts: false
  roles: [acme.tools.motd]
`,
  'playbooks/collections/tools/galaxy.yml':
    'namespace: acme\nname: tools\nversion: 1.0.0\nreadme: README.md\nauthors: [acme]\n',
  'playbooks/collections/tools/README.md': 'Tools.\n',
  'playbooks/collections/tools/meta/runtime.yml': 'requires_ansible: ">=2.9"\n',
  'playbooks/collections/tools/roles/motd/tasks/main.yml': `- name: write the message of the day
  ansible.builtin.template: { src: motd.j2, dest: /etc/motd }
`,
  'playbooks/collections/tools/roles/motd/templates/motd.j2': 'Welcome to {{ place }}\n',
};

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  lab = await openGuestLab('test-vm');
  for (const [path, text] of Object.entries(projectFiles))
    await lab.write(path, text, text.startsWith('#!') ? 0o755 : 0o644);
  const base = pathOf(await lab.build(['base', '--no-check']), 'base');
  await link(base, join(lab.project, 'base.qcow2'));
  await lab.write('images/other.yaml', otherImage);
  await writeWeb('{ run: echo first > /etc/last }');
});

afterAll(async () => {
  server.close();
  await lab.close();
});

const build = (words: readonly string[] = ['--no-check'], options: BuildOptions = {}): Promise<Built> =>
  lab.build(['web', ...words], { env, ...options });

/** Build with another last step, which fails. */
async function failWith(last: string, words: readonly string[] = [], options: BuildOptions = {}) {
  await writeWeb(last);
  const built = await build(['--no-check', ...words], options);
  return { built, failure: failureOf(built, 'web') };
}

/** Ids and keys of those who got into guests while the image was made, as bytes to look for. */
async function loginTraces(): Promise<ReadonlyMap<string, Buffer>> {
  const traces = new Map([['the secret', Buffer.from(secret)]]);
  const store = join(lab.home, 'store');
  for (const key of await readdir(join(store, 'layers'))) {
    const record = JSON.parse(await readFile(join(store, 'layers', key, 'layer.json'), 'utf8'));
    for (const one of record.disk?.keys ?? []) traces.set(`key ${one}`, Buffer.from(one, 'base64'));
  }
  for (const image of await readdir(join(store, 'states'))) {
    for (const key of await readdir(join(store, 'states', image))) {
      const login = join(store, 'states', image, key, 'login');
      const [, line = ''] = (await readFile(join(login, 'login'), 'utf8')).split('\n');
      traces.set(`private ${key}`, Buffer.from(line));
      const [, blob = ''] = (await readFile(join(login, 'login.pub'), 'utf8')).split(' ');
      traces.set(`public ${key}`, Buffer.from(blob));
    }
  }
  return traces;
}

test('two images are made at once from a disk with all kinds of steps; what they share is made once', async () => {
  const built = await lab.build(['web', 'other', '--jobs', '2'], { env });
  const web = pathOf(built, 'web');
  pathOf(built, 'other');
  const [ends, others] = [endsOf(built, 'web'), endsOf(built, 'other')];
  const count = (id: string, outcome: string) =>
    [...ends, ...others].filter((end) => end === `${id} ${outcome}`).length;
  expect(before.map((id) => [id, count(id, 'done'), count(id, 'cached')])).toEqual(before.map((id) => [id, 1, 1]));
  expect(ends).toEqual(
    expect.arrayContaining([...later, '12-exec', '13-ansible', '14-shell'].map((id) => `${id} done`)),
  );
  expect(logOf(built, 'web')).toContain('marking');
  const manifest = JSON.parse(await readFile(join(dirname(web), 'manifest.json'), 'utf8')) as Manifest;
  expect(manifest.checks.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual(
    expect.arrayContaining(['system comes up: done', 'ssh login: done', 'no identity, no traces: done']),
  );
  expect(await readFile(join(dirname(web), 'os-release'), 'utf8')).toContain('ID=debian');
});

test('the finished disk holds what the steps made and no trace of who made it, in free space either', async () => {
  const raw = join(lab.folder, 'web.raw');
  await asRawDisk(pathOf(await build(), 'web'), raw);
  const traces = await loginTraces();
  expect(traces.size).toBeGreaterThan(5);
  expect(await tracesIn(raw, traces)).toEqual([]);
  // It would be found: this stands on the disk.
  expect(await tracesIn(raw, new Map([['motd', Buffer.from('Welcome to the web')]]))).toEqual(['motd']);
  const root = await openRoot(raw);
  await root.check();
  for (const file of ['passwd', 'shadow', 'group', 'passwd-', 'subuid'])
    expect(await root.read(`/etc/${file}`)).not.toMatch(/^(builder|ingot):/m);
  expect(await root.read('/etc/sudoers.d/90-cloud-init-users')).not.toContain('builder');
  expect(await root.list('/home')).toEqual([]);
  expect(await root.list('/root')).not.toContain('.ssh');
  expect((await root.list('/etc/ssh')).filter((name) => /host_key/.test(name))).toEqual([]);
  expect(await root.read('/etc/motd')).toBe('Welcome to the web\n');
  expect(await root.read('/etc/last')).toBe('first\n');
  expect(await root.list('/etc')).toContain('marked-on-guest');
  await rm(raw);
});

test('built again with nothing changed, nothing runs', async () => {
  const built = await build([]);
  expect(pathOf(built, 'web')).toMatch(/web\.qcow2$/);
  expect(endsOf(built, 'web')).toEqual([]);
});

test('with only the last step changed the guest goes on from its saved state: nothing boots', async () => {
  await writeWeb('{ run: echo second > /etc/last }');
  const built = await build();
  const path = pathOf(built, 'web');
  const ends = endsOf(built, 'web');
  expect(ends.slice(0, steady.length + 1)).toEqual([...steady.map((id) => `${id} cached`), '14-shell done']);
  expect(hasBooted(built, 'web')).toBe(false);
  const raw = join(lab.folder, 'web.raw');
  await asRawDisk(path, raw);
  expect(await (await openRoot(raw)).read('/etc/last')).toBe('second\n');
  await rm(raw);
});

test('a secret that stays on the disk is found, and nothing is published', async () => {
  const last = '{ run: \'echo "$TOKEN" > /etc/token\', env: { TOKEN: "${secret.token}" } }';
  const { built, failure } = await failWith(last);
  expect(failure.code).toBe('CHECK_FAILED');
  expect(failure.message).toMatch(/^a secret of the build is still on the sealed disk, at byte \d+$/);
  expect(hasBooted(built, 'web')).toBe(false);
});

test('a failing step is named with its script, exit code, last lines and screen', async () => {
  const { built, failure } = await failWith('scripts/bad.sh');
  expect(built.code).toBe(1);
  expect(failure.message).toBe('scripts/bad.sh ended with exit code 7');
  for (const words of ['command: /bin/sh', 'to-stdout', 'to-stderr']) expect(failure.text).toContain(words);
  const [, screen = ''] = /screen: (\S+)/.exec(failure.text) ?? [];
  expect((await readFile(screen)).subarray(1, 4).toString()).toBe('PNG');
  expect(endsOf(built, 'web').at(-1)).toBe('14-shell failed');
  // Where the last build went on from, this one could too.
  expect(hasBooted(built, 'web')).toBe(false);
});

test('QEMU that is killed in mid-step is noticed', async () => {
  const kill = async () => {
    for (const pid of await lab.processes('qemu-system-')) process.kill(pid, 'SIGKILL');
  };
  let killed: Promise<void> | undefined;
  const { failure } = await failWith('{ run: "echo under way; sleep 3600" }', [], {
    onEvent: (event) => {
      if (event.type === 'log' && event.line === 'under way') killed ??= kill();
    },
  });
  await killed;
  expect(failure.message).toContain('QEMU was ended by SIGKILL');
});

test('a kernel that panics in a step is named', async () => {
  const { failure } = await failWith('{ run: "echo c > /proc/sysrq-trigger; sleep 3600" }');
  expect(failure.message).toContain('the kernel panicked');
  expect(failure.text).toContain('sysrq triggered crash');
});

test('a full disk of the guest is named, with what mends it', async () => {
  const { failure } = await failWith('{ run: "fallocate -l 100G /fill" }');
  expect(failure.message).toContain('ended with exit code 1');
  expect(failure.hint).toContain('raise `disk:`');
});

test('without warm starts the guest boots from the layer of the last step that did not change, and shows its console', async () => {
  const { built, failure } = await failWith('scripts/bad.sh', ['--no-warm']);
  expect(failure.message).toBe('scripts/bad.sh ended with exit code 7');
  const [, consoleLog = ''] = /console log: (\S+)/.exec(failure.text) ?? [];
  expect(await readFile(consoleLog, 'utf8')).toContain('Linux version');
  expect(endsOf(built, 'web')).toEqual([...steady.map((id) => `${id} cached`), '14-shell failed']);
  expect(hasBooted(built, 'web')).toBe(true);
});

test('the example of a test machine is made in a guest, and its page is fetched by its checks', async () => {
  const built = await lab.build(['test-vm']);
  const manifest = JSON.parse(await readFile(join(dirname(pathOf(built, 'test-vm')), 'manifest.json'), 'utf8'));
  expect((manifest as Manifest).checks.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual(
    expect.arrayContaining(['service nginx active: done', 'command curl -fsS http://localhost/: done']),
  );
});

test('no build leaves a process, a socket or a work file behind', async () => {
  expect(await lab.processes()).toEqual([]);
  expect(await readdir(join(lab.home, 'store', 'work'))).toEqual([]);
  expect(await readdir(lab.project)).not.toContain('.ingot');
});
