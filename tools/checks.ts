import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { runNode, type StaticCheck } from './run.ts';

/** What is checked without running the program. */
export const checks: readonly StaticCheck[] = [
  program('format and lint', 'node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
  program('lint with types', 'node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'),
  program('types', 'node_modules/typescript7/bin/tsc', '-p', '.'),
  program('dead code', 'node_modules/knip/bin/knip.js', '--no-progress'),
  { name: 'import directions', run: importDirections },
  { name: 'lockfile', run: async () => lockfileProblems(await readFile('package-lock.json', 'utf8')).join('\n') },
  { name: 'words', run: leftovers },
];

function program(name: string, ...argv: readonly string[]): StaticCheck {
  return {
    name,
    run: async () => {
      const { exitCode, output } = await runNode(argv);
      return exitCode === 0 ? '' : output || `exit code ${exitCode}`;
    },
  };
}

/** dependency-cruiser, and the proof that it saw every source file: where it cannot parse, it sees none and is content. */
async function importDirections(): Promise<string> {
  const sources = globSync('{src,tools}/**/*.ts');
  const { output } = await runNode([
    'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'tools'],
  ]);
  return cruiseProblems(output, sources).join('\n');
}

type Cruise = {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
      readonly cycle?: readonly { readonly name: string }[];
    }[];
  };
};

/** One line for each broken rule and for each source file that was not looked at. */
export function cruiseProblems(report: string, sources: readonly string[]): string[] {
  if (!report.startsWith('{')) return [report];
  const { modules, summary } = JSON.parse(report) as Cruise;
  const seen = new Set(modules.map((module) => module.source));
  const unseen = sources.filter((file) => !seen.has(file)).map((file) => `not cruised: ${file}`);
  const broken = summary.violations.map((violation) => {
    const way = violation.cycle?.map((step) => step.name) ?? [violation.to];
    return `${violation.rule.name}: ${[violation.from, ...way].join(' -> ')}`;
  });
  return [...unseen, ...(sources.length === 0 ? ['no source files found'] : []), ...broken];
}

type Lock = {
  readonly packages: Readonly<
    Record<
      string,
      { readonly optionalDependencies?: Readonly<Record<string, string>>; readonly [field: string]: unknown }
    >
  >;
};

/**
 * `npm ci` refuses a lockfile that lacks an optional package of any platform, and npm writes such ones where a registry
 * does not serve it; the address of a registry belongs to the machine, not to the lockfile.
 */
export function lockfileProblems(text: string): string[] {
  const { packages } = JSON.parse(text) as Lock;
  return Object.entries(packages).flatMap(([path, entry]) => {
    const wanted = Object.keys(entry.optionalDependencies ?? {});
    const missing = wanted.filter((name) => !foundFrom(path, name, packages));
    const addressed = typeof entry['resolved'] === 'string' && /^https?:/.test(entry['resolved']);
    return [
      ...missing.map((name) => `${path || 'the project'}: no entry for its optional dependency ${name}`),
      ...(addressed ? [`${path}: has a registry's address`] : []),
    ];
  });
}

/** The way Node looks a package up: beside the asker, then in each folder above. */
function foundFrom(path: string, name: string, packages: Lock['packages']): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

/** Notes to ourselves do not stay in the tree. */
async function leftovers(): Promise<string> {
  const files = globSync('{src,tools,test,bench,catalog,examples,docs}/**/*.{ts,md,yaml,sh}');
  const found = await Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(file, 'utf8')).split('\n');
      return lines.flatMap((line, index) => (isLeftover(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []));
    }),
  );
  return found.flat().join('\n');
}

/** A note of work not done. */
export function isLeftover(line: string): boolean {
  return new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].join('|')})\\b`).test(line);
}
