import { z } from 'zod';
import { arches } from '../core/arch.ts';
import { isApiAddress, repositoryPattern } from '../core/repository.ts';
import { filesystems, firmwares } from '../core/spec.ts';
import { mebibyte, sizeSchema } from './size.ts';

/** Names of images and sites: they become file names, keys and URLs. */
export const namePattern = /^[a-z0-9][a-z0-9.-]{0,62}$/;
export const nameRule =
  'lower-case letters, digits, "." and "-", starting with a letter or digit, at most 63 characters';

const gibibyte = 1024 * mebibyte;

function oneOrMore<T extends z.ZodType>(one: T) {
  return z.union([one, z.array(one).min(1)]);
}

// A name that ssh cannot take for an option.
const loginName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'expected the name of a user');

/** What an image says of itself beside its source, steps, checks and formats. */
export const settings = z.strictObject({
  description: z.string().max(1000).default('').describe('One line for people.'),
  arch: oneOrMore(z.enum(arches))
    .optional()
    .describe('Architectures the image is made for; default: the one of the build machine.'),
  disk: sizeSchema(64 * mebibyte, 16 * 1024 * gibibyte)
    .default(8 * gibibyte)
    .describe('Size of the disk, like 8G. Default 8G.'),
  filesystem: z.enum(filesystems).default('ext4').describe('File system of the root. Default ext4.'),
  firmware: oneOrMore(z.enum(firmwares))
    .default([...firmwares])
    .describe('Firmwares the disk must boot under; on aarch64 always uefi.'),
  pass: z
    .int()
    .min(0)
    .max(999)
    .default(1)
    .describe('Bring-up order: images of a lower pass are built first. Default 1.'),
  labels: z
    .record(z.string().min(1).max(63), z.string())
    .default({})
    .describe('Words for people and programs; they change no byte.'),
  memory: sizeSchema(128 * mebibyte, 1024 * gibibyte)
    .default(2 * gibibyte)
    .describe('Memory of build and check guests. Default 2G.'),
  cpus: z
    .union([
      z.int().min(1).max(256),
      z
        .string()
        .regex(/^[1-9]\d?$/, 'expected a whole number from 1 to 256')
        .transform(Number),
    ])
    .default(2)
    .describe('Processors of build and check guests. Default 2.'),
  virtualization: z
    .enum(['auto', 'required'])
    .default('auto')
    .describe('"required" refuses to run guests without hardware help.'),
  ssh: z
    .union(
      [
        z.strictObject({ user: loginName, key: z.string().min(1) }),
        z.strictObject({ user: loginName, password: z.string().min(1) }),
      ],
      // Else the first of the two would be told to be all there is.
      {
        error: ({ input }) =>
          isOnlyUser(input) ? 'a `user` logs in with a `key` or a `password`: write one' : undefined,
      },
    )
    .optional()
    .describe(
      'How build guests of an image with a login of its own let us in: a user with rights to everything, and a private key file of the project or a password, which may be `${secret.x}`. Default: through the seed that guests are given.',
    ),
  'secure-boot': z
    .boolean()
    .default(false)
    .describe('Boot guests with Secure Boot enforced; needs `firmware: uefi`. Default false.'),
  keep: z
    .strictObject({
      last: z.int().min(1).max(10_000).optional().describe('The newest so many.'),
      days: z.int().min(1).max(36_500).optional().describe('Those that are no more days old.'),
    })
    .refine(({ last, days }) => last !== undefined || days !== undefined, {
      error: 'expected `last`, `days` or both, like { last: 3, days: 30 }',
    })
    .optional()
    .describe(
      'How long finished builds stay: the newest so many (`last`), and those of so many days (`days`). The current one, what is deployed and what another image was made from stay anyway. Default: the newest two, others until `ingot gc` wants their room.',
    ),
});

/** Where `${secret.x}` may stand in a setting, by its key. */
export const secretsInSettings: Readonly<Record<string, readonly (readonly string[])[]>> = { ssh: [['password']] };

function isOnlyUser(input: unknown): boolean {
  return typeof input === 'object' && input !== null && Object.keys(input).join() === 'user';
}

export type Settings = z.infer<typeof settings>;

/** Lists of uses of kinds; they append when fragments are composed. */
const useLists = ['steps', 'checks', 'formats'] as const;

/** Every key an image, a fragment or `defaults` may have. */
export const imageKeys: readonly string[] = [...Object.keys(settings.shape), 'extends', 'source', ...useLists];

/** Where `ingot release` puts images, and `ingot images` finds them. */
const releaseSettings = z.strictObject({
  repository: z
    .string()
    .regex(repositoryPattern, 'expected the name of a repository, such as owner/name')
    .optional()
    .describe('The repository whose releases hold the images, as owner/name.'),
  api: z
    .string()
    .refine(isApiAddress, 'expected an https address, such as https://github.example.org/api/v3')
    .optional()
    .describe('Of GitHub Enterprise: the address of its API. Default https://api.github.com.'),
  token: z
    .string()
    .regex(
      /^\$\{secret\.[A-Za-z0-9_.-]+\}$/,
      'expected the name of a secret, such as ${secret.github}; never the token itself',
    )
    .optional()
    .describe('The secret that is the token, as `${secret.x}`. Default: what GH_TOKEN or GITHUB_TOKEN holds.'),
});

export type ReleaseSettings = z.infer<typeof releaseSettings>;

/** `ingot.yaml`; its defaults are read like a fragment. */
export const projectSettings = z.strictObject({
  name: z
    .string()
    .regex(namePattern, `expected a name of ${nameRule}`)
    .optional()
    .describe("Name of the project; default: its folder's name."),
  description: z.string().max(1000).optional().describe('One line for people.'),
  release: releaseSettings.optional().describe('GitHub releases of the images.'),
  defaults: z
    .unknown()
    .optional()
    .describe('What holds for every image that says nothing else; anything an image may set.'),
  publish: z
    .record(
      z.string().regex(namePattern, `expected a name of ${nameRule}`),
      z.strictObject({
        to: z.string().min(1).describe('A folder, relative to that of ingot.yaml, or ssh://[user@]host[:port]/path.'),
        name: z
          .string()
          .min(1)
          .optional()
          .describe('What a copy is called there, like `${image}.img`; default: the name of the file.'),
        format: z
          .string()
          .min(1)
          .optional()
          .describe(
            'A format by its name or by what its files end in, like `raw.zst`; default: the first compressed one.',
          ),
      }),
    )
    .default({})
    .describe('Places by their names, for `ingot publish IMAGE --to NAME`.'),
});

/** `when:` beside a kind: the entry counts only for these. */
export const condition = z.strictObject({
  arch: oneOrMore(z.enum(arches)).optional().describe('Only for these architectures.'),
  site: oneOrMore(z.string()).optional().describe('Only for these sites.'),
});

/** One value or a list of them, as a list without repetition. */
export function asList<T>(value: T | readonly T[]): readonly T[] {
  return [...new Set(Array.isArray(value) ? (value as readonly T[]) : [value as T])];
}
