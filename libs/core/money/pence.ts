import { TallyError } from '../errors/tally-error.ts';

/** An amount of money in whole pence, always a safe integer (the nation's receipts are below 10^14 pence; the limit is 9 x 10^15). */
export type Pence = number & { readonly __unit: 'pence' };

export const ZERO_PENCE = 0 as Pence;

/** Makes pence of a number. Throws NOT_INTEGER_PENCE for a fraction, NaN or a value beyond the safe integers. */
export function pence(value: number): Pence {
  if (!Number.isSafeInteger(value)) {
    throw new TallyError('NOT_INTEGER_PENCE', `${value} is not a whole number of pence within the safe integers`, {
      value,
    });
  }
  return (value === 0 ? 0 : value) as Pence;
}

/** -a; never negative zero. */
export function negatePence(a: Pence): Pence {
  return pence(-a);
}

/** Pounds and pence as text for people: `-1,234.56` of -123456. */
export function formatPence(amount: Pence): string {
  const sign = amount < 0 ? '-' : '';
  const absolute = Math.abs(amount);
  const pounds = Math.trunc(absolute / 100)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
  return `${sign}${pounds}.${(absolute % 100).toString().padStart(2, '0')}`;
}
