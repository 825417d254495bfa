import { CsvError } from 'csv-parse';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { isSystemError, sentenceOfSystemError } from '../input/system-error.ts';

/** Characters of a line, or of a CSV record. */
export const LINE_CHARACTERS_MAX = 1_000_000;

/** The place that reading has come to. */
export interface Place {
  readonly file: string;
  /** The last line that was read, 0 before the first. */
  line: number;
  header: readonly string[] | null;
}

/** What the errors of csv-parse, zlib and the operating system mean, with file and line and without content; any other is given back. */
export function inputFault(error: unknown, place: Place): unknown {
  if (error instanceof TallyError) return error;
  if (error instanceof CsvError) return csvFault(error, place);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return damaged('ends in the middle of its gzip data', place, error);
  if (code.startsWith('Z_')) return damaged('is damaged gzip', place, error);
  if (isSystemError(error)) {
    const { file } = place;
    return new TallyError('FILE_UNREADABLE', sentenceOfSystemError(error, file), { file }, { cause: error });
  }
  return error;
}

export function lineTooLong({ file, line }: Place, why: string): TallyError {
  const next = line + 1;
  const most = LINE_CHARACTERS_MAX.toLocaleString('en-GB');
  return new TallyError('LINE_TOO_LONG', `${file}, line ${next}: longer than ${most} characters: ${why}`, {
    file,
    line: next,
  });
}

function csvFault(error: CsvError, place: Place): TallyError {
  const { file, line, header } = place;
  switch (error.code) {
    case 'CSV_MAX_RECORD_SIZE':
      return lineTooLong(place, 'is a quote opened there and never closed?');
    case 'CSV_QUOTE_NOT_CLOSED': {
      const opened = line + 1;
      const index = Number(error['column']);
      const name = header?.[index];
      const column = name === undefined ? '' : `, column "${name}"`;
      const message = `${file}: the quote opened on line ${opened}${column}, is never closed: close it, or write it twice where it is meant`;
      return new TallyError('QUOTE_NOT_CLOSED', message, { file, line: opened });
    }
    default:
      return new TallyError('FILE_DAMAGED', `${file}, after line ${line}: not CSV (${error.code})`, { file, line });
  }
}

function damaged(how: string, { file, line }: Place, cause: unknown): TallyError {
  const where = line === 0 ? 'before its first line' : `after line ${line}`;
  return new TallyError('FILE_DAMAGED', `${file} ${how}, ${where}: copy it again`, { file, line }, { cause });
}
