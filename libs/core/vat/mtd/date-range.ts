import { addDays, addMonths, isLocalDate, type LocalDate } from '../../calendar/local-date.ts';
import { type MtdErrorCode, type MtdRefusal, mtdRefusal } from './error.ts';

/** Query values as they came: undefined where absent. */
export interface MtdRangeQuery {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface MtdDateRange {
  readonly from: LocalDate;
  readonly to: LocalDate;
}

interface RangeRule {
  readonly fromCode: MtdErrorCode;
  readonly toCode: MtdErrorCode;
  readonly rangeCode: MtdErrorCode;
  /** By how many days `to` stays short of a year after `from`, at least. */
  readonly daysShortOfYear: 0 | 1;
}

const OBLIGATIONS: RangeRule = {
  fromCode: 'INVALID_DATE_FROM',
  toCode: 'INVALID_DATE_TO',
  rangeCode: 'INVALID_DATE_RANGE',
  daysShortOfYear: 0,
};
const FINANCIAL: RangeRule = {
  fromCode: 'DATE_FROM_INVALID',
  toCode: 'DATE_TO_INVALID',
  rangeCode: 'DATE_RANGE_INVALID',
  daysShortOfYear: 1,
};
/** Liabilities and payments: the earliest date that may be asked for (OpenAPI file, `from`). */
const FINANCIAL_FROM_MIN = '2017-12-01';

/**
 * Dates of the obligations endpoint: INVALID_DATE_FROM, INVALID_DATE_TO, INVALID_DATE_RANGE. `to` is after `from` and at most a year after it:
 * 366 days with both ends, as HMRC's message has it (hmrc/vat-api, DateRangeValidation.scala).
 */
export function obligationsRange(query: MtdRangeQuery): MtdDateRange | MtdRefusal {
  return rangeOf(query, OBLIGATIONS);
}

/** Dates of liabilities and payments: DATE_FROM_INVALID (before 2017-12-01), DATE_TO_INVALID (after today), DATE_RANGE_INVALID (365 days with both ends). */
export function financialRange(query: MtdRangeQuery, today: LocalDate): MtdDateRange | MtdRefusal {
  const range = rangeOf(query, FINANCIAL);
  if ('status' in range) return range;
  if (range.from < FINANCIAL_FROM_MIN) return mtdRefusal(FINANCIAL.fromCode);
  return range.to > today ? mtdRefusal(FINANCIAL.toCode) : range;
}

function rangeOf({ from, to }: MtdRangeQuery, rule: RangeRule): MtdDateRange | MtdRefusal {
  if (from === undefined || !isLocalDate(from)) return mtdRefusal(rule.fromCode);
  if (to === undefined || !isLocalDate(to)) return mtdRefusal(rule.toCode);
  const last = addDays(addMonths(from, 12), -rule.daysShortOfYear);
  return to <= from || to > last ? mtdRefusal(rule.rangeCode) : { from, to };
}
