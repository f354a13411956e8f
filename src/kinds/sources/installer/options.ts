import { z } from 'zod';
import { isoOption } from '../../../core/isos.ts';
import { projectPath } from '../../../core/published.ts';
import { answersSchema } from '../../../installer/answers.ts';
import { formatOf, ownFileKeys } from '../../../installer/formats.ts';
import { mistakeInTyping } from '../../../qemu/typing.ts';

const units = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A time as a person writes it, in milliseconds. */
const duration = z
  .string('expected a time such as 90s, 45m or 2h')
  .regex(/^[1-9]\d{0,4}[smh]$/, 'expected a time such as 90s, 45m or 2h')
  .transform((text) => Number(text.slice(0, -1)) * units[text.slice(-1) as keyof typeof units]);

const ownFile = (what: string) => projectPath.optional().describe(`Your own ${what}, a file of the project.`);

const kernelWord = z.string().regex(/^[^\s\x00-\x1f\x7f]+$/, 'expected one word, such as ipv6.disable=1');

const typed = z.string().superRefine((text, check) => {
  const message = mistakeInTyping(text);
  if (message !== undefined) check.addIssue({ code: 'custom', message });
});

const scripts = z.union([projectPath.transform((path) => [path]), z.array(projectPath)]);

const fields = z.strictObject({
  iso: isoOption.describe('Name of an entry of `isos.yaml`.'),
  answers: answersSchema.optional().describe('What the installer asks, answered once for all distributions.'),
  preseed: ownFile('preseed file (Debian)'),
  autoinstall: ownFile('user-data with `autoinstall` (Ubuntu)'),
  kickstart: ownFile('Kickstart file (Fedora and its family)'),
  answer: ownFile('answer.toml (Proxmox VE)'),
  alpine: ownFile('answer file (Alpine)'),
  values: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name of small letters, digits and dashes'), z.string())
    .default({})
    .describe('What your own file takes as `${values.NAME}`; may hold `${site.x}`, `${pins.x}` and `${secret.x}`.'),
  'post-install': scripts
    .default([])
    .describe('Scripts of the project that run inside the installed system at the end of the installation.'),
  'answers-by': z
    .enum(['auto', 'initrd', 'disk', 'http'])
    .default('auto')
    .describe('How the answers come to the installer; `auto`: the best way that it knows.'),
  'boot-command': z
    .array(typed)
    .min(1)
    .optional()
    .describe('Last resort: start the ISO by itself and type this: text, `<enter>`, `<esc>`, `<wait5>`, `<url>`.'),
  medium: z
    .strictObject({
      offline: z
        .boolean()
        .default(false)
        .describe('Put a repository with all packages that are installed into the ISO, and use no network (Debian).'),
      packages: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/, 'expected a package name'))
        .default([])
        .describe('Further packages for that repository, such as those that scripts install.'),
      files: z
        .array(projectPath)
        .default([])
        .describe(
          'Files of the project, which lie in `ingot/files/` of the ISO, and in `/media/ingot/files/` while scripts run.',
        ),
      artifacts: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'expected the name of an image'))
        .default([])
        .describe('Finished images, whose files lie in `ingot/artifacts/NAME/` of the ISO, and of `/media` then.'),
    })
    .optional()
    .describe('What `ingot iso build` puts into the ISO beside the answers; an installation of ours does without.'),
  'kernel-args': z.array(kernelWord).default([]).describe("Words for the installer's own kernel."),
  'time-limit': duration.optional().describe('How long the installation may take, such as 2h; default: no limit.'),
  'silence-limit': duration
    .optional()
    .describe(
      'How long nothing may be said, read or written, such as 10m; default: 5m, and 30m without hardware virtualization.',
    ),
});

export type InstallerOptions = z.output<typeof fields>;

/** Names of the options that hold somebody's own file. */
const ownFileNames = Object.keys(ownFileKeys) as readonly (keyof typeof ownFileKeys)[];

/** Somebody's own answer file, where there is one. */
export function ownFileOf(o: InstallerOptions): string | undefined {
  return ownFileNames.map((name) => o[name]).find((path) => path !== undefined);
}

export const installerOptions = fields.superRefine((o, check) => {
  for (const { message, path } of problemsOf(o)) check.addIssue({ code: 'custom', message, path: [...path] });
});

type Problem = { readonly message: string; readonly path: readonly string[] };

function problemsOf(o: InstallerOptions): readonly Problem[] {
  const given = ownFileNames.filter((name) => o[name] !== undefined);
  const ours = ownFileNames.find((name) => ownFileKeys[name] === o.iso.distribution);
  const wrong = given.filter((name) => name !== ours);
  return [
    ...(o.answers === undefined && given.length === 0
      ? [{ message: `expected \`answers\`, or your own file as \`${ours}\``, path: [] }]
      : []),
    ...wrong.map((name) => ({
      message: `the installer of ${o.iso.name} takes \`${ours}\`, not \`${name}\``,
      path: [name],
    })),
    ...(given.length > 0 && o['post-install'].length > 0 && formatOf(o.iso.distribution).adopt === undefined
      ? [{ message: 'scripts go with `answers`; your own file runs its own', path: ['post-install'] }]
      : []),
    ...(given.length === 0 && Object.keys(o.values).length > 0
      ? [{ message: 'values are for your own file, and there is none', path: ['values'] }]
      : []),
    ...mediumProblems(o, given.length > 0),
    ...refusedAnswers(o, given.length > 0),
    ...wayProblems(o),
  ];
}

function mediumProblems(
  { iso, medium, 'post-install': scripts }: InstallerOptions,
  hasOwn: boolean,
): readonly Problem[] {
  if (medium === undefined) return [];
  const path = ['medium', 'offline'];
  const use = formatOf(iso.distribution).medium;
  const names = (['files', 'artifacts'] as const).filter((name) => medium[name].length > 0);
  return [
    ...(medium.offline && use !== 'repository'
      ? [{ message: `the installer of ${iso.distribution} takes no repository from its medium`, path }]
      : []),
    ...(medium.offline && hasOwn
      ? [{ message: 'your own file says itself where packages come from: use `answers`', path }]
      : []),
    ...(use === undefined && scripts.length > 0
      ? names.map((name) => ({
          message: `scripts of ${iso.distribution} run when the installed system starts first, where its ISO is gone: they would not find these`,
          path: ['medium', name],
        }))
      : []),
    ...(!medium.offline && medium.packages.length > 0
      ? [
          {
            message: 'packages are put into a repository, which `offline: true` asks for',
            path: ['medium', 'packages'],
          },
        ]
      : []),
  ];
}

/** With an own file the answers only fill its gaps. */
function refusedAnswers({ iso, answers }: InstallerOptions, hasOwn: boolean): readonly Problem[] {
  if (answers === undefined || hasOwn) return [];
  return formatOf(iso.distribution)
    .refuses(answers)
    .map(({ path, message, hint }) => ({
      message: hint === undefined ? message : `${message}: ${hint}`,
      path: ['answers', ...path],
    }));
}

const deliveryOf = { initrd: 'initrd', disk: 'seed', http: 'url' } as const;

/** The ways in that a person may mean by this word, the best first. */
export function waysOf({ iso, 'answers-by': by }: Pick<InstallerOptions, 'iso' | 'answers-by'>) {
  const format = formatOf(iso.distribution);
  // What must be on the ISO is there before anything listens at an address.
  const isEarly = format.onMedium !== undefined;
  const known = format.deliveries.filter((way) => way !== 'medium' && (way !== 'url' || !isEarly));
  return known.filter((way) => by === 'auto' || way === deliveryOf[by]);
}

function wayProblems(o: InstallerOptions): readonly Problem[] {
  const known = formatOf(o.iso.distribution).deliveries;
  const words = (Object.keys(deliveryOf) as (keyof typeof deliveryOf)[]).filter((word) =>
    known.includes(deliveryOf[word]),
  );
  const by = o['answers-by'];
  const isTyped = o['boot-command'] !== undefined;
  const isNetboot = typeof o.iso.kernel === 'object';
  return [
    ...(waysOf(o).length === 0
      ? [{ message: `the installer of ${o.iso.name} takes answers by ${words.join(', ')} only`, path: ['answers-by'] }]
      : []),
    ...(isTyped && by === 'initrd'
      ? [{ message: 'an ISO that starts by itself has its own initrd: use disk or http', path: ['answers-by'] }]
      : []),
    ...(isTyped && isNetboot
      ? [{ message: 'there is nothing to type at: netboot files have no boot loader', path: ['boot-command'] }]
      : []),
  ];
}
