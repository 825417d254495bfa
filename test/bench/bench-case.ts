/** What is measured, in the order of the table. Each runs in a process of its own. */
export const CASES = ['gateway', 'tax', 'ledger', 'outbox', 'pipeline', 'payer', 'paced', 'import'] as const;
export type CaseName = (typeof CASES)[number];

export const CASE_TITLES: Readonly<Record<CaseName, string>> = {
  gateway: 'gateway: HTTP → reserved, in the log, receipted',
  tax: 'tax: log → liabilities',
  ledger: 'ledger: liabilities → blocks, signed checkpoint',
  outbox: 'payer node → gateway: HTTP → outbox → log → receipts checked',
  pipeline: "tax, ledger, payer node: log → entries in the payer's copy",
  payer: 'payer node: pull → checked, worked out again, stored, countersigned',
  paced: 'everything, paced: time from the log to the entry in the copy',
  import: 'everything, payroll import: HTTP → entry in the copy',
};

export const SPREADS = ['busy', 'nation'] as const;
export type SpreadName = (typeof SPREADS)[number];

/** A case for its process, as JSON in its argument. */
export interface CaseRequest {
  readonly name: CaseName;
  /** Data folder of the services. */
  readonly folder: string;
  /** Lines of `v` or `p` and an event's JSON (generate-events.ts). */
  readonly eventsFile: string;
  readonly events: number;
  /** Lines of all events: three a sale, one a payment. */
  readonly lines: number;
  readonly paceEventsPerSecond: number;
}

/** From the process of a case to the bench. */
export type CaseMessage =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'result'; readonly result: Measured };

export interface Measured {
  readonly events: number;
  readonly lines: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly linesPerSecond: number;
  /** User and system time of the whole process, its threads included. */
  readonly cpuMicrosPerEvent: number;
  /** LMDB's map included. */
  readonly rssPeakBytes: number;
  readonly heapPeakBytes: number;
  /** What is still held when the work is done and garbage collected: to be the same for any number of events. */
  readonly heapHeldBytes: number;
  /** From the time of receipt in the log to the entry stored in the payer's copy. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  /** Blocks that hold these entries, where blocks are made. */
  readonly entriesPerBlock: number | null;
}
