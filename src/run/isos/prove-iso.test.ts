import { expect, test } from 'vitest';
import { fakeKinds } from '../../../test/support/fake-kinds.ts';
import type { Check } from '../../core/kinds.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { runsOf, usesFor } from './prove-iso.ts';

const efi = { offset: 0, bytes: 1, path: 'efi.img' };
const spec = (more: Partial<ImageSpec>) =>
  ({ arch: 'x86_64', firmware: ['uefi'], steps: [], ...more }) as unknown as ImageSpec;

test('it installs under what the image is for, and starts under what else the ISO boots with', () => {
  expect(runsOf({ spec: spec({}), facts: { bios: true, efi } })).toEqual([
    { firmware: 'bios', whole: false },
    { firmware: 'uefi', whole: true },
  ]);
  expect(runsOf({ spec: spec({ arch: 'aarch64' }), facts: { bios: true, efi } })).toEqual([
    { firmware: 'uefi', whole: true },
  ]);
});

test.each([
  [{ bios: true, efi: undefined }, 'it boots under BIOS: see `firmware` of the image'],
  [{ bios: false, efi: undefined }, 'try another ISO of the vendor'],
])('an ISO that does not boot as the image does is told so', (facts, hint) => {
  const message = 'the ISO does not boot under UEFI, which the image is for';
  expect(() => runsOf({ spec: spec({}), facts })).toThrow(expect.objectContaining({ message, hint }));
});

test('an installed machine is asked what holds before seal, and before steps', () => {
  const [plain] = fakeKinds.checks.values();
  if (plain === undefined) throw new Error('there is a check');
  const check = (name: string, more: Pick<Check, 'installed'>): [string, Check] => [name, { ...plain, name, ...more }];
  const checks = new Map([
    check('always', { installed: 'always' }),
    check('early', { installed: 'without steps' }),
    check('sealed', {}),
  ]);
  const uses = [...checks.keys()].map((kind) => ({ kind })) as unknown as ImageSpec['checks'];
  const asked = (steps: ImageSpec['steps']) =>
    usesFor(spec({ checks: uses, steps }), { checks }).map(({ kind }) => kind);
  expect(asked([])).toEqual(['always', 'early']);
  expect(asked(uses)).toEqual(['always']);
});
