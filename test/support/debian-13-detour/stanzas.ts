/** A package in an index: its fields in their order (deb-control(5)); a value keeps its further lines. */
export type Stanza = ReadonlyMap<string, string>;

export function parseStanzas(text: string): readonly Stanza[] {
  return text
    .split('\n\n')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const fields = part.trim().split(/\n(?! )/);
      return new Map(fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 2)]));
    });
}

export function formatStanza(stanza: Stanza): string {
  return [...stanza].map(([name, value]) => `${name}: ${value}\n`).join('');
}

export function nameOf(stanza: Stanza): string {
  return stanza.get('Package') ?? '';
}

/** The names that one of each list is needed of. */
export function needsOf(stanza: Stanza): readonly (readonly string[])[] {
  return listOf(stanza.get('Depends')).map((either) => either.split('|').map(bare));
}

/** Its own name and those that it stands for. */
export function namesOf(stanza: Stanza): readonly string[] {
  return [nameOf(stanza), ...listOf(stanza.get('Provides')).map(bare)];
}

function listOf(value = ''): readonly string[] {
  return value.split(',').filter((part) => part.trim() !== '');
}

function bare(need: string): string {
  return need.trim().split(/[ (:]/)[0] ?? '';
}
