import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { checkVectorFile, type FileReport, vectorFilesBelow } from './check-vectors.ts';

/**
 * `npm run vectors -- FOLDER`: a line per file, the failures, how many cases each function of the product answered, what is not built, and last
 * the counts. Exits 1 if any failed, 2 for misuse.
 */
function main(folders: readonly string[]): number {
  const missing = folders.find((folder) => !existsSync(folder));
  if (folders.length === 0 || missing !== undefined) {
    console.error(missing === undefined ? 'usage: npm run vectors -- FOLDER…' : `no such folder: ${missing}`);
    return 2;
  }
  const reports = folders.flatMap((folder) => vectorFilesBelow(folder)).map(reported);
  const failed = sum(reports, ({ failed: cases }) => cases.length);
  for (const { file, failed: cases } of reports) {
    for (const { id, kind, differences } of cases) {
      console.log(`FAILED ${relative(process.cwd(), file)} ${id} (${kind})\n  ${differences.join('\n  ')}`);
    }
  }
  for (const [name, count] of added(reports, ({ answeredBy }) => answeredBy))
    console.log(`answered by ${name}: ${count}`);
  const notBuilt = added(reports, (report) => report.notBuilt);
  for (const [name, count] of notBuilt) console.log(`not built: ${name} (${count})`);
  const skipped = [...notBuilt.values()].reduce((total, count) => total + count, 0);
  console.log(`${sum(reports, ({ passed }) => passed)} passed, ${failed} failed, ${skipped} not built`);
  return failed === 0 ? 0 : 1;
}

function reported(file: string): FileReport {
  const report = checkVectorFile(file);
  const skipped = [...report.notBuilt.values()].reduce((total, count) => total + count, 0);
  console.log(
    `${relative(process.cwd(), file)}: ${report.passed} passed, ${report.failed.length} failed, ${skipped} not built`,
  );
  return report;
}

/** Counts by name over all files. */
function added(
  reports: readonly FileReport[],
  countsOf: (report: FileReport) => ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const report of reports) {
    for (const [name, count] of countsOf(report)) all.set(name, (all.get(name) ?? 0) + count);
  }
  return all;
}

function sum(reports: readonly FileReport[], count: (report: FileReport) => number): number {
  return reports.reduce((total, report) => total + count(report), 0);
}

process.exitCode = main(process.argv.slice(2));
