/** GitHub refuses longer ones (125,000 characters). */
const mostCharacters = 120_000;

/**
 * The notes of a release with the section of each of these images written anew, or taken out where it is undefined.
 * What else stands in them, a person wrote: it stays.
 */
export function mergeNotes(body: string, sections: ReadonlyMap<string, string | undefined>): string {
  let notes = body.replaceAll('\r\n', '\n').trimEnd();
  for (const [stem, text] of sections) {
    const [begin, end] = marks(stem);
    const from = notes.indexOf(begin);
    const to = notes.indexOf(end, from);
    const section = text === undefined ? '' : `${begin}\n${text.trim()}\n${end}`;
    if (from !== -1 && to !== -1) notes = `${notes.slice(0, from)}${section}${notes.slice(to + end.length)}`;
    else if (section !== '') notes = `${notes}${notes === '' ? '' : '\n\n'}${section}`;
  }
  const tidy = notes.replaceAll(/\n{3,}/g, '\n\n').trim();
  return tidy.length <= mostCharacters ? tidy : `${tidy.slice(0, mostCharacters)}\n\n(shortened)`;
}

function marks(stem: string): readonly [begin: string, end: string] {
  return [`<!-- ingot:${stem} -->`, `<!-- /ingot:${stem} -->`];
}

/** The longest section, so that as many images as these fit. */
export function sectionOf(lines: readonly string[], images: number): string {
  const most = Math.floor(mostCharacters / Math.max(1, images)) - 200;
  const shown: string[] = [];
  for (let used = 0; shown.length < lines.length; ) {
    const line = lines[shown.length] ?? '';
    used += line.length + 1;
    if (used > most) break;
    shown.push(line);
  }
  const rest = lines.length - shown.length;
  if (rest > 0) shown.push('', `and ${rest} more lines: \`ingot diff --markdown\` shows them`);
  return shown.join('\n');
}
