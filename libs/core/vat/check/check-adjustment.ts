import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import { isPrintableText } from '../../encoding/printable-text.ts';
import type { Fault } from '../../errors/fault.ts';
import { AMOUNT_PENCE_MAX, REFERENCE_LENGTH_MAX } from '../rates/limits.ts';
import { basisPointsOfPercent } from '../rates/vat-rate.ts';
import { adjustmentHits, isAdjustmentKind, namesRate } from '../return/adjustment-kinds.ts';

type Fields = Readonly<Record<string, unknown>>;

const BASIS_POINTS_MAX = 10_000;
/** Kinds without a box for VAT that state it all the same: what the goods cost with it. */
const STATES_VAT: ReadonlySet<unknown> = new Set(['frs_relevant_goods']);

/**
 * Checks what an adjustment says, from JSON or from the log; faults are added to the list (vat.md sections 5, 6 and 8.4). Whether its kind
 * belongs to the trader's scheme is told by the state (schemeFault).
 */
export function checkAdjustmentFields(fields: Fields, faults: Fault[]): void {
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
  checkRate(isKnown && namesRate(kind), ratePct ?? null, faults);
  checkCost(kind === 'margin_sale', costPence ?? null, netPence, faults);
  if (reference !== undefined && reference !== null && !isPrintableText(reference, REFERENCE_LENGTH_MAX)) {
    add('FIELD_TYPE', '/reference', `printable text of at most ${REFERENCE_LENGTH_MAX} characters`);
  }
}

function checkAmount(amount: unknown, pointer: string, faults: Fault[]): void {
  if (!Number.isInteger(amount)) {
    faults.push({ code: 'E_AMOUNT_NOT_INTEGER', pointer, detail: 'whole pence' });
  } else if (Math.abs(amount as number) > AMOUNT_PENCE_MAX) {
    faults.push({ code: 'E_AMOUNT_RANGE', pointer, detail: `at most ${AMOUNT_PENCE_MAX} pence either way` });
  }
}

function checkRate(isNeeded: boolean, ratePct: unknown, faults: Fault[]): void {
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
