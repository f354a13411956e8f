import type { Script } from './script.ts';

/** Prints os-release(5), and Debian's point release, which it does not say. */
export const osReleaseScript: Script = {
  text: `cat /etc/os-release 2>/dev/null
if [ -r /etc/debian_version ]; then printf 'DEBIAN_VERSION=%s\\n' "$(cat /etc/debian_version)"; fi
exit 0
`,
};

/** The assignments of os-release(5) as names and values, quotes taken off. */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    values[name] = value.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(["'$`\\])/g, '$1');
  }
  return values;
}
