import { TallyError } from '../core/errors/tally-error.ts';

/** A quantity in millionths of a unit: weighed goods are not whole. */
export type Quantity = bigint & { readonly __unit: 'millionths' };

export const ONE_UNIT = 1_000_000n as Quantity;

const PATTERN = /^(\d{1,12})(?:\.(\d{1,6}))?$/;

/** Of decimal text such as `1.337`, above 0. Throws E_QTY. */
export function quantity(text: string): Quantity {
  const match = PATTERN.exec(text);
  const millionths = match === null ? 0n : BigInt(`${match[1]}${(match[2] ?? '').padEnd(6, '0')}`);
  if (millionths <= 0n) throw new TallyError('E_QTY', 'a quantity is a positive decimal as text, such as "1.337"', {});
  return millionths as Quantity;
}
