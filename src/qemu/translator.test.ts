import { expect, test } from 'vitest';
import { kernelAmong, translator } from './translator.ts';

test.each([
  ['6.1.0-31-amd64', 2],
  ['5.15.0-91-generic', 2],
  ['6.5.13', 2],
  ['6.6.0', 1],
  ['6.12.48+deb13-amd64', 1],
  ['10.0', 1],
  ['amd64', 1],
  [undefined, 1],
])('under translation a guest with kernel %s has %d processors', (version, cpus) => {
  expect(translator('x86_64', version)).toEqual({ name: 'tcg', cpu: 'max,-cx16,-erms', cpus });
});

test.each([
  [['bash', 'linux-image-amd64', 'linux-image-6.1.0-31-amd64'], '6.1.0-31-amd64'],
  [['linux-image-6.1.0-9-amd64', 'linux-image-6.1.0-31-cloud-amd64'], '6.1.0-31-cloud-amd64'],
  [['linux-image-6.12.1-amd64', 'linux-image-6.1.0-31-amd64'], '6.12.1-amd64'],
  [['linux-image-unsigned-6.8.0-50-generic'], '6.8.0-50-generic'],
  [['linux-image-amd64', 'linux-headers-6.1.0-31-amd64'], undefined],
])('among the packages %j the kernel is %s', (packages, version) => {
  expect(kernelAmong(packages)).toBe(version);
});

test('an arm guest is translated with the processor that is known to work', () => {
  expect(translator('aarch64', '6.1.0')).toEqual({ name: 'tcg', cpu: 'cortex-a57' });
});
