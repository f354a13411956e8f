// The test command: every check and every suite, none hidden by the failure of another.
//   node tools/test.ts [static] [unit] [machines] [nightly]      default: static unit machines
// The last line sums up all that ran: N passed, N failed, N skipped

import { checks } from './checks.ts';
import { add, type Count, closingLine, none, runCheck, runSuite } from './run.ts';

const suites = ['unit', 'machines', 'nightly'] as const;
const known: readonly string[] = ['static', ...suites];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`error: no such part: ${unknown.join(', ')}\n  hint: one of ${known.join(', ')}`);
  process.exit(2);
}
const parts = asked.length > 0 ? asked : ['static', 'unit', 'machines'];

let total: Count = none;
if (parts.includes('static')) {
  for (const check of checks) total = add(total, await runCheck(check));
}
for (const suite of suites) {
  if (parts.includes(suite)) total = add(total, await runSuite(suite));
}
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
