import type { PayerStore } from './payer-store.ts';

/** Notes the codes of what was odd about an accepted event, inside a transaction. */
export function putFlags(store: PayerStore, key: Buffer, flags: readonly string[]): void {
  void store.flags.put(key, JSON.stringify(flags));
}

/** What was odd about an event that tax accepted all the same, such as E_CHAIN_BROKEN; none for one without, or not decided yet. */
export function flagsOf(store: PayerStore, key: Buffer): readonly string[] {
  const text = store.flags.get(key);
  return text === undefined ? [] : (JSON.parse(text) as string[]);
}
