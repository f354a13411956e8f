import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { type BootFile, bootState, newestKernel } from '../guest/boot-files.ts';
import { type BootEntry, firstEntry, grubEnvironment, grubMenu } from '../qemu/boot-entry.ts';
import { type ImageFiles, openImage } from '../qemu/image-files.ts';
import { type DiskLayer, initrdFile, kernelFile } from '../store/layers.ts';
import { hasReadableFacts } from './disk-facts.ts';

/** What is to be known of a disk for booting a guest from it and getting in. */
export type Inside = Pick<DiskLayer, 'cloudInit' | 'kernel' | 'direct' | 'readable'>;

/**
 * Look into a raw disk. Where a guest can be booted by its kernel directly and let us in without cloud-init, that
 * kernel and its initial RAM disk are copied to `folder`. Where the file system cannot be read, cloud-init is taken to
 * be there.
 */
export async function lookInside(raw: string, folder: string, ctx: Context): Promise<Inside> {
  const image = await openImage(raw, ctx).catch((error: unknown) => {
    if (error instanceof IngotError && error.code === 'CHECK_FAILED') return undefined;
    throw error;
  });
  if (image === undefined) return { cloudInit: true };
  const cloudInit = await takesSeeds(image);
  const boot = await filesIn(image, '/boot');
  const kernel = newestKernel(boot);
  const entry = cloudInit ? await directEntry(image, kernel) : undefined;
  if (entry !== undefined) {
    await image.copy(entry.kernel, kernelFile(folder));
    await image.copy(entry.initrd, initrdFile(folder));
  }
  return {
    ...{ cloudInit, readable: await hasReadableFacts(raw, ctx) },
    ...(kernel === undefined ? {} : { kernel }),
    ...(entry === undefined ? {} : { direct: await directBoot(image, entry, boot) }),
  };
}

/**
 * Whether there is a cloud-init that looks for seeds. After its installation Ubuntu's has yet to make the users, from a file
 * that rules out every other source (subiquity): it is left to that, and sealing takes the file away.
 */
async function takesSeeds(image: ImageFiles): Promise<boolean> {
  const isThere = (await image.list('/usr/bin')).some(({ name }) => name === 'cloud-init');
  return isThere && !(await names(image, ['/etc/cloud/cloud.cfg.d'])).includes('99-installer.cfg');
}

async function filesIn(image: ImageFiles, folder: string): Promise<readonly BootFile[]> {
  const entries = (await image.list(folder)).filter(({ kind }) => kind === 'file');
  return entries.map(({ name, changed }) => ({ path: `${folder}/${name}`.replace('//', '/'), changed }));
}

async function directBoot(image: ImageFiles, entry: BootEntry, boot: readonly BootFile[]) {
  const paths = [entry.kernel, entry.initrd, grubMenu];
  const folders = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/')) || '/'))];
  const around = (await Promise.all(folders.map((folder) => filesIn(image, folder)))).flat();
  const watched = around.filter(({ path }) => paths.includes(path));
  return { cmdline: entry.cmdline, paths, state: bootState([...boot, ...watched]) };
}

/** What GRUB would start, where systemd takes our keys from the machine and the network from the kernel's command line. */
async function directEntry(image: ImageFiles, kernel: string | undefined): Promise<BootEntry | undefined> {
  const entry = firstEntry((await image.readText(grubMenu)) ?? '', await image.readText(grubEnvironment));
  if (entry === undefined || kernel === undefined) return undefined;
  // A link leads to the newest one.
  const isNewest = entry.kernel.endsWith(`-${kernel}`) || entry.kernel.endsWith('/vmlinuz');
  const fits = isNewest && (await takesCredentials(image, kernel)) && (await letsUsIn(image));
  return fits ? entry : undefined;
}

const libraries = ['/usr/lib/systemd', '/usr/lib/x86_64-linux-gnu/systemd', '/usr/lib/aarch64-linux-gnu/systemd'];

/** systemd takes credentials from SMBIOS since version 252; a module of the kernel reads them. */
async function takesCredentials(image: ImageFiles, kernel: string): Promise<boolean> {
  const found = (await names(image, libraries)).map((name) => /^libsystemd-shared-(\d+)/.exec(name)?.[1]);
  const isNew = found.some((version) => Number(version ?? 0) >= 252);
  const modules = `/usr/lib/modules/${kernel}`;
  const reader = await names(image, [`${modules}/kernel/drivers/firmware`]);
  if (!isNew || reader.some((name) => name.startsWith('dmi-sysfs.ko'))) return isNew;
  return (await image.readText(`${modules}/modules.builtin`))?.includes('/dmi-sysfs.ko') === true;
}

const targets = ['multi-user', 'sysinit', 'sockets'].map((target) => `/etc/systemd/system/${target}.target.wants`);
/** They take `ip=` from the command line, and name servers from DHCP. */
const network = ['systemd-network-generator', 'systemd-networkd', 'systemd-resolved'].map((name) => `${name}.service`);
const ssh = ['ssh.service', 'sshd.service', 'ssh.socket'];

async function letsUsIn(image: ImageFiles): Promise<boolean> {
  const enabled = await names(image, targets);
  const config = (await image.readText('/etc/ssh/sshd_config')) ?? '';
  const readsOurs = /^\s*Include\s+\/etc\/ssh\/sshd_config\.d\/\*\.conf\s*$/m.test(config);
  return readsOurs && network.every((unit) => enabled.includes(unit)) && ssh.some((unit) => enabled.includes(unit));
}

async function names(image: ImageFiles, folders: readonly string[]): Promise<readonly string[]> {
  return (await Promise.all(folders.map((folder) => image.list(folder)))).flat().map(({ name }) => name);
}
