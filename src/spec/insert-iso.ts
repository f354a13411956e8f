import { isDeepStrictEqual } from 'node:util';
import { parseDocument, stringify } from 'yaml';

/**
 * The text of `isos.yaml` with an entry more, at its end; every other byte stays. Undefined where the file is not
 * written as a map of one entry below another.
 */
export function insertIso(
  text: string,
  name: string,
  entry: Readonly<Record<string, unknown>>,
): { readonly text: string; readonly line: number } | undefined {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text === '' || text.endsWith('\n') ? text : `${text}${end}`;
  const block = stringify({ [name]: entry }, { lineWidth: 0 }).replaceAll('\n', end);
  const gap = before.trim() === '' || before.endsWith(`${end}${end}`) ? '' : end;
  const changed = `${before}${gap}${block}`;
  const [old, now] = [before, changed].map((one) => {
    const document = parseDocument(one, { logLevel: 'silent' });
    return document.errors.length > 0 ? undefined : ((document.toJS() ?? {}) as unknown);
  });
  if (typeof old !== 'object' || !isDeepStrictEqual({ ...old, [name]: entry }, now)) return undefined;
  return { text: changed, line: `${before}${gap}`.split('\n').length };
}
