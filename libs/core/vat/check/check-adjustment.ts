import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import type { LocalDate } from '../../calendar/local-date.ts';
import { isPrintableText } from '../../encoding/printable-text.ts';
import type { Fault } from '../../errors/fault.ts';
import { AMOUNT_PENCE_MAX, REFERENCE_LENGTH_MAX } from '../rates/limits.ts';
import { basisPointsOfPercent, percentText } from '../rates/vat-rate.ts';
import { BOUNDED_REVISION, findVatParameter, positiveRatesOn, type VatRules } from '../rates/vat-rules.ts';
import { adjustmentHits, isAdjustmentKind, namesRate } from '../return/adjustment-kinds.ts';
import { statedVatFinding } from './stated-vat.ts';

type Fields = Readonly<Record<string, unknown>>;

const BASIS_POINTS_MAX = 10_000;
/** Kinds without a box for VAT that state it all the same: what the goods cost with it. */
const STATES_VAT: ReadonlySet<unknown> = new Set(['frs_relevant_goods']);

/**
 * Checks what an adjustment says, from JSON or from the log, and adds faults to the list (vat.md sections 5, 6 and 8.4).
 *
 * @param rules null: what the rates of its tax point say is not checked.
 */
export function checkAdjustmentFields(fields: Fields, rules: VatRules | null, faults: Fault[]): void {
  const before = faults.length;
  const { kind, taxPoint, netPence, vatPence, recoverableBasisPoints, ratePct, costPence, reference } = fields;
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  const isKnown = typeof kind === 'string' && isAdjustmentKind(kind);
  if (!isKnown) add('E_ENTRY_KIND', '/kind', 'a kind of adjustment');
  if (!isEventDate(taxPoint)) add('E_DATE', '/taxPoint', EVENT_DATE_EXPECTED);
  checkAmount(netPence, '/netPence', faults);
  checkAmount(vatPence, '/vatPence', faults);
  if (isKnown && vatPence !== 0 && !STATES_VAT.has(kind) && adjustmentHits(kind, undefined).vat.length === 0) {
    add('E_ADJUSTMENT_VAT', '/vatPence', 'this kind bears no VAT of its own: 0');
  }
  const share = recoverableBasisPoints ?? BASIS_POINTS_MAX;
  if (!Number.isInteger(share) || (share as number) < 0 || (share as number) > BASIS_POINTS_MAX) {
    add('E_RECOVERABLE', '/recoverableBasisPoints', 'basis points, a whole number from 0 to 10000');
  }
  const isDated = isEventDate(taxPoint);
  const goodsRules = isDated ? boundedOf(rules) : null;
  checkRate(isKnown && namesRate(kind), ratePct ?? null, goodsRules, taxPoint as LocalDate, faults);
  checkCost(kind === 'margin_sale', costPence ?? null, netPence, faults);
  checkPoolItem(fields, goodsRules, faults);
  if (reference !== undefined && reference !== null && !isPrintableText(reference, REFERENCE_LENGTH_MAX)) {
    add('FIELD_TYPE', '/reference', `printable text of at most ${REFERENCE_LENGTH_MAX} characters`);
  }
  if (rules === null || !isDated || faults.length > before) return;
  const finding = statedVatFinding(String(kind), taxPoint, Number(netPence), Number(vatPence), rules);
  if (finding?.is === 'refused') faults.push(finding.fault);
}

/** The rules where they hold entries to the rates of their tax point. */
function boundedOf(rules: VatRules | null): VatRules | null {
  return rules === null || rules.revision < BOUNDED_REVISION ? null : rules;
}

function checkAmount(amount: unknown, pointer: string, faults: Fault[]): void {
  if (!Number.isInteger(amount)) {
    faults.push({ code: 'E_AMOUNT_NOT_INTEGER', pointer, detail: 'whole pence' });
  } else if (Math.abs(amount as number) > AMOUNT_PENCE_MAX) {
    faults.push({ code: 'E_AMOUNT_RANGE', pointer, detail: `at most ${AMOUNT_PENCE_MAX} pence either way` });
  }
}

function checkRate(
  isNeeded: boolean,
  ratePct: unknown,
  rules: VatRules | null,
  taxPoint: LocalDate,
  faults: Fault[],
): void {
  if (!isNeeded && ratePct === null) return;
  if (!isNeeded) {
    faults.push({
      code: 'E_RATE_UNKNOWN',
      pointer: '/ratePct',
      detail: 'goods of the retail schemes alone name a rate',
    });
    return;
  }
  const basisPoints = typeof ratePct === 'string' ? basisPointsOfPercent(ratePct) : Number.NaN;
  // NaN is not below either.
  if (!(basisPoints <= BASIS_POINTS_MAX)) {
    faults.push({
      code: 'E_RATE_UNKNOWN',
      pointer: '/ratePct',
      detail: 'the rate of the goods, as text such as "17.5"',
    });
    return;
  }
  if (rules === null || isRateInForce(basisPoints, taxPoint, rules)) return;
  const rates = [0, ...positiveRatesOn(rules, taxPoint)].map((rate) => `"${percentText(rate)}"`).join(', ');
  faults.push({ code: 'E_RATE_UNKNOWN', pointer: '/ratePct', detail: `a rate in force on ${taxPoint}: ${rates}` });
}

/** True for 0 and for every rate that some supply has on the day. */
function isRateInForce(basisPoints: number, date: LocalDate, rules: VatRules): boolean {
  return basisPoints === 0 || positiveRatesOn(rules, date).includes(basisPoints);
}

/**
 * A pool of the margin scheme holds items of at most 500.00 each (Notice 718; VATMARG03200): a purchase above it says what its dearest item
 * cost, since it may be of many.
 */
function checkPoolItem(
  { kind, netPence, taxPoint, dearestItemPence }: Fields,
  rules: VatRules | null,
  faults: Fault[],
): void {
  const add = (detail: string) => faults.push({ code: 'E_MARGIN_POOL_ITEM', pointer: '/dearestItemPence', detail });
  const dearest = dearestItemPence ?? null;
  if (kind !== 'margin_pool_purchase') {
    if (dearest !== null) add('a purchase for the pool of the margin scheme alone');
    return;
  }
  if (dearest !== null && !(Number.isInteger(dearest) && Number(dearest) >= 0)) {
    add('whole pence from 0: what the dearest item of the purchase cost');
    return;
  }
  const limitPence = rules === null ? null : findVatParameter(rules, 'marginPool.itemLimit', taxPoint as LocalDate);
  if (limitPence === null || !Number.isInteger(netPence)) return;
  const wholePence = Math.abs(Number(netPence));
  if (dearest !== null && Number(dearest) > wholePence) add('the dearest item costs no more than the whole purchase');
  else if (Number(dearest ?? wholePence) > limitPence) {
    add(`an item of the pool costs at most ${limitPence} pence: a purchase above it says what its dearest item cost`);
  }
}

function checkCost(isNeeded: boolean, costPence: unknown, netPence: unknown, faults: Fault[]): void {
  if (!isNeeded && costPence === null) return;
  if (!isNeeded) {
    faults.push({
      code: 'E_MARGIN_COST',
      pointer: '/costPence',
      detail: 'the sale of an item of the margin scheme alone',
    });
    return;
  }
  checkAmount(costPence, '/costPence', faults);
  if (Number(costPence) * Number(netPence) < 0) {
    faults.push({
      code: 'E_SIGN',
      pointer: '/costPence',
      detail: 'price and cost have one sign: both are negated in a return',
    });
  }
}
