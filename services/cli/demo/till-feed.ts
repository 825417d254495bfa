import { canonicalJson } from '../../../libs/core/encoding/canonical-json.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { sha256 } from '../../../libs/core/encoding/sha256.ts';
import { account } from '../../../libs/core/identity/account.ts';
import type { FeedEvent } from './feed-event.ts';
import { type Product, RETAILERS, type Retailer, TILLS, type Till } from './retailers.ts';
import { type Draws, drawsOf, seededUuid } from './seeded-random.ts';

interface SoldLine {
  readonly id: string;
  readonly category: string;
  readonly paidPence: number;
}

/** A sale that can still come back: what is left of it, and whether the till's day was closed since. */
interface RecentSale {
  readonly eventId: string;
  readonly lines: readonly SoldLine[];
  readonly beforeClose: boolean;
  readonly touched: boolean;
}

/** Where one till stands: the number and hash of its last event, and the sales that may be refunded or voided. */
export interface TillState {
  readonly seq: number;
  readonly hash: string | null;
  readonly sinceClose: number;
  readonly recent: readonly RecentSale[];
}

export const NEW_TILL: TillState = { seq: 0, hash: null, sinceClose: 0, recent: [] };

/** Sales that a till remembers for refunds and voids; few, for the state is saved with every batch. */
const RECENT_SALES = 6;
/** A shop's day is short here, so that a watcher sees tills closed. */
const EVENTS_BETWEEN_Z_REPORTS = 120;

const TEXT = new TextEncoder();

/** What a till says next, and where it stands then. The event depends on the seed, the till, its state and the time, nothing else. */
export function nextTillEvent(
  seed: string,
  till: Till,
  state: TillState,
  occurredAt: string,
): { readonly event: FeedEvent; readonly state: TillState } {
  const seq = state.seq + 1;
  const draws = drawsOf(seed, `till/${till.vrn}/${till.tillId}/${seq}`);
  const eventId = seededUuid(seed, `till/${till.vrn}/${till.tillId}/${seq}`);
  const said = decideWhat(till.retailer, state, draws, eventId);
  const json = {
    schema: 1,
    eventId,
    vrn: till.vrn,
    tillId: till.tillId,
    seq,
    prevHash: state.hash,
    occurredAt,
    currency: 'GBP',
    ...said.body,
  };
  return {
    event: { kind: 'vat', account: account(`vat:${till.vrn}`), json },
    state: { seq, hash: toHex(sha256(TEXT.encode(canonicalJson(json)))), ...said.next },
  };
}

/** A purchase invoice of a retailer, or now and then a supplier's credit note. */
export function nextPurchase(seed: string, number: number, taxPoint: string): FeedEvent {
  const draws = drawsOf(seed, `purchase/${number}`);
  const retailer = draws.oneOf(RETAILERS);
  const supplier = draws.oneOf(RETAILERS.filter(({ vrn }) => vrn !== retailer.vrn));
  const credit = draws.chance(0.06);
  const netPence = draws.between(1_500, 25_000) * (credit ? -1 : 1);
  // A fifth of the stock is zero-rated at its supplier; the rest carries 20%.
  const vatPence = draws.chance(0.2) ? 0 : roundHalfUp(netPence, 1, 5);
  return {
    kind: 'vat',
    account: account(`vat:${retailer.vrn}`),
    json: {
      type: 'PurchaseRecorded',
      eventId: seededUuid(seed, `purchase/${number}`),
      vrn: retailer.vrn,
      kind: credit ? 'purchase_credit' : 'purchase',
      taxPoint,
      netPence,
      vatPence,
      recoverableBasisPoints: draws.chance(0.05) ? 5_000 : 10_000,
      supplierVrn: supplier.vrn,
      reference: `${credit ? 'CN' : 'INV'}-${100_000 + number}`,
    },
  };
}

interface Said {
  readonly body: Readonly<Record<string, unknown>>;
  readonly next: Omit<TillState, 'seq' | 'hash'>;
}

function decideWhat(retailer: Retailer, state: TillState, draws: Draws, eventId: string): Said {
  const sinceClose = state.sinceClose + 1;
  if (sinceClose >= EVENTS_BETWEEN_Z_REPORTS) {
    const recent = state.recent.map((sale) => ({ ...sale, beforeClose: true }));
    return { body: { type: 'Z_REPORT' }, next: { sinceClose: 0, recent } };
  }
  const chance = draws.fraction();
  if (chance < 0.02) return { body: { type: 'NO_SALE' }, next: { sinceClose, recent: state.recent } };
  if (chance < 0.025) return { body: { type: 'X_REPORT' }, next: { sinceClose, recent: state.recent } };
  if (chance < 0.03) return { body: unlinkedRefund(retailer, draws), next: { sinceClose, recent: state.recent } };
  const refundable = state.recent.find(({ lines }) => lines.length > 0);
  if (chance < 0.06 && refundable !== undefined) return refund(state, refundable, draws, sinceClose);
  const last = state.recent.at(-1);
  if (chance < 0.075 && last !== undefined && !last.beforeClose && !last.touched)
    return voidOf(state, last, sinceClose);
  const lines = basket(retailer, draws);
  const sale = { eventId, lines, beforeClose: false, touched: false };
  return {
    body: { type: 'SALE', ...amounts(lines, draws.chance(0.75) ? 'card' : 'cash') },
    next: { sinceClose, recent: [...state.recent, sale].slice(-RECENT_SALES) },
  };
}

function refund(state: TillState, sale: RecentSale, draws: Draws, sinceClose: number): Said {
  const line = draws.oneOf(sale.lines);
  const left = { ...sale, touched: true, lines: sale.lines.filter(({ id }) => id !== line.id) };
  return {
    body: { type: 'REFUND', ...amounts(negated([line]), 'card'), originalEventId: sale.eventId },
    next: { sinceClose, recent: state.recent.map((each) => (each === sale ? left : each)) },
  };
}

function voidOf(state: TillState, sale: RecentSale, sinceClose: number): Said {
  return {
    body: { type: 'VOID', ...amounts(negated(sale.lines), 'card'), originalEventId: sale.eventId },
    next: { sinceClose, recent: state.recent.filter((each) => each !== sale) },
  };
}

function unlinkedRefund(retailer: Retailer, draws: Draws): Readonly<Record<string, unknown>> {
  const lines = basket(retailer, draws).slice(0, 1);
  return { type: 'REFUND', ...amounts(negated(lines), 'cash'), unlinkedReason: 'NO_RECEIPT' };
}

function basket(retailer: Retailer, draws: Draws): SoldLine[] {
  const count = draws.between(1, retailer.linesMax);
  return Array.from({ length: count }, (_, index) => {
    const product: Product = draws.oneOf(retailer.products);
    const pieces = draws.chance(0.15) ? 2 : 1;
    return { id: String(index + 1), category: product.category, paidPence: product.pricePence * pieces };
  });
}

function negated(lines: readonly SoldLine[]): SoldLine[] {
  return lines.map((line) => ({ ...line, paidPence: -line.paidPence }));
}

/** Lines, their total, the VAT printed on the receipt (rounded once per rate, half up) and how it was paid. */
function amounts(lines: readonly SoldLine[], method: 'card' | 'cash'): Readonly<Record<string, unknown>> {
  const grossByRate = new Map<number, number>();
  for (const { category, paidPence } of lines) {
    const rate = ratePercent(category);
    grossByRate.set(rate, (grossByRate.get(rate) ?? 0) + paidPence);
  }
  let vatPence = 0;
  for (const [rate, grossPence] of grossByRate) vatPence += roundHalfUp(grossPence, rate, 100 + rate);
  const totalPence = lines.reduce((sum, { paidPence }) => sum + paidPence, 0);
  return { lines, totalPence, vatPence, payments: [{ method, amountPence: totalPence }] };
}

function ratePercent(category: string): number {
  for (const retailer of RETAILERS) {
    const product = retailer.products.find((each) => each.category === category);
    if (product !== undefined) return product.ratePercent;
  }
  throw new RangeError(`no retailer of the feed sells ${category}`);
}

/** value x numerator / denominator, halves away from zero (vat.md 4). All are small whole numbers. */
function roundHalfUp(value: number, numerator: number, denominator: number): number {
  const magnitude = Math.floor((2 * Math.abs(value) * numerator + denominator) / (2 * denominator));
  return value < 0 ? 0 - magnitude : magnitude;
}

export function newTills(): Record<string, TillState> {
  return Object.fromEntries(TILLS.map((till) => [`${till.vrn}/${till.tillId}`, NEW_TILL]));
}
