import { dayNumber, earlierDate, type LocalDate, laterDate } from '../../calendar/local-date.ts';
import type { Pence } from '../../money/pence.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { naturalPeriodOfDay, type Registration } from '../state/trader.ts';
import { type LateReturnStanding, lateReturnStanding, type ReturnDue } from './late-return-points.ts';
import {
  type Clearing,
  type MoneyOfTrader,
  type SettledCharge,
  settleCharges,
  type VatCharge,
} from './settle-charges.ts';
import { type BearingInterest, interestKnownTo, vatInterest } from './vat-interest.ts';
import { type ChargePenalties, penaltiesOfCharge, type ReturnFrequency } from './vat-penalties.ts';

/** A return that a trader owes or has filed. */
export interface ReturnOfTrader {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  /** What holds for the trader on its first day; null: nothing was registered. */
  readonly registration: Registration | null;
  /** False for one that was filed though nobody owed it: it bears no point. */
  readonly isOwed: boolean;
  /** The civil date on which it came in; null while it is owed. */
  readonly filedOn: LocalDate | null;
  /** Box 3 less box 4 as declared; null while it is owed. */
  readonly duePence: number | null;
}

/** What a filed return's charge came to: paid, late, and what that costs so far. */
export interface ChargeStanding<Return extends ReturnOfTrader> extends SettledCharge<VatCharge> {
  readonly return: Return;
  /** Null for a credit. */
  readonly penalties: ChargePenalties | null;
  /** Late payment interest of a charge, repayment interest of a credit, to the day asked for. */
  readonly interestPence: Pence;
  /** Where interest rests on nights after the end of HMRC's table, the last day that is known: it is an estimate then. Null: all is known. */
  readonly interestKnownTo: LocalDate | null;
  /** The day from which interest counts; null: it does not (a credit while an earlier return is missing). */
  readonly interestFrom: LocalDate | null;
}

/** Where a trader stands with its returns and its payments on a day. */
export interface TraderStanding<Return extends ReturnOfTrader> {
  readonly lateReturns: LateReturnStanding;
  /** Charges and credits, in the order in which they are due. */
  readonly charges: readonly ChargeStanding<Return>[];
  /** Money that no charge took. */
  readonly unallocatedPence: number;
}

/**
 * Points, penalties and interest of a trader on a day, worked out from its returns and money alone (vat.md 7.2): nothing is raised or
 * posted by it. Penalties and interest are of periods from 1 January 2023; before, there are none here.
 */
export function traderStanding<Return extends ReturnOfTrader>(
  returns: readonly Return[],
  money: readonly MoneyOfTrader[],
  today: LocalDate,
  rules: VatRules,
): TraderStanding<Return> {
  const filed = returns.flatMap((one) => {
    const { start, end, due, filedOn, duePence } = one;
    return filedOn === null || duePence === null || duePence === 0
      ? []
      : [{ start, end, due, filedOn, duePence, return: one }];
  });
  const { charges, unallocatedPence } = settleCharges(filed, money);
  return {
    lateReturns: lateReturnStanding(returns.map(returnDueOf), today, rules),
    charges: charges.map((settled) => {
      const { charge } = settled;
      const isOwed = charge.duePence > 0;
      const from = isOwed ? charge.due : repaymentInterestFrom(charge.return, returns);
      const kind = isOwed ? 'late' : 'repayment';
      const amounts = from === null ? [] : bearing(settled, from, today);
      const interestPence = vatInterest(amounts, kind, rules);
      const knownTo = interestKnownTo(amounts, rules);
      const penalties = isOwed ? penaltiesOfCharge(paidChargeOf(settled), today, rules) : null;
      return {
        ...settled,
        return: charge.return,
        penalties,
        interestPence,
        interestKnownTo: knownTo,
        interestFrom: from,
      };
    }),
    unallocatedPence,
  };
}

/** How often a trader files, by what it registered. */
export function frequencyOf(registration: Registration | null): ReturnFrequency {
  switch (registration?.cadence) {
    case 'annual':
    case 'monthly':
      return registration.cadence;
    default:
      return 'quarterly';
  }
}

/** No points for the first return of a new registration, and for one of a period of no regular length (gov.uk, late VAT returns). */
function returnDueOf({ start, end, due, registration, filedOn, isOwed }: ReturnOfTrader): ReturnDue {
  const natural = naturalPeriodOfDay(registration, dayNumber(start));
  const isRegular = natural.start === start && natural.end === end;
  const registeredOn = registration?.registeredOn ?? null;
  const isFirst = registeredOn !== null && start <= registeredOn && registeredOn <= end;
  const frequency = frequencyOf(registration);
  return { start, end, due, frequency, received: filedOn, bearsPoints: isOwed && isRegular && !isFirst };
}

function paidChargeOf({ charge, clearings }: SettledCharge<VatCharge>) {
  return { amountPence: charge.duePence, due: charge.due, periodStart: charge.start, paid: clearings };
}

/** From the later of deadline and receipt, and not while an earlier return is missing (collection.md 3.8). */
function repaymentInterestFrom(credit: ReturnOfTrader, returns: readonly ReturnOfTrader[]): LocalDate | null {
  let from = laterDate(credit.filedOn ?? credit.due, credit.due);
  for (const { end, filedOn } of returns) {
    if (end >= credit.end) continue;
    if (filedOn === null) return null;
    from = laterDate(from, filedOn);
  }
  return from;
}

/** What was open of a charge or credit, from a day on until it was cleared, or until today. */
function bearing(
  { clearings, openPence }: SettledCharge<VatCharge>,
  from: LocalDate,
  today: LocalDate,
): BearingInterest[] {
  const open: Clearing = { on: today, pence: openPence };
  return [...clearings, open]
    .map(({ on, pence: part }) => ({ from, to: earlierDate(on, today), pence: part }))
    .filter(({ to }) => to > from);
}
