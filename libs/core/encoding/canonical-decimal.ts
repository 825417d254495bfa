import { TallyError } from '../errors/tally-error.ts';

const CANONICAL = /^(0|-?[1-9]\d{0,15})$/;

/** A whole number of a text of the ledger: no leading zeros, no plus, no -0, within the safe integers. Throws DECIMAL_INVALID. */
export function parseDecimal(text: string): number {
  const value = CANONICAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new TallyError('DECIMAL_INVALID', 'expected a canonical decimal within the safe integers', {
      length: text.length,
    });
  }
  return value;
}

/** As parseDecimal, and not negative: counts, sizes, sequence numbers. Throws DECIMAL_INVALID. */
export function parseCount(text: string): number {
  const value = parseDecimal(text);
  if (value < 0) throw new TallyError('DECIMAL_INVALID', 'expected a count from 0', {});
  return value;
}
