import { expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { storePaths } from '../store/paths.ts';
import { openJournal } from './journal.ts';

test('a warning that several parts of a build give is told once', () => {
  const told: string[] = [];
  const journal = openJournal({ host: createHost(), paths: storePaths('/nowhere') }, 'a-build', {
    signal: new AbortController().signal,
    emit: (event) => told.push(event.type === 'warning' ? event.message : event.type),
    withTerminal: (run) => run(),
  });
  for (const message of ['slow', 'full', 'slow']) journal.emit({ type: 'warning', message, hint: 'mend it' });
  for (const line of ['slow', 'slow']) journal.emit({ type: 'log', id: 'source', line });
  journal.close();
  expect(told).toEqual(['slow', 'full', 'log', 'log']);
});
