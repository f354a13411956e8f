import { expect, test } from 'vitest';
import { markdownLines } from './markdown.ts';

const side = { image: 'debian-13', arch: 'x86_64', build: 'b1', at: '2026-11-14T10:00:00Z' } as const;
const later = { ...side, build: 'b2', at: '2026-11-21T10:00:00Z' };

test('a difference is a changelog: kernel, packages, services, inputs, files counted, sizes', () => {
  const lines = markdownLines({
    from: side,
    to: later,
    same: false,
    inputs: [{ name: 'debian trixie: pin epoch', from: '1', to: '2' }],
    packages: [
      { name: 'linux-image-amd64', from: '6.12.48', to: '6.12.57' },
      { name: 'my_tool', to: '1' },
      { name: 'nano', from: '8.4' },
    ],
    files: [
      { name: '/etc/systemd/system/multi-user.target.wants/nginx.service', to: 'link to x' },
      { name: '/etc/motd', from: '1 B', to: '2 B' },
      { name: '/usr/bin/nano', from: 'file, 1 B' },
    ],
    sizes: [{ name: 'qcow2', from: '400000000', to: '412000000' }],
  });
  expect(lines.join('\n')).toBe(`## debian-13 x86_64: 2026-11-21

Since build b1 of debian-13 (2026-11-14).

### Kernel

- linux-image-amd64 6.12.48 → 6.12.57

### Packages

- my\\_tool 1 (new)
- nano 8.4 (removed)

### Services

- nginx.service enabled (new)

### What went in

- debian trixie: pin epoch 1 → 2

### Files

1 file changed, 1 new, 1 removed.

### Sizes

- qcow2 400 MB → 412 MB`);
});

test('the same bytes are said to be', () => {
  const nothing = { inputs: [], packages: [], files: [], sizes: [] };
  expect(markdownLines({ from: side, to: later, same: true, ...nothing }).at(-1)).toBe('The same bytes.');
});
