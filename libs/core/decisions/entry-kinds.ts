/** Kinds of ledger entry by their number in stored bytes (ledger.md section 2). Never change or reuse a number, only add. */
export const ENTRY_KINDS = {
  charge: 1,
  claim: 2,
  reversal: 3,
  replacement: 4,
  payment: 5,
  allocation: 6,
  repayment: 7,
  penalty: 8,
  interest: 9,
  remission: 10,
  'payment return': 11,
  dispute: 12,
  'erasure notice': 13,
  'key event': 14,
} as const;

export type EntryKind = keyof typeof ENTRY_KINDS;

const NAMES = new Map<number, EntryKind>(
  Object.entries(ENTRY_KINDS).map(([name, number]) => [number, name as EntryKind]),
);

/** The kind of its number, or undefined for a number that is not in the list. */
export function entryKindOfNumber(number: number): EntryKind | undefined {
  return NAMES.get(number);
}
