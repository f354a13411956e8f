/** The files of a new project by their paths: one image that works, and what a person changes first. */
export function scaffold(name: string): Readonly<Record<string, string>> {
  return {
    'ingot.yaml': projectFile(name),
    [`images/${name}.yaml`]: imageFile(name),
    'versions.yaml': versionsFile,
    'scripts/base.sh': scriptFile,
    'README.md': readme(name),
    '.gitignore': 'dist/\n',
  };
}

function projectFile(name: string): string {
  return `# This folder is an Ingot project: images/ has one file for each image.
name: ${name}
`;
}

function imageFile(name: string): string {
  return `# yaml-language-server: $schema=../image.schema.json
# The line above gives completion in editors.
description: Debian 13 for ${name}
source:
  packages:
    distro: debian
    suite: trixie
    include:
      - ca-certificates
      - cloud-guest-utils
      - cloud-init
      - iproute2
      - netplan.io
      - openssh-server
      - python3
      - qemu-guest-agent
      - sudo
      - systemd-resolved
      - udev
disk: 4G
steps:
  - cloud-init: { config: { locale: C.UTF-8 } }
  - services: { enable: [ssh, systemd-networkd, systemd-resolved] }
  - shell: scripts/base.sh
checks:
  - boot
  - ssh
  - command: test -f /etc/motd
  - hygiene
formats: [qcow2]
`;
}

const versionsFile = `# Exact versions of what the images use beside packages, one entry each; image files write \${pins.NAME.version}.
#
# pins:
#   tool:
#     version: 1.2.3
#     url: https://example.org/tool-1.2.3.tar.gz
#     sha256: ...
`;

const scriptFile = `#!/bin/sh
# Runs in the image as root, once, while it is built.
set -eu

echo 'Made by Ingot.' > /etc/motd
`;

function readme(name: string): string {
  return `# ${name}

Machine images, made by Ingot.

    ingot plan              what a build would do, and why
    ingot build             build ${name}, boot it and check it; the last line is its path
    ingot shell ${name}     log in to a throw-away copy

| | |
| --- | --- |
| \`images/${name}.yaml\` | the image: where it starts, the steps, the checks, the formats |
| \`scripts/base.sh\` | a step; change it and build again: only what follows the change runs |
| \`versions.yaml\` | exact versions of what is downloaded |
| \`ingot.yaml\` | makes this folder a project |
`;
}
