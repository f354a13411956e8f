import { expect, test } from 'vitest';
import { bootFilesText, bootState, newestKernel, parseBootFiles } from './boot-files.ts';

const said = `boot:1795000000:regular file:/boot/vmlinuz-6.1.0-9-amd64
boot:1795000000:directory:/boot/grub
boot:1795000001:regular file:/boot/vmlinuz-6.1.0-31-amd64
boot:1795000002:symbolic link:/vmlinuz
something else: 1
`;
const files = [
  { path: '/boot/vmlinuz-6.1.0-9-amd64', changed: 1_795_000_000 },
  { path: '/boot/vmlinuz-6.1.0-31-amd64', changed: 1_795_000_001 },
  { path: '/vmlinuz', changed: 1_795_000_002 },
];

test('what a guest says of its boot files is found among other lines, folders left out', () => {
  expect(parseBootFiles(said)).toEqual(files);
});

test('paths are words for the shell', () => {
  expect(bootFilesText(['/vmlinuz', "/it's"])).toContain(`/boot/* /vmlinuz '/it'\\''s' `);
});

test('the state is the same for the same files in any order, and for no others', () => {
  const state = bootState(files);
  expect(bootState([...files].reverse())).toBe(state);
  expect(bootState([...files, ...files])).toBe(state);
  const others = [
    files.slice(1),
    [...files, { path: '/boot/x', changed: 1 }],
    files.map((file) => ({ ...file, changed: file.changed + 1 })),
  ];
  for (const other of others) expect(bootState(other)).not.toBe(state);
});

test('the newest kernel is the one with the highest number', () => {
  expect(newestKernel(files)).toBe('6.1.0-31-amd64');
  expect(newestKernel([{ path: '/vmlinuz' }])).toBeUndefined();
});
