import { z } from 'zod';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, onEach, underAll } from './on-each.ts';

const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?$/, 'expected a package name, as name or name:arch');

const full = z
  .strictObject({
    name: packageName.describe('The package.'),
    version: z
      .string()
      .min(1)
      .optional()
      .describe('The version it must have; the beginning is enough, as 3.12 for 3.12.4-1.'),
    absent: z.boolean().default(false).describe('It must not be installed.'),
  })
  .refine((o) => !o.absent || o.version === undefined, 'what is absent has no version');

export type PackageOptions = z.infer<typeof full>;

const options = z.union([packageName.transform((name): PackageOptions => ({ name, absent: false })), full]);

/** A package is installed, or is not. */
export const packageCheck = defineCheck<PackageOptions>({
  name: 'package',
  version: 1,
  summary: 'A package is installed in the booted image, in some version, or is not.',
  options,
  example: { name: 'qemu-guest-agent' },
  title: ({ name, version, absent }) =>
    `package ${name}${version === undefined ? '' : ` ${version}`}${absent ? ' absent' : ''}`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'without steps',
  run: async (o, { guests }) => {
    const found = await onEach(guests, async (guest) => {
      const { stdout } = await guest.exec({ text: queryScript, args: [o.name] });
      const version = parseQuery(stdout);
      const wrong = judge(o, version);
      if (wrong !== undefined) throw checkFailed(`package ${o.name} ${wrong}`);
      return version;
    });
    return `${found[0] ?? 'not installed'}, ${underAll(guests)}`;
  },
});

const queryScript = `dpkg-query -W -f '\${db:Status-Status} \${Version}\\n' -- "$1" 2>/dev/null || true`;

/** The version that is installed, or undefined. */
export function parseQuery(stdout: string): string | undefined {
  return /^installed (\S+)$/m.exec(stdout)?.[1];
}

export function judge(o: PackageOptions, version: string | undefined): string | undefined {
  if (o.absent) return version === undefined ? undefined : `is installed (${version})`;
  if (version === undefined) return 'is not installed';
  // A whole part, so that 3.1 is not found in 3.12.
  const fits = o.version === undefined || version === o.version || isBeginning(o.version, version);
  return fits ? undefined : `has version ${version} instead of ${o.version}`;
}

function isBeginning(part: string, version: string): boolean {
  return version.startsWith(part) && /^[^0-9A-Za-z]/.test(version.slice(part.length));
}
