import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { openInput } from '../input/open-input.ts';
import { inputFault, LINE_CHARACTERS_MAX, lineTooLong, type Place } from './input-fault.ts';

/** One row of an input file: its values by column name, and the line of the file that it begins on. */
export interface Row {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
  /** Set where the line could not be read at all; values is then empty. */
  readonly fault?: string;
}

type RowFormat = 'csv' | 'jsonl';

/** Characters of a column's name that a message shows. */
const NAME_SHOWN_MAX = 40;

/**
 * Rows of a CSV (with a header line) or JSON-lines file, plain or gzip (told by its first bytes), streamed: memory does not grow with the file.
 * Throws FILE_UNREADABLE, FILE_EMPTY, FILE_NOT_TEXT, FILE_DAMAGED, FILE_INFLATES, LINE_TOO_LONG and QUOTE_NOT_CLOSED, each with the line where
 * there is one and never with content, and COLUMN_MISSING where the header lacks a column that the mapping names.
 */
export async function* readRows(file: string, columns: readonly string[]): AsyncGenerator<Row> {
  const place: Place = { file, line: 0, header: null };
  try {
    const format = await formatOf(file);
    const stream = await openInput(file);
    yield* format === 'csv' ? readCsv(stream, columns, place) : readJsonLines(stream, place);
  } catch (error) {
    throw inputFault(error, place);
  }
}

/** JSON lines where the first character of the (decompressed) file is `{`, otherwise CSV. */
async function formatOf(file: string): Promise<RowFormat> {
  const stream = await openInput(file);
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      if (bytes.includes(0))
        throw new TallyError('FILE_NOT_TEXT', `${file} is not text in UTF-8: export it again as CSV in UTF-8`, {
          file,
        });
      const text = bytes
        .toString('utf8')
        .replace(/^\uFEFF/, '')
        .trimStart();
      if (text !== '') return text.startsWith('{') ? 'jsonl' : 'csv';
    }
  } finally {
    stream.destroy();
  }
  throw new TallyError('FILE_EMPTY', `${file} is empty: expected CSV with a header line, or one JSON object a line`, {
    file,
  });
}

async function* readCsv(stream: Readable, columns: readonly string[], place: Place): AsyncGenerator<Row> {
  const { file } = place;
  let header: string[] | null = null;
  const parser = stream.pipe(
    parse({
      bom: true,
      info: true,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LINE_CHARACTERS_MAX,
    }),
  );
  stream.on('error', (error) => parser.destroy(error));
  for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    const { record, info } = item;
    place.line = info.lines;
    if (header === null) {
      header = record.map((name) => name.trim());
      place.header = header;
      const missing = columns.filter((column) => !header?.includes(column));
      if (missing.length > 0) {
        throw new TallyError(
          'COLUMN_MISSING',
          `${file} has no column ${missing.map((name) => `"${name}"`).join(', ')}; its header line names: ${header.join(', ')}. Change the mapping file.`,
          { missing, header },
        );
      }
      continue;
    }
    if (record.length !== header.length) {
      yield {
        line: info.lines,
        values: valuesOf(header, record),
        fault: `${record.length} values, but the header names ${header.length} columns`,
      };
      continue;
    }
    yield { line: info.lines, values: valuesOf(header, record) };
  }
}

function valuesOf(header: readonly string[], record: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [i, name] of header.entries()) values[name] = record[i] ?? '';
  return values;
}

async function* readJsonLines(stream: Readable, place: Place): AsyncGenerator<Row> {
  for await (const text of linesOf(stream, place)) {
    place.line += 1;
    const { line } = place;
    if (text.trim() === '') continue;
    const read = objectOf(line === 1 ? text.replace(/^\uFEFF/, '') : text);
    yield typeof read === 'string' ? { line, values: {}, fault: read } : { line, values: read };
  }
}

/** The values of a line by name, or what is wrong with it. */
function objectOf(text: string): Readonly<Record<string, string>> | string {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    // The parser's own words quote the line.
    return 'not valid JSON';
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return 'not a JSON object';
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === 'object' && value !== null)
      return `"${name.slice(0, NAME_SHOWN_MAX)}" is neither text nor a number`;
    values[name] = value === null ? '' : String(value);
  }
  return values;
}

async function* linesOf(stream: Readable, place: Place): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield text.replace(/\r$/, '');
    if (rest.length > LINE_CHARACTERS_MAX) throw lineTooLong(place, 'is the file cut, or not one object a line?');
  }
  if (rest !== '') yield rest;
}
