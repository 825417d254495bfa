import { TallyError } from '../errors/tally-error.ts';
import { halfUpQuotient } from '../money/half-up.ts';
import { type Pence, pence } from '../money/pence.ts';
import { type VatRate, vatWithin } from './vat-rate.ts';

/** Gross takings or prices of one rate. */
export interface GrossOfRate {
  readonly rate: VatRate;
  readonly grossPence: number;
}

export interface VatOfRate {
  readonly rate: VatRate;
  readonly vatPence: Pence;
}

/** Point of sale scheme: the gross takings of each rate times its fraction, rounded once per rate (Notice 727/3; vat.md section 5). */
export function pointOfSaleVat(takings: readonly GrossOfRate[]): readonly VatOfRate[] {
  return takings.map(({ rate, grossPence }) => ({ rate, vatPence: vatWithin(grossPence, rate) }));
}

/**
 * Apportionment scheme 1: takings are taken to fall on the rates as the goods bought for resale do (Notice 727/4), rounded once per rate.
 * Throws E_APPORTION_ZERO where nothing was bought.
 */
export function apportionmentOneVat(takingsPence: number, purchases: readonly GrossOfRate[]): readonly VatOfRate[] {
  let bought = 0;
  for (const purchase of purchases) bought += purchase.grossPence;
  if (bought <= 0) {
    throw new TallyError('E_APPORTION_ZERO', 'takings cannot be apportioned over purchases of nothing', {});
  }
  return purchases.map(({ rate, grossPence }) => ({
    rate,
    vatPence: halfUpQuotient(
      BigInt(takingsPence) * BigInt(grossPence) * BigInt(rate.numerator),
      BigInt(bought) * BigInt(rate.denominator),
    ),
  }));
}

/**
 * Direct calculation scheme 1: the minority goods at their expected selling prices, the rest of the takings at the majority's rate
 * (Notice 727/5). Throws E_ESP_EXCEEDS_TAKINGS.
 */
export function directCalculationOneVat(
  takingsPence: number,
  minority: readonly GrossOfRate[],
  majority: VatRate,
): readonly VatOfRate[] {
  let expected = 0;
  for (const goods of minority) expected += goods.grossPence;
  if (expected > takingsPence) {
    throw new TallyError('E_ESP_EXCEEDS_TAKINGS', 'expected selling prices are above the takings', {});
  }
  const rest = { rate: majority, grossPence: takingsPence - expected };
  return pointOfSaleVat([...minority, rest]);
}

export function totalVat(rows: readonly VatOfRate[]): Pence {
  let sum = 0;
  for (const row of rows) sum += row.vatPence;
  return pence(sum);
}
