import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Column, columnNames } from '../mapping/read-mapping.ts';
import type { Row } from '../rows/read-rows.ts';

/** A place of the file: `line 3, column "price"`. */
export function placeIn(row: Row, of?: Column): string {
  const names = columnNames(of).map((name) => `"${name}"`);
  if (names.length === 0) return row.place;
  return `${row.place}, ${names.length === 1 ? 'column' : 'columns'} ${names.join(' and ')}`;
}

export function rowFault(row: Row, of: Column | undefined, code: string, message: string): TallyError {
  return new TallyError(code, `${placeIn(row, of)}: ${message}`, { line: row.line });
}

/** What `read` gives; what it throws names the place of the file. */
export function readAt<T>(row: Row, of: Column | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw rowFault(row, of, error.code, error.message);
  }
}

/** Throws ROW_UNREADABLE, and BADLY_DECODED where a value that is read has U+FFFD, the mark of a character that was lost. */
export function assertReadable(row: Row, columns: readonly string[]): void {
  if (row.fault !== undefined) throw rowFault(row, undefined, 'ROW_UNREADABLE', row.fault);
  const bad = columns.find((name) => row.values[name]?.includes('\uFFFD') === true);
  if (bad === undefined) return;
  const message = 'a character was lost when the file was made (U+FFFD is in its place): export it again, in UTF-8';
  throw rowFault(row, bad, 'BADLY_DECODED', message);
}
