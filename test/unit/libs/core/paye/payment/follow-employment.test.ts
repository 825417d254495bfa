import { describe, expect, it } from 'vitest';
import type { PaymentMade } from '../../../../../../libs/core/events/paye-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { followEmployment } from '../../../../../../libs/core/paye/payment/follow-employment.ts';
import { hashOf, PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
type Changes = Parameters<typeof paymentMade>[0];

function follow(...payments: readonly Changes[]) {
  const events = payments.map((changes) => paymentMade(changes));
  const accepted = events.map((event: PaymentMade) => ({ event, hash: hashOf(event), rules: RULES }));
  return { events, followed: followEmployment(accepted) };
}

describe('an employment that is followed', () => {
  it('comes to what tax decided on each payment, with the working and the figures to date', () => {
    const { events, followed } = follow(
      {},
      { paymentDate: '2026-05-29', period: 2 },
      { worksNumber: 'W-2', oldWorksNumber: 'W-1' },
    );
    const book = new PayeBook(RULES);
    const decided = events.map((event) => book.decide(event).results[0]?.amounts);
    expect(followed.map(({ result }) => result.amounts)).toEqual(decided);
    // 2 x 1,701.74 = 3,403.48 taxable: 20% of 3,403 = 680.60; then 550.00 with the same free pay.
    expect(followed[1]?.after).toMatchObject({ taxablePayPence: 550_000, taxPence: 68_060 });
    expect(followed[1]?.lines).toContainEqual({
      head: 'incomeTax',
      text: 'less tax to date',
      pence: -34_020,
      rule: 'SI 2003/2682 regs 23 to 31 (rule 4.7)',
    });
    expect(followed[2]?.after).toMatchObject({ taxablePayPence: 825_000, setAsideUnder: 'W-1' });
  });

  it('leaves out what tax would not accept, and has no figures for a number that another goes on from', () => {
    const { followed } = follow({}, { taxCode: 'nonsense' }, { taxablePayPence: 100 });
    expect(followed.map(({ event }) => event.taxablePayPence)).toEqual([275_000, 100]);
    expect(followEmployment([])).toEqual([]);
  });

  it('says where the employer stated something else, and why', () => {
    const stated = {
      incomeTaxPence: pence(55_000),
      employeeNicsPence: null,
      employerNicsPence: null,
      studentLoanPence: null,
      postgraduateLoanPence: null,
      class1aNicsPence: null,
    };
    const { followed } = follow({ stated });
    // 20% of 2,750.00 = 550.00, as under BR.
    expect(followed[0]?.differences).toEqual([
      {
        head: 'incomeTax',
        statedPence: 55_000,
        assessedPence: 34_020,
        differencePence: 20_980,
        cause: 'wrong code',
      },
    ]);
  });
});
