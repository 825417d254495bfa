import { createHash } from 'node:crypto';
import { localDate } from '../../../libs/core/calendar/local-date.ts';
import { taxMonthOf, taxWeekOf } from '../../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type DateStyle, dateOfText } from '../mapping/date-text.ts';
import { PAYROLL_FIELDS } from '../mapping/payroll-fields.ts';
import { OCCURRENCE, type PayrollMapping, payrollColumns } from '../mapping/payroll-mapping.ts';
import { codeWithBasis, type PayrollValue, payrollValue } from '../mapping/payroll-values.ts';
import { type Column, columnNames, textOf } from '../mapping/read-mapping.ts';
import { namedColumns } from '../mapping/sales-mapping.ts';
import { type Row, readRows } from '../rows/read-rows.ts';
import { comparePayment } from './compare-payment.ts';
import { documentEventId, type ImportedDocument, type ImportedEvent, refusedDocument } from './imported-document.ts';
import { assertReadable, placeIn, readAt, rowFault } from './row-fault.ts';
import type { UnreadColumns } from './unread-columns.ts';

export interface PayrollFile {
  readonly file: string;
  readonly mapping: PayrollMapping;
  readonly encoding?: string | undefined;
}

/** Payments of one employment on one day that a file does not number: its rows, by their content. */
interface SameDay {
  readonly first: string;
  readonly contents: Map<string, number>;
  rows: number;
}

/** What a first reading of a file found. */
export interface PayrollSurvey {
  readonly rows: number;
  /** By employment and day, where there are several rows of it. */
  readonly sameDay: ReadonlyMap<string, SameDay>;
}

/** Counts the rows, finds those of one employment and day, and shows each to `unread`. Throws as readRows. */
export async function surveyPayroll(of: PayrollFile, unread?: UnreadColumns): Promise<PayrollSurvey> {
  const firstOf = new Map<string, { readonly place: string; readonly content: string }>();
  const sameDay = new Map<string, SameDay>();
  let rows = 0;
  for await (const row of readRows(sourceOf(of))) {
    rows += 1;
    unread?.see(row);
    const key = keyOf(row, of.mapping);
    const before = firstOf.get(key);
    const content = contentOf(row);
    if (before === undefined) {
      firstOf.set(key, { place: row.place, content });
      continue;
    }
    const day = sameDay.get(key) ?? { first: before.place, contents: new Map([[before.content, 1]]), rows: 1 };
    day.contents.set(content, (day.contents.get(content) ?? 0) + 1);
    day.rows += 1;
    sameDay.set(key, day);
  }
  return { rows, sameDay };
}

/**
 * Reads a file of payroll, a payment a row, into PaymentMade submissions (docs/http-api.md). What names a payment is employer, works number,
 * pay day and its number on that day. A row that cannot be read is refused, naming its place.
 */
export async function* payrollDocuments(of: PayrollFile, { sameDay }: PayrollSurvey): AsyncGenerator<ImportedDocument> {
  const columns = namedColumns(of.mapping);
  const counted = new Map<string, number>();
  for await (const row of readRows(sourceOf(of))) {
    const rows = sameDay.size === 0 ? undefined : sameDay.get(keyOf(row, of.mapping));
    try {
      assertReadable(row, columns);
      const occurrence = rows === undefined ? 1 : occurrenceOf(row, rows, counted, of.mapping);
      yield paymentDocument(row, occurrence, of.mapping);
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      yield refusedDocument(row.place, row.line, { code: error.code, reason: error.message });
    }
  }
}

/** Which payment of its day a row is: equal rows in turn, others by their content, so that their order in the file does not matter. */
function occurrenceOf(
  row: Row,
  { first, contents }: SameDay,
  counted: Map<string, number>,
  mapping: PayrollMapping,
): number {
  const content = contentOf(row);
  const key = `${keyOf(row, mapping)}\n${content}`;
  const before = counted.get(key) ?? 0;
  counted.set(key, before + 1);
  if (contents.size > 1 && mapping.equalRows !== 'count') {
    const message = `it pays the same works number on the same day as ${first === row.place ? 'a later row' : first}, otherwise: number them in a column and name it as "${OCCURRENCE}" in the mapping, or say --equal-rows count where each is a payment`;
    throw rowFault(row, undefined, 'SAME_DAY_PAYMENTS', message);
  }
  if (before > 0 && mapping.equalRows === 'ask') {
    const message = `the row is the same as ${first}: say --equal-rows count if both were paid, --equal-rows once if one was sent twice, or number them in a column and name it as "${OCCURRENCE}" in the mapping`;
    throw rowFault(row, undefined, 'EQUAL_ROWS', message);
  }
  if (mapping.equalRows === 'once') return 1;
  const earlier = [...contents].filter(([other]) => other < content).reduce((sum, [, rows]) => sum + rows, 0);
  return 1 + earlier + before;
}

function paymentDocument(row: Row, occurrence: number, mapping: PayrollMapping): ImportedDocument {
  const fields = fieldsOf(row, mapping);
  const identity = [
    'payroll',
    String(fields['payeReference']),
    String(fields['worksNumber']),
    String(fields['paymentDate']),
    occurrenceText(row, occurrence, mapping),
  ];
  const eventOf = (version: number): ImportedEvent => ({
    type: 'PaymentMade',
    eventId: documentEventId(identity, version, 0),
    ...fields,
  });
  const placeOf = (pointer: string): string => placeIn(row, columnOf(pointer, mapping));
  return {
    name: row.place,
    line: row.line,
    account: `paye:${String(fields['payeReference'])}`,
    identity,
    formerId: null,
    refusal: null,
    write: (version) => [eventOf(version)],
    compare: (standing) => comparePayment({ identity, eventOf, nameOf: (field) => nameOf(field, mapping) }, standing),
    placeOf,
  };
}

/** The fields of a payment as the door takes them, those with a dot within their record. Throws every fault of the row at once. */
function fieldsOf(row: Row, mapping: PayrollMapping): Record<string, unknown> {
  const found = new Map<string, PayrollValue>(Object.entries(mapping.constants));
  const faults: TallyError[] = [];
  for (const [field, column] of Object.entries(mapping.columns)) {
    if (field === OCCURRENCE) continue;
    try {
      readField(row, field, column, found, mapping);
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      faults.push(error);
    }
  }
  const [fault] = faults;
  if (fault !== undefined)
    throw new TallyError(fault.code, faults.map(({ message }) => message).join('; '), fault.facts);
  takeBasis(row, found, mapping);
  for (const [field, other] of Object.entries(mapping.sameAs)) {
    const value = found.get(other);
    if (value !== undefined && !found.has(field)) found.set(field, value);
  }
  if (mapping.periodOfPayDay && !found.has('period')) found.set('period', periodOf(found));
  return nested(found);
}

function readField(
  row: Row,
  field: string,
  column: Column,
  found: Map<string, PayrollValue>,
  mapping: PayrollMapping,
): void {
  const text = textOf(row.values, column);
  if (text === '') {
    assertMayBeBlank(row, field, column, found);
    return;
  }
  const value = readAt(row, column, () => payrollValue(field, text, mapping));
  if (value !== null) found.set(field, value);
}

/** A blank is nothing in a column of what need not be there; where it would move tax it is asked for. */
const NEVER_BLANK: ReadonlySet<string> = new Set([
  'payeReference',
  'worksNumber',
  'paymentDate',
  'payFrequency',
  'taxCode',
  'taxablePayPence',
  'nicableEarningsPence',
  'niCategory',
]);

function assertMayBeBlank(row: Row, field: string, column: Column, found: ReadonlyMap<string, PayrollValue>): void {
  if (!NEVER_BLANK.has(field) || found.has(field)) return;
  const zero = field.endsWith('Pence') ? ': write 0.00 where there is none' : ': fill it in';
  throw rowFault(row, column, 'VALUE_MISSING', `it is empty, and tax is worked out from it${zero}`);
}

/** A code with its basis after it is a code and a basis. Throws BASIS_DIFFERS where a column says otherwise. */
function takeBasis(row: Row, found: Map<string, PayrollValue>, mapping: PayrollMapping): void {
  const { taxCode, week1Month1 } = codeWithBasis(String(found.get('taxCode') ?? ''));
  if (!week1Month1) return;
  if (found.get('week1Month1') === false && mapping.columns['week1Month1'] !== undefined) {
    const message =
      'it says that the code is cumulative, and the code itself has a week 1 or month 1 basis after it: correct one of them';
    throw rowFault(row, mapping.columns['week1Month1'], 'BASIS_DIFFERS', message);
  }
  found.set('taxCode', taxCode);
  found.set('week1Month1', true);
}

function periodOf(found: ReadonlyMap<string, PayrollValue>): number {
  const day = localDate(String(found.get('paymentDate')));
  return String(found.get('payFrequency')).startsWith('M') ? taxMonthOf(day) : taxWeekOf(day);
}

function nested(found: ReadonlyMap<string, PayrollValue>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of found) {
    const [outer = '', inner] = name.split('.');
    if (inner === undefined) fields[outer] = value;
    else {
      const isByLetter = PAYROLL_FIELDS.get(name)?.kind === 'penceOfLetter';
      const given = isByLetter ? { [String(found.get('niCategory'))]: value } : value;
      fields[outer] = { ...(fields[outer] as object | undefined), [inner]: given };
    }
  }
  return fields;
}

/** The number of the file, and beside it the count of rows that have the same; without a column, the count alone. */
function occurrenceText(row: Row, occurrence: number, { columns }: PayrollMapping): string {
  const of = columns[OCCURRENCE];
  if (of === undefined) return String(occurrence);
  const text = textOf(row.values, of) || '1';
  return occurrence === 1 ? text : `${text}#${occurrence}`;
}

/** Employer, works number, pay day and number: a day is one however it is written, and no number is the first. */
function keyOf(row: Row, { columns, dates }: PayrollMapping): string {
  const [reference, worksNumber, day, number] = [
    columns['payeReference'],
    columns['worksNumber'],
    columns['paymentDate'],
    columns[OCCURRENCE],
  ].map((of) => textOf(row.values, of));
  return [reference, worksNumber, sameDayText(day ?? '', dates), number === '' ? '1' : number].join('\n');
}

/** A day that cannot be read is as it is written: its row is refused when it is read. */
function sameDayText(text: string, style: DateStyle): string {
  try {
    return dateOfText(text, style);
  } catch {
    return text;
  }
}

function contentOf(row: Row): string {
  return createHash('sha1').update(JSON.stringify(row.values)).digest('base64');
}

/** `/starter/p45PayPence` is of the column of `starter.p45PayPence`. */
function columnOf(pointer: string, { columns }: PayrollMapping): Column | undefined {
  const field = pointer.slice(1).replaceAll('/', '.');
  return columns[field] ?? columns[field.split('.')[0] ?? ''];
}

/** A field by the name of its column. */
function nameOf(field: string, { columns }: PayrollMapping): string {
  const names = columnNames(columns[field]);
  return names.length === 0 ? field : names.map((name) => `"${name}"`).join(' and ');
}

function sourceOf({ file, mapping, encoding }: PayrollFile) {
  return { file, columns: payrollColumns(mapping), encoding, rows: mapping.rows };
}
