import { IngotError } from '../core/errors.ts';

/** Far above any query. */
const mostBytes = 1024 * 1024;

/** All that comes on stdin, which must not be a terminal. */
export async function readStdin(stdin: AsyncIterable<unknown> & { readonly isTTY?: boolean }): Promise<string> {
  if (stdin.isTTY === true) {
    throw new IngotError({ code: 'USAGE', message: 'expected something on stdin, which is a terminal' });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk as Uint8Array);
    bytes += part.length;
    if (bytes > mostBytes) throw new IngotError({ code: 'USAGE', message: 'stdin has more than 1 MiB' });
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}
