import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { translator } from '../../src/qemu/translator.ts';
import type { Contender } from './compare.ts';

export type PackerImage = {
  /** The qcow2 to start from. */
  readonly base: string;
  readonly packages: readonly string[];
  /** Shell scripts, one a step. */
  readonly scripts: readonly string[];
  readonly diskGiB: number;
  readonly memoryMiB: number;
  readonly cpus: number;
};

const user = 'packer';

/**
 * Packer 1.6.6 (Debian 12) with its QEMU builder as its documentation has it, but for its waits: it starts the guest on a
 * copy of the base, tries ssh from the start on, has the machine off as soon as the last step ended, and compacts the disk
 * (its default), since Ingot's is compact too. The seed asks cloud-init for no more than a user and one host key.
 */
export function packer(folder: string, image: PackerImage): Contender {
  const work = join(folder, 'packer');
  mkdirSync(work, { recursive: true });
  const key = join(work, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  writeSeed(work, readFileSync(`${key}.pub`, 'utf8').trim());
  writeFileSync(join(work, 'image.json'), JSON.stringify(template(image), null, 2));
  return {
    name: 'packer',
    prepare: () => rmSync(join(work, 'out'), { recursive: true, force: true }),
    argv: ['packer', 'build', '-color=false', 'image.json'],
    env: { CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: join(work, 'cache'), PACKER_CONFIG: join(work, 'none') },
    cwd: work,
  };
}

function writeSeed(work: string, publicKey: string): void {
  const sudo = ['ALL=(ALL) NOPASSWD:ALL'];
  const users = [{ name: user, lock_passwd: true, shell: '/bin/sh', sudo, ssh_authorized_keys: [publicKey] }];
  const data = { users, ssh_genkeytypes: ['ed25519'], manage_etc_hosts: 'localhost' };
  writeFileSync(join(work, 'user-data'), `#cloud-config\n${JSON.stringify(data)}\n`);
  writeFileSync(join(work, 'meta-data'), JSON.stringify({ 'instance-id': 'packer', 'local-hostname': 'packer' }));
  const seed = join(work, 'seed.img');
  execFileSync('mformat', ['-C', '-f', '1440', '-v', 'CIDATA', '-i', seed, '::']);
  execFileSync('mcopy', ['-i', seed, join(work, 'user-data'), join(work, 'meta-data'), '::']);
}

function template({ base, packages, scripts, diskGiB, memoryMiB, cpus }: PackerImage) {
  const asRoot = { type: 'shell', execute_command: "sudo sh '{{.Path}}'" };
  const install = [
    'set -e',
    'export DEBIAN_FRONTEND=noninteractive',
    'apt-get -q update',
    `apt-get -q -y install --no-install-recommends ${packages.join(' ')}`,
    'apt-get clean',
  ];
  const drives = [
    'file=out/image.qcow2,if=virtio,cache=unsafe,discard=unmap,format=qcow2',
    'file=seed.img,if=virtio,format=raw,readonly=on',
  ];
  const builder = {
    ...{ type: 'qemu', format: 'qcow2', accelerator: 'tcg', headless: true, disable_vnc: true, boot_wait: '-1s' },
    ...{ disk_image: true, iso_url: base, iso_checksum: 'none' },
    ...{ disk_size: `${diskGiB * 1024}M`, memory: memoryMiB, cpus, net_device: 'virtio-net' },
    ...{ output_directory: 'out', vm_name: 'image.qcow2', shutdown_command: 'sudo systemctl poweroff' },
    ...{ communicator: 'ssh', ssh_username: user, ssh_private_key_file: 'key', ssh_timeout: '10m' },
    ssh_handshake_attempts: 1000,
    // Of a kind of device that is named here Packer adds none of its own.
    qemuargs: [
      ['-cpu', translator('x86_64').cpu],
      ['-device', 'virtio-rng-pci'],
      ['-device', 'virtio-net,netdev=user.0'],
      ...drives.map((drive) => ['-drive', drive]),
    ],
  };
  return {
    builders: [builder],
    provisioners: [install, ...scripts.map((script) => [script])].map((inline) => ({ ...asRoot, inline })),
  };
}
