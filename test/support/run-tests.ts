import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CAPABILITY_NAMES, capability } from './capabilities.ts';
import { fetchServers } from './fetch-servers.ts';

/**
 * `npm test [-- FILTER …]`: everything that this machine can run. Prints what is skipped and why, and closes with `N passed, N failed`.
 * With REQUIRE_ALL=1 nothing may be skipped.
 */
const requireAll = process.env['REQUIRE_ALL'] === '1';
const missing: string[] = [];
for (const name of CAPABILITY_NAMES) {
  try {
    const found = capability(name);
    if (!found.available) missing.push(`${name}: ${found.reason}`);
  } catch (error) {
    console.error((error as Error).message);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}
console.log(`on Node.js ${process.version}`);
for (const line of missing) console.log(`tests that need it are skipped: ${line}`);
try {
  await fetchServers();
} catch (error) {
  console.error(error);
  if (requireAll) {
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tallystick-tests-'));
const report = join(folder, 'report.json');
const filters = process.argv.slice(2);
const vitest = spawn(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    // Of what passes a dot; of what fails all that it printed: a log that is cut short then still holds the failures.
    '--reporter=dot',
    '--silent=passed-only',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ],
  { stdio: 'inherit' },
);
vitest.on('exit', (status) => process.exit(summarise(status ?? 1)));

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function summarise(status: number): number {
  let result: Report;
  try {
    result = JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch {
    console.log('no report of the tests was written\n0 passed, 1 failed');
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const skipped = result.testResults.flatMap((file) =>
    file.assertionResults.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
  );
  for (const name of skipped) console.log(`skipped: ${name}`);
  for (const line of missing) console.log(`because of: ${line}`);
  // A suite that failed to load counts as a failure of its own: it has no failed test to show.
  const broken = result.testResults.filter((file) => file.assertionResults.length === 0);
  const brokenSuites = broken.length;
  for (const file of broken) tellFailure(file.name, '', file.message);
  for (const file of result.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') tellFailure(file.name, test.fullName, test.failureMessages.join('\n'));
    }
  }
  const failedBySkip = requireAll ? skipped.length : 0;
  const failed =
    result.numFailedTests +
    brokenSuites +
    failedBySkip +
    (status !== 0 && result.numFailedTests + brokenSuites === 0 ? 1 : 0);
  if (failedBySkip > 0) console.log(`${failedBySkip} skipped tests are failures here: REQUIRE_ALL=1`);
  console.log(`${result.numPassedTests} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** The last thing before the figures: what failed and its first words, where a reader of a long log looks first. */
function tellFailure(file: string, test: string, message: string): void {
  const first = message.split('\n').slice(0, 12).join('\n    ').slice(0, 1_500);
  console.log(`failed: ${relative(process.cwd(), file)}${test === '' ? '' : `: ${test}`}\n    ${first}`);
}
