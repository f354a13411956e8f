import { expect, test } from 'vitest';
import { listenAddress } from '../../src/cli/commands/serve.ts';
import type { Io } from '../../src/cli/engine.ts';
import type { PublishRequest, ServeRequest } from '../../src/cli/requests/artifacts.ts';
import { ingot } from '../support/cli.ts';

const access = { method: 'GET', path: '/isos/x%1b.iso', status: 206, bytes: 1_000_000, seconds: 0.25, remote: '::1' };

/** An engine that serves one request. */
function served(asked: ServeRequest[] = []) {
  return {
    serve: async (request: ServeRequest, io: Io) => {
      asked.push(request);
      const common = { time: '2026-11-21T12:00:00.000Z', build: 'serve' };
      io.emit({ type: 'serve.start', url: 'http://127.0.0.1:8417/', tokenFile: '/h/serve-token', seq: 1, ...common });
      io.emit({ type: 'access', ...access, whole: true, seq: 2, ...common });
    },
  };
}

test('serve says where, and each request in a line', async () => {
  const asked: ServeRequest[] = [];
  const ran = await ingot('serve', { engine: served(asked) });
  expect(asked).toEqual([{ host: '127.0.0.1', port: 8417, names: [] }]);
  expect([ran.code, ran.stdout]).toEqual([0, '']);
  expect(ran.stderr).toBe(
    'serving http://127.0.0.1:8417/ (the token for uploads is in /h/serve-token)\n::1 GET /isos/x%1b.iso 206, 1.0 MB in 250 ms\n',
  );
  const quiet = await ingot('serve --quiet --log-file /l', { engine: served() });
  expect(quiet.stderr).toBe('');
  expect(quiet.logs['/l']).toContain('GET /isos/x%1b.iso 206');
});

test('with --json every request is an event', async () => {
  const ran = await ingot('serve --json --listen [::1]:0 --name a --name b', { engine: served() });
  const lines = ran.stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['serve.start', 'access']);
});

test.each([
  ['8417', { host: '127.0.0.1', port: 8417 }],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
  ['[::1]:0', { host: '::1', port: 0 }],
])('%s is an address to listen on', (text, address) => {
  expect(listenAddress(text)).toEqual(address);
});

test.each(['', 'x', '::1:80', '1.2.3.4:', '127.0.0.1:70000'])('"%s" is none', async (text) => {
  expect((await ingot(['serve', '--listen', text], { engine: served() })).code).toBe(2);
});

test('publish prints the path of the file, and its digest as a remark', async () => {
  const asked: PublishRequest[] = [];
  const publish = async (request: PublishRequest) => {
    asked.push(request);
    return { file: '/h/artifacts/isos/x.iso', path: 'isos/x.iso', bytes: 5, sha256: 'ab' };
  };
  const hex = 'A'.repeat(64);
  const ran = await ingot(`publish x.iso --as isos/x.iso --sha256 ${hex}`, { engine: { publish } });
  expect(asked).toEqual([{ file: 'x.iso', as: 'isos/x.iso', sha256: hex.toLowerCase() }]);
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, '/h/artifacts/isos/x.iso\n', 'sha256 ab, 5 B\n']);
  expect((await ingot('publish x.iso', { engine: { publish } })).code).toBe(2);
  expect((await ingot('publish x.iso --as isos/x --sha256 abc', { engine: { publish } })).code).toBe(2);
});
