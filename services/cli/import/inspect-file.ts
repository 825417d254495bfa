import { proposeMapping } from '../mapping/propose-mapping.ts';
import { type Row, readRows } from '../rows/read-rows.ts';

/** Rows that a proposal is made of. */
const ROWS_LOOKED_AT = 500;

/**
 * `tally import inspect FILE`: prints a mapping to begin with, and on standard error what a person has to say in it. No value of a row is
 * printed but words of payroll that are known. Throws what readRows throws.
 */
export async function inspectFile(file: string, { encoding }: { readonly encoding?: string }): Promise<void> {
  const names = new Set<string>();
  const rows: Row[] = [];
  for await (const row of readRows({ file, columns: [], encoding }, names)) {
    rows.push(row);
    if (rows.length === ROWS_LOOKED_AT) break;
  }
  const { mapping, notes } = proposeMapping(rows, [...names]);
  console.log(JSON.stringify(mapping, null, 2));
  for (const note of notes) process.stderr.write(`to be said: ${note}\n`);
}
