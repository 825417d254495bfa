import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { openInput } from '../input/open-input.ts';
import { type Delimiter, delimiterOf } from './csv-delimiter.ts';
import { asUtf8, encodingOf } from './decode-text.ts';
import { assertIsNoMarkup, assertIsText, formatOfText, type RowFormat } from './file-kind.ts';
import { headerOf, missingColumns } from './header.ts';
import { inputFault, LINE_CHARACTERS_MAX, lineTooLong, type Place } from './input-fault.ts';
import { DOCUMENT_CHARACTERS_MAX, rowsOfDocument } from './json-document.ts';
import { objectOf, valuesByName } from './json-values.ts';

/** One row of an input file: its values by column name, and where it begins. */
export interface Row {
  readonly line: number;
  /** As a message names it: `line 3`, or `entry 3` of a JSON document. */
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
  /** Set where the row could not be read at all. */
  readonly fault?: string;
}

/** A file as it is to be read. */
export interface RowSource {
  readonly file: string;
  /** Columns that it must have. */
  readonly columns: readonly string[];
  /** Its character encoding, where that is not UTF-8 and no byte order mark says so. */
  readonly encoding?: string | undefined;
  /** The list of a JSON document that holds the rows. */
  readonly rows?: string | undefined;
}

const HEAD_BYTES = 64 * 1024;

/**
 * Streams the rows of CSV, JSON lines or one JSON document, plain or gzip, and adds each column's name to `names`; memory grows with a JSON
 * document alone. Throws a code of docs/mappings/README.md, with the line where there is one and never with the content of a row.
 */
export async function* readRows(source: RowSource, names: Set<string> = new Set()): AsyncGenerator<Row> {
  const place: Place = { file: source.file, line: 0, header: null };
  try {
    const { format, encoding, delimiter } = await lookAt(source);
    const stream = await openInput(source.file);
    const text = Readable.from(asUtf8(stream, encoding, place), { objectMode: false });
    text.once('close', () => stream.destroy());
    switch (format) {
      case 'csv':
        yield* readCsv(text, source, delimiter, place, names);
        return;
      case 'jsonLines':
        yield* readJsonLines(text, place, names);
        break;
      case 'jsonDocument':
        yield* readJsonDocument(text, source, names);
        break;
    }
    const missing = source.columns.filter((column) => !names.has(column));
    if (missing.length > 0) throw missingColumns(source.file, missing, [...names]);
  } catch (error) {
    throw inputFault(error, place);
  }
}

interface Look {
  readonly format: RowFormat;
  readonly encoding: string;
  readonly delimiter: Delimiter;
}

/** What the first bytes of the (decompressed) file say of it. */
async function lookAt({ file, encoding: asked, rows }: RowSource): Promise<Look> {
  let head: Buffer = Buffer.alloc(0);
  const stream = await openInput(file);
  try {
    for await (const chunk of stream) {
      const isBlank = head.toString('latin1').trim() === '';
      head = isBlank ? (chunk as Buffer) : Buffer.concat([head, chunk as Buffer]);
      if (head.length >= HEAD_BYTES && !isBlank) break;
    }
  } finally {
    stream.destroy();
  }
  const encoding = encodingOf(head, asked);
  assertIsText(head, file, !encoding.startsWith('utf-16') && head.includes(0));
  const text = new TextDecoder(encoding).decode(head);
  if (text.trim() === '') {
    const message = `${file} is empty: expected CSV with a header line, or one JSON object a line`;
    throw new TallyError('FILE_EMPTY', message, { file });
  }
  assertIsNoMarkup(text.trimStart(), file);
  return { format: formatOfText(text, rows !== undefined), encoding, delimiter: delimiterOf(text.trimStart()) };
}

interface CsvRecord {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

async function* readCsv(
  stream: Readable,
  { file, columns }: RowSource,
  delimiter: Delimiter,
  place: Place,
  names: Set<string>,
): AsyncGenerator<Row> {
  let header: readonly string[] | null = null;
  const parser = stream.pipe(
    parse({
      bom: true,
      info: true,
      delimiter: delimiter.character,
      from_line: delimiter.isNamedByFile ? 2 : 1,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LINE_CHARACTERS_MAX,
    }),
  );
  stream.on('error', (error) => parser.destroy(error));
  for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
    if (header === null) {
      header = headerOf(record, columns, file);
      place.line = info.lines;
      place.header = header;
      for (const name of header) names.add(name);
      continue;
    }
    const line = info.lines - (info.lines - place.line > 1 ? lineFeedsIn(record) : 0);
    place.line = info.lines;
    const row = { line, place: `line ${line}`, values: valuesOf(header, record) };
    const fault = widthFault(record, header);
    yield fault === null ? row : { ...row, fault };
  }
}

/** Blank values beyond the header, as a spreadsheet's extra commas leave, are no fault. */
function widthFault(record: readonly string[], header: readonly string[]): string | null {
  if (record.length === header.length) return null;
  if (record.length > header.length && record.slice(header.length).every((value) => value.trim() === '')) return null;
  return `${record.length} values, but the header names ${header.length} columns: is a value with a separator in it not in quotes?`;
}

function lineFeedsIn(record: readonly string[]): number {
  return record.reduce((sum, value) => sum + value.split('\n').length - 1, 0);
}

function valuesOf(header: readonly string[], record: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [i, name] of header.entries()) values[name] = record[i] ?? '';
  return values;
}

async function* readJsonLines(stream: Readable, place: Place, names: Set<string>): AsyncGenerator<Row> {
  for await (const text of linesOf(stream, place)) {
    place.line += 1;
    const { line } = place;
    if (text.trim() === '') continue;
    const at = { line, place: `line ${line}` };
    const read = objectOf(line === 1 ? text.replace(/^\uFEFF/, '') : text);
    if (typeof read === 'string') {
      yield { ...at, values: {}, fault: read };
      continue;
    }
    const values = valuesByName(read);
    for (const name of Object.keys(values)) names.add(name);
    yield { ...at, values };
  }
}

async function* readJsonDocument(stream: Readable, { file, rows }: RowSource, names: Set<string>): AsyncGenerator<Row> {
  stream.setEncoding('utf8');
  let text = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    text += chunk;
    if (text.length <= DOCUMENT_CHARACTERS_MAX) continue;
    const message = `${file} is one JSON document of more than ${DOCUMENT_CHARACTERS_MAX} characters: write it as one object a line`;
    throw new TallyError('DOCUMENT_TOO_LONG', message, { file });
  }
  for (const [index, values] of rowsOfDocument(text.replace(/^\uFEFF/, ''), file, rows).entries()) {
    for (const name of Object.keys(values)) names.add(name);
    yield { line: index + 1, place: `entry ${index + 1}`, values };
  }
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
