import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { type Row, readRows } from '../../../../../services/cli/rows/read-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'tally-rows-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = 'receipt,sku,qty\n';
const SECRET = 'QQ123456C';
/** Hardly packed at all, so that it can be cut and damaged in the middle of its rows. */
const packed = gzipSync(
  HEAD + Array.from({ length: 20_000 }, (_, row) => `Q${row},MUG${(row * 7919) % 9973},1\n`).join(''),
  { level: 1, strategy: constants.Z_HUFFMAN_ONLY },
);
const flipped = Buffer.from(packed);
flipped.fill(0xff, 40_000, 40_400);
const MIB = 1024 * 1024;

/** What stands in the file, and what is said of it. */
const FILES: readonly [string, string | Buffer, string, RegExp][] = [
  [
    'a quote that is never closed',
    `${HEAD}Q1,MUG,1\nQ3,"${SECRET} nail,1\nQ4,MUG,1\n`,
    'QUOTE_NOT_CLOSED',
    /line 3, column "sku", is never closed/,
  ],
  [
    'a quote that is never closed in a large file',
    `${HEAD}Q3,"nail,1\n${`${SECRET},MUG,1\n`.repeat(100_000)}`,
    'LINE_TOO_LONG',
    /line 2: longer than 1,000,000 .*never closed/,
  ],
  [
    'a CSV line of 100 MB',
    `${HEAD}Q1,${'x'.repeat(100_000_000)},1\n`,
    'LINE_TOO_LONG',
    /line 2: longer than 1,000,000/,
  ],
  [
    'a JSON line of 100 MB',
    `{"receipt":"Q1"}\n{"receipt":"${'x'.repeat(100_000_000)}"}\n`,
    'LINE_TOO_LONG',
    /line 2: longer than 1,000,000/,
  ],
  [
    'a JSON line of 600 MB, packed',
    gzipSync(Buffer.concat([Buffer.from('{"receipt":"'), Buffer.alloc(600_000_000, 'x')]), { level: 1 }),
    'LINE_TOO_LONG',
    /line 1: longer than 1,000,000/,
  ],
  [
    'a gzip file that was cut',
    packed.subarray(0, packed.length - 20_000),
    'FILE_DAMAGED',
    /ends in the middle of its gzip data, after line \d{4,}/,
  ],
  [
    'a gzip file that was cut to its head',
    packed.subarray(0, 12),
    'FILE_DAMAGED',
    /ends in the middle of its gzip data, before its first line/,
  ],
  ['a gzip file with damaged bytes', flipped, 'FILE_DAMAGED', /is damaged gzip, after line \d{4,}/],
  [
    'a gzip bomb',
    gzipSync(Buffer.alloc(300 * MIB, '\n'), { level: 9 }),
    'FILE_INFLATES',
    /more than 500 times its size/,
  ],
  ['an empty file', '', 'FILE_EMPTY', /is empty/],
  ['nothing but blank lines', '\n \n\n', 'FILE_EMPTY', /is empty/],
  ['a binary file', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1]), 'FILE_NOT_TEXT', /is not text in UTF-8/],
  ['a file in UTF-16', Buffer.from(HEAD, 'utf16le'), 'FILE_NOT_TEXT', /is not text in UTF-8/],
];

async function rowsOf(file: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows({ file, columns: ['receipt'] })) rows.push(row);
  return rows;
}

async function faultOf(file: string): Promise<TallyError> {
  const fault: unknown = await rowsOf(file).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(TallyError);
  return fault as TallyError;
}

it.each(FILES)(
  '%s is one sentence that names the file, and the line where there is one, and quotes nothing',
  async (name, bytes, code, text) => {
    const file = join(folder, name.replaceAll(' ', '-'));
    writeFileSync(file, bytes);
    const fault = await faultOf(file);
    expect(fault.code).toBe(code);
    expect(fault.message).toMatch(text);
    expect(fault.message).toContain(file);
    expect(fault.message.split('\n')).toHaveLength(1);
    expect(fault.message).not.toContain(SECRET);
  },
);

it('a folder and a name that does not exist are told apart', async () => {
  mkdirSync(join(folder, 'a folder'));
  expect(await faultOf(join(folder, 'a folder'))).toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('is a folder'),
  });
  expect(await faultOf(join(folder, 'nothing'))).toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringContaining('there is no'),
  });
});

it('a JSON line that cannot be read refuses that line alone, without quoting it', async () => {
  const file = join(folder, 'lines.jsonl');
  const deep = `{"receipt":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  writeFileSync(
    file,
    `{"receipt":"Q1"}\n{"receipt":"${SECRET}\n${deep}\n{"receipt":{"of":1}}\n[1]\n{"receipt":"Q6","qty":1,"qty":2}\n{"receipt":null,"qty":2}\n`,
  );
  expect(await rowsOf(file)).toEqual([
    { line: 1, place: 'line 1', values: { receipt: 'Q1' } },
    { line: 2, place: 'line 2', values: {}, fault: expect.stringMatching(/^the text is not valid JSON/) },
    { line: 3, place: 'line 3', values: {}, fault: expect.stringMatching(/more than 64 objects and lists/) },
    { line: 4, place: 'line 4', values: { 'receipt.of': '1' } },
    { line: 5, place: 'line 5', values: {}, fault: 'not a JSON object' },
    { line: 6, place: 'line 6', values: {}, fault: expect.stringMatching(/^the member \/qty is given more than once/) },
    { line: 7, place: 'line 7', values: { receipt: '', qty: '2' } },
  ]);
});

it('half a million tiny entries go through one by one', async () => {
  const file = join(folder, 'many.csv');
  writeFileSync(file, HEAD + 'Q,M,1\n'.repeat(500_000));
  let rows = 0;
  for await (const _row of readRows({ file, columns: ['receipt'] })) rows += 1;
  expect(rows).toBe(500_000);
});
