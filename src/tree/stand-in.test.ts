import { expect, test } from 'vitest';
import { standIn } from './stand-in.ts';

test('the stand-in enters all namespaces of the sandbox, with nothing of our environment', () => {
  const text = standIn({ nsenter: "/opt/it's/nsenter", pid: 42 });
  expect(text.startsWith('#!/bin/sh\n')).toBe(true);
  const enter = `exec /usr/bin/env -i '/opt/it'\\''s/nsenter' --target 42 --mount --pid --ipc --uts -- /bin/sh -c `;
  expect(text).toContain(enter);
});
