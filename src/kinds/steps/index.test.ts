import { expect, test } from 'vitest';
import { z } from 'zod';
import { canonical, type Json } from '../../core/keys.ts';
import { steps } from './index.ts';

const all = [...steps.values()];

test.each(all)('the example of $name is valid', (step) => {
  expect(step.options.safeParse(step.example).error).toBeUndefined();
});

test.each(all)('parsed options of $name are plain data and parse to themselves', (step) => {
  const parsed = step.options.parse(step.example) as Json;
  expect(step.options.parse(parsed)).toEqual(parsed);
  expect(JSON.parse(canonical(parsed))).toEqual(parsed);
});

test.each(all)('$name has a JSON Schema and a title of one line', (step) => {
  expect(z.toJSONSchema(step.options, { io: 'input' })).toHaveProperty('$schema');
  expect(step.title(step.options.parse(step.example))).toMatch(/^.+$/);
});
