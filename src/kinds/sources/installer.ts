import { join } from 'node:path';
import { appendToInitrd } from '../../core/cpio.ts';
import type { InstallRequest } from '../../core/install.ts';
import { type DiskFile, defineSource, type SourceContext, type SourceRequest, type Tool } from '../../core/kinds.ts';
import type { Delivery, MediumContext, MediumRequest, Unattended } from '../../core/media.ts';
import { answersSecretsIn } from '../../installer/answers.ts';
import { formatOf } from '../../installer/formats.ts';
import { passwordTools } from '../../installer/password.ts';
import { joinWords } from '../../iso/boot-line.ts';
import { keystrokes } from '../../qemu/typing.ts';
import { serialConsole } from '../../tree/seal.ts';
import { makeAnswerFiles } from './installer/answer-files.ts';
import { followWords } from './installer/follow.ts';
import { asksForIso, baseOfIso, bringMedia, type Media, pinIso, projectFilesOfIso } from './installer/media.ts';
import { type InstallerOptions, installerOptions, ownFileOf, waysOf } from './installer/options.ts';
import { makeRepository, pinRepository, repositoryTools } from './installer/repository.ts';
import { writeSeedDisk } from './installer/seed-disk.ts';

/**
 * A system that a vendor's own installer installs from its ISO, with all questions answered beforehand. The installed
 * disk is the first layer: later steps never install again.
 */
export const installer = defineSource<InstallerOptions>({
  name: 'installer',
  version: 1,
  bench: 'guest',
  summary: "A vendor's installer, run unattended from its ISO or netboot files.",
  options: installerOptions,
  example: {
    iso: 'debian-13-netinst',
    answers: { hostname: 'dev', disk: 'whole', packages: ['openssh-server', 'sudo'] },
  },
  title: (o) => `install ${o.iso.name}`,
  isosIn: [['iso']],
  secretsIn: [...answersSecretsIn.map((path) => ['answers', ...path]), ['values', '*']],
  aside: ['time-limit', 'silence-limit', 'medium'],
  installs: true,
  files: (o) => [ownFileOf(o), ...o['post-install'], ...projectFilesOfIso(o.iso)].filter((path) => path !== undefined),
  tools: (o) => toolsFor(o),
  asks: (o) => asksForIso(o.iso),
  pin: (o, _, ctx) => pinIso(o.iso, ctx),
  base: (o, pin) => baseOfIso(o.iso, pin),
  disk: (o, request, ctx) => install(o, request, ctx),
  medium: {
    iso: (o) => o.iso,
    deliveries: (o) => formatOf(o.iso.distribution).deliveries,
    carried: ({ medium }) => medium,
    pinCarried: (o, request, ctx) => pinRepository(o, request, ctx),
    repository: (o, request, ctx) => makeRepository(o, request, ctx),
    unattended,
  },
});

function toolsFor(o: InstallerOptions): readonly Tool[] {
  const hasPassword = o.answers?.user?.password !== undefined || o.answers?.root?.password !== undefined;
  const isIso = typeof o.iso.kernel !== 'object';
  return [
    ...(isIso ? [{ program: 'xorriso', debian: 'xorriso', why: "takes the installer's kernel out of its ISO" }] : []),
    ...(waysOf(o)[0] === 'seed' ? seedTools : []),
    ...(hasPassword ? passwordTools : []),
    ...(o.medium?.offline === true ? repositoryTools : []),
    ...formatOf(o.iso.distribution).tools,
  ];
}

const seedTools: readonly Tool[] = [
  { program: 'mformat', debian: 'mtools', why: 'makes the disk that answers come on' },
  { program: 'mcopy', debian: 'mtools', why: 'makes the disk that answers come on' },
];

async function unattended(o: InstallerOptions, request: MediumRequest, ctx: MediumContext): Promise<Unattended> {
  const format = formatOf(o.iso.distribution);
  const { delivery, image, console, powerOff = false, carries = false } = request;
  const { files, answers } = await makeAnswerFiles(o, { image, powerOff, carries }, ctx);
  const boot = { ...(answers === undefined ? {} : { answers }), ...(console === undefined ? {} : { console }) };
  const label = delivery.by === 'medium' ? delivery.label : undefined;
  const onIso = format.onMedium?.(files, delivery);
  return {
    words: [...o['kernel-args'], ...format.words(delivery, boot)],
    ownWords: format.ownWords(label === undefined ? {} : { label }),
    files: format.parcel(files, delivery),
    ...(onIso === undefined ? {} : { onIso }),
    ...(format.seed === undefined ? {} : { label: format.seed.label }),
  };
}

async function install(o: InstallerOptions, { arch, pin }: SourceRequest, ctx: SourceContext): Promise<DiskFile> {
  const [way] = waysOf(o);
  if (way === undefined || way === 'medium') throw new Error('no way for the answers');
  const format = formatOf(o.iso.distribution);
  const { files, answers } = await makeAnswerFiles(o, { image: ctx.name, powerOff: true }, ctx);
  const deliveryAt = (url: string): Delivery => (way === 'url' ? { by: way, url } : { by: way });
  const media = await bringMedia(o, { pin, onIso: format.onMedium?.(files, deliveryAt('')) }, ctx);
  const boot = { ...(answers === undefined ? {} : { answers }), console: serialConsole[arch] };
  const words = (url: string) =>
    joinWords(format.ownWords(media.label === undefined ? {} : { label: media.label }), [
      ...[...followWords[format.name], ...o['kernel-args']],
      ...format.words(deliveryAt(url), boot),
    ]);
  const parcel = format.parcel(files, deliveryAt(''));
  const carried = await carry(way, parcel, { media, label: format.seed?.label ?? '' }, ctx);
  const keys = o['boot-command'];
  const [limit, silence] = [o['time-limit'], o['silence-limit']];
  return ctx.install({
    words,
    ...carried,
    attached: [...carried.attached, ...(media.iso === undefined ? [] : [{ path: media.iso, as: 'cdrom' } as const])],
    ...(keys === undefined ? {} : { typing: (url: string) => keystrokes(keys, url) }),
    ...(limit === undefined ? {} : { limitMs: limit }),
    ...(silence === undefined ? {} : { silenceMs: silence }),
  });
}

type Carried = Pick<InstallRequest, 'kernel' | 'serve' | 'attached'>;

/** Bring the answers on their way; the last thing before the installer is started. */
async function carry(
  way: 'initrd' | 'seed' | 'url',
  parcel: ReadonlyMap<string, string | Uint8Array>,
  given: { readonly media: Media; readonly label: string },
  ctx: SourceContext,
): Promise<Carried> {
  const { boot } = given.media;
  const kernel = boot === undefined ? {} : { kernel: { file: boot.kernel, initrd: boot.initrd } };
  if (way === 'url') return { ...kernel, serve: parcel, attached: [] };
  if (way === 'seed') {
    const path = await writeSeedDisk(parcel, given.label, ctx);
    return { ...kernel, attached: [{ path, as: 'disk' }] };
  }
  if (boot === undefined) throw new Error('there is no initrd to put the answers into');
  const initrd = join(ctx.folder, 'installer-initrd-with-answers');
  const bytes = appendToInitrd(await ctx.host.files.read(boot.initrd), parcel);
  await ctx.host.files.write(initrd, bytes, 0o600);
  return { kernel: { file: boot.kernel, initrd }, attached: [] };
}
