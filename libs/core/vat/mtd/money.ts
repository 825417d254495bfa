import type { LocalDate } from '../../calendar/local-date.ts';
import { type MoneyOfTrader, settleCharges, type VatCharge } from '../standing/settle-charges.ts';
import { financialRange, type MtdRangeQuery } from './date-range.ts';
import { type MtdRefusal, mtdRefusal } from './error.ts';

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
  const liabilities: MtdLiability[] = [];
  for (const { charge, openPence } of settleCharges(charges, money).charges) {
    if (charge.duePence === 0 || charge.end < range.from || charge.end > range.to) continue;
    const isCredit = charge.duePence < 0;
    const outstandingPence = isCredit ? 0 : openPence;
    liabilities.push({
      taxPeriod: { from: charge.start, to: charge.end },
      type: isCredit ? 'VAT Return Credit Charge' : 'VAT Return Debit Charge',
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
