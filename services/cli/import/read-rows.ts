import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** One row of an input file: its values by column name, and the line of the file that it begins on. */
export interface Row {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
  /** Set where the line could not be read at all; values is then empty. */
  readonly fault?: string;
}

export type RowFormat = 'csv' | 'jsonl';

const LINE_CHARACTERS_MAX = 1_000_000;

/**
 * Rows of a CSV (with a header line) or JSON-lines file, plain or gzip (told by its first bytes), streamed: memory does not grow with the file.
 * Throws FILE_UNREADABLE where the file cannot be opened, and COLUMN_MISSING where the header lacks a column that the mapping names.
 */
export async function* readRows(file: string, columns: readonly string[]): AsyncGenerator<Row> {
  const format = await formatOf(file);
  const stream = await openDecompressed(file);
  yield* format === 'csv' ? readCsv(stream, columns, file) : readJsonLines(stream);
}

/** JSON lines where the first character of the (decompressed) file is `{`, otherwise CSV. */
export async function formatOf(file: string): Promise<RowFormat> {
  const stream = await openDecompressed(file);
  try {
    for await (const chunk of stream) {
      const text = String(chunk)
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

async function openDecompressed(file: string): Promise<Readable> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new TallyError('FILE_UNREADABLE', `cannot open ${file}: ${(cause as Error).message}`, { file }, { cause });
  });
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  await handle.close();
  const gzipped = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  const raw = createReadStream(file);
  if (!gzipped) return raw;
  const gunzip = createGunzip();
  raw.on('error', (error) => gunzip.destroy(error));
  gunzip.on('close', () => raw.destroy());
  return raw.pipe(gunzip);
}

async function* readCsv(stream: Readable, columns: readonly string[], file: string): AsyncGenerator<Row> {
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
    if (header === null) {
      header = record.map((name) => name.trim());
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

async function* readJsonLines(stream: Readable): AsyncGenerator<Row> {
  let line = 0;
  for await (const text of linesOf(stream)) {
    line += 1;
    if (text.trim() === '') continue;
    try {
      const object: unknown = JSON.parse(line === 1 ? text.replace(/^\uFEFF/, '') : text);
      if (typeof object !== 'object' || object === null || Array.isArray(object)) throw new Error('not a JSON object');
      const values: Record<string, string> = {};
      for (const [name, value] of Object.entries(object)) values[name] = value === null ? '' : String(value);
      yield { line, values };
    } catch (error) {
      yield { line, values: {}, fault: `not a JSON object: ${(error as Error).message}` };
    }
  }
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) {
      throw new TallyError('LINE_TOO_LONG', `a line is longer than ${LINE_CHARACTERS_MAX} characters`, {});
    }
    for (const text of lines) yield text.replace(/\r$/, '');
  }
  if (rest !== '') yield rest;
}
