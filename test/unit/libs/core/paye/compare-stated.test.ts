import { describe, expect, it } from 'vitest';
import type { StatedDeductions } from '../../../../../libs/core/events/paye-events.ts';
import { type Pence, pence } from '../../../../../libs/core/money/pence.ts';
import { explainedDifferences, statedDifferences } from '../../../../../libs/core/paye/compare-stated.ts';
import type { EmploymentState } from '../../../../../libs/core/paye/employment-state.ts';
import { PayeBook, paymentMade } from '../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../support/paye-rules.ts';

const RULES = testPayeRules();
const KEY = 'employment|paye:123/AB456|2026-27|W-1';

/** A second month of 2,750.00 on 1257L and A: tax 340.40, employee 136.16, employer 349.95. */
function causes(stated: Partial<Record<keyof StatedDeductions, number>>) {
  const book = new PayeBook(RULES);
  book.pay({});
  const before = book.state.get(KEY) as unknown as EmploymentState;
  const nothing = {
    incomeTaxPence: null,
    employeeNicsPence: null,
    employerNicsPence: null,
    studentLoanPence: null,
    postgraduateLoanPence: null,
    class1aNicsPence: null,
  };
  const event = paymentMade({
    paymentDate: '2026-05-29',
    period: 2,
    stated: { ...nothing, ...(stated as Record<string, Pence>) },
  });
  const [result] = book.decide(event).results;
  if (result === undefined) throw new Error('not assessed');
  return explainedDifferences(event, result, before, RULES).map(({ head, differencePence, cause }) => [
    head,
    differencePence,
    cause,
  ]);
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
    const stated = {
      incomeTaxPence: pence(1),
      employeeNicsPence: null,
      employerNicsPence: null,
      studentLoanPence: null,
      postgraduateLoanPence: null,
      class1aNicsPence: null,
    };
    const [result] = new PayeBook(RULES).decide(paymentMade({ stated })).results;
    if (result === undefined) throw new Error('not assessed');
    expect(statedDifferences(result)).toEqual([
      { head: 'incomeTax', statedPence: 1, assessedPence: 34_020, differencePence: -34_019 },
    ]);
  });
});
