import type { LocalDate } from '../../calendar/local-date.ts';
import { financialRange, type MtdRangeQuery } from './mtd-date-range.ts';
import { type MtdRefusal, mtdRefusal } from './mtd-error.ts';

/** What a filed return makes a trader owe (positive) or be paid (negative). */
export interface VatCharge {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  readonly duePence: number;
}

/** Money that came to HMRC (positive) or went back (negative). */
export interface MoneyOfTrader {
  readonly amountPence: number;
  /** Null where our copy shows the money but nothing that dates it. */
  readonly received: LocalDate | null;
}

export interface MtdLiability {
  readonly taxPeriod: { readonly from: string; readonly to: string };
  readonly type: string;
  readonly originalAmount: number;
  readonly outstandingAmount?: number;
  readonly due: string;
}

export interface MtdPayment {
  readonly amount: number;
  readonly received?: string;
}

/**
 * Answers `GET …/liabilities`: the charges of filed returns whose period ends within the dates. What was paid settles the oldest charge
 * first; a charge that is settled has no outstanding amount. Pounds. NOT_FOUND where there is none.
 */
export function liabilitiesAnswer(
  query: MtdRangeQuery,
  today: LocalDate,
  charges: readonly VatCharge[],
  money: readonly MoneyOfTrader[],
): { readonly liabilities: readonly MtdLiability[] } | MtdRefusal {
  const range = financialRange(query, today);
  if ('status' in range) return range;
  // What a return is to be repaid settles other charges like money, whichever came first.
  let paidPence = money.reduce((sum, one) => sum + one.amountPence, 0);
  for (const { duePence } of charges) paidPence -= Math.min(0, duePence);
  const liabilities: MtdLiability[] = [];
  for (const charge of [...charges].sort((a, b) => (a.end < b.end ? -1 : 1))) {
    const chargedPence = Math.max(0, charge.duePence);
    const settledPence = Math.max(0, Math.min(chargedPence, paidPence));
    paidPence -= settledPence;
    if (charge.duePence === 0 || charge.end < range.from || charge.end > range.to) continue;
    const outstandingPence = chargedPence - settledPence;
    liabilities.push({
      taxPeriod: { from: charge.start, to: charge.end },
      type: chargedPence === 0 ? 'VAT Return Credit Charge' : 'VAT Return Debit Charge',
      originalAmount: charge.duePence / 100,
      ...(outstandingPence === 0 ? {} : { outstandingAmount: outstandingPence / 100 }),
      due: charge.due,
    });
  }
  return liabilities.length === 0 ? mtdRefusal('NOT_FOUND') : { liabilities };
}

/** Answers `GET …/payments`: money received within the dates. Pounds. NOT_FOUND where there is none. */
export function paymentsAnswer(
  query: MtdRangeQuery,
  today: LocalDate,
  money: readonly MoneyOfTrader[],
): { readonly payments: readonly MtdPayment[] } | MtdRefusal {
  const range = financialRange(query, today);
  if ('status' in range) return range;
  const payments = money
    .filter((one) => one.amountPence > 0)
    .filter(({ received }) => received === null || (received >= range.from && received <= range.to))
    .map(({ amountPence, received }) => ({
      amount: amountPence / 100,
      ...(received === null ? {} : { received: String(received) }),
    }));
  return payments.length === 0 ? mtdRefusal('NOT_FOUND') : { payments };
}
