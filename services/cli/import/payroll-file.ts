import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { exactPenceOfPounds, parseDecimal } from '../../../libs/core/money/decimal-text.ts';
import { type Row, readRows } from '../rows/read-rows.ts';
import { type ImportedDocument, importedEventId } from './sales-file.ts';
import type { PayrollMapping } from './sales-mapping.ts';

const BOOLEAN_FIELDS = new Set([
  'week1Month1',
  'postgraduateLoan',
  'paymentAfterLeaving',
  'onStrike',
  'irregularEmployment',
]);
const INTEGER_FIELDS = new Set(['period', 'directorAppointedWeek']);
const REQUIRED_FIELDS = [
  'payeReference',
  'worksNumber',
  'paymentDate',
  'payFrequency',
  'period',
  'taxCode',
  'taxablePayPence',
  'niCategory',
];

/**
 * Reads a file of payroll, a payment a row, into PaymentMade submissions (docs/http-api.md). Amounts are pounds with at most two decimals.
 * A row that cannot be read is refused, naming line and column; the same row gives the same event id.
 */
export async function* payrollDocuments(file: string, mapping: PayrollMapping): AsyncGenerator<ImportedDocument> {
  const given = new Set([...Object.keys(mapping.columns), ...Object.keys(mapping.constants)]);
  const missing = REQUIRED_FIELDS.filter((field) => !given.has(field));
  if (missing.length > 0) {
    throw new TallyError('MAPPING_INVALID', `the mapping gives neither column nor constant for ${missing.join(', ')}`, {
      missing,
    });
  }
  for await (const row of readRows({ file, columns: Object.values(mapping.columns) })) yield documentOf(row, mapping);
}

function documentOf(row: Row, mapping: PayrollMapping): ImportedDocument {
  const name = `line ${row.line}`;
  try {
    if (row.fault !== undefined) throw new TallyError('ROW_UNREADABLE', `line ${row.line}: ${row.fault}`, {});
    return { name, line: row.line, events: [paymentOf(row, mapping)], refusal: null };
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return { name, line: row.line, events: [], refusal: { code: error.code, reason: error.message } };
  }
}

function paymentOf(row: Row, mapping: PayrollMapping): Record<string, unknown> {
  const payment: Record<string, unknown> = { type: 'PaymentMade', eventId: '', ...mapping.constants };
  for (const [field, column] of Object.entries(mapping.columns)) {
    const text = (row.values[column] ?? '').trim();
    if (text === '') continue;
    try {
      payment[field] = fieldValue(field, text);
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      throw new TallyError(error.code, `line ${row.line}, column "${column}": ${error.message}`, {});
    }
  }
  payment['nicableEarningsPence'] ??= payment['taxablePayPence'];
  payment['eventId'] = importedEventId(['payroll', JSON.stringify(payment)]);
  return payment;
}

function fieldValue(field: string, text: string): string | number | boolean {
  if (field.endsWith('Pence')) return exactPenceOfPounds(parseDecimal(text));
  if (BOOLEAN_FIELDS.has(field)) return booleanOf(text);
  if (INTEGER_FIELDS.has(field)) {
    if (!/^\d{1,4}$/.test(text)) throw new TallyError('INTEGER_INVALID', 'expected a whole number', {});
    return Number(text);
  }
  return text;
}

function booleanOf(text: string): boolean {
  const lower = text.toLowerCase();
  if (['true', 'yes', 'y', '1'].includes(lower)) return true;
  if (['false', 'no', 'n', '0'].includes(lower)) return false;
  throw new TallyError('BOOLEAN_INVALID', 'expected yes or no', {});
}
