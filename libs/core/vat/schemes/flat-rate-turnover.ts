import type { LocalDate } from '../../calendar/local-date.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { isCountable, type PeriodAccount } from '../state/period-account.ts';
import { registrationOn, type TraderState } from '../state/trader.ts';
import type { VatPeriod } from '../state/vat-period.ts';
import { flatRatePercentages } from './flat-rate-scheme.ts';

/** Where turnover counts: the trader, the period, the day whose percentages it has. */
interface TurnoverPlace {
  readonly trader: TraderState;
  readonly counted: VatPeriod;
  readonly date: LocalDate;
}

/**
 * The account with turnover of a day under the flat rate scheme, VAT included, at the percentages of that day: so a period in which the
 * first year ends, or a percentage changes, is split by itself (vat.md section 5). What comes late from before the scheme has those of the
 * first day of the period in which it counts. Null where a sum would pass PERIOD_SUM_PENCE_MAX. Throws E_FRS_SECTOR.
 */
export function addFlatRateTurnover(
  account: PeriodAccount,
  turnoverPence: number,
  place: TurnoverPlace,
  rules: VatRules,
): PeriodAccount | null {
  const own = registrationOn(place.trader, place.date);
  const isOwn = own?.scheme === 'flatRate';
  const registration = isOwn ? own : registrationOn(place.trader, place.counted.start);
  const date = isOwn ? place.date : place.counted.start;
  const sector = registration?.flatRateSector ?? '';
  const percentages = flatRatePercentages(sector, registration?.registeredOn ?? null, date, rules);
  const key = `${percentages.ofSector}/${percentages.ofLimitedCost}`;
  const turnover = (account.t?.[key] ?? 0) + turnoverPence;
  if (!isCountable(turnover)) return null;
  return { ...account, t: { ...account.t, [key]: turnover } };
}
