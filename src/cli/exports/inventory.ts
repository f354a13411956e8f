import type { RegistryDeployment, RegistryImage, RegistryView } from '../requests/registry.ts';
import { type At, deploymentEntry, imageEntry } from './entries.ts';

type HostVars = Readonly<Record<string, unknown>>;
type Group = { readonly hosts: readonly string[] };
export type Inventory = { readonly _meta: { readonly hostvars: Readonly<Record<string, HostVars>> } } & Readonly<
  Record<string, Group | { readonly hostvars: Readonly<Record<string, HostVars>> }>
>;

type Host = { readonly name: string; readonly groups: readonly string[]; readonly vars: HostVars };

/**
 * The registry as a dynamic inventory of Ansible: a host for each image and architecture, and one for each deployment,
 * in groups by image, architecture and target.
 */
export function inventory(view: RegistryView, at: At): Inventory {
  const hosts = hostsOf(view, at);
  const groups = new Map<string, string[]>([
    ['images', []],
    ['deployments', []],
  ]);
  for (const { name, groups: mine } of hosts) {
    for (const group of mine) groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    _meta: { hostvars: Object.fromEntries(hosts.map(({ name, vars }) => [name, vars])) },
    ...Object.fromEntries(sorted.map(([name, members]) => [name, { hosts: members }])),
  };
}

/** The variables of one host; none for one that is not there, which is what Ansible expects. */
export function hostVariables(view: RegistryView, at: At, host: string): HostVars {
  return hostsOf(view, at).find(({ name }) => name === host)?.vars ?? {};
}

function hostsOf(view: RegistryView, at: At): readonly Host[] {
  return [
    ...view.images.map((image) => imageHost(image, at)),
    ...view.deployments.map((one) => deploymentHost(one, view.images, at)),
  ];
}

function imageHost(image: RegistryImage, at: At): Host {
  const { name, arch } = image;
  return {
    name: `${name}.${arch}`,
    groups: ['images', groupName('image', name), groupName('arch', arch)],
    // It is no machine: what a play does for it happens where Ansible runs.
    vars: { ansible_connection: 'local', ingot_name: name, ingot_arch: arch, ...prefixed(imageEntry(image, at)) },
  };
}

function deploymentHost(one: RegistryDeployment, images: readonly RegistryImage[], at: At): Host {
  const { name, target, arch, address } = one;
  const newest = images.find((image) => image.name === name && (arch === undefined || image.arch === arch));
  const { path, url, digest } = newest === undefined ? {} : imageEntry(newest, at);
  const way = address === undefined ? { ansible_connection: 'local' } : { ansible_host: address };
  return {
    name: `${name}@${target}`,
    groups: [
      ...['deployments', groupName('image', name), groupName('target', target), groupName('type', one.type)],
      ...(arch === undefined ? [] : [groupName('arch', arch)]),
      ...(one.state === 'stale' ? ['stale'] : []),
    ],
    vars: {
      ...way,
      ...{ ingot_name: name, ingot_target: target },
      ...prefixed(deploymentEntry(one)),
      ...(newest === undefined ? {} : prefixed({ path, url, digest })),
    },
  };
}

function prefixed(entry: Readonly<Record<string, unknown>>): HostVars {
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [`ingot_${key}`, value]));
}

/** Ansible takes only the letters of a variable's name in that of a group. */
function groupName(kind: string, name: string): string {
  return `${kind}_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}
