import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Command, RunOptions } from '../../src/core/host.ts';
import { packagesScript } from '../../src/kinds/steps/packages.ts';
import { logged, openSmallTree, printed, type SmallTree } from '../support/small-tree.ts';

let tree: SmallTree;

beforeAll(async () => {
  tree = await openSmallTree(['python3', 'passwd', 'systemd']);
});

beforeEach(() => {
  tree.events.length = 0;
});

afterAll(() => tree.close());

/** Argument lists of all processes of this machine. */
async function commandLines(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
}

/** Run the stand-in for ssh with these words. */
function ssh(words: readonly string[], options: RunOptions = {}) {
  const ok = Array.from({ length: 256 }, (_, code) => code);
  return tree.work((work) => {
    const argv: Command['argv'] = [work.login.ssh, ...work.login.options, ...words];
    return work.beside({ argv }, { ok, onLine: () => undefined, ...options });
  });
}

test('a login takes the command line of ssh and gives back output and exit code as they are', async () => {
  const options = [
    '-F',
    'none',
    '-o',
    'StrictHostKeyChecking=no',
    '-oBatchMode=yes',
    '-C',
    '-p22',
    '-l',
    'root',
    '-tt',
  ];
  const ran = await ssh([...options, 'image', '-v', `printf "%s" "it's  $HOME"; echo err >&2; exit 7`]);
  expect(ran).toEqual({ exitCode: 7, stdout: "it's  /root", stderr: 'err\n' });
  expect((await ssh(['image', 'echo', 'a  b', '"c  d"'])).stdout).toBe('a b c  d\n');
  expect((await ssh(['image', '--', 'pwd; id -u'])).stdout).toBe('/root\n0\n');
});

test('a login passes stdin on byte by byte, as a command or as its text', async () => {
  async function* bytes() {
    yield Buffer.from([0, 255, 10, 13, 0x80]);
  }
  expect((await ssh(['image', 'od -An -tx1'], { stdin: bytes() })).stdout.trim()).toBe('00 ff 0a 0d 80');
  expect((await ssh(['image'], { stdin: 'echo from stdin; exit 3' })).stdout).toBe('from stdin\n');
  expect((await ssh(['-n', 'image', 'cat'], { stdin: 'unread' })).stdout).toBe('');
});

test.each([[['-s', 'image', 'sftp']], [['-N', 'image']], [['-O', 'check', 'image']], [[]], [['-v']]])(
  'a login with %j is refused as ssh refuses',
  async (words) => {
    const { exitCode, stderr } = await ssh(words);
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/^ssh: /);
  },
);

test('a login sees the image alone, as a script does, with nothing of our environment', async () => {
  process.env['INGOT_SECRET_OF_A_TEST'] = 'hunter2';
  try {
    const seen = `env; ls -A /root /home; [ ! -e ${import.meta.dirname} ] && echo alone; cat /etc/resolv.conf`;
    for (const text of [(await ssh(['image', seen])).stdout, await printed(tree, seen)]) {
      expect(text).not.toContain('hunter2');
      expect(text).toContain('alone');
      expect(text).toContain((await readFile('/etc/resolv.conf', 'utf8')).trim());
      expect(
        text
          .split('\n')
          .filter((line) => /^(HOME|TZ|SYSTEMD_OFFLINE)=/.test(line))
          .sort(),
      ).toEqual(['HOME=/root', 'SYSTEMD_OFFLINE=1', 'TZ=UTC']);
    }
  } finally {
    delete process.env['INGOT_SECRET_OF_A_TEST'];
  }
});

test('what one login leaves in /tmp and in the background the next one finds; nothing outlives the step', async () => {
  await tree.work(async (work) => {
    const login = async (command: string) =>
      (await work.beside({ argv: [work.login.ssh, 'image', command] }, { onLine: () => undefined })).stdout;
    await login('echo kept > /tmp/f; sleep 1873 >/dev/null 2>&1 & echo $! > /tmp/pid');
    expect(await login('cat /tmp/f; tr "\\0" " " < /proc/$(cat /tmp/pid)/cmdline')).toBe('kept\nsleep 1873 ');
  });
  expect((await commandLines()).filter((line) => line.includes('1873'))).toEqual([]);
  expect(await printed(tree, 'ls -A /tmp')).toBe('');
  expect(await tree.present('/usr/sbin/policy-rc.d', '/etc/resolv.conf')).toEqual([]);
});

const holding = 'use Fcntl ":flock"; $| = 1; open F, ">", shift; flock F, LOCK_EX; print "held\\n"; <STDIN>';

test.each(['/var/lib/apt/lists/lock', '/var/cache/apt/archives/lock'])(
  'packages waits for another apt that holds %s, as one of the first boot may',
  async (lock) => {
    await tree.work(async (work) => {
      const said: string[] = [];
      const heard = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      async function* untilHeard() {
        await heard.promise;
        yield Buffer.from('let go\n');
      }
      const login = (command: string, stdin: RunOptions['stdin'], onLine: (line: string) => void) =>
        work.beside({ argv: [work.login.ssh, 'image', command] }, { ...(stdin && { stdin }), onLine });
      const holder = login(`perl -e '${holding}' ${lock}`, untilHeard(), () => held.resolve());
      await held.promise;
      const { text } = packagesScript(
        { install: [], remove: ['no-such-package'], upgrade: true, recommends: false },
        'tree',
      );
      const onLine = (line: string) => {
        said.push(line);
        if (line === 'waiting for another apt') heard.resolve();
      };
      await login('/bin/sh -s', text, onLine).finally(heard.resolve);
      await holder;
      expect(said).toContain('waiting for another apt');
      expect(said).toContain('no-such-package is not installed');
    });
  },
);

test('fetch brings the bytes of a file out', async () => {
  await tree.work((work) => work.exec({ text: 'printf "a\\0\\377\\n" > /var/lib/facts' }));
  await tree.step('fetch', { from: '/var/lib/facts', as: 'facts.bin' });
  expect([...(await readFile(join(tree.folder, 'layer', 'sidecar.facts.bin')))]).toEqual([97, 0, 255, 10]);
  await expect(tree.step('fetch', '/no/such/file')).rejects.toMatchObject({
    code: 'STEP_FAILED',
    detail: expect.arrayContaining(['there is no file /no/such/file in the image']),
  });
});

test('the example of the guide to exec changes the image', async () => {
  const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'exec-step.md'), 'utf8');
  const example = /```python\n(.*?)```/s.exec(guide)?.[1] ?? '';
  expect(example).toContain('json.load(sys.stdin)');
  await tree.write('steps/add-users.py', example, 0o755);
  await tree.step('exec', { program: 'steps/add-users.py', options: { users: ['ada', 'grace'] } });
  expect(await printed(tree, 'ls /home')).toBe('ada\ngrace');
  expect(logged(tree)).toContain('added ada to debian');
  expect(tree.events).toContainEqual({ type: 'progress', id: 'test', done: 2, total: 2, unit: 'items' });
  await expect(tree.step('exec', { program: 'steps/add-users.py', options: { users: ['ada'] } })).rejects.toMatchObject(
    { code: 'STEP_FAILED', message: 'steps/add-users.py: could not add ada' },
  );
});

test('a program that reads nothing and says nothing is no failure', async () => {
  await tree.write('steps/idle.sh', '#!/bin/sh\nexit 0\n', 0o755);
  const idle = tree.step('exec', { program: 'steps/idle.sh', options: { long: 'x'.repeat(200_000) } });
  await expect(idle).resolves.toBeUndefined();
});

const collection = {
  'playbooks/collections/tools/galaxy.yml':
    'namespace: acme\nname: tools\nversion: 1.0.0\nreadme: README.md\nauthors: [acme]\n',
  'playbooks/collections/tools/README.md': 'Tools.\n',
  'playbooks/collections/tools/meta/runtime.yml': 'requires_ansible: ">=2.9"\n',
  'playbooks/collections/tools/roles/motd/tasks/main.yml': `- name: write the message of the day
  ansible.builtin.template: { src: motd.j2, dest: /etc/motd }
  notify: say so
`,
  'playbooks/collections/tools/roles/motd/templates/motd.j2':
    'Welcome to {{ place }}, {{ ansible_facts.distribution }}\n',
  'playbooks/collections/tools/roles/motd/handlers/main.yml': `- name: say so
  ansible.builtin.debug: { msg: "written for {{ place }}" }
`,
  'playbooks/requirements.yml': 'collections:\n  - { source: collections/tools, type: dir }\n',
};

test('ansible applies a playbook with a collection of the project, secrets and facts, and proves that it converges', async () => {
  for (const [path, text] of Object.entries(collection)) await tree.write(path, text);
  await tree.write(
    'playbooks/site.yml',
    `- name: the image
  hosts: web
  roles: [acme.tools.motd]
  tasks:
    - name: keep the token
      ansible.builtin.copy: { content: "{{ token }}", dest: /etc/token, mode: "0600" }
    - name: unpack by way of /tmp
      ansible.builtin.shell: { cmd: "echo x > /tmp/part && cp /tmp/part /opt/whole", creates: /opt/whole }
    - name: see what the last task left
      ansible.builtin.stat: { path: /tmp/part }
      register: part
    - name: only elsewhere
      ansible.builtin.command: { cmd: "false" }
      when: not part.stat.exists
    - name: restart a service
      ansible.builtin.systemd: { name: systemd-journald, enabled: true }
`,
  );
  await tree.write('playbooks/group_vars/web.yml', 'place: the web\n');
  await tree.step(
    'ansible',
    {
      playbook: 'playbooks/site.yml',
      requirements: 'playbooks/requirements.yml',
      groups: 'web',
      'extra-vars': { token: '${secret.token}' },
      converge: true,
    },
    { token: 'hunter2' },
  );
  expect(await printed(tree, 'cat /etc/motd /etc/token')).toBe('Welcome to the web, Debian\nhunter2');
  const lines = logged(tree);
  const second = lines.indexOf('once more: nothing may change now');
  expect(lines.slice(0, second)).toEqual(
    expect.arrayContaining([
      'acme.tools:1.0.0 was installed successfully',
      'task: acme.tools.motd : write the message of the day (changed)',
      'task: only elsewhere (skipped)',
      'task: restart a service (ok)',
      '  written for the web',
    ]),
  );
  expect(lines.slice(second).filter((line) => line.includes('(changed)'))).toEqual([]);
  expect(lines.join('\n')).not.toContain('hunter2');
});

const play = (tasks: string) => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`;

test('a task that fails is named with what it said and where it stands', async () => {
  await tree.write(
    'playbooks/fails.yml',
    play(`    - name: works
      ansible.builtin.command: "true"
    - name: fails
      ansible.builtin.shell: echo some; echo "no such thing" >&2; exit 3
    - name: is never reached
      ansible.builtin.command: touch /opt/reached
`),
  );
  await expect(tree.step('ansible', 'playbooks/fails.yml')).rejects.toMatchObject({
    code: 'STEP_FAILED',
    message: 'the task "fails" failed: exit code 3',
    detail: ['at playbooks/fails.yml:6', 'no such thing', 'some'],
  });
  expect(await tree.present('/opt/reached')).toEqual([]);
});

test('a playbook that changes something each time does not converge', async () => {
  await tree.write('playbooks/restless.yml', play('    - name: say the time\n      ansible.builtin.command: date\n'));
  const restless = tree.step('ansible', { playbook: 'playbooks/restless.yml', converge: true });
  await expect(restless).rejects.toMatchObject({ detail: ['say the time (playbooks/restless.yml:4)'] });
});

test('tasks run in the background, as another user, and on the build machine', async () => {
  await tree.write(
    'playbooks/odd.yml',
    play(`    - name: begin
      ansible.builtin.shell: sleep 1; echo done > /opt/background
      async: 30
      poll: 0
      register: job
    - name: become somebody
      ansible.builtin.command: id -un
      become: true
      become_user: nobody
      register: who
    - name: stay outside
      ansible.builtin.stat: { path: "${import.meta.filename}" }
      delegate_to: localhost
      register: outside
    - name: wait
      ansible.builtin.async_status: { jid: "{{ job.ansible_job_id }}" }
      register: background
      until: background.finished
      retries: 60
      delay: 1
    - ansible.builtin.assert: { that: [who.stdout == "nobody", outside.stat.exists] }
`),
  );
  await tree.step('ansible', 'playbooks/odd.yml');
  expect(await printed(tree, 'cat /opt/background')).toBe('done');
});
