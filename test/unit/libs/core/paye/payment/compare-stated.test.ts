import { describe, expect, it } from 'vitest';
import type { StatedDeductions } from '../../../../../../libs/core/events/paye-events.ts';
import { type Pence, pence } from '../../../../../../libs/core/money/pence.ts';
import type { EmploymentState } from '../../../../../../libs/core/paye/employment/employment-state.ts';
import {
  explainedDifferences,
  flaggedDifferences,
  statedAmounts,
  statedDifferences,
} from '../../../../../../libs/core/paye/payment/compare-stated.ts';
import { PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
const NOTHING: StatedDeductions = {
  incomeTaxPence: null,
  employeeNicsPence: null,
  employerNicsPence: null,
  studentLoanPence: null,
  postgraduateLoanPence: null,
  class1aNicsPence: null,
};
const KEY = 'employment|paye:123/AB456|2026-27|W-1';

/** A second month of 2,750.00 on 1257L and A: tax 340.40, employee 136.16, employer 349.95. */
function causes(stated: Partial<Record<keyof StatedDeductions, number>>) {
  const book = new PayeBook(RULES);
  book.pay({});
  const before = book.state.get(KEY) as unknown as EmploymentState;
  const event = paymentMade({
    paymentDate: '2026-05-29',
    period: 2,
    stated: { ...NOTHING, ...(stated as Record<string, Pence>) },
  });
  const [result] = book.decide(event).results;
  if (result === undefined) throw new Error('not assessed');
  return explainedDifferences(event, result, { state: before, others: [] }, RULES).map(
    ({ head, differencePence, cause }) => [head, differencePence, cause],
  );
}

describe('what the employer stated against what was assessed', () => {
  it('does not differ where it is the same, or not stated', () => {
    expect(causes({ incomeTaxPence: 34_040, employeeNicsPence: 13_616 })).toEqual([]);
  });

  it('counts a head that was stated and came to nothing', () => {
    expect(causes({ studentLoanPence: 500 })).toEqual([['studentLoan', 500, 'unexplained']]);
  });

  it.each([
    [{ incomeTaxPence: 34_041 }, ['incomeTax', 1, 'rounding']],
    // BR: 20% of all 5,500 to date less 340.20.
    [{ incomeTaxPence: 110_000 - 34_020 }, ['incomeTax', 41_940, 'wrong code']],
    // On 0T month 1: 20% of 2,750.
    [{ incomeTaxPence: 55_000 }, ['incomeTax', 20_960, 'wrong code']],
    // Without the first month: 2,750.00 - 2,096.52 = 653 pounds at 20%.
    [{ incomeTaxPence: 13_060 }, ['incomeTax', -20_980, 'year-to-date drift']],
    [{ incomeTaxPence: 99_999 }, ['incomeTax', 65_959, 'unexplained']],
    [{ employeeNicsPence: 0 }, ['employeeNics', -13_616, 'wrong letter']],
    [{ employerNicsPence: 10_005 }, ['employerNics', -24_990, 'wrong letter']],
    [{ employeeNicsPence: 12_000 }, ['employeeNics', -1_616, 'unexplained']],
  ])('%o is %o', (stated, difference) => {
    expect(causes(stated)).toEqual([difference]);
  });

  it('is found from an entry alone, without its cause', () => {
    const stated = { ...NOTHING, incomeTaxPence: pence(1) };
    const [result] = new PayeBook(RULES).decide(paymentMade({ stated })).results;
    if (result === undefined) throw new Error('not assessed');
    expect(statedDifferences(result)).toEqual([
      { head: 'incomeTax', statedPence: 1, assessedPence: 34_020, differencePence: -34_019 },
    ]);
  });

  it('has its cause from the flags of the decision, where they name one', () => {
    const amounts = [{ head: 'incomeTax' as const, pence: pence(34_020) }];
    const stated = [
      { head: 'incomeTax' as const, pence: pence(55_000) },
      { head: 'employeeNics' as const, pence: pence(1) },
    ];
    const flags = ['LATE_FOR_ITS_MONTH', 'STATED_INCOME_TAX_WRONG_CODE', 'STATED_EMPLOYER_NICS_ROUNDING'];
    expect(flaggedDifferences({ amounts, stated, flags })).toEqual([
      { head: 'incomeTax', statedPence: 55_000, assessedPence: 34_020, differencePence: 20_980, cause: 'wrong code' },
      { head: 'employeeNics', statedPence: 1, assessedPence: 0, differencePence: 1, cause: 'unexplained' },
    ]);
  });

  it('is of every head that was stated, zero included', () => {
    const heads = ['incomeTax', 'employeeNics', 'employerNics', 'studentLoan', 'postgraduateLoan', 'class1aNics'];
    const stated = Object.fromEntries(heads.map((head, place) => [`${head}Pence`, pence(place)]));
    expect(statedAmounts(stated as unknown as StatedDeductions)).toEqual(
      heads.map((head, place) => ({ head, pence: place })),
    );
    expect(statedAmounts(null)).toEqual([]);
  });
});

describe('the cause of a difference', () => {
  const causeOf = (changes: Parameters<typeof paymentMade>[0], stated: Partial<StatedDeductions>) => {
    const event = paymentMade({ ...changes, stated: { ...NOTHING, ...stated } });
    const [result] = new PayeBook(RULES).decide(event).results;
    if (result === undefined) throw new Error('not assessed');
    return explainedDifferences(event, result, { state: null, others: [] }, RULES).map(({ cause }) => cause);
  };

  it('is the code where the stated tax is that of the nation’s BR, 0T or emergency code, or of another nation', () => {
    // 6,000.00 on S1185L: what each other code comes to is worked out from paye.md 3 and 4.
    const pay = { taxablePayPence: 600_000, nicableEarningsPence: 600_000, taxCode: 'S1185L' };
    // BR: 20% of 6,000.
    expect(causeOf(pay, { incomeTaxPence: pence(120_000) })).toEqual(['wrong code']);
    // 1185L in England: free pay 988.26, 5,011 pounds: 628.3333 on 3,141.6666, and 1,869.3334 at 40%.
    expect(causeOf(pay, { incomeTaxPence: pence(137_606) })).toEqual(['wrong code']);
    // Nothing comes to this.
    expect(causeOf(pay, { incomeTaxPence: pence(137_300) })).toEqual(['unexplained']);
  });

  it('is rounding up to twopence, and no further', () => {
    expect(causeOf({}, { incomeTaxPence: pence(34_022) })).toEqual(['rounding']);
    expect(causeOf({}, { incomeTaxPence: pence(34_023) })).toEqual(['unexplained']);
    // 20% of 2,750.00 less twopence, or less threepence.
    expect(causeOf({}, { incomeTaxPence: pence(54_998) })).toEqual(['wrong code']);
    expect(causeOf({}, { incomeTaxPence: pence(54_997) })).toEqual(['unexplained']);
  });

  it('is drift of the year where a director’s NICs are right without the figures to date', () => {
    const director = { directorsNic: 'AN', taxablePayPence: 1_500_000, nicableEarningsPence: 1_500_000 } as const;
    const book = new PayeBook(RULES);
    book.pay(director);
    const before = book.state.get(KEY) as unknown as EmploymentState;
    // Of 15,000.00 alone: (15,000 - 12,570) * 8% = 194.40; of the second 15,000.00 all is above: 1,200.00.
    const stated = { ...NOTHING, employeeNicsPence: pence(19_440) };
    const event = paymentMade({ ...director, paymentDate: '2026-05-29', period: 2, stated });
    const [result] = book.decide(event).results;
    if (result === undefined) throw new Error('not assessed');
    expect(result.amounts.find(({ head }) => head === 'employeeNics')?.pence).toBe(120_000);
    expect(explainedDifferences(event, result, { state: before, others: [] }, RULES).map(({ cause }) => cause)).toEqual(
      ['year-to-date drift'],
    );
  });
});
