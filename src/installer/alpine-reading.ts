import { readInstall } from './alpine-install.ts';
import { canonical, type HashedAnswers } from './answers.ts';
import { type Deed, readCarried } from './finish.ts';
import type { Reading } from './format.ts';
import { asPasswordHash } from './password.ts';
import { notOurs } from './refusals.ts';

/** What an answer file of ours says, with the program that runs it. */
export function readAlpine(file: string, text: string, install: string): Reading {
  const values = variablesIn(text);
  const program = readInstall(install);
  const deeds = readCarried(program?.words ?? '');
  if (values === undefined) throw notOurs(file, 'it holds more than variables');
  if (program === undefined || deeds === undefined) throw notOurs(file, 'it comes with another program');
  const disk = {
    ...(program.device === '' ? {} : { device: program.device }),
    filesystem: program.filesystem as HashedAnswers['disk']['filesystem'],
  };
  return {
    answers: canonical({
      ...systemIn(values, deeds),
      ...accountsIn(values, deeds),
      disk,
      'kernel-args': [...program.args],
    }),
    extra: {
      postInstall: deeds.flatMap((deed) => (deed.do === 'script' ? [{ name: deed.name, text: deed.text }] : [])),
      powerOff: program.powerOff,
      ...(program.hasMedium ? { medium: { offline: false } } : {}),
    },
  };
}

const assignment = /([A-Z]+)=('[^']*'|"[^"]*"|[A-Za-z0-9_./:=@%+,-]+)\n/y;

/** Variables of a text that is nothing but assignments, each once; undefined for another. */
function variablesIn(text: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const found of text.matchAll(new RegExp(assignment, 'gy'))) {
    const [, name = '', value = ''] = found;
    if (values.has(name)) return undefined;
    values.set(name, value.replace(/^(['"])([\s\S]*)\1$/, '$2'));
  }
  const read = [...text.matchAll(new RegExp(assignment, 'gy'))].reduce((sum, [all]) => sum + all.length, 0);
  return read === text.length ? values : undefined;
}

type Values = ReadonlyMap<string, string>;

function systemIn(
  values: Values,
  deeds: readonly Deed[],
): Omit<HashedAnswers, 'user' | 'root' | 'disk' | 'kernel-args'> {
  const said = (name: string) => values.get(name) ?? '';
  const [, hostname = '', domain] = /^([^.]*)(?:\.(.*))?$/.exec(said('HOSTNAMEOPTS')) ?? [];
  const [, layout = '', variant] = /^(\S+) \1(?:-(\S+))?$/.exec(said('KEYMAPOPTS')) ?? [];
  const proxy = said('PROXYOPTS');
  const layouts = variant === undefined ? layout : `${layout}(${variant})`;
  return {
    hostname,
    domain,
    timezone: said('TIMEZONEOPTS'),
    locale: deeds.flatMap((deed) => (deed.do === 'locale' ? deed.locale : []))[0] ?? '',
    keyboard: said('KEYMAPOPTS') === 'none' ? 'us' : layouts,
    packages: deeds.flatMap((deed) => (deed.do === 'packages' ? deed.names : [])),
    network: networkIn(values),
    mirror: /^(http\S*)\/\$INGOT_BRANCH\/main /.exec(said('APKREPOSOPTS'))?.[1],
    proxy: proxy === 'none' ? undefined : proxy,
  };
}

function networkIn(values: Values): HashedAnswers['network'] {
  const text = values.get('INTERFACESOPTS') ?? '';
  const found = /\niface (\S+) inet6? static\n\taddress (\S+)\n\tgateway (\S+)\n$/.exec(text);
  if (found === null) return 'dhcp';
  const [, face = '', address = '', gateway = ''] = found;
  const dns = (values.get('DNSOPTS') ?? '').replace(/^-d \S+ /, '').split(' ');
  return { address, gateway, dns, ...(face === 'eth0' ? {} : { interface: face }) };
}

function accountsIn(values: Values, deeds: readonly Deed[]): Pick<HashedAnswers, 'user' | 'root'> {
  const account = (name: string) => {
    const hashes = deeds.flatMap((deed) => (deed.do === 'password' && deed.user === name ? deed.hash : []));
    const keys = deeds.flatMap((deed) => (deed.do === 'keys' && deed.user === name ? deed.keys : []));
    return { password: asPasswordHash(hashes[0] ?? ''), 'ssh-keys': keys };
  };
  const options = values.get('USEROPTS') ?? 'none';
  const name = options.split(' ').at(-1) ?? '';
  if (options === 'none') return { root: account('root') };
  return { root: account('root'), user: { name, ...account(name), sudo: deeds.some((deed) => deed.do === 'sudo') } };
}
