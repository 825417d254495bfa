import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import { taxYear } from '../../libs/core/calendar/tax-calendar.ts';
import type { Head } from '../../libs/core/decisions/heads.ts';
import { NI_CATEGORIES, PAY_FREQUENCIES, type PaymentMade } from '../../libs/core/events/paye-events.ts';
import { type AssessedPayment, assessPayment } from '../../libs/core/paye/assess/assess-payment.ts';
import type { EmploymentState } from '../../libs/core/paye/employment/employment-state.ts';
import { monthBill } from '../../libs/core/paye/month/month-bill.ts';
import { followEmployment } from '../../libs/core/paye/payment/follow-employment.ts';
import { employeeNicsPence, employerNicsPence } from '../../libs/core/paye/rates/class1-nics.ts';
import { payDayOf, rulesAtYearEnd } from '../../libs/core/paye/rates/paye-rules.ts';
import {
  CHARGE_HEADS,
  type ChargeAmounts,
  type FullPaymentSubmission,
  yearToDateCharges,
} from '../oracles/year-to-date-charge.ts';
import { hashOf, PayeBook, paymentMade } from '../support/paye-payments.ts';
import { testPayeRules } from '../support/paye-rules.ts';

const RULES = testPayeRules();
const MARK = '0'.repeat(24);

const amountPence = fc.integer({ min: 0, max: 2_000_000 });
const allowanceCode = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }).chain((number) => fc.constantFrom(`${number}L`, `S${number}T`, `C${number}M`)),
  fc.constantFrom('BR', 'D0', 'SD2', 'CBR', '0T', 'NT'),
);
const anyCode = fc.oneof(
  allowanceCode,
  fc.integer({ min: 1, max: 9_999 }).map((number) => `K${number}`),
);
const letter = fc.constantFrom(...NI_CATEGORIES);
const month = fc.integer({ min: 1, max: 12 });

function monthDate(number: number): string {
  return new Date(Date.UTC(2026, 2 + number, 28)).toISOString().slice(0, 10);
}

/** Payments one after another, without the door and the decision around them. */
function assessAll(payments: readonly PaymentMade[]): {
  readonly all: AssessedPayment[];
  readonly state: EmploymentState | null;
} {
  let state: EmploymentState | null = null;
  const all = payments.map((payment) => {
    const assessed = assessPayment(payment, MARK, state, payDayOf(RULES, payment.paymentDate), RULES);
    state = assessed.state;
    return assessed;
  });
  return { all, state };
}

const isLimited = ({ working }: AssessedPayment) => working.tax.limitApplied;

describe('tax to date of a cumulative code', () => {
  it('never depends on how earlier periods were split', () => {
    fc.assert(
      fc.property(
        allowanceCode,
        fc.array(amountPence, { minLength: 2, maxLength: 4 }),
        fc.array(amountPence, { minLength: 2, maxLength: 4 }),
        (taxCode, first, second) => {
          const payments = (pays: readonly number[], last: number) =>
            [...pays, last].map((taxablePayPence, index) => {
              const number = index === pays.length ? 6 : index + 1;
              return paymentMade({ taxCode, taxablePayPence, paymentDate: monthDate(number), period: number });
            });
          const total = Math.max(sum(first), sum(second)) + 100_000;
          const one = assessAll(payments(first, total - sum(first)));
          const other = assessAll(payments(second, total - sum(second)));
          fc.pre(![...one.all, ...other.all].some(isLimited));
          expect(one.state?.taxPence).toBe(other.state?.taxPence);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is the same in whatever order the payments come', () => {
    fc.assert(
      fc.property(
        allowanceCode,
        fc.uniqueArray(month, { minLength: 2, maxLength: 6 }),
        fc.array(amountPence, { minLength: 6, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (taxCode, months, pays, random) => {
          const payments = months
            .toSorted((a, b) => a - b)
            .map((number, index) =>
              paymentMade({
                taxCode,
                taxablePayPence: pays[index] ?? 0,
                paymentDate: monthDate(number),
                period: number,
              }),
            );
          const shuffled = payments
            .map((payment) => ({ payment, at: random.next().value }))
            .sort((a, b) => a.at - b.at);
          const inOrder = assessAll(payments);
          const outOfOrder = assessAll(shuffled.map(({ payment }) => payment));
          fc.pre(![...inOrder.all, ...outOfOrder.all].some(isLimited));
          expect(outOfOrder.state?.taxPence).toBe(inOrder.state?.taxPence);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the overriding limit', () => {
  it('tax deducted never exceeds half of pay less payrolled benefits, whatever the code, basis, frequency and history', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            taxCode: anyCode,
            week1Month1: fc.boolean(),
            taxablePayPence: fc.integer({ min: -500_000, max: 5_000_000 }),
            payrolledBenefitsPence: fc.integer({ min: 0, max: 300_000 }),
            payFrequency: fc.constantFrom(...PAY_FREQUENCIES),
            paymentAfterLeaving: fc.boolean(),
            onStrike: fc.boolean(),
            number: month,
          }),
          { minLength: 1, maxLength: 4 },
        ),
        (drawn) => {
          const payments = drawn.map(({ number, ...changes }) =>
            paymentMade({ ...changes, paymentDate: monthDate(number), period: number }),
          );
          for (const [index, assessed] of assessAll(payments).all.entries()) {
            const { taxablePayPence = 0, payrolledBenefitsPence = 0 } = payments[index] ?? {};
            const half = Math.max(0, Math.floor((taxablePayPence - payrolledBenefitsPence) / 2));
            expect(assessed.incomeTaxPence).toBeLessThanOrEqual(half);
            if (drawn[index]?.onStrike === true) expect(assessed.incomeTaxPence).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a correction followed by its reverse', () => {
  it('leaves the ledger’s balance where it was, head by head', () => {
    fc.assert(
      fc.property(
        fc.record({
          taxCode: allowanceCode,
          week1Month1: fc.boolean(),
          niCategory: letter,
          studentLoanPlan: fc.constantFrom(null, '01', '02', '04', '05'),
          postgraduateLoan: fc.boolean(),
          directorsNic: fc.constantFrom(null, 'AN', 'AL'),
        }),
        amountPence,
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.boolean(),
        (drawn, pay, correction, upFirst) => {
          const paid = (number: number, amount: number) =>
            paymentMade({
              ...(drawn as Partial<PaymentMade> as Record<string, never>),
              taxablePayPence: amount,
              nicableEarningsPence: amount,
              paymentDate: monthDate(number),
              period: number,
            });
          const by = upFirst ? correction : -correction;
          const payments = [paid(1, pay), paid(3, pay + 1_000_000), paid(3, by), paid(3, -by)];
          fc.pre(!assessAll(payments).all.some(isLimited));
          const book = new PayeBook(RULES);
          for (const payment of payments.slice(0, 2)) book.decide(payment);
          const before = balances(book);
          for (const payment of payments.slice(2)) book.decide(payment);
          expect(balances(book)).toEqual(before);
        },
      ),
      { numRuns: 400 },
    );
  });
});

function balances(book: PayeBook): Partial<Record<Head, number>> {
  return Object.fromEntries([...book.balance].filter(([, amount]) => amount !== 0));
}

describe('NICs', () => {
  it('never fall as earnings rise, for every letter, frequency and year', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RULES.taxYears),
        fc.constantFrom(...PAY_FREQUENCIES),
        letter,
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        (year, frequency, category, earnings, more) => {
          const terms = rulesAtYearEnd(RULES, year).frequencies[frequency].letters[category];
          fc.pre(terms !== undefined);
          if (terms === undefined) return;
          expect(employeeNicsPence(terms, earnings + more)).toBeGreaterThanOrEqual(employeeNicsPence(terms, earnings));
          expect(employerNicsPence(terms, earnings + more)).toBeGreaterThanOrEqual(employerNicsPence(terms, earnings));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('the year', () => {
  const submission = fc.record({
    works: fc.constantFrom('1', '2', '3'),
    number: month,
    late: fc.integer({ min: 0, max: 12 }),
    tax: amountPence,
  });

  it('monthly charges add up to the last position of every employment', () => {
    fc.assert(
      fc.property(fc.array(submission, { maxLength: 20 }), (drawn) => {
        const submissions = drawn.map(({ works, number, late, tax }): FullPaymentSubmission => {
          const toDatePence: ChargeAmounts = { tax, ee: tax + 1, er: tax * 2, sl: 100, pgl: 0 };
          const received = localDate(monthDate(number + late));
          return {
            worksNumber: works,
            paymentDate: localDate(monthDate(number)),
            received,
            toDatePence,
            oldWorksNumber: null,
          };
        });
        const charges = [...yearToDateCharges(taxYear('2026-27'), submissions).values()];
        for (const head of CHARGE_HEADS) {
          const charged = sum(charges.map((amounts) => amounts[head]));
          const last = ['1', '2', '3'].map((works) =>
            lastOf(submissions.filter(({ worksNumber }) => worksNumber === works)),
          );
          expect(charged).toBe(sum(last.map((found) => found?.toDatePence[head] ?? 0)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the entries of an employment add up to its figures to date, by head and by month', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            number: month,
            pay: fc.integer({ min: -100_000, max: 900_000 }),
            taxCode: anyCode,
            niCategory: letter,
          }),
          {
            minLength: 1,
            maxLength: 10,
          },
        ),
        (drawn) => {
          const book = new PayeBook(RULES);
          for (const { number, pay, taxCode, niCategory } of drawn) {
            book.pay({
              taxCode,
              niCategory,
              taxablePayPence: pay,
              nicableEarningsPence: pay,
              paymentDate: monthDate(number),
              period: number,
            });
          }
          const results = book.decisions.flatMap((decision) => decision.results);
          const state = book.state.get('employment|paye:123/AB456|2026-27|W-1') as unknown as EmploymentState;
          const byHead = (head: Head) =>
            sum(
              results.flatMap(({ amounts }) =>
                amounts.filter((amount) => amount.head === head).map(({ pence }) => pence),
              ),
            );
          expect([byHead('incomeTax'), byHead('employeeNics'), byHead('employerNics')]).toEqual([
            state.taxPence,
            state.employeeNicsPence,
            state.employerNicsPence,
          ]);
          expect(results.map(({ number }) => number)).toEqual(results.map((_result, index) => index + 1));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('repeats', () => {
  it('anywhere in the stream change nothing', () => {
    fc.assert(
      fc.property(
        fc.array(amountPence, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (pays, repeats) => {
          const events = pays.map((pay, index) =>
            paymentMade({
              taxablePayPence: pay,
              nicableEarningsPence: pay,
              paymentDate: monthDate(index + 1),
              period: index + 1,
            }),
          );
          const once = new PayeBook(RULES);
          for (const event of events) once.decide(event);
          const again = new PayeBook(RULES);
          for (const [index, event] of events.entries()) {
            again.decide(event);
            const repeated = events[(repeats[index] ?? 0) % (index + 1)];
            if (repeated !== undefined) expect(again.decide(repeated).outcome).toBe('repeat');
          }
          expect([...again.state]).toEqual([...once.state]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function lastOf(submissions: readonly FullPaymentSubmission[]): FullPaymentSubmission | undefined {
  return submissions
    .map((submission, order) => ({ submission, order }))
    .sort((a, b) => key(a.submission, a.order).localeCompare(key(b.submission, b.order)))
    .at(-1)?.submission;
}

function key({ paymentDate, received }: FullPaymentSubmission, order: number): string {
  return `${paymentDate} ${received ?? paymentDate} ${String(order).padStart(5, '0')}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('Class 1A on an award', () => {
  it('is the same in whatever parts the award is paid', () => {
    const parts = fc.array(fc.integer({ min: -3_000_000, max: 9_000_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, (awards) => {
        const { all } = assessAll(awards.map((terminationAwardPence) => paymentMade({ terminationAwardPence })));
        const whole = paymentMade({ terminationAwardPence: awards.reduce((sum, award) => sum + award, 0) });
        const [alone] = assessAll([whole]).all;
        const inParts = all.reduce((sum, { class1aNicsPence }) => sum + class1aNicsPence, 0);
        expect(inParts).toBe(alone?.class1aNicsPence);
      }),
    );
  });
});

describe('the bills of a year', () => {
  const head = fc.integer({ min: -1_000_000, max: 1_000_000 });
  const figures = fc.record({ incomeTax: head, employerNics: head, apprenticeshipLevy: head, cisSuffered: head });

  it('have lines that add up, and what is payable less what was carried is what the months come to', () => {
    const { employer } = rulesAtYearEnd(RULES, '2026-27');
    fc.assert(
      fc.property(fc.array(figures, { minLength: 1, maxLength: 12 }), (heads) => {
        const months = heads.map((each) => ({ heads: each, employerNicsPence: 0, payBillPence: 0, payments: 1 }));
        const bills = months.map((_, index) =>
          monthBill(
            { taxYear: taxYear('2026-27'), taxMonth: index + 1, months: months.slice(0, index + 1), claims: null },
            employer,
          ),
        );
        for (const { lines, netDuePence, broughtForwardPence, carriedForwardPence, payablePence } of bills) {
          expect(lines.reduce((sum, { pence }) => sum + pence, 0)).toBe(netDuePence);
          expect(payablePence - carriedForwardPence).toBe(netDuePence - broughtForwardPence);
          expect(Math.min(payablePence, carriedForwardPence)).toBe(0);
        }
        const due = bills.reduce((sum, { netDuePence }) => sum + netDuePence, 0);
        const payable = bills.reduce((sum, { payablePence }) => sum + payablePence, 0);
        expect(payable - (bills.at(-1)?.carriedForwardPence ?? 0)).toBe(due);
      }),
    );
  });
});

describe('an employment that is followed', () => {
  it('comes to what tax decided, whatever the payments and whenever they were received', () => {
    const payment = fc.record({
      code: anyCode,
      letter,
      period: month,
      pay: amountPence,
      lateDays: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(payment, { minLength: 1, maxLength: 8 }), (payments) => {
        const book = new PayeBook(RULES);
        const accepted = payments.map(({ code, letter: niCategory, period, pay, lateDays }) => {
          const paymentDate = localDate(monthDate(period));
          const receivedAtMs = Date.parse(paymentDate) + lateDays * 86_400_000;
          const event = paymentMade({
            taxCode: code,
            niCategory,
            period,
            paymentDate,
            taxablePayPence: pay,
            nicableEarningsPence: pay,
            receivedAtMs,
          });
          return { event, hash: hashOf(event), rules: RULES };
        });
        const decided = accepted.map(({ event }) => book.decide(event).results[0]);
        const followed = followEmployment(accepted);
        expect(followed.map(({ result: { amounts, taxPeriod } }) => ({ amounts, taxPeriod }))).toEqual(
          decided.map((result) => ({ amounts: result?.amounts, taxPeriod: result?.taxPeriod })),
        );
      }),
    );
  });
});
