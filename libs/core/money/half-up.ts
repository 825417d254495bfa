import { assert } from '../errors/assert.ts';
import { type Pence, pence } from './pence.ts';

/**
 * amount x numerator / denominator, rounded once: below half a penny down, half a penny and above up, symmetric for negative amounts
 * (VATREC12030). Exact for every safe amount; both parts of the fraction are whole and not negative, the denominator above 0.
 */
export function halfUpShare(amount: number, numerator: number, denominator: number): Pence {
  const absolute = amount < 0 ? -amount : amount;
  // Whole multiples of the denominator first, so that only a small rest is multiplied.
  const rest = absolute % denominator;
  const whole = ((absolute - rest) / denominator) * numerator;
  const doubled = 2 * rest * numerator + denominator;
  const rounded =
    doubled <= Number.MAX_SAFE_INTEGER
      ? (doubled - (doubled % (2 * denominator))) / (2 * denominator)
      : Number((2n * BigInt(rest) * BigInt(numerator) + BigInt(denominator)) / (2n * BigInt(denominator)));
  const share = whole + rounded;
  return pence(amount < 0 ? -share : share);
}

/** The fraction numerator / denominator, half up to a whole number, for products that are already made (as bigint). */
export function halfUpQuotient(numerator: bigint, denominator: bigint): Pence {
  assert(denominator > 0n, 'a denominator is positive');
  const absolute = numerator < 0n ? -numerator : numerator;
  const rounded = Number((2n * absolute + denominator) / (2n * denominator));
  return pence(numerator < 0n ? -rounded : rounded);
}
