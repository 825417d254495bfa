import { z } from 'zod';
import { HEADS, type Head } from '../../libs/core/decisions/heads.ts';
import { parsePenceSum } from '../../libs/core/money/pence-sum.ts';

/**
 * What the page needs of the reconciliation's summary (GET /reconciliation/v1/summary). Checked at this door: another service answers, maybe of
 * another version. Fields beyond these are left alone.
 */
const head = z.enum(Object.keys(HEADS) as [Head, ...Head[]]);
/** A number, or beyond the safe integers its decimal digits (docs/http-api.md). */
const penceSum = z
  .union([z.int(), z.string().regex(/^-?[1-9]\d{15,29}$/)])
  .transform((value) => parsePenceSum(String(value)));
const counted = z.object({
  events: z.int(),
  basePence: penceSum,
  amounts: z.array(z.object({ head, pence: penceSum })),
});
const codeCount = z.object({ code: z.string(), count: z.int() });
const difference = z.object({
  stage: z.enum(['decision', 'hmrcCopy', 'payerCopy']),
  inFlight: counted,
  overdue: counted,
  oldestUnmatchedSeconds: z.number(),
  differs: z.int(),
});
const tax = z.object({
  received: counted,
  unreadable: z.int(),
  repeats: z.int(),
  rejected: z.int(),
  waiting: counted,
  decided: counted,
  hmrcCopy: counted,
  payerCopy: counted,
  differences: z.array(difference).length(3),
  stated: counted,
  chargesPence: penceSum,
  paymentsPence: penceSum,
  balancePence: penceSum,
  rejections: z.array(codeCount),
  flags: z.array(codeCount),
});

export const SUMMARY = z.object({
  asOf: z.iso.datetime(),
  state: z.enum(['agreed', 'differs', 'behind', 'halted']),
  liabilityToday: z.object({
    day: z.iso.date(),
    basis: z.string(),
    taxes: z.object({ paye: counted, vat: counted }),
  }),
  rates: z.object({ eventsPerSecond: z.number(), entriesPerSecond: z.number(), blocksPerSecond: z.number() }),
  receiptToCopy: z.object({ p50Ms: z.number().nullable(), p99Ms: z.number().nullable() }),
  taxes: z.object({ paye: tax, vat: tax }),
  blocks: z.object({
    sealed: z.int(),
    acknowledged: z.int(),
    unacknowledgedInFlight: z.int(),
    unacknowledgedOverdue: z.int(),
    chains: z.int(),
    divergentCopies: z.int(),
  }),
  tillGaps: z.int(),
});

export type PageSummary = z.infer<typeof SUMMARY>;
export type PageTax = z.infer<typeof tax>;
export type PageCounted = z.infer<typeof counted>;
