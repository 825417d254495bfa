import type { PayerStore } from '../store/payer-store.ts';
import { writeAppended, writeReceipt } from '../store/payer-values.ts';
import { watchEvents } from '../withheld/watched-events.ts';
import type { CheckedReceipts } from './check-receipts.ts';

/** Writes events with their receipts, inside commit; they are watched from now on until they are decided or rejected. */
export function saveReceipts(
  store: PayerStore,
  { receipts, events }: Pick<CheckedReceipts, 'receipts' | 'events'>,
  steadyMs: number,
): void {
  for (const receipt of receipts) {
    // A receipt may come back in parts: the version that holds all its leaves is kept.
    if (receipt.leafHashes.length === 0 && store.receipts.doesExist(receipt.key)) continue;
    void store.receipts.put(receipt.key, writeReceipt(receipt));
  }
  watchEvents(store, events, steadyMs);
  for (const event of events) {
    void store.appended.put(event.eventKey, writeAppended(event));
    if (event.path !== null) void store.paths.put(event.eventKey, event.path);
  }
}
