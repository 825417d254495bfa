import { nearestName } from '../../encoding/nearest-name.ts';
import type { Fault } from '../../errors/fault.ts';
import type { VatRegion } from '../../events/vat-events.ts';
import { AMOUNT_PENCE_MAX, CATEGORY_LENGTH_MAX, TILL_LINES_MAX, TILL_TOTAL_PENCE_MAX } from '../rates/limits.ts';
import { basisPointsOfPercent, type VatRate, vatRateOfKey } from '../rates/vat-rate.ts';
import { type CategoryRate, findCategoryRate, type VatRules } from '../rates/vat-rules.ts';
import { type RememberedSale, rememberedLine } from '../state/remembered-sale.ts';

/** Where the rates of an event's lines come from. */
export type RateSource =
  /** The table, at a day (days since 1970). */
  | { readonly by: 'day'; readonly rules: VatRules; readonly day: number; readonly region: VatRegion }
  /** The lines of the sale that is given back. */
  | { readonly by: 'sale'; readonly sale: RememberedSale; readonly isVoid: boolean }
  /** Not known here: rates are not checked. */
  | { readonly by: 'none' };

/** What the lines come to. */
export interface LinesReading {
  /** Sum of paidPence; NaN where an amount could not be read. */
  totalPence: number;
  /** Each rate once, and the gross of its lines. */
  rates: readonly VatRate[];
  grossPence: readonly number[];
  /** What each line sold and its rate, in order; empty where the rates come from the sale that is given back. */
  sold: readonly CategoryRate[];
  /** True after a fault that leaves total, VAT and payments without a meaning (vat.md section 9). */
  hopeless: boolean;
}

/** Direction of an event's lines: what a SALE takes is not negative, what a REFUND or VOID gives back not positive. */
export type LineSign = 1 | -1 | 0;

const POSITIVE_DECIMAL = /^(?=.*[1-9])\d{1,12}(?:\.\d{1,6})?$/;
/** Up to so many lines, comparing each with each is quicker than a set. */
const PAIRWISE_MAX = 16;
/** `1`, `2`, `3` … */
const NUMBERS: readonly string[] = Array.from({ length: 100 }, (_, index) => String(index + 1));

const NONE: readonly never[] = [];
/**
 * What the lines under way come to so far, from the first place on: lists that grow from nothing for each event take more room than all
 * else that is made of it.
 */
const RATES: VatRate[] = [];
const GROSS_PENCE: number[] = [];
const SOLD: CategoryRate[] = [];
const sums = { rates: 0, sold: 0 };

type Line = Readonly<Record<string, unknown>>;

/** Checks the lines of a SALE, REFUND or VOID in the order of vat-tables.json and sums them by rate. Faults are added to the list. */
export function checkTillLines(lines: unknown, sign: LineSign, source: RateSource, faults: Fault[]): LinesReading {
  const reading: LinesReading = { totalPence: 0, rates: NONE, grossPence: NONE, sold: NONE, hopeless: false };
  if (!Array.isArray(lines) || lines.length === 0) {
    faults.push({ code: 'E_LINES_EMPTY', pointer: '/lines', detail: 'a sale, refund or void has at least one line' });
    reading.hopeless = true;
    return reading;
  }
  if (lines.length > TILL_LINES_MAX) {
    faults.push({ code: 'TOO_MANY', pointer: '/lines', detail: `at most ${TILL_LINES_MAX} lines` });
    reading.hopeless = true;
    return reading;
  }
  checkLineIds(lines, faults);
  sums.rates = 0;
  sums.sold = 0;
  for (let index = 0; index < lines.length; index += 1) {
    const line: unknown = lines[index];
    checkLine(typeof line === 'object' && line !== null ? (line as Line) : {}, index, sign, source, reading, faults);
  }
  if (Math.abs(reading.totalPence) > TILL_TOTAL_PENCE_MAX) {
    const detail = `the lines sum to at most ${TILL_TOTAL_PENCE_MAX} pence either way`;
    faults.push({ code: 'E_AMOUNT_RANGE', pointer: '/totalPence', detail });
  }
  reading.rates = RATES.slice(0, sums.rates);
  reading.grossPence = GROSS_PENCE.slice(0, sums.rates);
  reading.sold = SOLD.slice(0, sums.sold);
  return reading;
}

/** Says where a negative amount of a sale belongs. */
const SALE_SIGN =
  'positive on a sale: what was paid after discounts; what is given back is a REFUND, and a voucher is a payment';

function checkLine(
  line: Line,
  index: number,
  sign: LineSign,
  source: RateSource,
  reading: LinesReading,
  faults: Fault[],
): void {
  const { paidPence, qty, ratePct } = line;
  if (!Number.isInteger(paidPence)) {
    reading.hopeless = true;
    faults.push(faultAt(index, 'paidPence', 'E_AMOUNT_NOT_INTEGER', 'whole pence, VAT included'));
  }
  const paid = Number.isInteger(paidPence) ? (paidPence as number) : Number.NaN;
  if (paid > AMOUNT_PENCE_MAX || paid < -AMOUNT_PENCE_MAX) {
    reading.hopeless = true;
    faults.push(faultAt(index, 'paidPence', 'E_AMOUNT_RANGE', `at most ${AMOUNT_PENCE_MAX} pence either way`));
  }
  if (paid * sign < 0)
    faults.push(faultAt(index, 'paidPence', 'E_SIGN', sign > 0 ? SALE_SIGN : 'negative on a refund or void'));
  if (!isQuantity(qty)) {
    faults.push(faultAt(index, 'qty', 'E_QTY', 'a positive decimal as text, such as "1.337"'));
  }
  reading.totalPence += paid;
  if (source.by === 'none') return;
  const rate =
    source.by === 'day' ? rateByDay(line, index, source, faults) : rateBySale(line, index, paid, source, faults);
  if (rate === null) {
    reading.hopeless = true;
    return;
  }
  if (ratePct !== undefined && ratePct !== null && !isRate(ratePct, rate)) {
    const isText = typeof ratePct === 'string';
    const detail = isText
      ? `the rate of this line is ${rate.ratePct}%`
      : `a percentage is text, here "${rate.ratePct}"`;
    faults.push(faultAt(index, 'ratePct', 'E_RATE_MISMATCH', detail));
  }
  addToRate(rate, paid);
}

function rateByDay(line: Line, index: number, source: RateSource & { by: 'day' }, faults: Fault[]): VatRate | null {
  const { category } = line;
  const found =
    typeof category === 'string' ? findCategoryRate(source.rules, category, source.day, source.region) : undefined;
  if (found === undefined) {
    faults.push(faultAt(index, 'category', 'E_RATE_UNKNOWN', unknownCategory(category, source)));
    return null;
  }
  if (found === null) {
    faults.push(faultAt(index, 'category', 'E_RATE_NOT_IN_FORCE', 'no treatment on that date'));
    return null;
  }
  SOLD[sums.sold] = found;
  sums.sold += 1;
  return found.rate;
}

/** Says which category may be meant, and where all of them are. */
function unknownCategory(category: unknown, { rules, region }: RateSource & { by: 'day' }): string {
  const table = 'no category of the table in docs/rules/vat.md';
  const near =
    typeof category === 'string'
      ? nearestName(category.slice(0, CATEGORY_LENGTH_MAX), rules.categories[region].keys())
      : null;
  return near === null ? table : `${table}: is "${near}" meant?`;
}

/** A refund's line names a line of the sale by its id, and has that line's rate and at most what remains of its price. */
function rateBySale(
  line: Line,
  index: number,
  paid: number,
  source: RateSource & { by: 'sale' },
  faults: Fault[],
): VatRate | null {
  const sold = typeof line.id === 'string' ? rememberedLine(source.sale, line.id) : null;
  if (sold === null || sold.category !== line.category) {
    const detail = 'the sale has no line of this id and category';
    faults.push(faultAt(index, 'id', source.isVoid ? 'E_VOID_NOT_EXACT' : 'E_REFUND_UNKNOWN_LINE', detail));
    return null;
  }
  if (-paid > sold.remainingPence) {
    faults.push(faultAt(index, 'paidPence', 'E_REFUND_EXCEEDS', 'more than what remains of the line of the sale'));
  }
  if (source.isVoid && -paid !== sold.paidPence) {
    faults.push(faultAt(index, 'paidPence', 'E_VOID_NOT_EXACT', 'a void is the exact negation of the sale'));
  }
  return vatRateOfKey(sold.rateKey);
}

function addToRate(rate: VatRate, paid: number): void {
  for (let index = 0; index < sums.rates; index += 1) {
    const known = RATES[index];
    if (known === rate || known?.key === rate.key) {
      GROSS_PENCE[index] = (GROSS_PENCE[index] ?? 0) + paid;
      return;
    }
  }
  RATES[sums.rates] = rate;
  GROSS_PENCE[sums.rates] = paid;
  sums.rates += 1;
}

function isQuantity(qty: unknown): boolean {
  if (qty === '1' || qty === undefined || qty === null) return true;
  return typeof qty === 'string' && POSITIVE_DECIMAL.test(qty);
}

function isRate(ratePct: unknown, rate: VatRate): boolean {
  if (ratePct === rate.ratePct) return true;
  return typeof ratePct === 'string' && basisPointsOfPercent(ratePct) === rate.basisPoints;
}

function checkLineIds(lines: readonly unknown[], faults: Fault[]): void {
  // Most tills number their lines: those that bear their own numbers differ.
  let numbered = 0;
  while (numbered < lines.length && lineId(lines[numbered]) === NUMBERS[numbered]) numbered += 1;
  if (numbered === lines.length) return;
  if (lines.length <= PAIRWISE_MAX) {
    for (let index = 1; index < lines.length; index += 1) {
      const id = lineId(lines[index]);
      for (let before = 0; before < index; before += 1) {
        if (id === undefined || lineId(lines[before]) !== id) continue;
        faults.push(faultAt(index, 'id', 'E_LINE_ID_DUP', 'each line has an id of its own'));
        break;
      }
    }
    return;
  }
  const seen = new Set<unknown>();
  lines.forEach((line, index) => {
    const id = lineId(line);
    if (id !== undefined && seen.has(id)) {
      faults.push(faultAt(index, 'id', 'E_LINE_ID_DUP', 'each line has an id of its own'));
    }
    seen.add(id);
  });
}

function lineId(line: unknown): unknown {
  return typeof line === 'object' && line !== null ? (line as { readonly id?: unknown }).id : undefined;
}

function faultAt(index: number, field: string, code: string, detail: string): Fault {
  return { code, pointer: `/lines/${index}/${field}`, detail };
}
