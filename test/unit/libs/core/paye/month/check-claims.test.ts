import { describe, expect, it } from 'vitest';
import type { EmployerClaimsMade } from '../../../../../../libs/core/events/paye-events.ts';
import type { Pence } from '../../../../../../libs/core/money/pence.ts';
import { checkClaims } from '../../../../../../libs/core/paye/month/check-claims.ts';
import { paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const { eventId, account, receivedAtMs } = paymentMade();
const CLAIMS: EmployerClaimsMade = {
  type: 'EmployerClaimsMade',
  eventId,
  account,
  receivedAtMs,
  taxYear: '2026-27',
  taxMonth: 12,
  employmentAllowance: true,
  smallEmployer: true,
  statutoryPayPence: { SMP: 1 as Pence, ShPP: 2 as Pence },
  cisSufferedPence: 0 as Pence,
  levyAllowancePence: null,
  noPayment: false,
};

describe('claims at a door', () => {
  it('have no fault when they are good', () => {
    expect(checkClaims(CLAIMS, testPayeRules())).toEqual([]);
  });

  it('show every fault at once', () => {
    const statutoryPayPence = { 'S/P': 1 as Pence, SMP: 0.5 as Pence };
    const bad = { ...CLAIMS, taxMonth: 0, statutoryPayPence, levyAllowancePence: -1 as Pence };
    expect(checkClaims(bad, testPayeRules()).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'BAD_TAX_MONTH /taxMonth',
      'NOT_RECOVERABLE /statutoryPayPence/S~1P',
      'NOT_INTEGER_PENCE /statutoryPayPence/SMP',
      'AMOUNT_OUT_OF_RANGE /levyAllowancePence',
    ]);
  });
});
