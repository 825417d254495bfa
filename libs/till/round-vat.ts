import { halfUpQuotient } from '../core/money/half-up.ts';
import { type Pence, pence } from '../core/money/pence.ts';
import { type VatRate, vatOnTop, vatWithin } from '../core/vat/rates/vat-rate.ts';
import { addPenniesByRemainder } from './largest-remainder.ts';
import { ONE_UNIT, type Quantity } from './quantity.ts';

/**
 * How VAT of a sale is rounded (vat.md section 4): `receipt` sums the gross per rate and rounds once (default); `line` and `unit` round
 * each to the penny; `line4dp` rounds lines to four decimals of a pound; `line_tenth_down` cuts lines to 0.1p and the invoice to the penny;
 * `invoice_down` cuts the invoice to the penny.
 */
export const ROUNDINGS = ['receipt', 'line', 'unit', 'line4dp', 'line_tenth_down', 'invoice_down'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/** A line as far as its VAT goes. */
export interface LineTax {
  readonly paidPence: number;
  readonly unitPence: number;
  readonly quantity: Quantity;
}

/** The lines of one rate and what they sum to. */
export interface RateGroup {
  readonly rate: VatRate;
  readonly paidPence: number;
  readonly lines: readonly LineTax[];
}

/** Hundredths of a penny: the fourth decimal of a pound. */
const HUNDREDTHS = 100n;
const TENTHS = 10n;

/** VAT of each group, in order. */
export function vatByRounding(
  groups: readonly RateGroup[],
  pricing: 'inclusive' | 'exclusive',
  rounding: Rounding,
): readonly Pence[] {
  const vatOf = (amountPence: number, rate: VatRate): Pence =>
    pricing === 'inclusive' ? vatWithin(amountPence, rate) : vatOnTop(amountPence, rate);
  switch (rounding) {
    case 'receipt':
      return groups.map(({ paidPence, rate }) => vatOf(paidPence, rate));
    case 'line':
      return groups.map(({ lines, rate }) => sumOf(lines, (line) => vatOf(line.paidPence, rate)));
    case 'unit':
      return groups.map(({ lines, rate }) =>
        sumOf(lines, (line) => halfUpQuotient(BigInt(vatOf(line.unitPence, rate)) * line.quantity, ONE_UNIT)),
      );
    case 'line4dp':
      return groups.map(({ lines, rate }) => {
        const hundredths = sumOf(lines, (line) => exactVat(line.paidPence, rate, pricing, HUNDREDTHS).halfUp);
        return halfUpQuotient(BigInt(hundredths), HUNDREDTHS);
      });
    case 'line_tenth_down':
      return cutInvoice(
        groups.map(({ lines, rate }) => ({
          numerator: BigInt(sumOf(lines, (line) => exactVat(line.paidPence, rate, pricing, TENTHS).down)),
          denominator: TENTHS,
        })),
      );
    case 'invoice_down':
      return cutInvoice(groups.map(({ paidPence, rate }) => fractionOf(paidPence, rate, pricing)));
  }
}

interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The sum of all rates cut to the penny, shared over the rates: each its whole pence, then by largest remainder. */
function cutInvoice(parts: readonly Fraction[]): readonly Pence[] {
  const common = parts.reduce((product, part) => product * part.denominator, 1n);
  const scaled = parts.map((part) => part.numerator * (common / part.denominator));
  const total = Number(scaled.reduce((sum, part) => sum + part, 0n) / common);
  return addPenniesByRemainder(
    scaled.map((part) => Number(part / common)),
    scaled.map((part) => part % common),
    total,
  );
}

function fractionOf(amountPence: number, rate: VatRate, pricing: 'inclusive' | 'exclusive'): Fraction {
  return pricing === 'inclusive'
    ? { numerator: BigInt(amountPence) * BigInt(rate.numerator), denominator: BigInt(rate.denominator) }
    : { numerator: BigInt(amountPence) * BigInt(rate.basisPoints), denominator: 10_000n };
}

/** VAT of an amount in parts of a penny (`parts` to a penny), half up and cut. */
function exactVat(
  amountPence: number,
  rate: VatRate,
  pricing: 'inclusive' | 'exclusive',
  parts: bigint,
): { readonly halfUp: number; readonly down: number } {
  const { numerator, denominator } = fractionOf(amountPence, rate, pricing);
  return {
    halfUp: halfUpQuotient(numerator * parts, denominator),
    down: Number((numerator * parts) / denominator),
  };
}

function sumOf(lines: readonly LineTax[], vat: (line: LineTax) => number): Pence {
  let sum = 0;
  for (const line of lines) sum += vat(line);
  return pence(sum);
}
