import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import {
  frequencyOf,
  type ReturnOfTrader,
  traderStanding,
} from '../../../../../../libs/core/vat/standing/trader-standing.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleRegistration } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const on = (day: string) => localDate(day);
const JUNE: ReturnOfTrader = {
  start: on('2026-04-01'),
  end: on('2026-06-30'),
  due: on('2026-08-07'),
  registration: null,
  isOwed: true,
  filedOn: on('2026-08-07'),
  duePence: 1_000_000,
};
const SEPTEMBER: ReturnOfTrader = {
  ...JUNE,
  start: on('2026-07-01'),
  end: on('2026-09-30'),
  due: on('2026-11-07'),
  filedOn: on('2026-11-10'),
};
const paid = (day: string, amountPence: number) => ({ received: on(day), amountPence });

describe('a trader that pays late', () => {
  it('owes interest from the day after it was due, and penalties from day 16 on', () => {
    const { charges } = traderStanding([JUNE], [paid('2026-08-27', 1_000_000)], on('2026-11-21'), RULES);
    // 20 nights at 7.75%: 42.4658; 3% of 10,000.00.
    expect(charges[0]).toMatchObject({
      openPence: 0,
      interestFrom: '2026-08-07',
      interestPence: 4_247,
      penalties: { firstPence: 30_000, secondPence: 0 },
    });
  });

  it('owes both to today while it does not pay', () => {
    const { charges, unallocatedPence } = traderStanding([JUNE], [], on('2026-09-07'), RULES);
    // 31 nights: 65.8219.
    expect(charges[0]).toMatchObject({
      openPence: 1_000_000,
      interestPence: 6_582,
      penalties: { firstPence: 60_000, secondPence: 274 },
    });
    expect(unallocatedPence).toBe(0);
  });

  it('owes nothing more where it paid in time, or early', () => {
    const { charges } = traderStanding([JUNE], [paid('2026-07-15', 1_000_000)], on('2026-11-21'), RULES);
    expect(charges[0]).toMatchObject({ interestPence: 0, penalties: { firstPence: 0, secondPence: 0 } });
  });
});

describe('a credit of a return', () => {
  const credit = { ...SEPTEMBER, duePence: -100_000 };

  it('bears interest from the later of deadline and receipt to its repayment', () => {
    const before = { ...JUNE, duePence: 0 };
    const money = [paid('2026-11-20', -100_000)];
    const { charges } = traderStanding([before, credit], money, on('2026-12-21'), RULES);
    // 10 nights at 2.75%: 0.7534.
    expect(charges).toMatchObject([{ interestFrom: '2026-11-10', interestPence: 75, penalties: null, openPence: 0 }]);
  });

  it('bears none while an earlier return is missing, and counts from the day on which that came', () => {
    const missing = { ...JUNE, filedOn: null, duePence: null };
    const { charges } = traderStanding([missing, credit], [], on('2026-11-21'), RULES);
    expect(charges).toMatchObject([{ interestFrom: null, interestPence: 0, openPence: 100_000 }]);
    const late = { ...JUNE, filedOn: on('2026-11-16'), duePence: 0 };
    const then = traderStanding([late, credit], [], on('2026-11-21'), RULES);
    // 5 nights: 0.3767.
    expect(then.charges).toMatchObject([{ interestFrom: '2026-11-16', interestPence: 38 }]);
  });
});

describe('a credit beside later returns', () => {
  it('bears interest whether or not they are in: earlier ones alone hold it back', () => {
    const credit = { ...JUNE, duePence: -100_000 };
    const missing = { ...SEPTEMBER, filedOn: null, duePence: null };
    const { charges } = traderStanding([credit, missing], [], on('2026-08-17'), RULES);
    // 10 nights at 2.75%: 0.7534.
    expect(charges).toMatchObject([{ interestFrom: '2026-08-07', interestPence: 75 }]);
  });
});

describe('a return of nothing', () => {
  it('has no charge, and one that is owed has none yet', () => {
    const all = [
      { ...JUNE, duePence: 0 },
      { ...SEPTEMBER, filedOn: null, duePence: null },
    ];
    expect(traderStanding(all, [], on('2026-11-21'), RULES).charges).toEqual([]);
  });
});

describe('points', () => {
  const pointsOf = (one: ReturnOfTrader) => traderStanding([one], [], on('2026-11-21'), RULES).lateReturns.points;

  it('are borne by a return that came late or not at all', () => {
    expect(pointsOf(JUNE)).toBe(0);
    expect(pointsOf(SEPTEMBER)).toBe(1);
    expect(pointsOf({ ...JUNE, filedOn: null, duePence: null })).toBe(1);
  });

  it('are not borne by the first return of a registration, nor by a period of no regular length', () => {
    const first = sampleRegistration('r', { registeredOn: on('2026-08-15'), validFrom: on('2026-08-15') });
    expect(pointsOf({ ...SEPTEMBER, registration: first })).toBe(0);
    expect(pointsOf({ ...SEPTEMBER, start: on('2026-08-01') })).toBe(0);
    const later = sampleRegistration('r', { registeredOn: on('2026-06-30') });
    expect(pointsOf({ ...SEPTEMBER, registration: later })).toBe(1);
  });

  it('are not borne by the return of the day of registration, first or last of its period, and by every one after', () => {
    const at = (registeredOn: string) =>
      pointsOf({ ...SEPTEMBER, registration: sampleRegistration('r', { registeredOn: on(registeredOn) }) });
    expect([at('2026-07-01'), at('2026-09-30')]).toEqual([0, 0]);
    expect([at('2026-06-30'), at('2026-10-01')]).toEqual([1, 1]);
    expect(pointsOf({ ...SEPTEMBER, end: on('2026-09-29') })).toBe(0);
  });

  it.each([
    ['annual', 'annual'],
    ['monthly', 'monthly'],
    ['stagger2', 'quarterly'],
  ] as const)('of %s periods have the threshold of %s returns', (cadence, frequency) => {
    expect(frequencyOf(sampleRegistration('r', { cadence }))).toBe(frequency);
    expect(frequencyOf(null)).toBe('quarterly');
  });
});

it('does not depend on the order of returns and money', () => {
  const money = [paid('2026-08-20', 600_000), paid('2026-09-30', 300_000), paid('2026-11-15', 500_000)];
  const all = [JUNE, SEPTEMBER];
  const standing = traderStanding(all, money, on('2026-12-21'), RULES);
  expect(traderStanding([...all].reverse(), [...money].reverse(), on('2026-12-21'), RULES)).toEqual(standing);
  expect(standing.charges.map(({ openPence }) => openPence)).toEqual([pence(0), pence(600_000)]);
});
