/** What the answer would be about: a strong tag without quotes, and the time of change. */
export type State = { readonly tag: string; readonly modifiedMs?: number };

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What conditions of a GET or HEAD say (RFC 9110, 13.2.2): 412, 304, or go on. Times count only when they are the same. */
export function judge(headers: Headers, state: State): 412 | 304 | undefined {
  const text = (name: string) => one(headers[name]);
  const [match, none] = [text('if-match'), text('if-none-match')];
  const time = modified(state);
  const since = text('if-modified-since');
  const unmodified = text('if-unmodified-since');
  if (match !== undefined) {
    if (!lists(match, state.tag, 'strong')) return 412;
  } else if (unmodified !== undefined && state.modifiedMs !== undefined) {
    const limit = Date.parse(unmodified);
    if (!Number.isNaN(limit) && Math.floor(state.modifiedMs / 1000) * 1000 > limit) return 412;
  }
  if (none !== undefined) return lists(none, state.tag, 'weak') ? 304 : undefined;
  // What stands under a name may become an older file again: later than is not enough.
  return since !== undefined && since === time ? 304 : undefined;
}

/** Whether a range may be sent: what the client has is of the same bytes. */
export function isSame(ifRange: string | undefined, state: State): boolean {
  return ifRange === undefined || ifRange === `"${state.tag}"` || ifRange === modified(state);
}

/** As Last-Modified says it. */
export function modified({ modifiedMs }: Pick<State, 'modifiedMs'>): string | undefined {
  return modifiedMs === undefined ? undefined : new Date(modifiedMs).toUTCString();
}

function lists(header: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  const tags = [...header.matchAll(/(W\/)?"([^"]*)"/g)];
  return tags.some(([, weak, found]) => found === tag && (comparison === 'weak' || weak === undefined));
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
