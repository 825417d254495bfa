import { addMonths, type LocalDate } from '../../calendar/local-date.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { findVatParameter, type VatRules, vatParameterOn } from '../rates/vat-rules.ts';

/** Percentages of a trader under the flat rate scheme (Notice 733; vat.md section 5), basis points. */
export interface FlatRatePercentages {
  readonly ofSector: number;
  /** As a limited cost trader; the sector's before there were any (1 April 2017). */
  readonly ofLimitedCost: number;
}

/**
 * The percentages that hold for a trader on a day: one point less, and never below nothing, in the first year of its registration. Throws
 * E_FRS_SECTOR where the sector is none on that day.
 *
 * @param registeredOn null: not known, the full percentages hold.
 */
export function flatRatePercentages(
  sector: string,
  registeredOn: LocalDate | null,
  date: LocalDate,
  rules: VatRules,
): FlatRatePercentages {
  const ofSector = findVatParameter(rules, `flatRate.${sector}`, date);
  if (ofSector === null) {
    throw new TallyError('E_FRS_SECTOR', 'not a sector of the flat rate scheme on that date', { start: date });
  }
  const isFirstYear = registeredOn !== null && date < addMonths(registeredOn, 12);
  const less = isFirstYear ? vatParameterOn(rules, 'flatRateScheme.firstYearDiscount', date) : 0;
  const ofLimitedCost = findVatParameter(rules, 'limitedCostTrader.rate', date) ?? ofSector;
  return { ofSector: Math.max(0, ofSector - less), ofLimitedCost: Math.max(0, ofLimitedCost - less) };
}
