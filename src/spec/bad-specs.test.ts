import { expect, test } from 'vitest';
import { problemsOf } from '../../test/support/spec-project.ts';

const source = 'source: { packages: { suite: trixie } }\n';
const usePins = { 'versions.yaml': 'pins:\n  k3s: { version: v1.34.1 }\n' };

/** `images/a.yaml` below a line with a good source, so its lines count from 2; and the problems expected. */
const images: readonly (readonly [string, string, readonly string[]])[] = [
  ['an unknown key', 'firmwares: [bios]\n', ['2:1 unknown key "firmwares" (did you mean "firmware"?)']],
  [
    'a key far from any',
    'colour: red\n',
    [
      '2:1 unknown key "colour" (known keys: arch, checks, cpus, description, disk, extends, filesystem, firmware, formats, keep, labels, memory, ...)',
    ],
  ],
  ['a name', 'name: b\n', ['2:1 unknown key "name" (the name of an image is the name of its file)']],
  ['a key twice', 'disk: 8G\ndisk: 9G\n', ['3:1 the key "disk" is here twice (the first one is in line 2)']],
  [
    'broken YAML',
    'disk: [8G\n',
    ['3:1 not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
  [
    'a colon in plain text',
    'description: Debian: the best\n',
    ['2:14 not valid YAML: nested mappings are not allowed in compact mappings (put text that holds ": " in quotes)'],
  ],
  ['a tab', 'steps:\n\t- shell: x\n', ['3:1 not valid YAML: tabs are not allowed as indentation (indent with spaces)']],
  ['a wrong size', 'disk: 8 gigs\n', ['2:7 disk: expected a size like 8G or 512M, not "8 gigs"']],
  ['a size out of bounds', 'disk: 90T\n', ['2:7 disk: expected a size from 64 MiB to 16 TiB']],
  ['a size with half a MiB', 'memory: 200.5M\n', ['2:9 memory: expected a whole number of MiB']],
  [
    'a wrong file system',
    'filesystem: ext5\n',
    ['2:13 filesystem: expected one of "ext4", "btrfs", "xfs", not "ext5" (did you mean "ext4"?)'],
  ],
  [
    'a wrong firmware',
    'firmware: [bios, efi]\n',
    ['2:18 firmware.1: expected one of "bios", "uefi", not "efi" (did you mean "uefi"?)'],
  ],
  ['no firmware', 'firmware: []\n', ['2:1 firmware: expected a list with at least one entry']],
  ['a wrong architecture', 'arch: amd64\n', ['2:7 arch: expected one of "x86_64", "aarch64", not "amd64"']],
  [
    'a number for text',
    'description: 13\n',
    ['2:14 description: expected a string, not 13 (put it in quotes to make it a string)'],
  ],
  ['text for a number', 'pass: first\n', ['2:7 pass: expected a whole number from 0 to 999, not "first"']],
  ['too many processors', 'cpus: 1000\n', ['2:7 cpus: expected at most 256, not 1000']],
  [
    'a login without a way in',
    'ssh: { user: admin }\n',
    ['2:1 ssh: a `user` logs in with a `key` or a `password`: write one'],
  ],
  [
    'a login with two ways in',
    'ssh: { user: admin, key: id, password: x }\n',
    ['2:30 ssh.password: "password" cannot stand beside the other keys here'],
  ],
  [
    'a login as an option of ssh',
    'ssh: { user: -oProxyCommand=x, key: id }\n',
    ['2:14 ssh.user: expected the name of a user'],
  ],
  [
    'a key out of the project',
    'ssh: { user: admin, key: /root/.ssh/id }\n',
    [
      '2:26 ssh.key: "/root/.ssh/id" is an absolute path (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'a secret for a name',
    'ssh: { user: "${secret.who}", password: x }\n',
    ['2:15 a secret cannot stand here: ${secret.who} (secrets may stand here in: password)'],
  ],
  [
    'Secure Boot on a BIOS',
    'secure-boot: true\n',
    ['2:1 secure-boot: a BIOS has no Secure Boot (write `firmware: uefi` beside it)'],
  ],
  [
    'Secure Boot neither on nor off',
    'secure-boot: enforced\n',
    ['2:14 secure-boot: expected true or false, not "enforced"'],
  ],
  ['labels that are a list', 'labels: [a]\n', ['2:1 labels: expected a map, not a list']],
  ['a label that is a map', 'labels:\n  owner: { team: x }\n', ['3:3 labels.owner: expected a string, not a map']],
  ['steps that are a map', 'steps:\n  shell: x\n', ['2:1 steps: expected a list (start each step with "- ")']],
  ['a step that is a number', 'steps:\n  - 5\n', ['3:5 expected a step, not 5 (write its kind, like "KIND: OPTIONS")']],
  ['a step that is empty', 'steps:\n  - {}\n', ['3:5 this step has no kind']],
  ['an unknown step', 'steps:\n  - shel: x\n', ['3:5 unknown step "shel" (did you mean "shell"?)']],
  [
    'two kinds in one step',
    'steps:\n  - shell: x\n    copy: y\n',
    [
      '4:5 a step has one kind: here are "shell" and "copy" (indent the options of "shell" deeper, or start a new step with "- ")',
    ],
  ],
  [
    'options at the wrong depth',
    'steps:\n  - packages:\n    install: [vim]\n',
    [
      '4:5 a step has one kind: here are "packages" and "install" (indent the options of "packages" deeper, or start a new step with "- ")',
    ],
  ],
  [
    'an unknown option',
    'steps:\n  - packages:\n      instal: [vim]\n',
    ['4:7 packages: unknown key "instal" (did you mean "install"?)'],
  ],
  [
    'an option of the wrong shape',
    'steps:\n  - packages:\n      install: vim\n',
    ['4:16 packages.install: expected a list of strings, not "vim"'],
  ],
  ['a hostile package name', 'steps:\n  - packages: ["; rm -rf /"]\n', ['3:16 packages.0: expected a package name']],
  ['a missing option', 'steps:\n  - copy: { from: file, to: /x }\n', ['3:5 copy: missing "path": a string']],
  ['an unknown check', 'checks: [shs]\n', ['2:10 unknown check "shs" (did you mean "ssh"?)']],
  ['an unknown format', 'formats:\n  - qcow\n', ['3:5 unknown format "qcow" (did you mean "qcow2"?)']],
  [
    'one format twice, another way',
    'formats: [qcow2, { qcow2: { compression: zlib } }]\n',
    ['2:20 two formats would write the same file, ending in ".qcow2"'],
  ],
  ['no format left', 'formats: [{ qcow2: {}, when: { arch: aarch64 } }]\n', ['2:1 formats: none is left for x86_64']],
  [
    'a step for the other bench',
    'steps:\n  - reboot\n  - copy: { from: text, content: a, to: /a }\n',
    ['4:5 step "copy" cannot change an image that boots (since step "reboot" it is in a guest; "copy" works on: tree)'],
  ],
  [
    'a path out of the project',
    'steps:\n  - shell: { file: ../../etc/shadow }\n',
    [
      '3:20 shell: "../../etc/shadow" could leave the project (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'an absolute path',
    'steps:\n  - shell: /root/x.sh\n',
    [
      '3:12 shell: "/root/x.sh" is an absolute path (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'a missing fragment',
    'extends: [fragments/base.yaml]\n',
    [
      '2:11 no file "fragments/base.yaml" in the project (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'a fragment outside',
    'extends: ../base.yaml\n',
    [
      '2:10 extends: "../base.yaml" could leave the project (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'an absolute fragment',
    'extends: [/etc/passwd]\n',
    [
      '2:11 extends: "/etc/passwd" is an absolute path (paths are relative to the folder that holds ingot.yaml, without "..")',
    ],
  ],
  [
    'fragments that are maps',
    'extends: [{ a: b }]\n',
    ['2:1 extends: expected a list of paths of fragments (like: extends: [fragments/base.yaml])'],
  ],
  [
    'itself as a fragment',
    'extends: [images/a.yaml]\n',
    ['2:11 extends goes in a circle: images/a.yaml -> images/a.yaml'],
  ],
  [
    'an unknown pin',
    'steps: [{ shell: "x ${pins.k3x}" }]\n',
    ['2:21 versions.yaml has no pin "k3x" (did you mean "k3s"?)'],
  ],
  [
    'an unknown field of a pin',
    'steps: [{ shell: "x ${pins.k3s.vers}" }]\n',
    ['2:21 pin "k3s" has no "vers" (it has: version)'],
  ],
  [
    'a site value without a site',
    'description: ${site.owner}\n',
    ['2:14 ${site.owner} needs a site, and none is chosen (choose one with --site NAME)'],
  ],
  [
    'a misspelt space',
    'description: ${sites.owner}\n',
    ['2:14 there is no ${sites.owner} (use ${site.x}, ${pins.x} or ${secret.x}; $${sites.owner} for the text itself)'],
  ],
  [
    'an open reference',
    'description: "${site.owner"\n',
    ['2:15 ${site.owner is not a complete reference (write ${site.NAME}, or $${site.owner for the text itself)'],
  ],
  [
    'a secret in an argument',
    'steps:\n  - shell: { run: x, args: ["${secret.t}"] }\n',
    ['3:30 a secret cannot stand here: ${secret.t} (secrets may stand here in: env.*)'],
  ],
  [
    'a secret in a setting',
    'description: ${secret.t}\n',
    ['2:14 a secret cannot stand here: ${secret.t} (secrets are for the options of steps that say they take them)'],
  ],
  [
    'a condition on nothing',
    'steps: [{ shell: x, when: { os: linux } }]\n',
    ['2:29 when: unknown key "os" (known keys: arch, site)'],
  ],
  ['a condition on an unknown site', 'steps: [{ shell: x, when: { site: dv } }]\n', ['2:35 there is no site "dv"']],
  [
    'a reference over lines of a script',
    'steps:\n  - shell: |\n      set -e\n      x ${pins.no}\n',
    ['5:9 versions.yaml has no pin "no" (pins: k3s)'],
  ],
];

test.each(images)('an image with %s', (_, text, expected) => {
  const files = { 'images/a.yaml': `${source}${text}`, ...usePins };
  expect(problemsOf(files)).toEqual(expected.map((problem) => `images/a.yaml:${problem}`));
});
