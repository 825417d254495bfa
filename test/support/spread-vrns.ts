import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';

/** VAT registration numbers with right check digits (97 less the weighted sum, modulo 97) whose accounts are in as many partitions. */
export function spreadVrns(count: number): readonly string[] {
  const byPartition = new Map<number, string>();
  for (let number = 1_017_476; byPartition.size < Math.min(count, KEYED_PARTITIONS_DEFAULT); number += 1) {
    let sum = 0;
    for (const [index, digit] of [...String(number)].entries()) sum += (8 - index) * Number(digit);
    const vrn = `${number}${String(97 - (sum % 97)).padStart(2, '0')}`;
    byPartition.set(partitionOf(`vat:${vrn}`, KEYED_PARTITIONS_DEFAULT), vrn);
  }
  return [...byPartition.values()];
}
