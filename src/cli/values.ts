import { InvalidArgumentError } from 'commander';
import { type Arch, arches } from '../core/arch.ts';
import { isApiAddress, repositoryPattern } from '../core/repository.ts';

const otherNames: Readonly<Record<string, Arch>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** `x86_64`, `aarch64` and their Debian names, or `all`. */
export function archOrAll(text: string): Arch | 'all' {
  return text === 'all' ? text : archName(text);
}

/** `x86_64`, `aarch64` and their Debian names. */
export function archName(text: string): Arch {
  const arch = arches.find((one) => one === text) ?? otherNames[text];
  if (arch === undefined) throw new InvalidArgumentError(`Expected ${arches.join(' or ')}.`);
  return arch;
}

/** A whole number from 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}

const periods: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of `30d`, `12h`, `90m`, `2w`. */
export function period(text: string): number {
  const [, number, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const seconds = unit === undefined ? undefined : periods[unit];
  if (seconds === undefined) throw new InvalidArgumentError('Expected a time like 12h, 30d or 2w.');
  return Number(number) * seconds;
}

/** The name of a repository: `owner/name`. */
export function repositoryName(text: string): string {
  if (!repositoryPattern.test(text)) throw new InvalidArgumentError('Expected a repository like owner/name.');
  return text;
}

/** The address of an API that a token may be sent to. */
export function apiAddress(text: string): string {
  if (!isApiAddress(text)) throw new InvalidArgumentError('Expected an https address like https://HOST/api/v3.');
  return text;
}

const powers = 'KMGT';

/** Bytes of `500M`, `20G`, `1T`: powers of 1024, as the disk sizes of image files are. */
export function size(text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)([KMGT])(?:iB|i)?$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('Expected a size like 500M, 20G or 1T.');
  return Math.round(Number(number) * 1024 ** (powers.indexOf(unit) + 1));
}

/** What `debian-13` or `debian-13@<build id>` names. */
export function imageRef(text: string): { readonly image: string; readonly build?: string } {
  const at = text.indexOf('@');
  if (at === -1) return { image: text };
  const image = text.slice(0, at);
  const build = text.slice(at + 1);
  if (image === '' || build === '') throw new InvalidArgumentError('Expected IMAGE or IMAGE@BUILD.');
  return { image, build };
}

/** The address that artifacts are served at. */
export function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (!isPlain || url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('Expected an address like http://ingot.lan:8080.');
  }
  return text.replace(/\/+$/, '');
}

/** What a person calls a target. */
export function targetName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)) {
    throw new InvalidArgumentError('Expected a name of letters, digits, dots, dashes and underscores.');
  }
  return text;
}

/** A kind of target. */
export function kindName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) {
    throw new InvalidArgumentError('Expected a word of lower-case letters, digits and dashes, such as proxmox.');
  }
  return text;
}

/** What a target calls something: a number, a name, an address. */
export function deploymentId(text: string): string {
  if (!/^[^\s\x00-\x1f\x7f]{1,300}$/.test(text)) throw new InvalidArgumentError('Expected one word.');
  return text;
}

/** The name of a new project: also the name of its folder and its first image. */
export function projectName(text: string): string {
  const last = text.replace(/\/+$/, '').split('/').at(-1) ?? '';
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(last)) {
    throw new InvalidArgumentError('Expected a folder name of lower-case letters, digits, dots and dashes.');
  }
  return text;
}

/** The name of a new script: without folder and ending. */
export function scriptName(text: string): string {
  const name = text.replace(/\.sh$/, '');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    throw new InvalidArgumentError('Expected a name of letters, digits, dots, dashes and underscores.');
  }
  return name;
}

/** `--sha256`. */
export function hexDigest(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
  return text.toLowerCase();
}

/** The name of a console, as the kernel's command line has it. */
export function consoleName(text: string): string {
  if (/^[A-Za-z]+[A-Za-z0-9]*(?:,[0-9a-z]+)?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected a console such as tty0 or ttyS0,115200.');
}
