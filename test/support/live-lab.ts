import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ingot = new URL('../../ingot', import.meta.url).pathname;

/** A small system with all that a live one takes, and nothing that makes its start slow. */
const image = (formats: string, more: readonly string[]) => `arch: x86_64
source:
  packages: { distro: debian, suite: trixie, include: [live-boot, openssh-server, systemd-resolved, udev, iproute2, e2fsprogs${more.map((name) => `, ${name}`).join('')}] }
disk: 1G
memory: 1G
steps:
  - copy: { content: "[Match]\\nType=ether\\n[Network]\\nDHCP=yes\\n", to: /etc/systemd/network/90-dhcp.network }
  - services: { enable: [ssh, systemd-networkd], mask: [sshd-keygen] }
  # A key of RSA takes a guest that is translated longer than all the rest of its start.
  - copy: { content: "[Service]\\nExecStart=\\nExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key\\n", to: /etc/systemd/system/ssh-host-keys.service.d/one.conf }
checks: [boot, ssh, hygiene]
formats: ${formats}
`;

/** A project with one image, `live`, and a home of its own. */
export type LiveLab = {
  readonly folder: string;
  readonly home: string;
  /** Write the image with these formats, in YAML, and more packages. */
  write(formats: string, ...more: readonly string[]): Promise<void>;
  /** Run the program as a person runs it; gives stdout, fails with what it said. */
  run(...words: readonly string[]): Promise<string>;
  close(): Promise<void>;
};

export async function openLiveLab(): Promise<LiveLab> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-live-'));
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  await mkdir(join(project, 'images'), { recursive: true });
  await writeFile(join(project, 'ingot.yaml'), 'name: live-lab\n');
  const env = { ...process.env, INGOT_HOME: home, NO_COLOR: '1' };
  return {
    ...{ folder, home },
    write: (formats, ...more) => writeFile(join(project, 'images', 'live.yaml'), image(formats, more)),
    run: (...words) =>
      promisify(execFile)(ingot, words, { cwd: project, env, maxBuffer: 64 * 1024 * 1024 }).then(
        ({ stdout }) => stdout,
        (error: { readonly stderr: string }) => Promise.reject(new Error(error.stderr)),
      ),
    close: () => rm(folder, { recursive: true }),
  };
}
