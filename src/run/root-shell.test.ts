import { expect, test } from 'vitest';
import { rootShellScript } from './root-shell.ts';

test('a greeting and a prompt are text, whatever stands in them', () => {
  const { text } = rootShellScript({ where: 'web before `id`$(id)\\$', greeting: [`it's "$HOME"`] });
  expect(text).toContain(`echo 'it'\\''s "$HOME"'\n`);
  expect(text).toContain(String.raw`web before id(id)\[\e[0m\] \w # `);
});

test('without bash there is a shell all the same', () => {
  const { text } = rootShellScript({ where: 'web', greeting: [] });
  expect(text.trimEnd().split('\n').at(-1)).toBe(`PS1='web # ' exec /bin/sh -i`);
});
