import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { type Row, type RowSource, readRows } from '../../../../../services/cli/rows/read-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'tally-kinds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = ['receipt', 'price'];
/** What must stand in no message. */
const SECRET = 'QQ123456C';
let files = 0;

async function read(content: string | Buffer, source: Partial<RowSource> = {}): Promise<Row[]> {
  files += 1;
  const file = join(folder, String(files));
  writeFileSync(file, content);
  const rows: Row[] = [];
  for await (const row of readRows({ file, columns: COLUMNS, ...source })) rows.push(row);
  return rows;
}

async function faultOf(content: string | Buffer, source: Partial<RowSource> = {}): Promise<TallyError> {
  const fault: unknown = await read(content, source).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(TallyError);
  const error = fault as TallyError;
  expect(error.message).not.toContain(SECRET);
  expect(error.message.split('\n')).toHaveLength(1);
  return error;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const VALUES = [{ receipt: 'R1', price: '12.00' }];

it.each([
  ['commas', 'receipt,price\nR1,12.00\n'],
  ['semicolons', 'receipt;price\nR1;12.00\n'],
  ['tabs', 'receipt\tprice\nR1\t12.00\n'],
  ['bars', 'receipt|price\nR1|12.00\n'],
  ['a first line "sep=;"', 'sep=;\nreceipt;price\nR1;12.00\n'],
  ['a first line "sep=," after a byte order mark, and CRLF', '\uFEFFsep=,\r\nreceipt,price\r\nR1,12.00\r\n'],
  ['a name in quotes with other separators in it', '"receipt",price,"a;b;c;d"\nR1,12.00,\n'],
  ['extra commas after the last value', 'receipt,price\nR1,12.00,,,\n'],
  ['JSON lines', '{"receipt":"R1","price":"12.00"}\n'],
  ['a JSON array', '[\n  {"receipt": "R1",\n "price": "12.00"}\n]\n'],
  ['one JSON object over several lines', '{\n "receipt": "R1",\n "price": "12.00"\n}\n'],
])('%s are taken', async (_name, content) => {
  const values = (await read(content)).map((row) => ({ receipt: row.values['receipt'], price: row.values['price'] }));
  expect(values).toEqual(VALUES);
});

it('a file in UTF-16 with its mark, and one in Windows-1252 that says so, are decoded', async () => {
  const text = 'receipt,price\nJOSÉ,12.00\n';
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  for (const [content, encoding] of [
    [utf16, undefined],
    [latin1(text), 'windows-1252'],
    [Buffer.from(text, 'utf16le'), 'utf-16le'],
  ] as const) {
    expect((await read(content, { encoding }))[0]?.values['receipt']).toBe('JOSÉ');
  }
});

it('a character that lies over the end of a chunk is one', async () => {
  const rows = `${'é'.repeat(20)},12.00\n`.repeat(10_000);
  const read10k = await read(`receipt,price,x\n${rows}`.replace('price,x', 'price'));
  expect(read10k).toHaveLength(10_000);
  expect(read10k.every((row) => row.values['receipt'] === 'é'.repeat(20))).toBe(true);
});

it('lines are counted as an editor counts them: after blank lines, and of a value that goes on over lines', async () => {
  const rows = await read('receipt,price\n\nR1,"12.00\n"\n\nR2,13.00\n');
  expect(rows.map((row) => row.line)).toEqual([3, 6]);
  const named = await read('sep=,\nreceipt,price\nR1,1\nR2,2\n');
  expect(named.map((row) => row.place)).toEqual(['line 3', 'line 4']);
});

it.each([
  [
    'bytes that are not UTF-8',
    latin1(`receipt,price\nR1,1\n${SECRET}É,2\n`),
    'FILE_NOT_UTF8',
    /line 3 is not UTF-8.*--encoding windows-1252/,
  ],
  [
    'a file cut in the middle of a character',
    Buffer.from('receipt,price\nR1,é').subarray(0, -1),
    'FILE_NOT_UTF8',
    /line 2/,
  ],
  [
    'an .xlsx spreadsheet',
    Buffer.from('PK\x03\x04....[Content_Types].xml'),
    'FILE_NOT_TEXT',
    /is a spreadsheet.*CSV UTF-8/,
  ],
  ['a zip archive', Buffer.from('PK\x03\x04....sales.csv'), 'FILE_NOT_TEXT', /is a zip archive: unpack it/],
  [
    'an .xls spreadsheet',
    Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
    'FILE_NOT_TEXT',
    /old Excel spreadsheet/,
  ],
  ['a PDF', '%PDF-1.7\n...', 'FILE_NOT_TEXT', /is a PDF/],
  ['XML', `<?xml version="1.0"?>\n<a>${SECRET}</a>`, 'FILE_IS_XML', /is XML, and an import takes CSV or JSON/],
  ['a POSLog', '\uFEFF<POSLog xmlns="urn:x">', 'FILE_IS_XML', /a POSLog of a till.*CSV/],
  [
    'a submission to HMRC',
    '<IRenvelope><FullPaymentSubmission/></IRenvelope>',
    'FILE_IS_XML',
    /a submission to HMRC.*payroll software/,
  ],
  ['a web page named .xls', `<html><table><tr><td>${SECRET}`, 'FILE_IS_XML', /is a web page/],
  [
    'a column named twice',
    `receipt,price,price\nR1,12.00,99.00\n`,
    'COLUMN_TWICE',
    /"price" twice \(columns 2 and 3\)/,
  ],
  ['a column named thrice, with spaces', `price,receipt, price ,"price"\n`, 'COLUMN_TWICE', /\(columns 1, 3 and 4\)/],
  [
    'a header in another case',
    'Receipt,PRICE\nR1,12.00\n',
    'COLUMN_MISSING',
    /"receipt" \(there is "Receipt"\), "price" \(there is "PRICE"\)/,
  ],
  ['members in another case', '{"receipt":"R1","Price":12}\n', 'COLUMN_MISSING', /"price" \(there is "Price"\)/],
  ['a file without a header', `${SECRET},12.00\n`, 'COLUMN_MISSING', /has no header line/],
  [
    'a file without a header that begins with a date',
    `Ann Smith,27/11/2026,x\n`,
    'COLUMN_MISSING',
    /has no header line/,
  ],
  [
    'a JSON document that is cut',
    '[{"receipt":"R1"},\n{"price',
    'FILE_NOT_JSON',
    /begins as JSON, but the text is not valid JSON.*export it again/,
  ],
  [
    'a JSON document with a member twice',
    `[{"receipt":"${SECRET}","price":1,\n"price":2}]`,
    'FILE_NOT_JSON',
    /the member \/0\/price is given more than once/,
  ],
  [
    'a JSON document of several lists',
    '{\n"sales":[{"receipt":1}],"more":{"refunds":[{"receipt":2}]}\n}',
    'ROWS_NOT_NAMED',
    /"rows": "sales" or "rows": "more.refunds"/,
  ],
])('%s: one sentence that says what it is and what to do', async (_name, content, code, text) => {
  const fault = await faultOf(content);
  expect(fault.message).toMatch(text);
  expect(fault.code).toBe(code);
});

it('the rows of a JSON document are where the mapping says, with the single values of what they lie in', async () => {
  const document = { order: { id: 'O1', line_items: [{ receipt: 'R1', price: { amount: 5 } }, { receipt: 'R2' }] } };
  const rows = await read(JSON.stringify(document), { columns: ['receipt', 'order.id'], rows: 'order.line_items' });
  expect(rows.map((row) => [row.place, row.values])).toEqual([
    ['entry 1', { 'order.id': 'O1', receipt: 'R1', 'price.amount': '5' }],
    ['entry 2', { 'order.id': 'O1', receipt: 'R2' }],
  ]);
  const orders = JSON.stringify({ orders: [document.order, { id: 'O2', line_items: [{ receipt: 'R3' }] }] });
  const all = await read(orders, { columns: ['receipt'], rows: 'orders.line_items' });
  expect(all.map((row) => [row.values['orders.id'], row.values['receipt']])).toEqual([
    ['O1', 'R1'],
    ['O1', 'R2'],
    ['O2', 'R3'],
  ]);
  expect((await faultOf(orders, { rows: 'orders.lines' })).code).toBe('ROWS_MISSING');
});
