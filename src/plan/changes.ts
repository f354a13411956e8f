import type { Inputs } from '../core/plan.ts';

type Change = { readonly name: string; readonly from: string | undefined; readonly to: string | undefined };

const mostChanges = 4;
const digestForm = /^(?:sha(?:256|512):)?[0-9a-f]{64,128}$/;

/** What differs between the inputs of a step then and now, in plain words; empty when nothing does. */
export function changesOf(before: Inputs, now: Inputs): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  const changes = [...names].map((name) => ({ name, from: before[name], to: now[name] }));
  const changed = changes.filter(({ from, to }) => from !== to);
  const values = changed.filter(
    ({ name, from, to }) => /^(pin|site) /.test(name) && from !== undefined && to !== undefined,
  );
  const options = changed.filter((change) => change.name.startsWith('options') && !isExplained(change, values));
  const words = [
    ...changed.flatMap((change) => kindWords(change)),
    ...changed.flatMap((change) => imageWords(change)),
    ...changed.flatMap((change) => fileWords(change, options.length > 0)),
    ...values.map(({ name, from, to }) => `${name} ${shown(from)} -> ${shown(to)}`),
    ...optionWords(options, before, now),
    ...changed.flatMap((change) => nameWords(change, options.length > 0)),
  ];
  if (words.length === 0 && changed.length > 0) return ['its inputs changed'];
  return words.length <= mostChanges
    ? words
    : [...words.slice(0, mostChanges - 1), `and ${words.length - mostChanges + 1} more changes`];
}

function kindWords({ name, from, to }: Change): readonly string[] {
  return name === 'kind version' ? [`this version of Ingot does it another way (${from ?? '?'} -> ${to ?? '?'})`] : [];
}

/** Another name of an image stands among the options too. */
function imageWords({ name, from, to }: Change): readonly string[] {
  if (!name.startsWith('image ') || from === undefined || to === undefined) return [];
  return [`${name.slice('image '.length)} changed (key ${short(from)} -> ${short(to)})`];
}

function fileWords({ name, from, to }: Change, optionsChanged: boolean): readonly string[] {
  if (!name.startsWith('file ')) return [];
  const path = name.slice('file '.length);
  if (from !== undefined && to !== undefined) return [`${path} changed (${short(from)} -> ${short(to)})`];
  // Another path among the options says the same.
  if (optionsChanged) return [];
  return [from === undefined ? `${path} is new` : `${path} is no longer used`];
}

/** Pins, site values and secrets that come or go. */
function nameWords({ name, from, to }: Change, optionsChanged: boolean): readonly string[] {
  const isSecret = name.startsWith('secret ');
  const comesOrGoes = (from === undefined) !== (to === undefined);
  if (!comesOrGoes || !(isSecret || (/^(pin|site) /.test(name) && !optionsChanged))) return [];
  return [from === undefined ? `${name} is new` : `${name} is no longer used`];
}

/** Options by their name; the entries of one list together. */
function optionWords(options: readonly Change[], before: Inputs, now: Inputs): readonly string[] {
  const lists = new Set(options.map(({ name }) => listOf(name)).filter((list) => list !== undefined));
  const single = options.filter(({ name }) => listOf(name) === undefined);
  return [
    ...[...lists].map((list) => `${label(list)}: ${listWords(entries(before, list), entries(now, list))}`),
    ...single.map(({ name, from, to }) => `${label(name)}${valueWords(from, to)}`),
  ];
}

function valueWords(from: string | undefined, to: string | undefined): string {
  if (isLong(from) || isLong(to)) return ' changed';
  if (from === undefined) return `: + ${shown(to)}`;
  return to === undefined ? `: - ${shown(from)}` : `: ${shown(from)} -> ${shown(to)}`;
}

function listWords(before: readonly string[], now: readonly string[]): string {
  const added = without(now, before).map((entry) => `+ ${shown(entry)}`);
  const removed = without(before, now).map((entry) => `- ${shown(entry)}`);
  const words = [...added, ...removed];
  if (words.length === 0) return 'another order';
  return words.length <= 6 ? words.join(', ') : `${words.slice(0, 5).join(', ')} and ${words.length - 5} more`;
}

function without(list: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other];
  return list.filter((entry) => {
    const at = left.indexOf(entry);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** `options.install` of `options.install.0`; undefined for what is no entry of a list of single values. */
function listOf(name: string): string | undefined {
  return /^(options.*)\.\d+$/.exec(name)?.[1] ?? undefined;
}

function entries(inputs: Inputs, list: string): readonly string[] {
  return Object.entries(inputs).flatMap(([name, value]) => (listOf(name) === list ? [value] : []));
}

/** An option that changed only because a pin or site value in it did. */
function isExplained({ from, to }: Change, values: readonly Change[]): boolean {
  if (from === undefined || to === undefined) return false;
  const replayed = values.reduce((text, value) => text.replaceAll(value.from ?? '', () => value.to ?? ''), from);
  return values.length > 0 && replayed === to;
}

function label(name: string): string {
  const option = name.replace(/^options\.?/, '');
  return option === '' ? 'options' : `option ${option}`;
}

function isLong(value: string | undefined): boolean {
  return value !== undefined && !digestForm.test(value) && (value.length > 60 || value.includes('\n'));
}

function shown(value: string | undefined): string {
  const line = (value ?? '').replaceAll(/\s+/g, ' ');
  if (digestForm.test(line)) return short(line);
  return line === '' ? '""' : line.length <= 60 ? line : `${line.slice(0, 57)}...`;
}

function short(hash: string): string {
  const [, name = '', digits = hash] = /^(sha\d+:)?(.*)$/.exec(hash) ?? [];
  return digits.length > 8 ? `${name}${digits.slice(0, 4)}..` : hash;
}
