import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** What nobody owns in a home where nothing runs: work, ledgers, half-written files and links. */
export async function leftovers(home: string): Promise<readonly string[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => relative(home, join(entry.parentPath, entry.name)));
  return paths.filter((path) => /^store\/work\/.|\/ledger\.|^builds\/.*-journal$|\.(partial|link|doomed)$/.test(path));
}
