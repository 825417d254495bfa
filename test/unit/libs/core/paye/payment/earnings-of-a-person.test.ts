import { beforeEach, describe, expect, it } from 'vitest';
import { personToken } from '../../../../../../libs/core/identity/event-id.ts';
import { payeRulesOf } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { payeRateCards, testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
/** The cards as they were before they said how they are applied. */
const EARLIER_RULES = payeRulesOf(
  [...payeRateCards().values()].slice(0, 5).map((card) => {
    const { values, ...rest } = card as { readonly values: readonly { readonly name: string }[] };
    return { ...rest, values: values.filter(({ name }) => name !== 'rulesRevision') };
  }),
  '1'.repeat(64),
);
let book: PayeBook;
beforeEach(() => {
  book = new PayeBook(RULES);
});

type Changes = Parameters<typeof paymentMade>[0];

function nics(changes: Changes, on = book): readonly [employee: number, employer: number] {
  const [result] = on.decide(paymentMade(changes)).results;
  const of = (head: string) => result?.amounts.find((amount) => amount.head === head)?.pence ?? 0;
  return [of('employeeNics'), of('employerNics')];
}

function flags(changes: Changes): readonly string[] | undefined {
  return book.decide(paymentMade(changes)).results[0]?.flags;
}

function paid(pounds: number): Changes {
  return { taxablePayPence: pounds * 100, nicableEarningsPence: pounds * 100 };
}

describe('jobs of one person', () => {
  const june = { paymentDate: '2026-06-30', period: 3 };

  it('are added where the payment of a pool that was set aside comes late', () => {
    nics({ ...paid(800), worksNumber: 'a' });
    for (let month = 2; month <= 8; month += 1) {
      nics({
        ...paid(800),
        worksNumber: 'a',
        paymentDate: `2026-${String(month + 3).padStart(2, '0')}-28`,
        period: month,
      });
    }
    // (1,600 - 1,048) x 8% = 44.16; 12.00 of 800 x 15% = 120.00 for the second job.
    expect(nics({ ...paid(800), worksNumber: 'b' })).toEqual([4_416, 12_000]);
  });

  it('are not added to that of another person, a director, one kept apart, or one that was left', () => {
    const alone = [0, 5_745];
    expect(nics({ ...june, ...paid(800), worksNumber: 'a' })).toEqual(alone);
    const person = personToken('f'.repeat(32));
    expect(nics({ ...june, ...paid(800), worksNumber: 'b', person })).toEqual(alone);
    expect(nics({ ...june, ...paid(800), worksNumber: 'c', separateNics: true })).toEqual(alone);
    // The director's year: nothing below 5,000.00.
    expect(nics({ ...june, ...paid(800), worksNumber: 'd', directorsNic: 'AN' })).toEqual([0, 0]);
    expect(nics({ ...june, ...paid(800), worksNumber: 'e', person, leavingDate: '2026-06-30' })).toEqual([
      4_416, 12_000,
    ]);
  });

  it('go on under another works number of the same job without being counted twice', () => {
    nics({ ...paid(800), worksNumber: 'a' });
    expect(nics({ ...june, ...paid(800), worksNumber: 'A1', oldWorksNumber: 'a' })).toEqual([0, 5_745]);
    expect(flags({ ...june, ...paid(100), worksNumber: 'b' })).toEqual(['EARNINGS_AGGREGATED']);
  });

  it('are added by the week where the weekly one is paid for the first time after the monthly one', () => {
    expect(nics({ ...june, ...paid(2_500), worksNumber: 'b' })).toEqual([11_616, 31_245]);
    // Week 13 on 2,900.00: 58.00 + 38.66, 420.60, less what the month took.
    const weekly = { ...june, ...paid(400), worksNumber: 'a', payFrequency: 'W1', period: 13 } as const;
    expect(nics(weekly)).toEqual([9_666 - 11_616, 42_060 - 31_245]);
  });
});

describe('a change of interval', () => {
  it('takes loans in with the earnings, and a bonus of the month is added to all of it', () => {
    const loan = { studentLoanPlan: '02' } as const;
    const week = { ...paid(1_000), ...loan, payFrequency: 'W1', period: 10, paymentDate: '2026-06-12' } as const;
    const of = (changes: Changes) =>
      book.decide(paymentMade(changes)).results[0]?.amounts.find(({ head }) => head === 'studentLoan')?.pence;
    // Week: (1,000 - 565.09) x 9% = 39.14.
    expect(of(week)).toBe(3_900);
    // Month on 2,500.00: (2,500 - 2,448.75) x 9% = 4.61, less the 39.00 of the week.
    expect(of({ ...paid(1_500), ...loan, period: 3, paymentDate: '2026-06-30' })).toBe(400 - 3_900);
    // On 3,500.00: (3,500 - 2,448.75) x 9% = 94.61.
    expect(of({ ...paid(1_000), ...loan, period: 3, paymentDate: '2026-07-03' })).toBe(9_400 - 400);
  });

  it('from a week to a fortnight takes in the weeks of the fortnight alone', () => {
    const week = { ...paid(500), payFrequency: 'W1' } as const;
    nics({ ...week, period: 10, paymentDate: '2026-06-12' });
    nics({ ...week, period: 11, paymentDate: '2026-06-19' });
    // Weeks 11 and 12: 1,000.00: (1,000 - 484) x 8% = 41.28, (1,000 - 193) x 15% = 121.05, less 20.64 and 60.60.
    const fortnight = { ...paid(500), payFrequency: 'W2', period: 12, paymentDate: '2026-06-26' } as const;
    expect(nics(fortnight)).toEqual([4_128 - 2_064, 12_105 - 6_060]);
  });

  it('is none after one-off pay, nor under another letter', () => {
    nics({ ...paid(500), payFrequency: 'IO', period: 10, paymentDate: '2026-06-12' });
    expect(nics({ ...paid(1_500), period: 3, paymentDate: '2026-06-30' })).toEqual([3_616, 16_245]);
    nics({ ...paid(500), payFrequency: 'W1', period: 15, paymentDate: '2026-07-17', niCategory: 'B' });
    expect(nics({ ...paid(1_500), period: 4, paymentDate: '2026-07-31' })).toEqual([3_616, 16_245]);
  });
});

describe('two pay days of one month', () => {
  it('stay apart where the first is set aside and a bonus for it comes late', () => {
    const august = { ...paid(2_800), paymentDate: '2026-08-07', period: 4 };
    nics(august);
    for (const [paymentDate, period] of [
      ['2026-09-04', 5],
      ['2026-10-02', 6],
      ['2026-11-06', 7],
      ['2026-12-04', 8],
      ['2027-01-01', 9],
    ] as const) {
      expect(nics({ ...paid(2_800), paymentDate, period })).toEqual([14_016, 35_745]);
    }
    expect(nics({ ...august, ...paid(650) })).toEqual([5_200, 9_750]);
  });

  it('are one where the number stated is further off than the next', () => {
    nics({ ...paid(3_000), paymentDate: '2026-08-07', period: 5 });
    expect(nics({ ...paid(1_000), paymentDate: '2026-09-04', period: 2 })).toEqual([8_000, 15_000]);
  });
});

describe('an equal payment under another id', () => {
  it('is flagged, also after others, and another amount or a payment of nothing is not', () => {
    expect(flags({})).toEqual([]);
    expect(flags({ paymentDate: '2026-05-29', period: 2 })).toEqual([]);
    expect(flags({ paymentDate: '2026-05-29', period: 2 })).toEqual(['EQUAL_PAYMENT']);
    expect(flags({})).toEqual(['OUT_OF_ORDER', 'EQUAL_PAYMENT']);
    expect(flags({ paymentDate: '2026-05-29', period: 2, taxablePayPence: 1 })).toEqual([]);
    const nothing = { paymentDate: '2026-05-29', period: 2, ...paid(0) };
    expect([flags(nothing), flags(nothing)]).toEqual([[], []]);
  });
});

describe('figures to date', () => {
  const toDate = {
    taxablePayPence: null,
    incomeTaxPence: null,
    nicableEarningsByLetter: {},
    employeeNicsPence: null,
    employerNicsPence: null,
    studentLoanPence: null,
    postgraduateLoanPence: null,
  };

  it('that an employer states are flagged where they differ, the P45 left out', () => {
    const starter = { startDate: null, declaration: null, p45PayPence: 100_000, p45TaxPence: 20_000 } as never;
    expect(flags({ starter, toDate: { ...toDate, taxablePayPence: 275_000 } as never })).toEqual([]);
    const stated = { ...toDate, taxablePayPence: 1, incomeTaxPence: 2, nicableEarningsByLetter: { A: 550_000 } };
    expect(flags({ paymentDate: '2026-05-29', period: 2, toDate: stated as never })).toEqual([
      'TO_DATE_TAXABLE_PAY_DIFFERS',
      'TO_DATE_INCOME_TAX_DIFFERS',
    ]);
  });

  it('open an employment in mid-year: tax and a director’s NICs go on from them', () => {
    const balance = {
      ...toDate,
      taxablePayPence: 1_925_000,
      incomeTaxPence: 238_200,
      nicableEarningsByLetter: { A: 1_925_000 },
      employeeNicsPence: 53_440,
      employerNicsPence: 213_750,
    };
    const november = { paymentDate: '2026-11-27', period: 8, openingBalance: balance as never };
    // 22,000.00 - 8 x 1,048.26 = 13,613.92: 20% of 13,613 = 2,722.60, less 2,382.00.
    expect(book.pay({ ...november, directorsNic: 'AN' })).toMatchObject({
      incomeTax: 34_060,
      employeeNics: 22_000,
      employerNics: 41_250,
    });
    expect(flags({ ...november, paymentDate: '2026-12-18', period: 9, directorsNic: 'AN' })).toEqual([
      'OPENING_BALANCE_LATE',
    ]);
  });
});

describe('what was decided by cards of revision 1', () => {
  it('is worked out as it was then', () => {
    const then = new PayeBook(EARLIER_RULES);
    const june = { ...paid(800), paymentDate: '2026-06-30', period: 3 };
    expect(nics({ ...june, worksNumber: 'a' }, then)).toEqual([0, 5_745]);
    expect(nics({ ...june, worksNumber: 'b' }, then)).toEqual([0, 5_745]);
    nics({ ...paid(500), payFrequency: 'W1', period: 10, paymentDate: '2026-06-12', worksNumber: 'c' }, then);
    expect(nics({ ...paid(1_500), paymentDate: '2026-06-30', period: 3, worksNumber: 'c' }, then)).toEqual([
      3_616, 16_245,
    ]);
    // One month on 6,000.00: 251.28 + 36.22 = 287.50, less 156.16.
    nics({ ...paid(3_000), paymentDate: '2026-08-07', period: 4, worksNumber: 'd' }, then);
    expect(nics({ ...paid(3_000), paymentDate: '2026-09-04', period: 5, worksNumber: 'd' }, then)).toEqual([
      28_750 - 15_616,
      45_000,
    ]);
    nics({ ...paid(3_000), worksNumber: 'e' }, then);
    const director = {
      ...paid(9_000),
      paymentDate: '2026-07-31',
      period: 4,
      worksNumber: 'e',
      directorsNic: 'AN',
    } as const;
    expect(nics(director, then)).toEqual([0, 60_000]);
    expect([...then.state.keys()].filter((key) => key.startsWith('payeperson'))).toEqual([]);
  });
});
