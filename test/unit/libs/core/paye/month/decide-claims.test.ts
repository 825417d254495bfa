import { beforeEach, describe, expect, it } from 'vitest';
import { type LocalDate, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type {
  EmployerClaimsMade,
  PayePeriodClosed,
  PayeSchemeCeased,
} from '../../../../../../libs/core/events/paye-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { monthsToClose } from '../../../../../../libs/core/paye/month/decide-claims.ts';
import { payeStateKeys } from '../../../../../../libs/core/paye/payment/decide-paye.ts';
import { PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
let book: PayeBook;
beforeEach(() => {
  book = new PayeBook(RULES);
});

function claimsMade(changes: Partial<EmployerClaimsMade> = {}): EmployerClaimsMade {
  const { eventId, account, receivedAtMs } = paymentMade();
  return {
    type: 'EmployerClaimsMade',
    eventId,
    account,
    receivedAtMs,
    taxYear: '2026-27',
    taxMonth: 1,
    employmentAllowance: false,
    smallEmployer: false,
    statutoryPayPence: {},
    cisSufferedPence: pence(0),
    levyAllowancePence: null,
    noPayment: false,
    ...changes,
  };
}

function periodClosed(taxMonth: number, taxYear = '2026-27'): PayePeriodClosed {
  const { eventId, account, receivedAtMs } = paymentMade();
  return { type: 'PayePeriodClosed', eventId, account, receivedAtMs, taxYear, taxMonth };
}

/** 10,000.00 to an employee in a month: employer's NICs (10,000 - 417) * 15% = 1,437.45. */
function payIn(month: number, amountPence = 1_000_000): void {
  const date = new Date(Date.UTC(2026, 2 + month, 28)).toISOString().slice(0, 10);
  book.pay({ paymentDate: date, period: month, taxablePayPence: amountPence, nicableEarningsPence: amountPence });
}

function schemeCeased(ceasedOn: string): PayeSchemeCeased {
  const { eventId, account, receivedAtMs } = paymentMade();
  return { type: 'PayeSchemeCeased', eventId, account, receivedAtMs, ceasedOn: localDate(ceasedOn) };
}

describe('the months to close', () => {
  const { account } = paymentMade();
  const months = (year = '2026-27') => monthsToClose(book.view, account, year, RULES);

  it('are none without claims and levy, then those from the latest claim or close on', () => {
    payIn(1);
    expect(months()).toBeNull();
    book.decide(claimsMade());
    book.decide(periodClosed(3));
    expect(months()).toEqual({ from: 3, to: 12 });
    expect(months('2025-26')).toBeNull();
    expect(months('1999-00')).toBeNull();
  });

  it('begin where the pay bill owes levy, though nothing is claimed', () => {
    // Month 2: 0.5% of 500,000.00 = 2,500.00, the allowance of two months to the penny; a penny of levy needs 2.00 more.
    payIn(2, 50_000_000);
    expect(months()).toBeNull();
    payIn(2, 200);
    expect(months()).toEqual({ from: 2, to: 12 });
    expect(book.decide(periodClosed(2)).results[0]?.amounts).toEqual([{ head: 'apprenticeshipLevy', pence: 1 }]);
  });

  it('end with a scheme that ceased, which settles the year up to its month', () => {
    payIn(2, 50_000_200);
    const ended = book.decide(schemeCeased('2026-06-05'));
    expect(ended.results[0]).toMatchObject({ kind: 'claim', taxPeriod: '2026-27/M02', flags: [] });
    expect(ended.results[0]?.amounts).toEqual([{ head: 'apprenticeshipLevy', pence: 1 }]);
    expect(months()).toEqual({ from: 2, to: 2 });
    expect(months('2027-28')).toBeNull();
  });
});

describe('a scheme that ceased', () => {
  beforeEach(() => {
    payIn(1);
    book.decide(schemeCeased('2026-05-05'));
  });

  it('has pay and claims after its last day and month flagged, and none before', () => {
    const flags = (paymentDate: string, period: number) =>
      book.decide(paymentMade({ paymentDate, period, taxablePayPence: period })).results[0]?.flags;
    expect(flags('2026-05-05', 1)).toEqual([]);
    expect(flags('2026-05-06', 2)).toEqual(['AFTER_SCHEME_CEASED']);
    expect(book.decide(claimsMade({ taxMonth: 1 })).results[0]?.flags).toEqual([]);
    expect(book.decide(claimsMade({ taxMonth: 2 })).results[0]?.flags).toEqual(['AFTER_SCHEME_CEASED']);
    expect(book.decide(claimsMade({ taxYear: '2027-28', taxMonth: 1 })).results[0]?.flags).toEqual([
      'AFTER_SCHEME_CEASED',
    ]);
  });

  it('may be corrected by another event, and takes the same event twice for a repeat', () => {
    const again = schemeCeased('2026-06-05');
    expect(book.decide(again).outcome).toBe('accepted');
    expect(book.decide(again).outcome).toBe('repeat');
    expect(book.decide({ ...again, ceasedOn: localDate('2026-07-05') }).rejections[0]?.code).toBe('EVENT_ID_CONFLICT');
    expect(book.decide(paymentMade({ paymentDate: '2026-05-29', period: 2 })).results[0]?.flags).toEqual([]);
  });

  it.each([
    ['2026-13-05', 'BAD_DATE'],
    ['1999-05-05', 'UNSUPPORTED_TAX_YEAR'],
  ])('on %s gets %s and changes nothing', (ceasedOn, code) => {
    const event = { ...schemeCeased('2026-05-05'), ceasedOn: ceasedOn as LocalDate };
    payeStateKeys(event);
    expect(book.decide(event)).toMatchObject({ outcome: 'rejected', changes: [], rejections: [{ code }] });
  });
});

describe('the Employment Allowance', () => {
  it('is set against employer’s NICs of the months so far when the claim is made, and at each close', () => {
    payIn(1);
    const claim = book.decide(claimsMade({ employmentAllowance: true }));
    expect(claim.results[0]).toMatchObject({
      kind: 'claim',
      number: 2,
      taxPeriod: '2026-27/M01',
      basePence: 0,
      amounts: [{ head: 'employmentAllowance', pence: -143_745 }],
      person: null,
    });
    payIn(2);
    expect(book.decide(periodClosed(2)).results[0]?.amounts).toEqual([
      { head: 'employmentAllowance', pence: -143_745 },
    ]);
    expect(book.decide(periodClosed(2)).results[0]?.amounts).toEqual([]);
  });

  it('ends at 10,500.00 for the year', () => {
    for (let month = 1; month <= 12; month += 1) payIn(month);
    book.decide(claimsMade({ employmentAllowance: true, taxMonth: 12 }));
    expect(book.balance.get('employmentAllowance')).toBe(-1_050_000);
  });

  it('goes back when the claim is withdrawn', () => {
    payIn(1);
    book.decide(claimsMade({ employmentAllowance: true }));
    book.decide(claimsMade({ employmentAllowance: false }));
    expect(book.balance.get('employmentAllowance')).toBe(0);
  });

  it('follows payments that came after the close', () => {
    book.decide(claimsMade({ employmentAllowance: true, taxMonth: 3 }));
    payIn(1);
    book.decide(periodClosed(1));
    expect(book.balance.get('employmentAllowance')).toBe(-143_745);
  });
});

describe('statutory pay, compensation and CIS', () => {
  it('come by year-to-date figures: each claim moves the difference', () => {
    const small = { smallEmployer: true } as const;
    book.decide(claimsMade({ ...small, statutoryPayPence: { SMP: pence(234_567) }, cisSufferedPence: pence(50_000) }));
    const { results } = book.decide(
      claimsMade({
        ...small,
        taxMonth: 2,
        statutoryPayPence: { SMP: pence(469_134) },
        cisSufferedPence: pence(40_000),
      }),
    );
    // Compensation 9%: 211.1103 -> 211.12 of the first; 422.2206 -> 422.23 to date, so 211.11 more.
    expect(results[0]?.amounts).toEqual([
      { head: 'statutoryPayRecovered', pence: -234_567 },
      { head: 'nicCompensation', pence: -21_111 },
      { head: 'cisSuffered', pence: 10_000 },
    ]);
  });
});

describe('the Apprenticeship Levy', () => {
  it('is 0.5% of the pay bill to date less the allowance of the months so far, and may come back', () => {
    payIn(1, 900_000_000);
    // 9,000,000.00 * 0.5% = 45,000.00 less 1,250.00.
    expect(book.decide(periodClosed(1)).results[0]?.amounts).toEqual([
      { head: 'apprenticeshipLevy', pence: 4_375_000 },
    ]);
    expect(book.decide(periodClosed(2)).results[0]?.amounts).toEqual([{ head: 'apprenticeshipLevy', pence: -125_000 }]);
  });

  it('leaves earnings under letter X out', () => {
    book.pay({ niCategory: 'X', nicableEarningsPence: 900_000_000 });
    expect(book.decide(periodClosed(1)).results[0]?.amounts).toEqual([]);
  });
});

describe('claims at the door of tax', () => {
  it('received after the 19th stand in the month still open, and a close in its own', () => {
    const periodOf = (receivedAtMs: number, day = claimsMade()): string | undefined =>
      book.decide({ ...day, receivedAtMs }).results[0]?.taxPeriod;
    // 22:59 UTC is 23:59 in London.
    expect(periodOf(Date.UTC(2026, 4, 19, 22, 59))).toBe('2026-27/M01');
    expect(periodOf(Date.UTC(2026, 4, 19, 23))).toBe('2026-27/M02');
    const close = { ...periodClosed(1), receivedAtMs: Date.UTC(2026, 4, 20) };
    expect(book.decide(close).results[0]?.taxPeriod).toBe('2026-27/M01');
  });

  it('are a repeat when they come again, a conflict with another body', () => {
    const event = claimsMade({ employmentAllowance: true });
    book.decide(event);
    expect(book.decide(event).outcome).toBe('repeat');
    expect(book.decide({ ...event, taxMonth: 2 }).rejections[0]).toMatchObject({
      code: 'EVENT_ID_CONFLICT',
      facts: { what: 'the event id is known with another body' },
    });
  });

  it('that say no payment was made are flagged where one was', () => {
    payIn(1);
    expect(book.decide(claimsMade({ noPayment: true })).results[0]?.flags).toEqual(['NO_PAYMENT_DIFFERS']);
    expect(book.decide(claimsMade({ noPayment: true, taxMonth: 2 })).results[0]?.flags).toEqual([]);
  });

  it('read the months up to their own', () => {
    const keys = payeStateKeys(periodClosed(2));
    expect(keys).toEqual([
      'account|paye:123/AB456',
      'payeclaims|paye:123/AB456|2026-27',
      'payemonth|paye:123/AB456|2026-27|1',
      'payemonth|paye:123/AB456|2026-27|2',
    ]);
  });

  it.each([
    [{ taxMonth: 13 }, 'BAD_TAX_MONTH', '/taxMonth'],
    [{ taxYear: '2028-29' }, 'UNSUPPORTED_TAX_YEAR', '/taxYear'],
    [{ statutoryPayPence: { SSP: pence(1) } }, 'NOT_RECOVERABLE', '/statutoryPayPence/SSP'],
    [{ taxYear: '2024-25', statutoryPayPence: { SNCP: pence(1) } }, 'NOT_RECOVERABLE', '/statutoryPayPence/SNCP'],
    [{ cisSufferedPence: pence(-1) }, 'AMOUNT_OUT_OF_RANGE', '/cisSufferedPence'],
  ])('%o gets %s and changes nothing', (changes, code, pointer) => {
    const { rejections, changes: changed } = book.decide(claimsMade(changes));
    expect(rejections[0]).toMatchObject({ code, facts: { pointer } });
    expect(changed).toEqual([]);
  });
});
