import { addDays, addMonths, dayNumber, type LocalDate } from '../../calendar/local-date.ts';
import type { StateView } from '../../decisions/decision.ts';
import type { VatScheme } from '../../events/vat-events.ts';
import type { Account } from '../../identity/account.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import { flatRateTurnover } from '../schemes/retail-vat.ts';
import type { PeriodAccount } from '../state/period-account.ts';
import { type Registration, registrationOn, type TraderState, traderPeriodOfDay } from '../state/trader.ts';
import type { VatPeriod } from '../state/vat-period.ts';
import { periodAccountAt, retailTurnoverOf, taxableTurnoverOf } from './period-turnover.ts';

/** A scheme whose turnover limit a trader is above. */
export interface SchemeNotice {
  readonly code: SchemeLimitCode;
  readonly limitPence: number;
  readonly turnoverPence: Pence;
  /** The days whose turnover it is; where the period still runs, what it came to so far. */
  readonly from: LocalDate;
  readonly to: LocalDate;
  /** True where the law ends the scheme with this period; false: it is above the limit now, and is looked at on a later day. */
  readonly mustLeave: boolean;
}

export type SchemeLimitCode =
  | 'RETAIL_SCHEME_LIMIT'
  | 'FLAT_RATE_LIMIT'
  | 'CASH_ACCOUNTING_LIMIT'
  | 'ANNUAL_ACCOUNTING_LIMIT';

/** What a limit is looked at by: which turnover, of which days, up to which amount. */
interface Limit {
  readonly code: SchemeLimitCode;
  readonly parameter: string;
  readonly turnoverOf: (account: PeriodAccount) => number;
  /** Of the period alone; false: of the year that ends with it. */
  readonly ofPeriodAlone: boolean;
  /** True where the period ends the trader's right to the scheme if its turnover is above the limit. */
  readonly isTested: boolean;
}

/**
 * The limits to stay in the schemes of a period that the trader's turnover is above (vat.md section 5). Retail schemes: tills' takings of
 * a year without VAT. Cash accounting: taxable supplies of the year that ends with the period (VAT Regulations 1995, regulation 60).
 * Annual accounting: those of the accounting year (regulation 53). Flat rate: income with its VAT of a year, looked at on each
 * anniversary of the day on which it began (regulation 55M). A year is made of the periods that lie within it.
 */
export function schemeNotices(
  owner: Account,
  trader: TraderState,
  period: VatPeriod,
  view: StateView,
  rules: VatRules,
): readonly SchemeNotice[] {
  const yearStart = addMonths(addDays(period.end, 1), -12);
  let year: readonly PeriodAccount[] | null = null;
  const notices: SchemeNotice[] = [];
  for (const { code, parameter, turnoverOf, ofPeriodAlone, isTested } of limitsOf(trader, period)) {
    const limitPence = findVatParameter(rules, parameter, period.end);
    if (limitPence === null) continue;
    if (!ofPeriodAlone) year ??= accountsOf(owner, trader, period.end, 12, view);
    const accounts = ofPeriodAlone ? [periodAccountAt(owner, period.start, view)] : (year ?? []);
    const turnoverPence = sumOf(accounts, turnoverOf);
    if (turnoverPence <= limitPence) continue;
    const from = ofPeriodAlone ? period.start : yearStart;
    notices.push({ code, limitPence, turnoverPence, from, to: period.end, mustLeave: isTested });
  }
  return notices;
}

/** Flags of a period's close: the schemes that the trader must leave with it. */
export function schemeLimitFlags(...of: Parameters<typeof schemeNotices>): readonly string[] {
  return schemeNotices(...of)
    .filter(({ mustLeave }) => mustLeave)
    .map(({ code }) => code);
}

/**
 * Flags of a registration: the schemes that begin with it although the taxable turnover of the year before was above the limit to join.
 * The law asks what is expected of the next year; the year before is what is known.
 */
export function schemeJoinFlags(
  owner: Account,
  trader: TraderState,
  registration: Registration,
  view: StateView,
  rules: VatRules,
): readonly string[] {
  const dayBefore = addDays(registration.validFrom, -1);
  const before = registrationOn(trader, dayBefore);
  const joined: [string, string][] = [];
  if (registration.scheme === 'flatRate') {
    if (before?.scheme !== 'flatRate') joined.push(['FLAT_RATE_JOIN_LIMIT', 'schemeLimit.flatRate.join']);
  } else if (registration.scheme !== (before?.scheme ?? 'pointOfSale')) {
    joined.push(['RETAIL_SCHEME_JOIN_LIMIT', `schemeLimit.${registration.scheme}`]);
  }
  if (registration.cashAccounting && before?.cashAccounting !== true) {
    joined.push(['CASH_ACCOUNTING_JOIN_LIMIT', 'schemeLimit.cashAccounting.join']);
  }
  if (isAnnualAccounting(registration) && (before === null || !isAnnualAccounting(before))) {
    joined.push(['ANNUAL_ACCOUNTING_JOIN_LIMIT', 'schemeLimit.annualAccounting.join']);
  }
  const flags = isSettledTooLate(owner, trader, { before, registration }, view, rules) ? ['CASH_SIX_MONTHS_LIMIT'] : [];
  if (joined.length === 0) return flags;
  const turnoverPence = sumOf(accountsOf(owner, trader, dayBefore, 12, view), taxableTurnoverOf);
  const above = joined.filter(([, parameter]) => {
    const limitPence = findVatParameter(rules, parameter, registration.validFrom);
    return limitPence !== null && turnoverPence > limitPence;
  });
  return [...flags, ...above.map(([flag]) => flag)];
}

/** True where six months are taken to settle what is unpaid although the last three months' taxable turnover is above the limit to join. */
function isSettledTooLate(
  owner: Account,
  trader: TraderState,
  { before, registration }: { readonly before: Registration | null; readonly registration: Registration },
  view: StateView,
  rules: VatRules,
): boolean {
  if (!registration.unpaidOverSixMonths || before?.cashAccounting !== true) return false;
  const limitPence = findVatParameter(rules, 'schemeLimit.cashAccounting.join', registration.validFrom);
  const dayBefore = addDays(registration.validFrom, -1);
  return limitPence !== null && sumOf(accountsOf(owner, trader, dayBefore, 3, view), taxableTurnoverOf) > limitPence;
}

/** Annual accounting is the scheme of annual periods; a trader that said nothing accounts by quarters. */
function isAnnualAccounting({ cadence }: Registration): boolean {
  return cadence === 'annual';
}

function limitsOf(trader: TraderState, period: VatPeriod): readonly Limit[] {
  const registration = registrationOn(trader, period.start);
  const scheme: VatScheme = registration?.scheme ?? 'pointOfSale';
  const limits: Limit[] = [];
  if (scheme === 'flatRate') {
    const code = 'FLAT_RATE_LIMIT';
    const isTested = hasAnniversary(trader, period);
    const turnoverOf = (account: PeriodAccount) => (account.s?.k === 'FRS' ? flatRateTurnover(account) : 0);
    limits.push({ code, parameter: 'schemeLimit.flatRate.leave', turnoverOf, ofPeriodAlone: false, isTested });
  } else {
    const code = 'RETAIL_SCHEME_LIMIT';
    const parameter = `schemeLimit.${scheme}`;
    limits.push({ code, parameter, turnoverOf: retailTurnoverOf, ofPeriodAlone: false, isTested: true });
  }
  if (registration === null) return limits;
  const taxable = { turnoverOf: taxableTurnoverOf, isTested: true };
  if (registration.cashAccounting) {
    const parameter = 'schemeLimit.cashAccounting.leave';
    limits.push({ code: 'CASH_ACCOUNTING_LIMIT', parameter, ofPeriodAlone: false, ...taxable });
  }
  if (isAnnualAccounting(registration)) {
    const parameter = 'schemeLimit.annualAccounting.leave';
    limits.push({ code: 'ANNUAL_ACCOUNTING_LIMIT', parameter, ofPeriodAlone: true, ...taxable });
  }
  return limits;
}

/** True where a year of the flat rate scheme ends in the period: its anniversary is one of its days, or the day after it. */
function hasAnniversary(trader: TraderState, { start, end }: VatPeriod): boolean {
  const since = flatRateSince(trader, start);
  if (since === null) return false;
  for (let months = 12; ; months += 12) {
    const yearEnd = addDays(addMonths(since, months), -1);
    if (yearEnd > end) return false;
    if (yearEnd >= start) return true;
  }
}

/** The day on which the flat rate scheme began that holds on a day; null where none does. */
export function flatRateSince(trader: TraderState, date: LocalDate): LocalDate | null {
  let since: LocalDate | null = null;
  for (const { validFrom, scheme } of trader.r) {
    if (validFrom > date) break;
    since = scheme === 'flatRate' ? (since ?? validFrom) : null;
  }
  return since;
}

/** Accounts of the trader's periods that lie within the months that end with a day, newest first. */
function accountsOf(
  owner: Account,
  trader: TraderState,
  end: LocalDate,
  months: number,
  view: StateView,
): readonly PeriodAccount[] {
  const first = addMonths(addDays(end, 1), -months);
  const accounts: PeriodAccount[] = [];
  for (let day = end; ; ) {
    const { start } = traderPeriodOfDay(trader, dayNumber(day));
    if (start < first) return accounts;
    accounts.push(periodAccountAt(owner, start, view));
    day = addDays(start, -1);
  }
}

function sumOf(accounts: readonly PeriodAccount[], turnoverOf: (account: PeriodAccount) => number): Pence {
  let sum = 0;
  for (const account of accounts) sum += turnoverOf(account);
  return pence(sum);
}
