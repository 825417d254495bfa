import { TallyError } from '../errors/tally-error.ts';
import { type Pence, pence } from './pence.ts';

/** A decimal number exactly as written: `units / 10^scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const PATTERN = /^([+-]?)(\d{1,18})(?:\.(\d{1,12}))?$/;

/** Reads `12`, `-0.5`, `2.550`. Throws DECIMAL_INVALID for anything else: no exponent, no thousands separator, no currency sign. */
export function parseDecimal(text: string): Decimal {
  const match = PATTERN.exec(text.trim());
  if (match === null) {
    throw new TallyError('DECIMAL_INVALID', `"${text.slice(0, 40)}" is not a decimal number such as 12.50`, {});
  }
  const fraction = match[3] ?? '';
  const units = BigInt(`${match[2]}${fraction}`);
  return { units: match[1] === '-' ? -units : units, scale: fraction.length };
}

/** The product, exactly. */
export function multiplyDecimal(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/**
 * Pounds as whole pence, half a penny away from zero: the extended price of a line is rounded to the penny before VAT (VAT Notice 700
 * section 17; vat.md section 4).
 */
export function penceOfPounds(pounds: Decimal): Pence {
  const negative = pounds.units < 0n;
  const absolute = (negative ? -pounds.units : pounds.units) * 100n;
  const divisor = 10n ** BigInt(pounds.scale);
  const rounded = (absolute * 2n + divisor) / (divisor * 2n);
  return pence(Number(negative ? -rounded : rounded));
}

/** Pounds as whole pence where they are a whole number of pence. Throws FRACTION_OF_A_PENNY otherwise. */
export function exactPenceOfPounds(pounds: Decimal): Pence {
  const scaled = pounds.units * 100n;
  const divisor = 10n ** BigInt(pounds.scale);
  if (scaled % divisor !== 0n) {
    throw new TallyError('FRACTION_OF_A_PENNY', 'the amount has a fraction of a penny', {});
  }
  return pence(Number(scaled / divisor));
}
