import { dayNumber } from '../../calendar/local-date.ts';
import type { EntryKind } from '../../decisions/entry-kinds.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { VatAdjustmentMade } from '../../events/vat-events.ts';
import { checkAdjustmentFields } from '../check/check-adjustment.ts';
import { checkVrn } from '../check/check-till.ts';
import { statedVatFinding } from '../check/stated-vat.ts';
import { BEYOND_COUNTING, GOODS_RATES_MAX } from '../rates/limits.ts';
import { vatRate } from '../rates/vat-rate.ts';
import { BOUNDED_REVISION, findVatParameter, type VatRules, vatParameterOn } from '../rates/vat-rules.ts';
import {
  adjustmentHits,
  isFlatRateTurnover,
  isRecoverable,
  owedByCustomers,
  schemeFault,
} from '../return/adjustment-kinds.ts';
import { isErrorOfReturn } from '../return/error-limit.ts';
import { periodAccountAt } from '../return/period-turnover.ts';
import { addFlatRateTurnover } from '../schemes/flat-rate-turnover.ts';
import { unpaidAfter, withUnpaid } from '../schemes/unpaid-of-period.ts';
import { addAdjustment, addStockRetained, isCountable, type PeriodAccount } from '../state/period-account.ts';
import { inSegment } from '../state/rate-segment.ts';
import type { OutsideRegistration } from '../state/registration-bounds.ts';
import { goodsRateKey, marginRateOn, poolRateOf } from '../state/trader.ts';
import {
  addUnpaid,
  NOTHING_UNPAID,
  type Unpaid,
  unpaidPurchase,
  unpaidSale,
  waitsForPayment,
} from '../state/unpaid-invoices.ts';
import { countEvent, countOutside, type Place, placeFault, placeOf, segmentOfPlace } from './count-in-period.ts';
import { dateFault } from './date-fault.ts';
import { recordAssessment } from './record-assessment.ts';
import { refusedFor, type VatVerdict } from './vat-verdict.ts';

/** Assesses an adjustment that was not seen before (vat.md sections 5, 6 and 8.4), and writes what it changes into the draft. */
export function assessAdjustment(
  event: VatAdjustmentMade,
  eventHash: string,
  draft: StateDraft,
  rules: VatRules,
): VatVerdict {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkAdjustmentFields(event as unknown as Readonly<Record<string, unknown>>, rules, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const place = placeOf(event, dayNumber(event.taxPoint), draft, rules);
  const misplaced = placeFault(place, '/taxPoint') ?? dateFault(event, place, draft, rules);
  if (misplaced !== null) return { is: 'refused', faults: [misplaced] };
  if (place.outside !== null) return outsideVerdict(event, place.outside, eventHash, draft);
  const why = schemeFault(event.kind, place.account.s);
  if (why !== null) return refusedFor('E_SCHEME', '/kind', why);
  if (event.kind === 'frs_capital') {
    const minimumPence = vatParameterOn(rules, 'flatRateScheme.capitalGoodsMinimum', event.taxPoint);
    if (Math.abs(event.netPence + event.vatPence) < minimumPence) {
      return refusedFor('E_FRS_CAPITAL', '/netPence', `capital goods cost at least ${minimumPence} pence with VAT`);
    }
  }
  const change = (account: PeriodAccount) => accountAfter(event, { ...place, account }, rules);
  const isError = isErrorOfReturn(event.kind, place.account, place.own.start !== place.counted.start);
  const counted = countEvent(event, place, { change, isError }, draft, rules);
  if (counted === null) return refusedFor('E_AMOUNT_RANGE', '/netPence', BEYOND_COUNTING);
  const { taxPeriod, amounts, flags, before } = counted;
  const more = [
    ...statedVatFlags(event, rules),
    ...(isPaidAboveInvoiced(event, place, draft) ? ['PAID_ABOVE_INVOICED'] : []),
  ];
  const assessed = {
    kind: entryKindOf(event.kind),
    taxPeriod,
    basePence: event.netPence,
    amounts,
    flags: more.length === 0 ? flags : [...flags, ...more],
  };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, before, draft) };
}

/** An entry whose tax point lies outside the registration: kept, and in no return. What is retained at its end has the last day. */
function outsideVerdict(
  event: VatAdjustmentMade,
  outside: OutsideRegistration,
  eventHash: string,
  draft: StateDraft,
): VatVerdict {
  if (event.kind === 'stock_retained_dereg') {
    return refusedFor('E_DATE', '/taxPoint', 'goods are retained on the last day of the registration: its date');
  }
  const { before, ...moved } = countOutside(outside);
  const assessed = { kind: entryKindOf(event.kind), basePence: event.netPence, ...moved };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, before, draft) };
}

function statedVatFlags({ kind, taxPoint, netPence, vatPence }: VatAdjustmentMade, rules: VatRules): readonly string[] {
  const finding = statedVatFinding(kind, taxPoint, netPence, vatPence, rules);
  return finding?.is === 'flagged' ? [finding.flag] : [];
}

/**
 * True for a payment by which more is paid than was invoiced since cash accounting began: most likely it is of an invoice from before,
 * which counted when it was sent and is not to be entered again.
 */
function isPaidAboveInvoiced(
  { account, kind }: VatAdjustmentMade,
  { trader, counted }: Place,
  draft: StateDraft,
): boolean {
  if (kind !== 'cash_received' && kind !== 'cash_paid') return false;
  const after = periodAccountAt(account, counted.start, draft);
  let unpaid = addUnpaid(after.u ?? NOTHING_UNPAID, addUnpaid(trader.b ?? NOTHING_UNPAID, after.b ?? NOTHING_UNPAID));
  for (const [start] of trader.o) {
    const own = start === counted.start ? null : unpaidAfter(periodAccountAt(account, start, draft));
    if (own !== null) unpaid = addUnpaid(unpaid, own);
  }
  const [sales, salesVat, purchases, inputVat] = unpaid;
  return kind === 'cash_received' ? sales < 0 || salesVat < 0 : purchases < 0 || inputVat < 0;
}

/** The period's account with the adjustment; null where a sum would pass PERIOD_SUM_PENCE_MAX. */
function accountAfter(event: VatAdjustmentMade, place: Place, rules: VatRules): PeriodAccount | null {
  const { kind, netPence, vatPence } = event;
  const scheme = place.account.s;
  const hits = adjustmentHits(kind, scheme);
  const parts = isRecoverable(kind, scheme) ? hits.sign * vatPence * event.recoverableBasisPoints : 0;
  if (kind === 'stock_retained_dereg' && rules.revision >= BOUNDED_REVISION) {
    const limitPence = findVatParameter(rules, 'stockRetained.vatLimit', event.taxPoint) ?? 0;
    return addStockRetained(place.account, netPence, vatPence, limitPence);
  }
  const counted = addAdjustment(place.account, kind, netPence, vatPence, parts);
  if (counted === null) return null;
  if (scheme?.c !== undefined) {
    const unpaid = unpaidChange(event, waitsForPayment(scheme.c));
    if (unpaid !== null) return withUnpaid(counted, unpaid);
  }
  if (isFlatRateTurnover(kind, scheme)) {
    return addFlatRateTurnover(counted, hits.sign * (netPence + vatPence), place, rules);
  }
  switch (kind) {
    case 'frs_relevant_goods':
      return checked({ ...counted, r: (counted.r ?? 0) + netPence + vatPence }, (after) => after.r ?? 0);
    case 'goods_for_resale':
      return withResaleGoods(counted, event, segmentOfPlace(place, rules));
    case 'stock_closing':
      return withGoods(counted, 'c', event);
    case 'stock_opening':
      return withOpeningStock(counted, event);
    case 'margin_sale':
      return withMargin(counted, event, rules);
    case 'margin_pool_sale':
      return withPool(counted, [netPence, 0], poolRateOf(place.counted, rules));
    case 'margin_pool_purchase':
      return withPool(counted, [0, netPence], poolRateOf(place.counted, rules));
    default:
      return counted;
  }
}

/** What an invoice, where it waits for its payment, or a payment changes of what is unpaid; null for what changes nothing of it. */
function unpaidChange(
  { kind, netPence, vatPence, recoverableBasisPoints }: VatAdjustmentMade,
  waits: boolean,
): Unpaid | null {
  if (kind === 'cash_paid') return unpaidPurchase(-netPence, -vatPence, recoverableBasisPoints);
  const sign = waits || kind === 'cash_received' ? owedByCustomers(kind) : 0;
  return sign === 0 ? null : unpaidSale(sign * netPence, sign * vatPence);
}

function withResaleGoods(
  account: PeriodAccount,
  event: VatAdjustmentMade,
  segment: string | undefined,
): PeriodAccount | null {
  const after = withGoods(account, 'q', event);
  if (after === null) return null;
  return inSegment(after, segment, { q: { [goodsRateKey(event.ratePct ?? '0')]: event.netPence } });
}

function withGoods(account: PeriodAccount, part: 'q' | 'c', event: VatAdjustmentMade): PeriodAccount | null {
  const goods = added(account[part] ?? {}, event);
  return goods === null ? null : { ...account, [part]: goods };
}

/** Stock at the start stands as goods of the period before (apportionment 2), and to be adjusted by at the year's end (direct calculation 2). */
function withOpeningStock(account: PeriodAccount, event: VatAdjustmentMade): PeriodAccount | null {
  const before = account.y ?? { d: 0, g: {}, q: {}, w: [], o: {} };
  const stock = added(before.o, event);
  const last = added(before.w.at(-1) ?? {}, event);
  if (stock === null || last === null) return null;
  return { ...account, y: { ...before, o: stock, w: [...before.w.slice(0, -1), last] } };
}

function added(
  goods: Readonly<Record<string, number>>,
  event: VatAdjustmentMade,
): Readonly<Record<string, number>> | null {
  const key = goodsRateKey(event.ratePct ?? '0');
  if (goods[key] === undefined && Object.keys(goods).length >= GOODS_RATES_MAX) return null;
  const sum = (goods[key] ?? 0) + event.netPence;
  return isCountable(sum) ? { ...goods, [key]: sum } : null;
}

/** VAT is due on what an item brings above its cost; a loss counts as nothing (Notice 718). A return of the item negates its sale. */
function withMargin(account: PeriodAccount, event: VatAdjustmentMade, rules: VatRules): PeriodAccount | null {
  const { netPence } = event;
  const margin = Math.max(0, Math.abs(netPence) - Math.abs(event.costPence ?? 0)) * Math.sign(netPence);
  const key = vatRate('S', marginRateOn(event.taxPoint, rules)).key;
  const sum = (account.v?.[key] ?? 0) + margin;
  return isCountable(sum) ? { ...account, v: { ...account.v, [key]: sum } } : null;
}

function withPool(
  account: PeriodAccount,
  [salesPence, purchasesPence]: readonly [number, number],
  rateBasisPoints: number,
): PeriodAccount | null {
  const [sales, purchases] = account.m ?? [0, 0];
  const pool = [sales + salesPence, purchases + purchasesPence, rateBasisPoints] as const;
  return isCountable(pool[0]) && isCountable(pool[1]) ? { ...account, m: pool } : null;
}

function checked(account: PeriodAccount, sumOf: (account: PeriodAccount) => number): PeriodAccount | null {
  return isCountable(sumOf(account)) ? account : null;
}

/** What only gives VAT back is a claim. */
function entryKindOf(kind: string): EntryKind {
  const { vat } = adjustmentHits(kind, undefined);
  return vat.includes(4) && vat.length === 1 ? 'claim' : 'charge';
}
