import { expect, test } from 'vitest';
import type { SourceContext } from '../../core/kinds.ts';
import { image } from './image.ts';

test('the image it starts from is its one parent', () => {
  expect(image.parents?.('debian-13')).toEqual(['debian-13']);
  expect(image.title('debian-13')).toBe('start from debian-13');
});

test('its disk is the finished one of that image', async () => {
  const ctx = { image: async (name: string) => ({ path: `/a/${name}.qcow2`, format: 'qcow2' }) };
  const request = { arch: 'x86_64', pin: { 'debian-13': 'key' } } as const;
  expect(await image.disk?.('debian-13', request, ctx as unknown as SourceContext)).toEqual({
    path: '/a/debian-13.qcow2',
    format: 'qcow2',
  });
});

test.each([[''], [13], [['debian-13']], [{ name: 'debian-13' }]])('%j is no name of an image', (options) => {
  expect(image.options.safeParse(options).success).toBe(false);
});
