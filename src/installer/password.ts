import { createHash } from 'node:crypto';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Tool } from '../core/kinds.ts';
import { type Answers, canonical, type HashedAnswers, type PasswordHash } from './answers.ts';

export const passwordTools: readonly Tool[] = [
  { program: 'openssl', debian: 'openssl', why: 'hashes the passwords of installations' },
];

/**
 * The answers with hashes in the place of passwords. The salt comes from names, not from the password: equal inputs give
 * equal files, and a hash tells nothing about another image's.
 */
export async function hashAnswers(
  answers: Answers,
  request: { readonly image: string },
  ctx: Context,
): Promise<HashedAnswers> {
  const { user, root, ...rest } = answers;
  const hash = (password: string, who: string, name: string) =>
    hashPassword(password, { who, salt: saltFor(request.image, name) }, ctx);
  const hashedUser = user?.password === undefined ? undefined : await hash(user.password, 'user', user.name);
  const hashedRoot = root?.password === undefined ? undefined : await hash(root.password, 'root', 'root');
  return canonical({
    ...rest,
    ...(user === undefined ? {} : { user: { ...user, password: hashedUser } }),
    ...(root === undefined ? {} : { root: { ...root, password: hashedRoot } }),
  });
}

/** The text as a hash, when it has the form of one that we make. */
export function asPasswordHash(text: string): PasswordHash | undefined {
  return /^\$6\$[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{86}$/.test(text) ? (text as PasswordHash) : undefined;
}

function saltFor(image: string, user: string): string {
  const digest = createHash('sha256').update(`${image}\0${user}`).digest('base64');
  return digest.slice(0, 16).replaceAll('+', '.');
}

/** sha512-crypt. openssl reads one line of at most 256 bytes, so others are refused here. */
async function hashPassword(
  password: string,
  given: { readonly who: string; readonly salt: string },
  { host, signal }: Context,
): Promise<PasswordHash> {
  const wrong = problemOf(password);
  if (wrong !== undefined) {
    throw new IngotError({ code: 'SPEC_INVALID', message: `the password of ${given.who} in the answers ${wrong}` });
  }
  const argv = ['openssl', 'passwd', '-6', '-salt', given.salt, '-stdin'] as const;
  const { stdout } = await host.run({ argv }, { signal, stdin: `${password}\n` });
  const hash = asPasswordHash(stdout.trimEnd());
  if (hash === undefined) throw new IngotError({ code: 'TOOL_FAILED', message: 'openssl gave no sha512-crypt hash' });
  return hash;
}

function problemOf(password: string): string | undefined {
  if (password === '') return 'is empty';
  if (/\p{Cc}/u.test(password))
    return 'has a line break or another control character, which nobody can type at a login';
  if (Buffer.byteLength(password) > 256) return 'is longer than 256 bytes';
  return undefined;
}
