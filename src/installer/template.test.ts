import { expect, test } from 'vitest';
import { SpecError } from '../core/errors.ts';
import { answersSchema } from './answers.ts';
import { fillTemplate, templateNames } from './template.ts';

const values = {
  answers: answersSchema.parse({ hostname: 'dev', packages: ['vim', 'less'], user: { name: 'me', sudo: true } }),
  secrets: new Map([['token', '${site.zone} $(id)']]),
  pins: new Map([['k3s.version', 'v1.30']]),
  site: new Map([['zone', 'a']]),
};

test.each([
  ['host=${answers.hostname} user=${answers.user.name}', 'host=dev user=me'],
  ['${answers.packages} ${answers.user.sudo}', 'vim less true'],
  ['${site.zone} ${pins.k3s} ${pins.k3s.version}', 'a v1.30 v1.30'],
  ['what is put in is not read again: ${secret.token}', 'what is put in is not read again: ${site.zone} $(id)'],
  ['$${site.zone} ${HOME} $HOME ${x.y}', '${site.zone} ${HOME} $HOME ${x.y}'],
])('%s', (text, filled) => {
  expect(fillTemplate(text, values, 'ks.cfg')).toBe(filled);
});

test('all unknown names are told together, each with its place', () => {
  const text = 'a\n  ${answers.hostnam} ${secret.tokn}\n${pin.x}\n${site.\n${answers.__proto__}${answers.user}';
  const failure = caught(() => fillTemplate(text, values, 'preseeds/dev.cfg'));
  expect(
    failure.problems.map(({ message, place }) => `${place.file}:${place.line}:${place.column} ${message}`),
  ).toEqual([
    'preseeds/dev.cfg:2:3 answers has no "hostnam"',
    'preseeds/dev.cfg:2:22 secret has no "tokn"',
    'preseeds/dev.cfg:3:1 there is no ${pin.x}',
    'preseeds/dev.cfg:4:1 ${site. is not a complete reference',
    'preseeds/dev.cfg:5:1 answers has no "__proto__"',
    'preseeds/dev.cfg:5:21 answers has no "user"',
  ]);
  expect(failure.problems[0]?.place.source).toBe('  ${answers.hostnam} ${secret.tokn}');
  expect(JSON.stringify(failure.problems)).not.toContain('$(id)');
});

test('the names that a template depends on are known before it is filled', () => {
  const text = '${secret.b} ${secret.a} ${secret.b} $${secret.c} ${pins.k3s} ${site.zone} ${answers.hostname}';
  expect(templateNames(text)).toEqual({ secrets: ['b', 'a'], pins: ['k3s'], site: ['zone'] });
});

function caught(action: () => unknown): SpecError {
  try {
    action();
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
