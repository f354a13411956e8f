import { expect, test } from 'vitest';
import { type ErrorCode, IngotError } from '../../core/errors.ts';
import { refuseUnsigned } from './keys.ts';

const unsigned = [
  'Get:1 http://a.example trixie InRelease [140 kB]',
  "  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 6ED0E7B8",
  "E: The repository 'http://a.example trixie InRelease' is not signed.",
  'E: mmdebstrap failed to run',
];
const failed = (code: ErrorCode, detail: readonly string[]) =>
  new IngotError({ code, message: 'mmdebstrap ended with exit code 25', detail });

test('an archive that is not signed by the given keys is refused, with what apt said of it', () => {
  expect(() => refuseUnsigned(failed('TOOL_FAILED', unsigned))).toThrow(
    expect.objectContaining({ code: 'INPUT_REFUSED', detail: unsigned.slice(1, 3) }),
  );
});

test.each<[string, Error]>([
  ['another failure of apt', failed('TOOL_FAILED', ['E: Unable to locate package vimm'])],
  ['a warning about one of several signatures', failed('TOOL_FAILED', ['W: GPG error: x', 'E: no such package'])],
  ['a full disk', failed('NO_SPACE', unsigned)],
  ['a bug', new TypeError('x')],
])('%s is told as it is', (_, error) => {
  expect(() => refuseUnsigned(error)).toThrow(error);
});
