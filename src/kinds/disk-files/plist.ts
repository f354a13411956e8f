import { escapeXml } from './ovf.ts';

export type Plist = boolean | number | string | readonly Plist[] | { readonly [key: string]: Plist };

/** A property list of macOS as XML; numbers are whole. */
export function plistText(value: Plist): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${element(value, '')}
</plist>
`;
}

function element(value: Plist, indent: string): string {
  const inner = `${indent}\t`;
  if (typeof value === 'boolean') return `${indent}<${value}/>`;
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>`;
  if (typeof value === 'string') return `${indent}<string>${escapeXml(value)}</string>`;
  if (Array.isArray(value))
    return enclose(
      'array',
      value.map((one: Plist) => element(one, inner)),
      indent,
    );
  const members = Object.entries(value).map(
    ([key, one]) => `${inner}<key>${escapeXml(key)}</key>\n${element(one, inner)}`,
  );
  return enclose('dict', members, indent);
}

function enclose(name: string, members: readonly string[], indent: string): string {
  if (members.length === 0) return `${indent}<${name}/>`;
  return `${indent}<${name}>\n${members.join('\n')}\n${indent}</${name}>`;
}
