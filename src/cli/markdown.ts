import type { Change, Difference } from './requests/trace.ts';
import { bytes, count, oneLine } from './text.ts';

const kernelPackage = /^(?:linux-image-|kernel(?:-core)?$|linux-(?:lts|virt)$|proxmox-kernel-)/;
const enabledUnit = /^\/etc\/systemd\/system\/[^/]+\.(?:wants|requires)\/([^/]+)$/;

/** A difference as a changelog for release notes (Markdown); the files are counted, not listed. */
export function markdownLines({ from, to, same, inputs, packages, files, sizes }: Difference): readonly string[] {
  const head = `## ${words(to.image)} ${to.arch}: ${to.at.slice(0, 10)}`;
  const release = from.release === undefined ? '' : `release ${words(from.release)}, `;
  const since = `Since ${release}build ${words(from.build)} of ${words(from.image)} (${from.at.slice(0, 10)}).`;
  if (same) return [head, '', since, '', 'The same bytes.'];
  const readable = sizes.map(({ name, from: before, to: after }) => ({
    name,
    ...(before === undefined ? {} : { from: bytes(Number(before)) }),
    ...(after === undefined ? {} : { to: bytes(Number(after)) }),
  }));
  const isKernel = ({ name }: Change) => kernelPackage.test(name);
  return [
    head,
    '',
    since,
    ...section('Kernel', packages.filter(isKernel)),
    ...section(
      'Packages',
      packages.filter((change) => !isKernel(change)),
    ),
    ...section('Services', services(files)),
    ...section('What went in', inputs),
    ...(files.length === 0 ? [] : ['', '### Files', '', counted(files)]),
    ...section('Sizes', readable),
  ];
}

function section(title: string, changes: readonly Change[]): readonly string[] {
  return changes.length === 0 ? [] : ['', `### ${title}`, '', ...changes.map((change) => `- ${line(change)}`)];
}

function line({ name, from, to }: Change): string {
  if (from === undefined) return `${words(name)} ${words(to ?? '')} (new)`;
  return to === undefined ? `${words(name)} ${words(from)} (removed)` : `${words(name)} ${words(from)} → ${words(to)}`;
}

function services(files: readonly Change[]): readonly Change[] {
  return files.flatMap(({ name, from, to }): readonly Change[] => {
    const [, unit] = enabledUnit.exec(name) ?? [];
    if (unit === undefined) return [];
    if (from === undefined) return [{ name: unit, to: 'enabled' }];
    return to === undefined ? [{ name: unit, from: 'enabled' }] : [];
  });
}

function counted(files: readonly Change[]): string {
  const fresh = files.filter(({ from }) => from === undefined).length;
  const gone = files.filter(({ to }) => to === undefined).length;
  return `${count(files.length - fresh - gone, 'file')} changed, ${fresh} new, ${gone} removed.`;
}

/** Text that Markdown takes as it is. */
function words(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
