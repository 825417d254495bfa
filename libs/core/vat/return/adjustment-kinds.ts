import type { PeriodScheme } from '../state/period-account.ts';
import { waitsForPayment } from '../state/unpaid-invoices.ts';

/** Which boxes an entry's VAT and net value go to, and with which sign. */
export interface BoxHits {
  readonly vat: readonly (1 | 2 | 4)[];
  readonly net: readonly (6 | 7 | 8 | 9)[];
  readonly sign: 1 | -1;
}

export const NO_BOX: BoxHits = { vat: [], net: [], sign: 1 };

/** Boxes of a return by kind of entry (vat.md section 6). Credits and refunds are given positive and reduce. */
export const RETURN_HITS: ReadonlyMap<string, BoxHits> = new Map<string, BoxHits>([
  ['sale', { vat: [1], net: [6], sign: 1 }],
  ['sale_zero', { vat: [], net: [6], sign: 1 }],
  ['sale_exempt', { vat: [], net: [6], sign: 1 }],
  ['sale_export', { vat: [], net: [6], sign: 1 }],
  ['sale_refund', { vat: [1], net: [6], sign: -1 }],
  ['outside_scope', NO_BOX],
  ['purchase', { vat: [4], net: [7], sign: 1 }],
  ['purchase_credit', { vat: [4], net: [7], sign: -1 }],
  ['import_vat_paid', { vat: [4], net: [7], sign: 1 }],
  ['import_pva', { vat: [1, 4], net: [7], sign: 1 }],
  ['rc_services_in', { vat: [1, 4], net: [6, 7], sign: 1 }],
  ['drc_sale', { vat: [], net: [6], sign: 1 }],
  ['drc_purchase', { vat: [1, 4], net: [7], sign: 1 }],
  ['ni_acquisition', { vat: [2, 4], net: [7, 9], sign: 1 }],
  ['ni_dispatch', { vat: [], net: [6, 8], sign: 1 }],
  ['fuel_scale', { vat: [1], net: [6], sign: 1 }],
  ['own_use', { vat: [1], net: [6], sign: 1 }],
  ['stock_retained_dereg', { vat: [1], net: [6], sign: 1 }],
  ['bad_debt_relief', { vat: [4], net: [], sign: 1 }],
  ['bad_debt_recovered', { vat: [1], net: [], sign: 1 }],
  ['error_underdeclared', { vat: [1], net: [], sign: 1 }],
  ['error_overdeclared', { vat: [4], net: [], sign: 1 }],
]);

/** What the kinds of the schemes do to boxes by their own amounts; margins and retail calculations are worked out from their sums. */
const SCHEME_HITS: ReadonlyMap<string, BoxHits> = new Map<string, BoxHits>([
  /** A capital purchase of at least the minimum: VAT comes back (Notice 733). */
  ['frs_capital', { vat: [4], net: [7], sign: 1 }],
  /** Relevant goods of the limited cost trader test; net and VAT together are what they cost. */
  ['frs_relevant_goods', NO_BOX],
  /** Cash accounting: an invoice, or part of it, was paid by a customer or to a supplier. */
  ['cash_received', { vat: [1], net: [6], sign: 1 }],
  ['cash_paid', { vat: [4], net: [7], sign: 1 }],
  /** Retail schemes: net is VAT-inclusive cost (apportionment 1) or expected selling price, of goods of the rate that the event names. */
  ['goods_for_resale', NO_BOX],
  ['stock_opening', NO_BOX],
  ['stock_closing', NO_BOX],
  /** Margin scheme: net is the whole price. An item's sale names what it was bought for; a pool's does not. */
  ['margin_purchase', { vat: [], net: [7], sign: 1 }],
  ['margin_sale', NO_BOX],
  ['margin_pool_purchase', { vat: [], net: [7], sign: 1 }],
  ['margin_pool_sale', NO_BOX],
]);

/** Sales by invoice: under cash accounting they wait for payment, under the flat rate scheme they are turnover. */
const INVOICED: ReadonlySet<string> = new Set(['sale', 'sale_zero', 'sale_exempt', 'sale_export', 'sale_refund']);
/** Input VAT that the flat rate percentage stands for (Notice 733): not recovered. */
const IN_FLAT_RATE: ReadonlySet<string> = new Set(['import_vat_paid', 'import_pva', 'ni_acquisition']);
const RETAIL_GOODS: ReadonlySet<string> = new Set(['goods_for_resale', 'stock_opening', 'stock_closing']);
const MARGINS: ReadonlySet<string> = new Set([
  'margin_purchase',
  'margin_sale',
  'margin_pool_purchase',
  'margin_pool_sale',
]);

/** True for a kind that a VatAdjustmentMade may have. Purchases and credits of suppliers are events of their own. */
export function isAdjustmentKind(kind: string): boolean {
  return (RETURN_HITS.has(kind) && kind !== 'purchase' && kind !== 'purchase_credit') || SCHEME_HITS.has(kind);
}

/** The boxes of an adjustment under a period's scheme. */
export function adjustmentHits(kind: string, scheme: PeriodScheme | undefined): BoxHits {
  if (kind === 'purchase' || kind === 'purchase_credit') return NO_BOX;
  const hits = RETURN_HITS.get(kind) ?? SCHEME_HITS.get(kind) ?? NO_BOX;
  if (waitsForPayment(scheme?.c) && INVOICED.has(kind)) return NO_BOX;
  // Turnover with its VAT stands in box 6, and nothing of it twice.
  if (isFlatRateTurnover(kind, scheme)) return { vat: [], net: hits.net.filter((box) => box !== 6), sign: hits.sign };
  return hits;
}

/** By how much a kind changes what customers owe under cash accounting: an invoice by its sign, a payment the other way; 0 for others. */
export function owedByCustomers(kind: string): 1 | -1 | 0 {
  if (kind === 'cash_received') return -1;
  return INVOICED.has(kind) ? (RETURN_HITS.get(kind)?.sign ?? 1) : 0;
}

/** True where an adjustment is turnover of the flat rate scheme: what is sold by invoice, or leaves Northern Ireland for the EU. */
export function isFlatRateTurnover(kind: string, scheme: PeriodScheme | undefined): boolean {
  return scheme?.k === 'FRS' && (INVOICED.has(kind) || kind === 'ni_dispatch');
}

/** True where the VAT of an adjustment counts to box 4 under a period's scheme. */
export function isRecoverable(kind: string, scheme: PeriodScheme | undefined): boolean {
  return adjustmentHits(kind, scheme).vat.includes(4) && !(scheme?.k === 'FRS' && IN_FLAT_RATE.has(kind));
}

/** True where the kind must name a rate: goods of the retail schemes. */
export function namesRate(kind: string): boolean {
  return RETAIL_GOODS.has(kind);
}

/** Why a kind does not belong in a period of this scheme, or null where it does. */
export function schemeFault(kind: string, scheme: PeriodScheme | undefined): string | null {
  const own = scheme?.k;
  if (kind.startsWith('frs_')) return own === 'FRS' ? null : 'for the flat rate scheme alone';
  if (kind.startsWith('cash_')) return scheme?.c !== undefined ? null : 'for cash accounting alone';
  if (kind === 'stock_opening' || kind === 'stock_closing') {
    return own === 'A2' || own === 'D2' ? null : 'stock is counted for apportionment 2 and direct calculation 2 alone';
  }
  if (kind === 'goods_for_resale') {
    return own === undefined || own === 'FRS' ? 'for the apportionment and direct calculation schemes alone' : null;
  }
  if (MARGINS.has(kind) && own === 'FRS') return 'the flat rate scheme has no margin scheme beside it';
  if (kind === 'bad_debt_relief' && scheme?.c === 1) return 'cash accounting relieves bad debts by itself';
  return null;
}
