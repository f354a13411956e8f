import { expect, test } from 'vitest';
import { asks, complains, deadEndIn, dialogIn, full, stageIn } from './installation.ts';

// As they stood on real consoles: Debian 12's installer with DEBIAN_FRONTEND=text, and what the vendors' sources print.
test.each([
  ['Detecting network hardware  ... 2%... 95%... 100%', 'Detecting network hardware'],
  ['Detecting link on enp0s1; please wait...  ... 0%', 'Detecting link on enp0s1; please wait...'],
  ['Installing the base system  ... 4%', 'Installing the base system'],
  ['Creating ext4 on /dev/vda2', 'Creating ext4 on /dev/vda2'],
  ['Starting package installation process', 'Starting package installation process'],
  [
    '2026-01-01 start: cmd-install/stage-partitioning/builtin/cmd-block-meta: curtin command block-meta',
    'curtin command block-meta',
  ],
  ['Installing system on /dev/vda3:', 'Installing system on /dev/vda3'],
  ['[    3.528161] Run /init as init process', undefined],
  ['Loading additional components', 'Loading additional components'],
  ['Download installer components', undefined],
  ['(Reading database ... 5%', undefined],
])('%j is the stage %j', (line, stage) => {
  expect(stageIn(line)).toBe(stage);
});

test.each([
  ["Prompt: '?' for help, default=1> ", asks],
  ['Continue with autoinstall? (yes|no)', asks],
  ['[Press enter to continue]', complains],
  ['finish: subiquity/Install/install: FAIL: installing system', complains],
  ['finish: subiquity/Install/install: SUCCESS: installing system', undefined],
  ['tar: write error: No space left on device', full],
  ['Press enter to activate this console', undefined],
])('%j leaves a way on: %j', (line, meaning) => {
  expect(deadEndIn(line)).toBe(meaning);
});

const failedDownload = [
  'Checking the Debian archive mirror  ... 25%... 50%... 75%... 100%',
  'Loading additional components',
  'Download installer components',
  '-----------------------------',
  'The installer failed to download a file from the mirror. This may be a problem',
  'with your network, or with the mirror. You can choose to retry the download,',
  'select a different mirror, or cancel and choose another installation method.',
  'Downloading a file failed:',
  '  1: Retry [*],  2: Change mirror,      3: Cancel,',
  "Prompt: '?' for help, default=1>",
];

test('a question is named by its title and what it asks', () => {
  expect(dialogIn(failedDownload)).toBe('Download installer components: Downloading a file failed');
});

test('an error is named by its title and its last sentence', () => {
  const said = [
    'Partition disks',
    '---------------',
    'Failed to partition the selected disk',
    'This probably happened because the selected disk or free space is too small to',
    'be automatically partitioned.',
    '[Press enter to continue]',
  ];
  expect(dialogIn(said)).toBe(
    'Partition disks: Failed to partition the selected disk This probably happened because the selected disk or free space is too small to be automatically partitioned.',
  );
});

test('an error that is marked as one is named so', () => {
  const said = [
    'Choose a mirror of the Debian archive',
    '-------------------------------------',
    '!! ERROR: Architecture not supported',
    'The specified Debian archive mirror does not seem to support your architecture.',
    'Please try a different mirror.',
    '[Press enter to continue]',
  ];
  expect(dialogIn(said)).toBe('Choose a mirror of the Debian archive: Architecture not supported');
});

test('of two dialogs the last one is named, and without one there is nothing to name', () => {
  expect(dialogIn(['Old', '---', 'Before?', ...failedDownload])).toMatch(/^Download installer components/);
  expect(dialogIn(['Please make a selection from the above'])).toBeUndefined();
});
