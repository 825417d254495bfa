import { epochMsOfRfc3339 } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Decimal, multiplyDecimal, parseDecimal, penceOfPounds } from '../../../libs/core/money/decimal-text.ts';
import { shareByLargestRemainder } from '../../../libs/till/largest-remainder.ts';
import { amountOf } from '../mapping/amount-text.ts';
import { timeOfText } from '../mapping/date-text.ts';
import { formOfText } from '../mapping/form-of-text.ts';
import { isCurrencyName } from '../mapping/money-name.ts';
import { type Column, textOf } from '../mapping/read-mapping.ts';
import { namedColumns, type SalesMapping } from '../mapping/sales-mapping.ts';
import type { Row } from '../rows/read-rows.ts';
import { type Destination, destinationOf } from './destination.ts';
import { assertReadable, readAt, rowFault } from './row-fault.ts';

/** A line of an invoice: pence and thousandths of a unit, positive whether it was sold or given back. */
export interface InvoiceLine {
  readonly row: Row;
  readonly code: string;
  /** By the mapping's rules for item codes; goods that leave the United Kingdom may have another. */
  readonly category: string;
  readonly quantity: number;
  /** Price of the line as the file's prices are, after discounts. */
  readonly pence: number;
}

/** One invoice or receipt of the file, read and checked. */
export interface Invoice {
  readonly number: string;
  readonly first: Row;
  /** RFC 3339. */
  readonly occurredAt: string;
  readonly customer: string;
  readonly destination: Destination;
  readonly sold: readonly InvoiceLine[];
  readonly givenBack: readonly InvoiceLine[];
  /** Given back since, as the file says of the whole order; pence. */
  readonly refundedPence: number;
}

/** What the codes of items mean, by a mapping. */
export interface ItemRules {
  readonly mapping: SalesMapping;
  readonly columns: readonly string[];
  readonly categories: readonly { readonly pattern: RegExp; readonly category: string }[];
  readonly notSupplies: readonly RegExp[];
  readonly discounts: readonly RegExp[];
  readonly tenders: readonly RegExp[];
}

export function itemRulesOf(mapping: SalesMapping): ItemRules {
  return {
    mapping,
    columns: namedColumns(mapping),
    categories: mapping.categories.map(({ code, category }) => ({ pattern: whole(code), category })),
    notSupplies: mapping.notSupplies.map(({ code }) => whole(code)),
    discounts: mapping.discounts.map(whole),
    tenders: mapping.tenders.map(whole),
  };
}

const REFUND_SIGN = -1;
/** Not an item of the trader's: carriage that the file has in a column of its own. */
const CARRIAGE_CODE = '(carriage)';

/** Reads the rows of one invoice. Throws what is wrong with the first faulty one, naming its place in the file. */
export function readInvoice(number: string, rows: readonly Row[], rules: ItemRules): Invoice {
  const { mapping } = rules;
  const { columns } = mapping;
  const [first] = rows;
  if (first === undefined) throw new TallyError('INVOICE_EMPTY', 'an invoice has at least one row', {});
  for (const row of rows) assertReadable(row, rules.columns);
  if (number === '')
    throw rowFault(
      first,
      columns.invoice,
      'INVOICE_NUMBER_MISSING',
      'it is empty: which invoice the row is of is not known',
    );
  assertPounds(rows, mapping);
  const kept = withoutEqualRows(rows, mapping);
  const occurredAt = earliestTime(rows, mapping);
  const isCredit = mapping.creditNotePrefix !== undefined && number.startsWith(mapping.creditNotePrefix);
  const read = kept.map((row) => readLine(row, rules, isCredit));
  const supplies = read.filter((line) => line.is !== 'nothing');
  const goods = supplies.filter((line) => line.is === 'sold');
  const discountPence =
    sum(supplies.filter((line) => line.is === 'discount')) + Math.abs(orderPence(rows, 'orderDiscount', mapping));
  const sold = [...afterDiscount(goods, discountPence, first), ...carriage(rows, first, mapping)];
  const invoice: Invoice = {
    number,
    first,
    occurredAt,
    customer: theOne(rows, columns.customer),
    destination: destinationOf(rows, theOne(rows, columns.country), mapping),
    sold,
    givenBack: supplies.filter((line) => line.is === 'givenBack'),
    refundedPence: Math.abs(orderPence(rows, 'refunded', mapping)),
  };
  assertTotal(rows, invoice, mapping);
  return invoice;
}

/** Rows of one invoice may be some minutes apart, and in any order. */
function earliestTime(rows: readonly Row[], { columns, dates }: SalesMapping): string {
  const times = new Map<string, string>();
  for (const row of rows) {
    const text = textOf(row.values, columns.occurredAt);
    if (times.has(text) || (text === '' && row !== rows[0])) continue;
    times.set(
      text,
      readAt(row, columns.occurredAt, () => timeOfText(text, dates)),
    );
  }
  const found = [...times.values()];
  return found.reduce((a, b) => (epochMsOfRfc3339(b) < epochMsOfRfc3339(a) ? b : a));
}

/** Equal in every column of the file, not only in those that are read: a number of the line would set them apart. */
function withoutEqualRows(rows: readonly Row[], mapping: SalesMapping): readonly Row[] {
  if (rows.length === 1 || mapping.equalRows === 'count') return rows;
  const seen = new Map<string, Row>();
  for (const row of rows) {
    const content = JSON.stringify(row.values);
    const before = seen.get(content);
    if (before === undefined) {
      seen.set(content, row);
      continue;
    }
    if (mapping.equalRows === 'once') continue;
    const message = `the row is the same as ${before.place}: if both were sold say --equal-rows count, if one was sent twice --equal-rows once (or "equalRows" in the mapping)`;
    throw rowFault(row, undefined, 'EQUAL_ROWS', message);
  }
  return [...seen.values()];
}

/** A column that is named so is read as the currency, mapped or not. */
function assertPounds(rows: readonly Row[], { columns }: SalesMapping): void {
  const [first] = rows;
  const named = columns.currency ?? Object.keys(first?.values ?? {}).find(isCurrencyName);
  if (named === undefined || first === undefined) return;
  if (columns.currency !== undefined && textOf(first.values, named) === '') {
    throw rowFault(first, named, 'CURRENCY_MISSING', 'it is empty: say the currency, GBP');
  }
  for (const row of rows) {
    const currency = textOf(row.values, named);
    if (currency === '' || /^(?:GBP|£|pounds?(?: sterling)?)$/i.test(currency)) continue;
    const which = /^[A-Z]{3}$/.test(currency) ? currency : `"${formOfText(currency)}"`;
    const message = `${which} is not GBP: what was taken in another currency has to be worked out in pounds first`;
    throw rowFault(row, named, 'CURRENCY_NOT_GBP', message);
  }
}

/** The one text of a column that the rows of an invoice have, blanks apart. Throws INVOICE_MIXED. */
function theOne(rows: readonly Row[], of: Column | undefined): string {
  if (of === undefined) return '';
  let found: { text: string; row: Row } | null = null;
  for (const row of rows) {
    const text = textOf(row.values, of);
    if (text === '') continue;
    if (found !== null && found.text !== text) {
      const message = `it differs from ${found.row.place}, which has the same invoice number: are they two invoices?`;
      throw rowFault(row, of, 'INVOICE_MIXED', message);
    }
    found ??= { text, row };
  }
  return found?.text ?? '';
}

type OrderColumn = 'orderDiscount' | 'shipping' | 'refunded' | 'total';

/** Pence that the file says of the whole order, on its first row or the same on each; 0 where it says none. */
function orderPence(rows: readonly Row[], name: OrderColumn, { columns, amounts }: SalesMapping): number {
  const of = columns[name];
  const text = theOne(rows, of);
  const row = rows.find(({ values }) => textOf(values, of) !== '');
  return text === '' || row === undefined ? 0 : readAt(row, of, () => penceOfPounds(amountOf(text, amounts)));
}

interface ReadLine extends InvoiceLine {
  readonly is: 'sold' | 'givenBack' | 'discount' | 'nothing';
}

function readLine(row: Row, rules: ItemRules, isCredit: boolean): ReadLine {
  const { mapping } = rules;
  const { columns } = mapping;
  const code = codeOf(row, mapping);
  const sign = isRefundRow(row, mapping) ? REFUND_SIGN : 0;
  const quantity = quantityOf(row, mapping);
  const priced = pricedPence(row, quantity, mapping);
  const pence = sign === 0 ? priced : -Math.abs(priced);
  const thousandths = sign === 0 ? quantity : -Math.abs(quantity);
  const category = rules.categories.find(({ pattern }) => pattern.test(code))?.category ?? mapping.defaultCategory;
  const line = { row, code, category, quantity: Math.abs(thousandths), pence: Math.abs(pence) };
  if (matches(rules.notSupplies, code)) return { ...line, is: 'nothing' };
  if (isCredit) {
    if (thousandths < 0 && pence <= 0) return { ...line, is: 'givenBack' };
    throw rowFault(row, columns.quantity, 'POSITIVE_CREDIT_LINE', 'a positive amount in a credit note');
  }
  if (thousandths < 0 && pence === 0) return { ...line, is: 'nothing' };
  if (pence >= 0 && thousandths > 0) return { ...line, is: 'sold' };
  if (matches(rules.discounts, code)) return { ...line, is: 'discount' };
  if (matches(rules.tenders, code)) return { ...line, is: 'nothing' };
  if (pence < 0 && thousandths < 0) return { ...line, is: 'givenBack' };
  throw rowFault(row, columns.unitPrice ?? columns.lineAmount, 'NEGATIVE_SALE_LINE', NEGATIVE_REMEDY);
}

const NEGATIVE_REMEDY =
  'a negative price outside a credit note: if the item code means a discount of the receipt, say "discounts": ["<the code>"] in the mapping; if a voucher or gift card given in payment, "tenders": ["<the code>"]; goods given back have a negative quantity';

function codeOf(row: Row, { columns, itemsWithoutCode }: SalesMapping): string {
  const code = textOf(row.values, columns.code);
  if (code !== '' || itemsWithoutCode === 'defaultCategory') return code;
  const message =
    'it is empty: where such items are of the default category, say "itemsWithoutCode": "defaultCategory" in the mapping';
  throw rowFault(row, columns.code, 'ITEM_CODE_MISSING', message);
}

function isRefundRow(row: Row, { columns, saleWords, refundWords }: SalesMapping): boolean {
  if (columns.event === undefined) return false;
  const word = textOf(row.values, columns.event).toLowerCase();
  const isIn = (words: readonly string[]): boolean => words.some((one) => one.toLowerCase() === word);
  if (isIn(refundWords)) return true;
  if (isIn(saleWords)) return false;
  const message = `"${formOfText(word)}" is neither of "saleWords" nor of "refundWords" in the mapping: say which it is`;
  throw rowFault(row, columns.event, 'EVENT_WORD_UNKNOWN', message);
}

/** Thousandths of a unit, signed. */
function quantityOf(row: Row, { columns, amounts }: SalesMapping): number {
  const text = textOf(row.values, columns.quantity);
  const style = amounts === 'pence' ? '1234.56' : amounts;
  const { units, scale } = readAt(row, columns.quantity, () => amountOf(text, style));
  if (units === 0n) throw rowFault(row, columns.quantity, 'QUANTITY_ZERO', '0 is not a quantity');
  const decimals = scale - trailingZeros(units, scale);
  if (decimals > 3) throw rowFault(row, columns.quantity, 'QUANTITY_TOO_FINE', 'a quantity has at most 3 decimals');
  return Number((units * 1000n) / 10n ** BigInt(scale));
}

function trailingZeros(units: bigint, most: number): number {
  let zeros = 0;
  for (let rest = units; zeros < most && rest % 10n === 0n; rest /= 10n) zeros += 1;
  return zeros;
}

/** Pence of the line, signed: quantity times unit price, or the line's own amount, less its discount. */
function pricedPence(row: Row, thousandths: number, { columns, amounts }: SalesMapping): number {
  const of = columns.unitPrice ?? columns.lineAmount;
  const pence = readAt(row, of, () => {
    const amount = amountOf(textOf(row.values, of), amounts);
    return penceOfPounds(
      columns.unitPrice === undefined ? amount : multiplyDecimal(quantityDecimal(thousandths), amount),
    );
  });
  const discount = textOf(row.values, columns.lineDiscount);
  if (discount === '') return pence;
  const off = Math.abs(readAt(row, columns.lineDiscount, () => penceOfPounds(amountOf(discount, amounts))));
  if (off > Math.abs(pence))
    throw rowFault(row, columns.lineDiscount, 'DISCOUNT_EXCEEDS', 'the discount is more than the price');
  return pence < 0 ? pence + off : pence - off;
}

function quantityDecimal(thousandths: number): Decimal {
  return parseDecimal((thousandths / 1000).toFixed(3));
}

function sum(lines: readonly InvoiceLine[]): number {
  return lines.reduce((pence, line) => pence + line.pence, 0);
}

/** A discount of the whole receipt is shared over its lines by their prices (docs/rules/vat.md). */
function afterDiscount(lines: readonly InvoiceLine[], discountPence: number, first: Row): readonly InvoiceLine[] {
  if (discountPence === 0) return lines;
  if (discountPence > sum(lines)) {
    throw rowFault(first, undefined, 'DISCOUNT_EXCEEDS', 'the discounts of the receipt are more than its prices');
  }
  // The last pennies go by what the lines are, not by where they are in the file.
  const ordered = [...lines].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const shares = shareByLargestRemainder(
    discountPence,
    ordered.map(({ pence }) => pence),
  );
  return lines.map((line) => ({ ...line, pence: line.pence - (shares[ordered.indexOf(line)] ?? 0) }));
}

function orderOf({ category, code, quantity, pence }: InvoiceLine): string {
  return JSON.stringify([category, code, quantity, pence]);
}

function carriage(rows: readonly Row[], first: Row, mapping: SalesMapping): readonly InvoiceLine[] {
  const pence = orderPence(rows, 'shipping', mapping);
  if (pence === 0 || mapping.shippingCategory === undefined) return [];
  if (pence < 0) throw rowFault(first, mapping.columns.shipping, 'NEGATIVE_SALE_LINE', 'carriage is not negative');
  return [{ row: first, code: CARRIAGE_CODE, category: mapping.shippingCategory, quantity: 1_000, pence }];
}

/** Where the file says what the order comes to, the lines must: else there is money in a column that is not read. */
function assertTotal(rows: readonly Row[], { first, sold, givenBack }: Invoice, mapping: SalesMapping): void {
  const { total } = mapping.columns;
  if (total === undefined || theOne(rows, total) === '' || !mapping.pricesIncludeVat) return;
  const stated = orderPence(rows, 'total', mapping);
  const found = sum(sold) - sum(givenBack);
  if (stated === found) return;
  const message = `the lines come to ${pounds(found)}, and it says ${pounds(stated)}: is there money in a column that the mapping does not name?`;
  throw rowFault(first, total, 'TOTAL_DIFFERS', message);
}

function pounds(pence: number): string {
  return (pence / 100).toFixed(2);
}

function matches(patterns: readonly RegExp[], code: string): boolean {
  return patterns.some((pattern) => pattern.test(code));
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}
