import { expect, test } from 'vitest';
import { type Entered, parseEntered, recordedScript, recordingOf } from './recording.ts';

const project = '/run/ingot/project';
const done = (...commands: readonly string[]): readonly Entered[] =>
  commands.map((command) => ({ command, exitCode: 0 }));
const kept = (...commands: readonly string[]) => recordingOf(done(...commands), project).commands;

test('records are read back with their exit codes, several lines of one command too', () => {
  const text = '0\0cat > /etc/a <<END\nx\nEND\0' + '1\0false\0' + '0\0  \0' + '0\0cut off';
  expect(parseEntered(text)).toEqual([
    { exitCode: 0, command: 'cat > /etc/a <<END\nx\nEND' },
    { exitCode: 1, command: 'false' },
  ]);
  expect(parseEntered('')).toEqual([]);
});

test('what only looks is not repeated, what does something is', () => {
  expect(kept('ls', 'ls -la /etc', 'pwd', 'history 5', 'clear', 'exit', '# a thought', 'touch /a')).toEqual([
    'touch /a',
  ]);
  const more = ['ls > /etc/list', 'exit_code=1', 'history | tee /x', 'ls; touch /b', 'less -V && touch /c'];
  expect(kept(...more)).toEqual(more);
});

test('a change of folder stays where something was done in it', () => {
  expect(kept('cd /etc', 'ls', 'cd')).toEqual([]);
  expect(kept('cd /etc', 'cd apt', 'touch a', 'touch b', 'cd ..')).toEqual(['cd /etc', 'cd apt', 'touch a', 'touch b']);
  expect(kept('cd /tmp', 'cd sub', 'cd /etc', 'touch a', 'cd', 'touch b')).toEqual([
    'cd /etc',
    'touch a',
    'cd',
    'touch b',
  ]);
  expect(kept('cd /etc && touch a')).toEqual(['cd /etc && touch a']);
});

test('what failed is told and not repeated', () => {
  const entered = [...done('touch /a'), { command: 'fasle', exitCode: 127 }, { command: 'ls /none', exitCode: 2 }];
  const { commands, failed } = recordingOf(entered, project);
  expect(commands).toEqual(['touch /a']);
  expect(failed).toEqual([{ command: 'fasle', exitCode: 127 }]);
});

test.each([
  ['vi /etc/hosts', 'waits for a person'],
  ['nano', 'waits for a person'],
  ['bash', 'opens a shell of its own'],
  ['su - www', 'opens a shell of its own'],
  ['apt install jq', 'may ask a question'],
  ['apt-get -q install jq', 'may ask a question'],
  [`cp ${project}/motd /etc/motd`, 'which steps do not have'],
])('%s is kept, with a doubt', (command, doubt) => {
  const { commands, doubts } = recordingOf(done(command), project);
  expect(commands).toEqual([command]);
  expect(doubts).toEqual([expect.stringContaining(doubt)]);
});

test.each([
  'apt install -y jq',
  'apt-get -qy install jq',
  'apt-get install --yes jq',
  'apt update',
  'bash -c "touch /a"',
  'sh build.sh',
  'vim-cmd x',
])('%s is no doubt', (command) => {
  expect(recordingOf(done(command), project).doubts).toEqual([]);
});

test('the script stops at the first failure and says where it is from', () => {
  expect(recordedScript({ commands: ['cd /etc', 'touch a'] }, 'ingot shell web --step 2 --record')).toBe(
    '#!/bin/bash -e\n# Recorded with: ingot shell web --step 2 --record\ncd /etc\ntouch a\n',
  );
});
