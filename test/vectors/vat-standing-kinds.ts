import { addDays, addMonths, daysBetween, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { PeriodReturn } from '../../libs/core/vat/return/return-of-period.ts';
import { frequencyOf, type ReturnOfTrader, traderStanding } from '../../libs/core/vat/standing/trader-standing.ts';
import { interestKnownTo, interestRateOn, vatInterest } from '../../libs/core/vat/standing/vat-interest.ts';
import { registrationOn, traderOf } from '../../libs/core/vat/state/trader.ts';
import { vatDueDate } from '../../libs/core/vat/state/vat-period.ts';
import { productRules } from './product-accounts.ts';
import { list, type VectorInput, type VectorKind } from './vector-case.ts';
import { dateOf, TRADER, VectorTrader } from './vector-trader.ts';

/** Where a trader stands with its periods, returns and payments, as its node tells it. */
export const standingKinds: Readonly<Record<string, VectorKind>> = {
  deadline: [{ by: 'returnOfPeriod', answer: deadlineResult }],
  stagger: [{ by: 'returnOfPeriod', answer: staggerResult }],
  penalty: [{ by: 'decideVat → traderStanding', answer: penaltyResult }],
  points: [{ by: 'decideVat → traderStanding', answer: pointsResult }],
  interest_rate: [{ by: 'interestRateOn', answer: interestRateResult }],
  interest: [{ by: 'vatInterest', answer: interestResult }],
};

/** The two rates of a day, and whether HMRC's table is known for it. */
function interestRateResult({ date }: VectorInput): unknown {
  const [late, repayment] = (['late', 'repayment'] as const).map((kind) =>
    interestRateOn(kind, dateOf(date), productRules().vat),
  );
  const percent = (rate: typeof late) => ((rate?.basisPoints ?? 0) / 100).toFixed(2);
  const knownTo = late?.knownTo ?? null;
  const estimated = knownTo !== null;
  return { latePct: percent(late), repaymentPct: percent(repayment), estimated, ...(estimated ? { knownTo } : {}) };
}

/** Interest on one amount over days. */
function interestResult(input: VectorInput): unknown {
  const [from, to] = [dateOf(input.from), dateOf(input.to)];
  const amounts = [{ from, to, pence: Number(input.amountPence) }];
  const kind = input.kind === 'repayment' ? 'repayment' : 'late';
  const knownTo = interestKnownTo(amounts, productRules().vat);
  return {
    days: daysBetween(from, to),
    interestPence: vatInterest(amounts, kind, productRules().vat),
    estimated: knownTo !== null,
    ...(knownTo === null ? {} : { knownTo }),
  };
}

/** When the return of the period is due that ends so: an annual trader's, or one whose stagger it fits. */
function deadlineResult(input: VectorInput): unknown {
  const periodEnd = dateOf(input.periodEnd);
  if (input.paymentOnAccount === true) return { due: vatDueDate(periodEnd, 'payment_on_account') };
  return { due: periodEnding(periodEnd, input.annual === true).made.due };
}

/** A trader that registers for the day, with a period that ends on it. */
function periodEnding(end: LocalDate, annual: boolean): { readonly trader: VectorTrader; readonly made: PeriodReturn } {
  const month = Number(end.slice(5, 7));
  const cadence = annual ? { cadence: 'annual', annualEndMonth: month } : { cadence: STAGGERS[month % 3] };
  const trader = new VectorTrader();
  trader.register(localDate(`${end.slice(0, 7)}-01`), cadence);
  const made = trader.returnOn(end);
  if (made.period.end !== end) throw new Error(`no period of a trader ends on ${end}`);
  return { trader, made };
}

/** By what the last month of a quarter leaves when divided by three. */
const STAGGERS = ['stagger1', 'stagger2', 'stagger3'] as const;

function staggerResult(input: VectorInput): unknown {
  const date = dateOf(input.date);
  const trader = new VectorTrader();
  trader.register(addMonths(date, -24), { cadence: `stagger${input.stagger}` });
  const { period, due } = trader.returnOn(date);
  return { start: period.start, end: period.end, due };
}

/** A return of that amount, filed in time and paid on a day; its penalties as they stand then. */
function penaltyResult(input: VectorInput): unknown {
  const [due, paidOn] = [dateOf(input.due), dateOf(input.paidOn)];
  const end = addDays(addMonths(addDays(due, 1 - FIRST_DUE_DAY), -1), -1);
  const { trader, made } = periodEnding(end, false);
  if (made.due !== due) throw new Error(`no return is due on ${due}`);
  const vatPence = Number(input.amountPence);
  trader.send('VatAdjustmentMade', end, { kind: 'sale', taxPoint: end, netPence: vatPence * 5, vatPence });
  const declared = trader.returnOn(end);
  trader.close(declared);
  const { decision } = trader.pay(paidOn, vatPence);
  const paid = decision.results.flatMap(({ amounts }) => amounts).reduce((sum, { pence }) => sum + pence, 0);
  const money = [{ amountPence: Math.abs(paid), received: paidOn }];
  const { charges } = traderStanding([filed(trader, declared, due)], money, paidOn, productRules().vat);
  const [charge] = charges;
  const on = charge?.clearings.at(-1)?.on;
  if (charge?.penalties == null || on === undefined) throw new Error('the charge was paid and has its penalties');
  return {
    daysLate: Math.max(0, daysBetween(charge.charge.due, on)),
    lpp1Pence: charge.penalties.firstPence,
    lpp2Pence: charge.penalties.secondPence,
  };
}

/** Returns are due on the 7th of the month after the next. */
const FIRST_DUE_DAY = 7;

/** A return as its trader's node puts it to its standing, filed on a day. */
function filed(trader: VectorTrader, made: PeriodReturn, filedOn: LocalDate): ReturnOfTrader {
  const { period, due, boxes } = made;
  const registration = registrationOn(traderOf(TRADER, trader.view), period.start);
  return { ...period, due, registration, isOwed: true, filedOn, duePence: boxes[3] - boxes[4] };
}

/** The returns of a trader one after another, each in time or a day late; its points on the day after the last was filed. */
function pointsResult(input: VectorInput): unknown {
  const frequency = String(input.frequency);
  const cadence = CADENCES.get(frequency);
  if (cadence === undefined) throw new TallyError('FREQUENCY_UNKNOWN', 'annual, quarterly or monthly');
  const trader = new VectorTrader();
  trader.register(FIRST_PERIOD, cadence);
  let day: LocalDate = FIRST_PERIOD;
  let today: LocalDate = FIRST_PERIOD;
  const returns = list(input.late).map((late) => {
    const made = trader.returnOn(day);
    trader.sendOn('VatPeriodClosed', addDays(made.period.end, 1), {
      periodStart: made.period.start,
      periodEnd: made.period.end,
      close: 'hard',
    });
    day = addDays(made.period.end, 1);
    const filedOn = late === 1 ? addDays(made.due, 1) : made.due;
    today = addDays(filedOn, 1);
    return filed(trader, made, filedOn);
  });
  if (returns.some(({ registration }) => frequencyOf(registration) !== frequency)) throw new Error('another frequency');
  const { lateReturns } = traderStanding(returns, [], today, productRules().vat);
  const { points, threshold, penaltiesPence } = lateReturns;
  return { points, penaltiesPence, atThreshold: points >= threshold };
}

/** The regime is of periods from 1 January 2023. */
const FIRST_PERIOD = localDate('2023-01-01');

const CADENCES: ReadonlyMap<string, VectorInput> = new Map([
  ['annual', { cadence: 'annual', annualEndMonth: 12 }],
  ['quarterly', { cadence: 'stagger1' }],
  ['monthly', { cadence: 'monthly' }],
]);
