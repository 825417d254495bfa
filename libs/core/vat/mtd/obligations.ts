import { addDays, type LocalDate } from '../../calendar/local-date.ts';
import { type MtdRangeQuery, obligationsRange } from './date-range.ts';
import { type MtdRefusal, mtdRefusal } from './error.ts';

/** A return that a trader owes or has filed. */
export interface VatObligation {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  readonly periodKey: string;
  /** The day on which the return was received; null while it is owed. */
  readonly received: LocalDate | null;
}

export interface MtdObligation {
  readonly start: string;
  readonly end: string;
  readonly due: string;
  readonly status: 'O' | 'F';
  readonly periodKey: string;
  readonly received?: string;
}

/** Every period of a trader from the one of its first day to the one of its last, without gap. */
export function periodsBetween<Period extends { readonly end: LocalDate }>(
  first: LocalDate,
  last: LocalDate,
  periodOf: (day: LocalDate) => Period,
): readonly Period[] {
  const periods: Period[] = [];
  for (let day = first; day <= last; ) {
    const period = periodOf(day);
    periods.push(period);
    day = addDays(period.end, 1);
  }
  return periods;
}

/**
 * Answers `GET /organisations/vat/{vrn}/obligations`. Dates are mandatory unless status is O (vat.md section 7); an obligation is in the
 * range where any of its days is. Sorted by start. NOT_FOUND where there is none.
 */
export function obligationsAnswer(
  query: MtdRangeQuery & { readonly status: string | undefined },
  obligations: readonly VatObligation[],
): { readonly obligations: readonly MtdObligation[] } | MtdRefusal {
  const { from, to, status } = query;
  if (status !== undefined && status !== 'O' && status !== 'F') return mtdRefusal('INVALID_STATUS');
  const openOnly = status === 'O' && from === undefined && to === undefined;
  const range = openOnly ? null : obligationsRange({ from, to });
  if (range !== null && 'status' in range) return range;
  const found = obligations
    .filter((one) => range === null || (one.start <= range.to && one.end >= range.from))
    .map(printed)
    .filter((one) => status === undefined || one.status === status)
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  return found.length === 0 ? mtdRefusal('NOT_FOUND') : { obligations: found };
}

function printed({ start, end, due, periodKey, received }: VatObligation): MtdObligation {
  return received === null
    ? { start, end, due, status: 'O', periodKey }
    : { start, end, due, status: 'F', periodKey, received };
}
