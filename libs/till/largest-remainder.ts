import { TallyError } from '../core/errors/tally-error.ts';
import { type Pence, pence } from '../core/money/pence.ts';

/**
 * Shares an amount over weights so that the parts sum to it exactly: each its whole share, then a penny each to the largest remainders,
 * ties to the lowest index (vat.md 4.1). Amount and weights are whole and not negative. Throws E_APPORTION_ZERO where an amount
 * other than 0 has no weight to lie on.
 */
export function shareByLargestRemainder(amountPence: number, weights: readonly number[]): readonly Pence[] {
  let sum = 0n;
  for (const weight of weights) sum += BigInt(weight);
  if (amountPence === 0) return weights.map(() => pence(0));
  if (sum === 0n) {
    throw new TallyError('E_APPORTION_ZERO', 'an amount cannot be shared over weights that are all 0', { amountPence });
  }
  const amount = BigInt(amountPence);
  const parts: number[] = [];
  const remainders: bigint[] = [];
  for (const weight of weights) {
    const product = amount * BigInt(weight);
    parts.push(Number(product / sum));
    remainders.push(product % sum);
  }
  return addPenniesByRemainder(parts, remainders, amountPence);
}

/**
 * Raises whole parts by a penny each, largest remainder first and ties to the lowest index, until they sum to the total. Remainders are
 * in one common unit. The total is at least the sum of the parts and at most one penny a part above it.
 */
export function addPenniesByRemainder(
  parts: readonly number[],
  remainders: readonly bigint[],
  totalPence: number,
): readonly Pence[] {
  const raised = [...parts];
  let left = totalPence;
  for (const part of parts) left -= part;
  const order = parts.map((_, index) => index);
  order.sort((a, b) => {
    const [first, second] = [remainders[a] ?? 0n, remainders[b] ?? 0n];
    return first === second ? a - b : first > second ? -1 : 1;
  });
  for (const index of order.slice(0, left)) raised[index] = (raised[index] ?? 0) + 1;
  return raised.map((part) => pence(part));
}
