import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { dayOfTime } from '../mapping/date-text.ts';
import { textOf } from '../mapping/read-mapping.ts';
import { type SalesMapping, salesColumns } from '../mapping/sales-mapping.ts';
import { type Row, readRows } from '../rows/read-rows.ts';
import { compareInvoice } from './compare-invoice.ts';
import { type ImportedDocument, importedEventId, refusedDocument } from './imported-document.ts';
import { type ItemRules, itemRulesOf, readInvoice } from './read-invoice.ts';
import { placeIn } from './row-fault.ts';
import type { UnreadColumns } from './unread-columns.ts';
import { SaleWriter, type SaleWriterOptions } from './write-sale.ts';

export interface SalesFile {
  readonly file: string;
  readonly mapping: SalesMapping;
  readonly encoding?: string | undefined;
}

/** How many rows each invoice of a file has: a first reading, so that the second can let go of an invoice at its last row. */
export type InvoiceRows = ReadonlyMap<string, number>;

/**
 * Counts the rows of each invoice, and shows each row to `unread`. Throws as readRows, and MONEY_NOT_READ where a column that the mapping
 * does not name holds money: what is owed would be plausible and wrong.
 */
export async function countInvoiceRows(of: SalesFile, unread?: UnreadColumns): Promise<InvoiceRows> {
  const rows = new Map<string, number>();
  const keyOf = invoiceKeys(of.mapping);
  for await (const row of readRows(sourceOf(of))) {
    const key = keyOf(row);
    rows.set(key, (rows.get(key) ?? 0) + 1);
    unread?.see(row);
  }
  const money = unread?.withMoney ?? [];
  if (money.length === 0) return rows;
  const names = money.map((name) => `"${name}"`).join(', ');
  const message = `${of.file} has money in columns that the mapping does not name: ${names}. Name each under "columns" (lineDiscount, orderDiscount, shipping, refunded, total), or under "notRead" where it is no part of what was paid`;
  throw new TallyError('MONEY_NOT_READ', message, { file: of.file, columns: money });
}

/**
 * Reads a file of sales, invoice by invoice. One with a bad line is refused whole, naming the place. What names an invoice is its till and
 * shop, its number and, where numbers may begin again, its day: neither its place in the file nor what else the file says of it.
 */
export async function* salesDocuments(
  of: SalesFile,
  options: SaleWriterOptions,
  rowsOf: InvoiceRows,
): AsyncGenerator<ImportedDocument> {
  const reader = { of, rules: itemRulesOf(of.mapping), writer: new SaleWriter(options), vrn: options.vrn };
  const keyOf = invoiceKeys(of.mapping);
  const open = new Map<string, Row[]>();
  for await (const row of readRows(sourceOf(of))) {
    const key = keyOf(row);
    const rows = open.get(key) ?? [];
    rows.push(row);
    if (rows.length < (rowsOf.get(key) ?? 0)) {
      open.set(key, rows);
      continue;
    }
    open.delete(key);
    yield documentOf(rows, reader);
  }
}

interface Reader {
  readonly of: SalesFile;
  readonly rules: ItemRules;
  readonly writer: SaleWriter;
  readonly vrn: string;
}

function documentOf(rows: readonly Row[], { of, rules, writer, vrn }: Reader): ImportedDocument {
  const { mapping } = of;
  const values = rows[0]?.values ?? {};
  const line = rows[0]?.line ?? 0;
  const number = textOf(values, mapping.columns.invoice);
  try {
    const invoice = readInvoice(number, rows, rules);
    const day = mapping.receiptNumbers === 'restart' ? invoice.occurredAt.slice(0, 10) : '';
    const identity = ['sales', vrn, mapping.tillId, textOf(values, mapping.columns.shop), number, day];
    return {
      name: number,
      line,
      account: `vat:${vrn}`,
      identity,
      formerId: (part) => importedEventId(['sales', vrn, mapping.tillId, number, String(part)]),
      refusal: null,
      write: (version) => writer.write(invoice, identity, version),
      compare: (standing) => compareInvoice({ invoice, identity, writer, mapping }, standing),
      placeOf: (pointer) =>
        placeOfFault(
          pointer,
          rows,
          invoice.sold.map(({ row }) => row),
          mapping,
        ),
    };
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return refusedDocument(number, line, { code: error.code, reason: error.message });
  }
}

/** What the rows of one invoice have in common: shop, number and day. A row without a time is of its number's row before. */
function invoiceKeys({ columns, receiptNumbers, dates }: SalesMapping): (row: Row) => string {
  const dayOf = new Map<string, string>();
  let last = { number: '', day: '' };
  return ({ values }) => {
    const number = `${textOf(values, columns.shop)}\n${textOf(values, columns.invoice)}`;
    if (receiptNumbers === 'unique') return number;
    const text = textOf(values, columns.occurredAt);
    if (text === '') return `${number}\n${last.number === number ? last.day : ''}`;
    const written = text.replace(CLOCK_TIME, '');
    const day = dayOf.get(written) ?? dayOfTime(text, dates) ?? written;
    if (dayOf.size < DAYS_MAX) dayOf.set(written, day);
    last = { number, day };
    return `${number}\n${day}`;
  };
}

const CLOCK_TIME = /[T ,]+\d{1,2}:.*$/;
/** Texts of days that are kept: ten years of them. */
const DAYS_MAX = 4_000;

const FIELD_OF_LINE = /^\/lines\/(\d+)\/(\w+)/;

/** The place in the file that a fault of the event comes from. */
function placeOfFault(pointer: string, rows: readonly Row[], sold: readonly Row[], { columns }: SalesMapping): string {
  const [, index, field] = FIELD_OF_LINE.exec(pointer) ?? [];
  const row = (index === undefined ? undefined : sold[Number(index)]) ?? rows[0];
  if (row === undefined) return '';
  switch (field ?? pointer.slice(1)) {
    case 'qty':
      return placeIn(row, columns.quantity);
    case 'paidPence':
      return placeIn(row, columns.unitPrice ?? columns.lineAmount);
    case 'category':
      return placeIn(row, columns.code);
    case 'occurredAt':
      return placeIn(row, columns.occurredAt);
    default:
      return placeIn(row);
  }
}

function sourceOf({ file, mapping, encoding }: SalesFile) {
  return { file, columns: salesColumns(mapping), encoding, rows: mapping.rows };
}
