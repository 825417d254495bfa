import type { HeadAmount } from '../../decisions/decision.ts';
import type { TillEvent, VatAdjustmentMade, VatEvent } from '../../events/vat-events.ts';
import { type Pence, pence } from '../../money/pence.ts';
import type { VatRate } from '../rates/vat-rate.ts';
import type { PeriodScheme } from '../state/period-account.ts';
import { adjustmentHits, type BoxHits, isFlatRateTurnover, NO_BOX, owedByCustomers } from './adjustment-kinds.ts';

/** Pence that one event brings to each box; boxes 3 and 5 are sums and are left out, and so is what is zero. */
export type BoxShares = Readonly<Partial<Record<1 | 2 | 4 | 6 | 7 | 8 | 9, Pence>>>;

/** Kinds that change VAT worked out from the takings and margins of the whole period: their VAT comes out of box 6 (period-boxes.ts). */
const MOVES_RETAIL_VAT = /^(?:goods_for_resale|stock_opening|stock_closing|margin_.*)$/;
const PRICE_IN_BOX_6: ReadonlySet<string> = new Set(['margin_sale', 'margin_pool_sale']);

/**
 * What an event brings to the boxes of its period: VAT as its ledger entry has it, so that the shares of all events sum to boxes 1, 2 and 4
 * to the penny, and net values in pence, whose sum boxes 6 to 9 show in whole pounds.
 *
 * @param amounts of the event's entry: by how much box 3 (`outputVat`) and box 4 (`inputVat`, negative) moved.
 * @param rateOf the rate of a till's line by its category; null where it is not known.
 */
export function sharesOfEvent(
  event: VatEvent,
  amounts: readonly HeadAmount[],
  scheme: PeriodScheme | undefined,
  rateOf: (category: string) => VatRate | null,
): BoxShares {
  const outputVat = amountOf(amounts, 'outputVat');
  const inputVat = -amountOf(amounts, 'inputVat');
  switch (event.type) {
    case 'TillEvent':
      return tillShares(event, outputVat, scheme, rateOf);
    case 'PurchaseRecorded': {
      const waits = scheme?.k === 'FRS' || scheme?.c === 1;
      return withoutZeros({ 1: outputVat, 4: inputVat, 7: waits ? 0 : event.netPence });
    }
    case 'VatPeriodClosed':
    case 'TraderRegistered':
    case 'TraderDeregistered':
      // What a close brings forward, and what cash accounting leaves unpaid at its end: their VAT alone. What they move in boxes 6 and 7 is in
      // no amount of the entry, so the shares of these boxes fall short of the boxes by it.
      return withoutZeros({ 1: outputVat, 4: inputVat });
    case 'VatAdjustmentMade':
      return adjustmentShares(event, outputVat, inputVat, scheme);
  }
}

function tillShares(
  event: TillEvent,
  outputVat: number,
  scheme: PeriodScheme | undefined,
  rateOf: (category: string) => VatRate | null,
): BoxShares {
  let net = scheme?.k === 'FRS' ? 0 : -outputVat;
  let dispatched = 0;
  for (const { category, paidPence } of event.lines) {
    const rate = rateOf(category);
    if (rate === null || rate.treatment === 'O') continue;
    net += paidPence;
    if (rate.dispatch) dispatched += paidPence;
  }
  return withoutZeros({ 1: outputVat, 6: net, 8: dispatched });
}

function adjustmentShares(
  event: VatAdjustmentMade,
  outputVat: number,
  inputVat: number,
  scheme: PeriodScheme | undefined,
): BoxShares {
  const { kind, netPence, vatPence } = event;
  const { vat, net, sign } = hitsOfEvent(kind, scheme);
  const shares: Record<1 | 2 | 4 | 6 | 7 | 8 | 9, number> = { 1: 0, 2: 0, 4: inputVat, 6: 0, 7: 0, 8: 0, 9: 0 };
  for (const box of net) shares[box] += sign * netPence;
  // What box 2 does not hold of the output VAT is box 1.
  if (vat.includes(2)) shares[2] = sign * vatPence;
  shares[1] = outputVat - shares[2];
  if (MOVES_RETAIL_VAT.test(kind)) shares[6] -= outputVat;
  if (PRICE_IN_BOX_6.has(kind)) shares[6] += netPence;
  // Under the flat rate scheme box 6 is turnover with its VAT (Notice 733).
  if (isFlatRateTurnover(kind, scheme)) shares[6] += sign * (netPence + vatPence);
  return withoutZeros(shares);
}

/** In the last period of cash accounting an invoice counts whether or not it is paid, and its payment no more. */
function hitsOfEvent(kind: string, scheme: PeriodScheme | undefined): BoxHits {
  if (scheme?.c !== 2 && scheme?.c !== 4) return adjustmentHits(kind, scheme);
  if (kind.startsWith('cash_')) return NO_BOX;
  return owedByCustomers(kind) === 0 ? adjustmentHits(kind, scheme) : adjustmentHits(kind, undefined);
}

function amountOf(amounts: readonly HeadAmount[], head: 'outputVat' | 'inputVat'): number {
  return amounts.find((amount) => amount.head === head)?.pence ?? 0;
}

function withoutZeros(shares: Readonly<Record<number, number>>): BoxShares {
  return Object.fromEntries(
    Object.entries(shares)
      .filter(([, share]) => share !== 0)
      .map(([box, share]) => [box, pence(share)]),
  );
}
