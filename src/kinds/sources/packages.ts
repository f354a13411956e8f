import { z } from 'zod';
import { type Arch, debianArch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { defineSource, type Tool, type TreeSession } from '../../core/kinds.ts';
import { projectPath } from '../../core/published.ts';
import type { Script } from '../../core/script.ts';
import { debianPackage, platformsOf } from '../../tree/boot.ts';
import { serialConsole } from '../../tree/seal.ts';
import { fileBytes, placeFileScript } from '../image-files.ts';
import { type Archive, archiveOf, type Distro, distros, pinArchive, sourcesText } from './archive.ts';
import { keyrings, placeKeys, refuseUnsigned } from './keys.ts';

const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?([=/][A-Za-z0-9+.:~-]+)?(?<!-)$/, 'a package name');
const url = z.string().regex(/^(https?|file):\/\/[^\s'"\\[\]]+$/, 'a URL without spaces or brackets');

const options = z.strictObject({
  distro: z.enum(distros).default('debian').describe('Whose packages.'),
  suite: z
    .string()
    .regex(/^[a-z][a-z0-9.-]*$/, 'a suite name such as trixie')
    .describe('Release of the distribution, by code name.'),
  include: z.array(packageName).default([]).describe('Packages to install with the base system.'),
  kernel: z
    .enum(['cloud', 'generic', 'none'])
    .default('cloud')
    .describe('Which kernel: for virtual machines, for any machine, or none (then no boot loader either).'),
  variant: z
    .enum(['essential', 'apt', 'minbase', 'standard'])
    .default('minbase')
    .describe('How much of the base system.'),
  components: z
    .array(z.string().regex(/^[a-z-]+$/))
    .default(['main'])
    .describe('Archive components.'),
  mirror: url
    .optional()
    .describe('Where packages come from; default: as this machine is configured. `{snapshot}` takes the date.'),
  security: url.optional().describe('Where security updates come from, when `mirror` is set.'),
  snapshot: z
    .string()
    .regex(/^\d{8}T\d{6}Z$/, 'a moment such as 20261101T000000Z')
    .optional()
    .describe('A moment of the archive, for mirrors whose URL names one.'),
  keyring: projectPath
    .optional()
    .describe(
      "A file of the project with the keys that sign the archive, which the image then trusts too; default: the distribution's.",
    ),
  recommends: z.boolean().default(false).describe('Install recommended packages too.'),
  docs: z.boolean().default(false).describe('Keep manual pages, documentation and translations.'),
});
type Options = z.infer<typeof options>;

/** A base system from a distribution's own packages, without booting and without root. */
export const packages = defineSource<Options>({
  name: 'packages',
  version: 2,
  bench: 'tree',
  summary: "A base system from a distribution's own packages.",
  options: options
    .refine((o) => o.snapshot === undefined || o.mirror?.includes('{snapshot}') === true, {
      message: 'a snapshot needs a mirror whose URL has {snapshot} in it',
      path: ['snapshot'],
    })
    .refine((o) => o.snapshot !== undefined || `${o.mirror}${o.security}`.includes('{snapshot}') === false, {
      message: 'the URL has {snapshot} in it: name the moment with `snapshot`',
      path: ['mirror'],
    })
    .refine((o) => o.security === undefined || o.mirror !== undefined, {
      message: '`security` is used together with `mirror`; without one, this machine says where both are',
      path: ['security'],
    }),
  example: { distro: 'debian', suite: 'trixie', include: ['openssh-server'] },
  title: (o) => `${o.distro} ${o.suite}`,
  files: (o) => (o.keyring === undefined ? [] : [o.keyring]),
  tools: (o) => toolsFor(o),
  pin: (o, arch, ctx) => pinArchive(o, arch, ctx),
  epoch: (pin) => archiveOf(pin).epoch,
  fill: (o, request, tree, ctx) => fill(o, archiveOf(request.pin), tree, ctx),
});

function toolsFor({ distro, keyring }: Options): readonly Tool[] {
  const why = `checks the signatures of ${distro === 'debian' ? 'Debian' : 'Ubuntu'} packages`;
  const keys = { program: keyrings[distro], debian: `${distro}-archive-keyring`, why };
  const tool = { program: 'mmdebstrap', debian: 'mmdebstrap', why: 'makes base systems from packages' };
  return keyring === undefined ? [tool, keys] : [tool];
}

async function fill(o: Options, archive: Archive, tree: TreeSession, ctx: Context): Promise<void> {
  const keys = await placeKeys(o, tree, ctx);
  const sources = archive.sources.map(
    ({ uri, suite }) => `deb ${keys.option}${uri} ${suite} ${o.components.join(' ')}\n`,
  );
  const argv = mmdebstrapArgv(o, { ...tree, keyring: keys.folder }, sources.length === 0 ? undefined : '-');
  const proxy = tree.proxy === undefined ? {} : { http_proxy: tree.proxy };
  const env = { TMPDIR: tree.scratch, SOURCE_DATE_EPOCH: String(archive.epoch), ...proxy };
  await tree.run({ argv, env }, { stdin: sources.join('') }).catch(refuseUnsigned);
  // Of the build machine; from within it could not be removed, for its place is taken while scripts run.
  const resolver = `${tree.root}/etc/resolv.conf`;
  await tree.run({ argv: ['sh', '-c', '[ -L "$0" ] || rm -f "$0"', resolver] }, {});
  if (keys.own !== undefined) {
    const place = placeFileScript({ to: keys.inImage, owner: 'root:root', mode: '0644' });
    await tree.work.exec(place, { stdin: fileBytes(ctx.host.files, keys.own) });
  }
  await tree.work.exec(finishScript(o, archive, { arch: tree.arch, keyring: keys.inImage }));
}

/** The command line of mmdebstrap(1); `sources` is `-` to read them from stdin, or undefined for its own default. */
export function mmdebstrapArgv(
  o: Options,
  tree: Pick<TreeSession, 'arch' | 'root'> & { readonly keyring?: string | undefined },
  sources: string | undefined,
): [string, ...string[]] {
  const include = [...o.include, ...systemPackages(o, tree.arch)];
  const noDocs = [
    'path-exclude=/usr/share/doc/*',
    'path-include=/usr/share/doc/*/copyright',
    'path-exclude=/usr/share/man/*',
    'path-exclude=/usr/share/locale/*',
  ];
  return [
    'mmdebstrap',
    '--mode=root',
    '--format=directory',
    `--variant=${o.variant}`,
    `--architectures=${debianArch(tree.arch)}`,
    `--components=${o.components.join(',')}`,
    `--aptopt=APT::Install-Recommends "${o.recommends}"`,
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=Acquire::Retries "3"',
    '--aptopt=Acquire::Languages "none"',
    // The second takes away what apt trusts on this machine.
    ...(tree.keyring === undefined ? [] : [`--keyring=${tree.keyring}`, '--keyring=/dev/null']),
    ...(o.docs ? [] : noDocs.map((option) => `--dpkgopt=${option}`)),
    ...(include.length === 0 ? [] : [`--include=${include.join(',')}`]),
    '--',
    o.suite,
    tree.root,
    ...(sources === undefined ? [] : [sources]),
  ];
}

const kernels: Readonly<Record<Distro, Readonly<Record<'cloud' | 'generic', (arch: Arch) => string>>>> = {
  debian: {
    cloud: (arch) => `linux-image-cloud-${debianArch(arch)}`,
    generic: (arch) => `linux-image-${debianArch(arch)}`,
  },
  ubuntu: { cloud: () => 'linux-image-virtual', generic: () => 'linux-image-generic' },
};

/** The kernel and boot loader packages of an architecture. */
export function systemPackages(o: Pick<Options, 'distro' | 'kernel'>, arch: Arch): readonly string[] {
  if (o.kernel === 'none') return [];
  const loaders = platformsOf(arch).map((platform) => debianPackage[platform]);
  return [kernels[o.distro][o.kernel](arch), 'initramfs-tools', 'zstd', 'systemd-sysv', 'grub-common', ...loaders];
}

/** What mmdebstrap leaves of the build machine and of its own settings, put right. */
export function finishScript(
  o: Options,
  archive: Archive,
  { arch, keyring }: { readonly arch: Arch; readonly keyring: string },
): Script {
  const suite = archive.sources.length === 0 ? '' : sourcesText(archive, o.components, keyring);
  return {
    text: `set -eu
rm -f /etc/apt/apt.conf.d/99mmdebstrap
if [ -e /etc/dpkg/dpkg.cfg.d/99mmdebstrap ]; then mv /etc/dpkg/dpkg.cfg.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/90-no-docs; fi
if [ -n "$1" ] && [ -d /etc/apt ]; then
  rm -f /etc/apt/sources.list
  rm -rf /etc/apt/sources.list.d/*
  printf %s "$1" > "/etc/apt/sources.list.d/$2.sources"
fi
# Copies of this machine's own, one of them made by systemd-resolved.
rm -f /etc/hostname /etc/.resolv.conf.systemd-resolved.bak
echo "$2" > /etc/hostname
printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\t%s\\n::1\\tlocalhost ip6-localhost ip6-loopback\\nff02::1\\tip6-allnodes\\nff02::2\\tip6-allrouters\\n' "$2" > /etc/hosts
mkdir -p /etc/kernel
echo "root=LABEL=root ro console=tty0 console=$3" > /etc/kernel/cmdline
rm -rf /var/lib/apt/lists
mkdir -p /var/lib/apt/lists/partial
rm -f /var/cache/apt/*.bin /var/log/dpkg.log /var/log/apt/* /var/log/bootstrap.log /var/log/alternatives.log
`,
    args: [suite, o.distro, serialConsole[arch]],
  };
}
