import type { StateChange } from '../../core/events/decision.ts';
import type { PartOfDecisions } from './split-decisions.ts';

interface Changing {
  readonly changes: readonly StateChange[];
}

/** Lengths, the sign that a value is there. */
const BYTES_A_CHANGE = 8;

/**
 * The decisions of one message, each with those of its changes that no later decision of the message overwrites, printed. A message is
 * folded as a whole or not at all, so what stood in between is nobody's state; and what is left out need not be printed, carried or stored.
 *
 * @param bytesOf what a decision takes without its changes, about, once encoded.
 */
export function withLastChanges<D extends Changing>(
  decisions: readonly D[],
  bytesOf: (decision: D) => number,
): PartOfDecisions<D> {
  const seen = new Set<string>();
  const settled: D[] = [...decisions];
  let bytes = 0;
  for (let index = decisions.length - 1; index >= 0; index -= 1) {
    const decision = decisions[index];
    if (decision === undefined) continue;
    bytes += bytesOf(decision);
    const changes: StateChange[] = [];
    for (let at = decision.changes.length - 1; at >= 0; at -= 1) {
      const change = decision.changes[at];
      if (change === undefined || seen.has(change.key)) continue;
      seen.add(change.key);
      const printed = print(change);
      changes.push(printed);
      bytes += change.key.length + (printed.text?.length ?? 0) + BYTES_A_CHANGE;
    }
    settled[index] = { ...decision, changes: changes.reverse() };
  }
  return { decisions: settled, bytes };
}

/** Printed once: for the size of the message, the message and the store. */
function print({ key, value }: StateChange): StateChange {
  return value === null ? { key, value } : { key, value, text: JSON.stringify(value) };
}
