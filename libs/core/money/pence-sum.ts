import { TallyError } from '../errors/tally-error.ts';

/** A whole number beyond the safe integers as its canonical decimal digits: `-9007199254740993`. */
type DecimalDigits = string & { readonly __unit: 'pence' };

/**
 * A sum of pence that may grow without end: a number while it is a safe integer, and beyond (2^53 - 1 pence are ninety trillion pounds) its
 * decimal digits. One value has one form, so sums are compared with `===`, printed as they stand and kept in JSON without a change; nothing is
 * ever rounded. One event's amounts have limits and stay numbers; what is summed over events, blocks or the nation has none.
 */
export type PenceSum = number | DecimalDigits;

/** No account's and no nation's sum has more digits: who states one that has is refused. */
const DIGITS_MAX = 30;
const CANONICAL = new RegExp(`^(0|-?[1-9]\\d{0,${DIGITS_MAX - 1}})$`);

/** a + b, exactly. Two numbers whose sum is a safe integer, nearly always, cost one addition and one comparison. */
export function addSums(a: PenceSum, b: PenceSum): PenceSum {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return sumOfBigInt(BigInt(a) + BigInt(b));
}

/** a - b, exactly. */
export function subtractSums(a: PenceSum, b: PenceSum): PenceSum {
  return addSums(a, negateSum(b));
}

/** -a; never negative zero. */
export function negateSum(a: PenceSum): PenceSum {
  return typeof a === 'number' ? 0 - a : sumOfBigInt(-BigInt(a));
}

/** All of them together, exactly; 0 of none. */
export function totalOf(amounts: Iterable<PenceSum>): PenceSum {
  let total: PenceSum = 0;
  for (const amount of amounts) total = addSums(total, amount);
  return total;
}

/** Parses a canonical decimal: no leading zeros, no plus, no -0, at most 30 digits. Throws DECIMAL_INVALID. */
export function parsePenceSum(text: string): PenceSum {
  if (!CANONICAL.test(text)) {
    throw new TallyError('DECIMAL_INVALID', `expected a canonical decimal of at most ${DIGITS_MAX} digits`, {
      length: text.length,
    });
  }
  return sumOfBigInt(BigInt(text));
}

/** The nearest double, for a gauge: metrics are doubles whatever is counted. */
export function approximately(sum: PenceSum): number {
  return Number(sum);
}

/** Pounds and pence as text for people: `-1,234.56` of -123456. */
export function formatPenceSum(sum: PenceSum): string {
  const digits = String(sum).replace('-', '').padStart(3, '0');
  const pounds = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${String(sum).startsWith('-') ? '-' : ''}${pounds}.${digits.slice(-2)}`;
}

function sumOfBigInt(value: bigint): PenceSum {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (String(value) as DecimalDigits);
}
