import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { decidePaye, payeStateKeys } from '../../../../../../libs/core/paye/payment/decide-paye.ts';
import { hashOf, PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
const NOTHING_STATED = {
  incomeTaxPence: null,
  employeeNicsPence: null,
  employerNicsPence: null,
  studentLoanPence: null,
  postgraduateLoanPence: null,
  class1aNicsPence: null,
};
let book: PayeBook;
beforeEach(() => {
  book = new PayeBook(RULES);
});

describe('one payment', () => {
  it('is one charge with its heads in order and the taxable pay as its base', () => {
    const event = paymentMade({ studentLoanPlan: '02', postgraduateLoan: true });
    const { outcome, results, rejections } = book.decide(event);
    expect({ outcome, rejections }).toEqual({ outcome: 'accepted', rejections: [] });
    // 2,750.00 - 1,048.26 free pay = 1,701.74: 20% of 1,701 = 340.20. NICs (2,750 - 1,048) * 8% = 136.16, (2,750 - 417) * 15% = 349.95.
    // Plan 2: (2,750 - 2,448.75) * 9% = 27.11 -> 27; postgraduate: (2,750 - 1,750) * 6% = 60.
    expect(results).toEqual([
      {
        account: 'paye:123/AB456',
        eventId: event.eventId,
        kind: 'charge',
        number: 1,
        taxPeriod: '2026-27/M01',
        basePence: 275_000,
        amounts: [
          { head: 'incomeTax', pence: 34_020 },
          { head: 'employeeNics', pence: 13_616 },
          { head: 'employerNics', pence: 34_995 },
          { head: 'studentLoan', pence: 2_700 },
          { head: 'postgraduateLoan', pence: 6_000 },
        ],
        person: event.person,
        links: [],
        flags: [],
        stated: [],
        receivedAtMs: event.receivedAtMs,
      },
    ]);
  });

  it('copies what the employer stated, zero included and unstated heads left out', () => {
    const stated = {
      incomeTaxPence: pence(34_000),
      employeeNicsPence: pence(0),
      employerNicsPence: null,
      studentLoanPence: null,
      postgraduateLoanPence: null,
      class1aNicsPence: null,
    };
    const { results } = book.decide(paymentMade({ stated }));
    expect(results[0]?.stated).toEqual([
      { head: 'incomeTax', pence: 34_000 },
      { head: 'employeeNics', pence: 0 },
    ]);
  });

  it('leaves heads of nothing out', () => {
    expect(book.pay({ taxablePayPence: 50_000, nicableEarningsPence: 10_000 })).toEqual({});
  });

  it('numbers decisions by account, over employments', () => {
    const numbers = ['W-1', 'W-2', 'W-1'].map(
      (worksNumber) => book.decide(paymentMade({ worksNumber })).results[0]?.number,
    );
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('says which state it reads before it reads it', () => {
    const event = paymentMade({ worksNumber: 'N', oldWorksNumber: 'O', paymentDate: '2026-04-05', period: 12 });
    const read = new Set<string>();
    const view = {
      get: (key: string) => {
        read.add(key);
        return undefined;
      },
    };
    decidePaye(event, hashOf(event), view, RULES);
    expect([...read].sort()).toEqual([...payeStateKeys(event)].sort());
    expect(read).toContain('employment|paye:123/AB456|2025-26|N');
  });

  it('takes the period from the pay day where the employer states another, and says so', () => {
    // Month 2 by its date: free pay of two months against one payment leaves 2,750.00 - 2,096.52 = 653 pounds at 20%.
    const { results } = book.decide(paymentMade({ paymentDate: '2026-05-06', period: 1 }));
    expect(results[0]?.flags).toEqual(['PERIOD_DIFFERS']);
    expect(results[0]?.taxPeriod).toBe('2026-27/M02');
    expect(results[0]?.amounts[0]).toEqual({ head: 'incomeTax', pence: 13_060 });
  });
});

describe('the same event again', () => {
  it('is a repeat that changes nothing', () => {
    const event = paymentMade();
    book.decide(event);
    const before = JSON.stringify([...book.state]);
    expect(book.decide(event)).toEqual({ outcome: 'repeat', results: [], rejections: [], changes: [] });
    expect(JSON.stringify([...book.state])).toBe(before);
  });

  it('with another body is a conflict that changes nothing', () => {
    const event = paymentMade();
    book.decide(event);
    const other = book.decide({ ...event, taxablePayPence: pence(1) });
    expect(other.rejections[0]).toMatchObject({
      code: 'EVENT_ID_CONFLICT',
      facts: { what: 'the event id is known with another body' },
    });
    expect(other.changes).toEqual([]);
  });

  it('was not seen where it was rejected: the same id with a good body is accepted', () => {
    const event = paymentMade();
    expect(book.decide({ ...event, taxCode: 'Q1' }).outcome).toBe('rejected');
    expect(book.decide(event).outcome).toBe('accepted');
  });

  it('is remembered through a year of weekly payments', () => {
    const first = paymentMade({ payFrequency: 'W1', paymentDate: '2026-04-10', period: 1 });
    book.decide(first);
    for (let week = 2; week <= 52; week += 1) {
      book.decide(paymentMade({ payFrequency: 'W1', paymentDate: weekDate(week), period: week }));
    }
    expect(book.decide(first).outcome).toBe('repeat');
  });
});

describe('what is refused', () => {
  it.each([
    [{ taxCode: '1257Q' }, 'BAD_TAX_CODE', '/taxCode'],
    [{ taxCode: 'D2' }, 'NO_RATE_FOR_D_CODE', '/taxCode'],
    [{ taxCode: 'K0' }, 'K_CODE_OUT_OF_RANGE', '/taxCode'],
    [{ paymentDate: '2030-05-01' }, 'UNSUPPORTED_TAX_YEAR', '/paymentDate'],
    [{ studentLoanPlan: '05', paymentDate: '2025-04-30' }, 'PLAN_NOT_IN_FORCE', '/studentLoanPlan'],
    [{ niCategory: 'N', paymentDate: '2024-01-31', period: 10 }, 'BAD_NI_CATEGORY', '/niCategory'],
    [{ worksNumber: 'AB 12 34 56 C' }, 'WORKS_NUMBER_IS_NINO', '/worksNumber'],
    [{ taxablePayPence: 10_000_000_000 }, 'AMOUNT_OUT_OF_RANGE', '/taxablePayPence'],
    [{ period: 13 }, 'BAD_PERIOD', '/period'],
    [{ lateReason: 'E' }, 'BAD_LATE_REASON', '/lateReason'],
  ] as const)('%o gets %s at %s and changes nothing', (changes, code, pointer) => {
    const { outcome, rejections, changes: changed } = book.decide(paymentMade(changes));
    expect(outcome).toBe('rejected');
    expect(rejections[0]).toMatchObject({ code, facts: { pointer, faults: '1' } });
    expect(changed).toEqual([]);
  });
});

describe('an employment beyond the limit of a year', () => {
  it('takes no more, so that no amount ever loses its pennies', () => {
    const most = { taxablePayPence: 9_999_999_999, nicableEarningsPence: 0, week1Month1: true };
    for (let paid = 0; paid < 500; paid += 1) expect(book.pay(most)).toHaveProperty('incomeTax');
    expect(book.pay(most)).toBe('AMOUNT_OUT_OF_RANGE');
    expect(book.pay({ taxablePayPence: 0, nicableEarningsPence: 0 })).not.toBe('AMOUNT_OUT_OF_RANGE');
  });
});

describe('several payments in a period', () => {
  it('add up for NICs: two halves pay what the whole pays', () => {
    book.pay({ taxablePayPence: 137_500, nicableEarningsPence: 137_500 });
    book.pay({ taxablePayPence: 137_500, nicableEarningsPence: 137_500 });
    expect(Object.fromEntries(book.balance)).toEqual({ incomeTax: 34_020, employeeNics: 13_616, employerNics: 34_995 });
  });

  it('add up for loans: two halves pay what the whole pays, and a correction gives it back', () => {
    const half = {
      taxablePayPence: 137_500,
      nicableEarningsPence: 137_500,
      studentLoanPlan: '02',
      postgraduateLoan: true,
    } as const;
    book.pay(half);
    book.pay(half);
    expect([book.balance.get('studentLoan'), book.balance.get('postgraduateLoan')]).toEqual([2_700, 6_000]);
    book.pay({ ...half, taxablePayPence: -100_000, nicableEarningsPence: -100_000 });
    expect([book.balance.get('studentLoan'), book.balance.get('postgraduateLoan')]).toEqual([0, 0]);
  });

  it('are pooled on a week 1 basis, refunding what a correction takes back', () => {
    book.pay({ week1Month1: true });
    book.pay({ week1Month1: true, taxablePayPence: 100_000, nicableEarningsPence: 100_000 });
    book.pay({ week1Month1: true, taxablePayPence: -100_000, nicableEarningsPence: -100_000 });
    expect(Object.fromEntries(book.balance)).toEqual({ incomeTax: 34_020, employeeNics: 13_616, employerNics: 34_995 });
  });

  it('under two letters are worked out each by its own', () => {
    book.pay({ niCategory: 'A', nicableEarningsPence: 200_000 });
    // C pays no employee's NICs; the employer's start again at 417: (2,000 - 417) * 15% = 237.45.
    expect(book.pay({ niCategory: 'C', nicableEarningsPence: 200_000 })).toMatchObject({ employerNics: 23_745 });
  });

  it('in a period long past still add up with what was paid then', () => {
    for (const month of [1, 2, 3, 4, 5, 6, 7]) book.pay({ paymentDate: monthDate(month), period: month });
    expect(book.state.has('employmentperiod|paye:123/AB456|2026-27|AM1:1|W-1')).toBe(true);
    // 1,000.00 more on 2,750.00 of month 1, all between the thresholds: 8% and 15% of it; and again.
    const more = { paymentDate: monthDate(1), period: 1, taxablePayPence: 100_000, nicableEarningsPence: 100_000 };
    expect(book.pay(more)).toMatchObject({ employeeNics: 8_000, employerNics: 15_000 });
    expect(book.pay({ ...more, nicableEarningsPence: -100_000 })).toMatchObject({
      employeeNics: -8_000,
      employerNics: -15_000,
    });
  });

  it('in a period long past are remembered under a changed works number too', () => {
    for (const month of [1, 2, 3, 4, 5, 6]) book.pay({ paymentDate: monthDate(month), period: month });
    book.pay({ worksNumber: 'NEW', oldWorksNumber: 'W-1', paymentDate: monthDate(7), period: 7 });
    const late = { worksNumber: 'NEW', paymentDate: monthDate(1), period: 1, nicableEarningsPence: 100_000 };
    expect(book.pay(late)).toMatchObject({ employeeNics: 8_000, employerNics: 15_000 });
  });
});

describe('payments out of order', () => {
  it('leave the same tax to date as in order, and say so', () => {
    book.pay({});
    book.pay({ paymentDate: '2026-06-30', period: 3 });
    const late = book.decide(paymentMade({ paymentDate: '2026-05-29', period: 2 }));
    expect(late.results[0]?.flags).toEqual(['OUT_OF_ORDER']);
    expect(late.results[0]?.taxPeriod).toBe('2026-27/M02');
    const inOrder = new PayeBook(RULES);
    for (const month of [1, 2, 3]) inOrder.pay({ paymentDate: monthDate(month), period: month });
    expect(book.balance).toEqual(inOrder.balance);
  });
});

describe('starters and leavers', () => {
  const starter = { startDate: null, declaration: null, p45PayPence: pence(1_000_000), p45TaxPence: pence(160_000) };

  it('a P45 of the year feeds pay and tax to date, once', () => {
    // Month 6: 10,000 + 2,750 - 6,289.56 = 6,460.44: 20% of 6,460 = 1,292.00, less 1,600.00 paid: a refund of 308.00.
    const month6 = { paymentDate: '2026-09-30', period: 6, starter };
    expect(book.pay(month6)).toMatchObject({ incomeTax: -30_800 });
    // Month 7: 15,500 - 7,337.82 = 8,162.18 -> 1,632.40, less 1,292.00 = 340.40.
    expect(book.pay({ ...month6, paymentDate: '2026-10-30', period: 7 })).toMatchObject({ incomeTax: 34_040 });
  });

  it('a P45 does not count on a week 1 basis', () => {
    expect(book.pay({ paymentDate: '2026-09-30', period: 6, starter, week1Month1: true })).toMatchObject({
      incomeTax: 34_020,
    });
  });

  it('a P45 of a week 1 basis counts from the first payment on a cumulative basis', () => {
    const p45 = { ...starter, p45PayPence: pence(180_000), p45TaxPence: pence(0) };
    const paid = { taxCode: '1257L X', taxablePayPence: pence(220_000), nicableEarningsPence: pence(0) };
    // 2,200.00 - 1,048.26 = 1,151.74 -> 20% of 1,151 = 230.20, twice.
    expect(book.pay({ ...paid, paymentDate: '2026-06-30', period: 3, starter: p45 })).toEqual({ incomeTax: 23_020 });
    expect(book.pay({ ...paid, paymentDate: '2026-07-30', period: 4 })).toEqual({ incomeTax: 23_020 });
    // Month 5: 1,800 + 6,600 - 5,241.30 = 3,158.70 -> 631.60, less 460.40 paid.
    const month5 = { ...paid, taxCode: '1257L', paymentDate: '2026-08-30', period: 5 };
    expect(book.pay(month5)).toEqual({ incomeTax: 17_120 });
  });

  it('has a flag where it is taxed by another code or basis than its declaration gives', () => {
    const none = { startDate: null, declaration: null, p45PayPence: null, p45TaxPence: null } as const;
    const flags = (changes: Parameters<typeof paymentMade>[0]) =>
      book.decide(paymentMade({ separateNics: true, ...changes })).results[0]?.flags;
    const a = { ...none, declaration: 'A' } as const;
    expect(flags({ starter: a })).toEqual([]);
    expect(flags({ starter: a, worksNumber: 'W-2', week1Month1: true })).toEqual(['STARTER_CODE_DIFFERS']);
    expect(flags({ starter: a, worksNumber: 'W-3', taxCode: 'BR' })).toEqual(['STARTER_CODE_DIFFERS']);
    expect(flags({ starter: a, worksNumber: 'W-4', taxCode: 'S1257L' })).toEqual([]);
    expect(flags({ starter: a, worksNumber: 'W-5', taxCode: '1256L' })).toEqual(['STARTER_CODE_DIFFERS']);
    const c = { ...none, declaration: 'C' } as const;
    expect(flags({ starter: c, worksNumber: 'W-6', taxCode: 'BR' })).toEqual([]);
    expect(flags({ starter: c, worksNumber: 'W-7', taxCode: 'D0' })).toEqual(['STARTER_CODE_DIFFERS']);
    expect(flags({ starter: none, worksNumber: 'W-8', taxCode: '0T M1' })).toEqual([]);
    expect(flags({ starter: { ...none, p45PayPence: pence(1), p45TaxPence: pence(0) }, worksNumber: 'W-9' })).toEqual(
      [],
    );
  });

  it('a payment after leaving is on 0T month 1 whatever code is stated', () => {
    book.pay({ leavingDate: '2026-04-30' });
    const late = book.decide(paymentMade({ paymentDate: '2026-05-29', period: 2, paymentAfterLeaving: true }));
    expect(late.results[0]?.flags).toEqual(['CODE_AFTER_LEAVING']);
    // 2,750 at 20%: within the month's basic rate band of 3,141.66.
    expect(late.results[0]?.amounts[0]).toEqual({ head: 'incomeTax', pence: 55_000 });
  });

  it('a payment after leaving has no flag where it is on 0T, week 1 or month 1, by its basis or by its text', () => {
    const after = { paymentDate: '2026-05-29', period: 2, paymentAfterLeaving: true, separateNics: true };
    const flags = (changes: Parameters<typeof paymentMade>[0]) =>
      book.decide(paymentMade({ ...after, ...changes })).results[0]?.flags;
    expect(flags({ taxCode: '0T', week1Month1: true })).toEqual([]);
    expect(flags({ taxCode: 'S0T M1', worksNumber: 'W-2' })).toEqual([]);
    expect(flags({ taxCode: '0T', worksNumber: 'W-3' })).toEqual(['CODE_AFTER_LEAVING']);
    expect(flags({ taxCode: 'BR', week1Month1: true, worksNumber: 'W-4' })).toEqual(['CODE_AFTER_LEAVING']);
    expect(flags({ taxCode: '1257L', week1Month1: true, worksNumber: 'W-5' })).toEqual(['CODE_AFTER_LEAVING']);
  });
});

describe('strikes', () => {
  it('withhold a refund until the return', () => {
    book.pay({});
    const strike = { paymentDate: '2026-05-29', period: 2, taxablePayPence: 0, nicableEarningsPence: 0 };
    const { results } = book.decide(paymentMade({ ...strike, onStrike: true }));
    expect(results[0]).toMatchObject({ amounts: [], flags: ['REFUND_WITHHELD'] });
    // Back in month 3 without pay: 2,750 - 3,144.78 is below zero, so all 340.20 comes back.
    expect(book.pay({ ...strike, paymentDate: '2026-06-30', period: 3 })).toEqual({ incomeTax: -34_020 });
  });
});

describe('the odd week', () => {
  it('week 53 stands alone with one week’s free pay, and its tax counts to date', () => {
    book.pay({
      payFrequency: 'W1',
      paymentDate: weekDate(52),
      period: 52,
      taxablePayPence: 60_000,
      nicableEarningsPence: 60_000,
    });
    // 600.00 - 241.92 = 358.08: 20% of 358.
    expect(
      book.pay({
        payFrequency: 'W1',
        paymentDate: '2027-04-05',
        period: 53,
        taxablePayPence: 60_000,
        nicableEarningsPence: 60_000,
      }),
    ).toMatchObject({ incomeTax: 7_160 });
  });
});

describe('directors', () => {
  it('on the annual method pay nothing until the year’s earnings pass the threshold', () => {
    const paid = { directorsNic: 'AN', taxablePayPence: 1_000_000, nicableEarningsPence: 1_000_000 } as const;
    // Employer: (10,000 - 5,000) * 15%.
    expect(book.pay(paid)).toEqual({ incomeTax: 295_206, employerNics: 75_000 });
    // Employee: (20,000 - 12,570) * 8% = 594.40; employer 1,500.00 more.
    expect(book.pay({ ...paid, paymentDate: '2026-05-29', period: 2 })).toMatchObject({
      employeeNics: 59_440,
      employerNics: 150_000,
    });
  });

  it('on the alternative method settle by the annual one in the last month', () => {
    const paid = { directorsNic: 'AL', taxablePayPence: 400_000, nicableEarningsPence: 400_000 } as const;
    for (let month = 1; month <= 12; month += 1) book.pay({ ...paid, paymentDate: monthDate(month), period: month });
    // A year of 48,000: (48,000 - 12,570) * 8% = 2,834.40 and (48,000 - 5,000) * 15% = 6,450.00.
    expect(book.balance.get('employeeNics')).toBe(283_440);
    expect(book.balance.get('employerNics')).toBe(645_000);
  });

  it('keep the annual period when they cease to be directors', () => {
    book.pay({ directorsNic: 'AN', nicableEarningsPence: 1_000_000 });
    expect(book.pay({ paymentDate: '2026-05-29', period: 2, nicableEarningsPence: 200_000 })).not.toHaveProperty(
      'employeeNics',
    );
  });

  it('appointed within the year have the thresholds of the weeks left', () => {
    // Week 27: 26 weeks; primary threshold 12,570 * 26 / 52 = 6,285. (10,000 - 6,285) * 8% = 297.20.
    expect(
      book.pay({
        directorsNic: 'AN',
        directorAppointedWeek: 27,
        paymentDate: '2026-10-30',
        period: 7,
        nicableEarningsPence: 1_000_000,
      }),
    ).toMatchObject({ employeeNics: 29_720 });
  });
});

describe('a works number that continues another', () => {
  it('takes over the year’s figures, and the old number is closed', () => {
    book.pay({ worksNumber: 'OLD' });
    const moved = book.pay({ worksNumber: 'NEW', oldWorksNumber: 'OLD', paymentDate: '2026-05-29', period: 2 });
    const straight = new PayeBook(RULES);
    straight.pay({});
    expect(moved).toEqual(straight.pay({ paymentDate: '2026-05-29', period: 2 }));
    expect(book.pay({ worksNumber: 'OLD', paymentDate: '2026-06-30', period: 3 })).toBe('WORKS_NUMBER_CHANGED');
  });

  it('still knows the old number’s events as repeats', () => {
    const first = paymentMade({ worksNumber: 'OLD' });
    book.decide(first);
    book.pay({ worksNumber: 'NEW', oldWorksNumber: 'OLD', paymentDate: '2026-05-29', period: 2 });
    expect(book.decide(first).outcome).toBe('repeat');
  });

  it('that is unknown starts afresh and says so', () => {
    const { results } = book.decide(paymentMade({ worksNumber: 'NEW', oldWorksNumber: 'OLD' }));
    expect(results[0]?.flags).toEqual(['OLD_WORKS_NUMBER_UNKNOWN']);
  });
});

describe('rates that change within a year', () => {
  it('are those of the pay day: 2022-23 has three sets for NICs', () => {
    const paid = { nicableEarningsPence: 200_000, taxablePayPence: 0 };
    // (2,000 - 823) * 13.25% = 155.9525 -> 155.95; from 6 July (2,000 - 1,048) * 13.25% = 126.14; from 6 November * 12% = 114.24.
    expect(book.pay({ ...paid, paymentDate: '2022-06-30', period: 3 })).toMatchObject({ employeeNics: 15_595 });
    expect(book.pay({ ...paid, paymentDate: '2022-07-29', period: 4 })).toMatchObject({ employeeNics: 12_614 });
    expect(book.pay({ ...paid, paymentDate: '2022-11-30', period: 8 })).toMatchObject({ employeeNics: 11_424 });
  });

  it('a director’s year of 2022-23 has rates of its own', () => {
    // (50,000 - 11,908) * 12.73% = 4,849.1116 and (50,000 - 9,100) * 14.53% = 5,942.77.
    expect(
      book.pay({ directorsNic: 'AN', paymentDate: '2023-03-31', period: 12, nicableEarningsPence: 5_000_000 }),
    ).toMatchObject({ employeeNics: 484_911, employerNics: 594_277 });
  });
});

function weekDate(week: number): string {
  const start = Date.UTC(2026, 3, 6 + (week - 1) * 7);
  return localDate(new Date(start).toISOString().slice(0, 10));
}

function monthDate(month: number): string {
  return localDate(new Date(Date.UTC(2026, 2 + month, 28)).toISOString().slice(0, 10));
}

describe('Class 1A', () => {
  it('on a termination award paid in two parts is on what both together exceed 30,000 by', () => {
    expect(book.pay({ terminationAwardPence: 2_000_000 })).not.toHaveProperty('class1aNics');
    // 20,000 + 15,000 - 30,000 = 5,000 at 15% = 750.00; then 2,000 go back: 300.00 with them.
    expect(book.pay({ terminationAwardPence: 1_500_000 })).toMatchObject({ class1aNics: 75_000 });
    expect(book.pay({ terminationAwardPence: -200_000 })).toMatchObject({ class1aNics: -30_000 });
    expect(book.balance.get('class1aNics')).toBe(45_000);
  });

  it('on a sporting testimonial is on what exceeds 100,000, beside an award, at the rate of its year', () => {
    // (110,000 - 100,000) * 15% = 1,500.00, and (31,000 - 30,000) * 15% = 150.00.
    const both = { sportingTestimonialPence: 11_000_000, terminationAwardPence: 3_100_000 };
    expect(book.pay(both)).toMatchObject({ class1aNics: 165_000 });
    // 2024-25: 13.8% of 10,000 = 1,380.00.
    const older = { paymentDate: '2024-04-30', worksNumber: 'W-2', sportingTestimonialPence: 11_000_000 };
    expect(book.pay(older)).toMatchObject({ class1aNics: 138_000 });
  });

  it('keeps an award within what can be counted', () => {
    expect(book.pay({ terminationAwardPence: 10_000_000_000 })).toBe('AMOUNT_OUT_OF_RANGE');
    expect(book.pay({ sportingTestimonialPence: 10_000_000_000 })).toBe('AMOUNT_OUT_OF_RANGE');
  });

  it('stays to date under a changed works number, and is compared with what the employer states', () => {
    book.pay({ terminationAwardPence: 3_000_000 });
    const stated = { ...NOTHING_STATED, class1aNicsPence: pence(14_000) };
    const moved = { worksNumber: 'W-2', oldWorksNumber: 'W-1', terminationAwardPence: 100_000, stated };
    const [result] = book.decide(paymentMade(moved)).results;
    expect(result?.amounts).toContainEqual({ head: 'class1aNics', pence: 15_000 });
    expect(result?.flags).toEqual(['STATED_CLASS1A_NICS_UNEXPLAINED']);
  });
});

describe('loan deductions', () => {
  it('of an odd interval go by the days: annual x days / 365, down to the penny', () => {
    const tenDays = { payFrequency: 'IR' as const, period: 4, oddIntervalDays: 10, nicableEarningsPence: 100_000 };
    // Plan 2: 29,385 * 10 / 365 = 805.06; (1,000 - 805.06) * 9% = 17.54 -> 17. Postgraduate: 21,000 * 10 / 365 = 575.34; 25.47 -> 25.
    const loans = { studentLoanPlan: '02' as const, postgraduateLoan: true };
    expect(book.pay({ ...tenDays, ...loans })).toMatchObject({ studentLoan: 1_700, postgraduateLoan: 2_500 });
    expect(book.pay({ ...tenDays, postgraduateLoan: true })).toMatchObject({ postgraduateLoan: 2_500 });
    expect(book.pay({ ...tenDays, studentLoanPlan: '02' })).toMatchObject({ studentLoan: 1_700 });
    expect(book.pay({ ...tenDays })).not.toHaveProperty('studentLoan');
  });

  it.each([0, 367, 1.5])('of an interval of %f days are refused', (oddIntervalDays) => {
    expect(book.pay({ oddIntervalDays })).toBe('ODD_INTERVAL_INVALID');
  });
});

describe('a payment', () => {
  const inTime = Date.UTC(2026, 4, 19, 22, 59, 59, 999);

  it('received after the 19th is charged in the month still open, by the London day', () => {
    const monthOf = (receivedAtMs: number): string | undefined =>
      book.decide(paymentMade({ receivedAtMs })).results[0]?.taxPeriod;
    expect(monthOf(inTime)).toBe('2026-27/M01');
    expect(monthOf(inTime + 1)).toBe('2026-27/M02');
    expect(monthOf(Date.UTC(2026, 5, 20))).toBe('2026-27/M03');
    expect(monthOf(Date.UTC(2028, 0, 1))).toBe('2026-27/M12');
    expect(monthOf(Date.UTC(2026, 3, 7))).toBe('2026-27/M01');
  });

  it('that is late is worked out by its pay day all the same, says so, and reads the month that it moves', () => {
    const late = paymentMade({ receivedAtMs: inTime + 1 });
    const [result] = book.decide(late).results;
    expect(result?.flags).toEqual(['LATE_FOR_ITS_MONTH']);
    expect(result?.amounts).toContainEqual({ head: 'incomeTax', pence: 34_020 });
    expect(payeStateKeys(late)).toContain('payemonth|paye:123/AB456|2026-27|2');
    expect(book.state.get('payemonth|paye:123/AB456|2026-27|2')).toEqual([34_995, 275_000, 1]);
    expect(book.state.has('payemonth|paye:123/AB456|2026-27|1')).toBe(false);
  });

  it('whose date is none is rejected by reading the account alone', () => {
    expect(payeStateKeys(paymentMade({ paymentDate: '2026-02-30' }))).toEqual(['account|paye:123/AB456']);
  });
});

describe('what the employer stated', () => {
  it.each([
    // 20% of the whole 2,750.00, as under BR.
    [{ incomeTaxPence: pence(55_000) }, 'STATED_INCOME_TAX_WRONG_CODE'],
    [{ incomeTaxPence: pence(34_019) }, 'STATED_INCOME_TAX_ROUNDING'],
    // (2,750 - 1,048) * 1.85% = 31.487, as under letter B.
    [{ employeeNicsPence: pence(3_149) }, 'STATED_EMPLOYEE_NICS_WRONG_LETTER'],
    [{ employerNicsPence: pence(99_999) }, 'STATED_EMPLOYER_NICS_UNEXPLAINED'],
  ])('differs for a cause: %o is flagged %s', (head, flag) => {
    const stated = { ...NOTHING_STATED, ...head };
    expect(book.decide(paymentMade({ stated })).results[0]?.flags).toEqual([flag]);
  });

  it('by figures to date that are another’s is drift', () => {
    book.pay({ taxablePayPence: 100_000, nicableEarningsPence: 100_000 });
    // Month 2 alone: 2,750.00 less 2 x 1,048.26 = 653.48: 20% of 653 = 130.60.
    const stated = { ...NOTHING_STATED, incomeTaxPence: pence(13_060) };
    const [result] = book.decide(paymentMade({ paymentDate: localDate('2026-05-29'), period: 2, stated })).results;
    expect(result?.flags).toEqual(['STATED_INCOME_TAX_YEAR_TO_DATE_DRIFT']);
  });
});

describe('employer’s NICs above the upper limit', () => {
  it('are rounded apart from those below it: at 13.8% the two parts of 4,191.00 are 473.76', () => {
    // (4,189 - 758) * 13.8% = 473.478 -> 473.48 and 2 * 13.8% = 0.276 -> 0.28; in one piece it would be 473.754 -> 473.75.
    const pay = { paymentDate: '2024-04-30', taxablePayPence: 419_100, nicableEarningsPence: 419_100 };
    expect(book.pay(pay)).toMatchObject({ employerNics: 47_376 });
  });
});

describe('what an employment may come to in a year', () => {
  const KEY = 'employment|paye:123/AB456|2026-27|W-1';
  const LIMIT = 5_000_000_000_000;

  it.each([
    ['/taxablePayPence', { taxablePayPence: LIMIT - 100 }, { taxablePayPence: 100 }, { taxablePayPence: 101 }],
    [
      '/nicableEarningsPence',
      { niEarningsPence: LIMIT - 100 },
      { nicableEarningsPence: 100 },
      { nicableEarningsPence: 101 },
    ],
    [
      '/terminationAwardPence',
      { awards: [LIMIT - 100, 0, 0] },
      { terminationAwardPence: 100 },
      { terminationAwardPence: 101 },
    ],
    [
      '/sportingTestimonialPence',
      { awards: [0, LIMIT - 100, 0] },
      { sportingTestimonialPence: 100 },
      { sportingTestimonialPence: 101 },
    ],
  ])('is limited: %s', (pointer, toDate, most, tooMuch) => {
    const nothing = { taxablePayPence: 0, nicableEarningsPence: 0 };
    book.pay(nothing);
    book.state.set(KEY, { ...book.state.get(KEY), ...toDate });
    const { rejections } = book.decide(paymentMade({ ...nothing, ...tooMuch }));
    const detail = 'the employment has more to date than a year of pay can be';
    expect(rejections).toMatchObject([{ code: 'AMOUNT_OUT_OF_RANGE', facts: { pointer, detail, faults: '1' } }]);
    expect(book.decide(paymentMade({ ...nothing, ...most })).outcome).toBe('accepted');
  });
});
