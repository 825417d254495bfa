import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { isNinoShaped } from '../../../libs/core/identity/nino.ts';

/** Names of a header that a message shows. */
const NAMES_SHOWN_MAX = 60;

/** The names of a header line. Throws COLUMN_TWICE and COLUMN_MISSING, for columns that the mapping names. */
export function headerOf(record: readonly string[], columns: readonly string[], file: string): readonly string[] {
  const header = record.map((name) => name.trim());
  for (const column of columns) {
    const places = header.flatMap((name, index) => (name === column ? [index + 1] : []));
    if (places.length < 2) continue;
    const at = `columns ${places.slice(0, -1).join(', ')} and ${places.at(-1)}`;
    const message = `the header of ${file} names "${column}" twice (${at}): rename one of them, so that it is known which is meant`;
    throw new TallyError('COLUMN_TWICE', message, { file, places });
  }
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length > 0) throw missingColumns(file, missing, header);
  return header;
}

/** What to say where a file lacks columns: which it has, and which of those is meant by a name in another case. */
export function missingColumns(file: string, missing: readonly string[], header: readonly string[]): TallyError {
  if (header.some(looksLikeData)) {
    const message = `${file} has no header line: its first line is a row. Put the names of its columns above it`;
    return new TallyError('COLUMN_MISSING', message, { file, missing });
  }
  const named = missing.map((name) => {
    const like = header.find((other) => plain(other) === plain(name));
    return like === undefined ? `"${name}"` : `"${name}" (there is "${like}")`;
  });
  const shown = header.slice(0, NAMES_SHOWN_MAX).join(', ');
  const more = header.length > NAMES_SHOWN_MAX ? ` and ${header.length - NAMES_SHOWN_MAX} more` : '';
  const message = `${file} has no column ${named.join(', ')}; its columns are: ${shown}${more}. Name its own in the mapping file`;
  return new TallyError('COLUMN_MISSING', message, { file, missing, header });
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}

/** A file without a header begins with a person's row: a date, an amount, a NINO or an address of e-mail is no name of a column. */
function looksLikeData(name: string): boolean {
  return /^[£$€]?-?\d[\d.,/:\s-]*$/.test(name) || name.includes('@') || isNinoShaped(name);
}
