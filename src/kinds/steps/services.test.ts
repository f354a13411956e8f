import { expect, test } from 'vitest';
import { services, servicesScript } from './services.ts';

test('units are disabled and masked before others are enabled, and never started', () => {
  const { text } = servicesScript({ enable: ['ssh', 'getty@ttyS1'], disable: ['a.timer'], mask: ['b.service'] });
  expect(text).toBe(
    'set -eu\nsystemctl disable -- a.timer\nsystemctl mask -- b.service\nsystemctl enable -- ssh getty@ttyS1\n',
  );
});

test('an escaped unit name stays one word', () => {
  const { text } = servicesScript({ enable: ['dev-disk-by\\x2dlabel-x.swap'], disable: [], mask: [] });
  expect(text).toContain("systemctl enable -- 'dev-disk-by\\x2dlabel-x.swap'\n");
});

test.each([
  [{}],
  [{ enable: [] }],
  [{ enable: ['--now'] }],
  [{ enable: ['a b'] }],
  [{ enable: ['../a'] }],
  [{ enable: ['$(a)'] }],
  [{ enable: ['a'], mask: ['a'] }],
  [{ enable: ['a'], disable: ['a'] }],
  [{ start: ['a'] }],
])('%j is refused', (written) => {
  expect(services.options.safeParse(written).success).toBe(false);
});

test('the title says what is done', () => {
  expect(services.title({ enable: ['a', 'b'], disable: [], mask: ['c'] })).toBe('mask c, enable a b');
});
