/**
 * Cash accounting: invoices less what was paid of them, pence: sales and their VAT, purchases and their recoverable VAT, which has
 * ten-thousandths of a penny 0..9999 above its whole pence, as box 4 has.
 */
export type Unpaid = readonly [
  salesPence: number,
  salesVatPence: number,
  purchasesPence: number,
  inputVatPence: number,
  inputVatParts: number,
];

/**
 * Where a period stands to cash accounting. 1: invoices count when they are paid. 2: the same, and the scheme ends with the period: all that
 * is unpaid counts in it. Where a trader takes six months more for that: 3: new invoices count when they are sent, payments of earlier ones
 * as they come; 4: the same, and the six months end in the period: what is unpaid still counts in it.
 */
export type CashStage = 1 | 2 | 3 | 4;

/** True where invoices wait for their payment. */
export function waitsForPayment(stage: CashStage | undefined): boolean {
  return stage === 1 || stage === 2;
}

/** True where what is unpaid is left to the next period. */
export function leavesUnpaid(stage: CashStage | undefined): boolean {
  return stage === 1 || stage === 3;
}

/** The part of a period's account that tells of it. */
interface AccountOfUnpaid {
  readonly s?: { readonly c?: CashStage };
  readonly u?: Unpaid;
  readonly b?: Unpaid;
}

export const NOTHING_UNPAID: Unpaid = [0, 0, 0, 0, 0];
const PARTS = 10_000;

/** What a period's account (period-account.ts) counts although nobody paid it. Null: nothing. */
export function unpaidDueIn({ s, u, b }: AccountOfUnpaid): Unpaid | null {
  const own = s?.c === 2 || s?.c === 4 ? u : undefined;
  if (own === undefined) return b ?? null;
  return b === undefined ? own : addUnpaid(own, b);
}

/** Two sums, the parts of a penny carried. */
export function addUnpaid(a: Unpaid, b: Unpaid): Unpaid {
  const parts = a[4] + b[4];
  const fraction = ((parts % PARTS) + PARTS) % PARTS;
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3] + (parts - fraction) / PARTS, fraction];
}

/** An invoice sent (a payment received: negated). */
export function unpaidSale(netPence: number, vatPence: number): Unpaid {
  return [netPence, vatPence, 0, 0, 0];
}

/** An invoice got (a payment made: negated), of whose VAT a share in basis points is recoverable. */
export function unpaidPurchase(netPence: number, vatPence: number, recoverableBasisPoints: number): Unpaid {
  return addUnpaid([0, 0, netPence, 0, vatPence * recoverableBasisPoints], NOTHING_UNPAID);
}
