import type { LocalDate } from '../../calendar/local-date.ts';
import type { Fault } from '../../errors/fault.ts';
import { halfUpShare } from '../../money/half-up.ts';
import { percentText } from '../rates/vat-rate.ts';
import { BOUNDED_REVISION, findVatParameter, positiveRatesOn, type VatRules } from '../rates/vat-rules.ts';

/** What is said against the VAT that an entry states: a code that refuses it, or a flag; null where it is right. */
export type StatedVatFinding =
  | { readonly is: 'refused'; readonly fault: Fault }
  | { readonly is: 'flagged'; readonly flag: 'VAT_ABOVE_RATE' | 'VAT_BELOW_RATE' };

/** VAT of a supplier, or of goods at their value: at most the standard rate. */
const AT_MOST_STANDARD: ReadonlySet<string> = new Set([
  'purchase',
  'purchase_credit',
  'stock_retained_dereg',
  'frs_capital',
  'frs_relevant_goods',
]);
/** VAT that the trader itself works out: an entry has one rate. */
const AT_ONE_RATE: ReadonlySet<string> = new Set([
  'rc_services_in',
  'drc_purchase',
  'ni_acquisition',
  'own_use',
  'fuel_scale',
]);
/** VAT that the trader's own invoices show: owed though it is too high (VATA 1994, Schedule 11, paragraph 5). */
const INVOICED: ReadonlySet<string> = new Set(['sale', 'sale_refund']);
/** VAT on a value that holds duty and freight: it may be above the rate of what is stated as net. */
const IMPORTED: ReadonlySet<string> = new Set(['import_vat_paid', 'import_pva']);

/**
 * Holds the VAT that an entry states to the rates of its tax point (VATA 1994, section 24 and Schedule 11, paragraph 5). Errors, bad debts
 * and payments have no net value to hold it to: a payment may be of the VAT of an invoice alone.
 */
export function statedVatFinding(
  kind: string,
  taxPoint: LocalDate,
  netPence: number,
  vatPence: number,
  rules: VatRules,
): StatedVatFinding | null {
  if (rules.revision < BOUNDED_REVISION) return null;
  const isHeld = AT_MOST_STANDARD.has(kind) || AT_ONE_RATE.has(kind) || INVOICED.has(kind) || IMPORTED.has(kind);
  if (!isHeld) return null;
  if (netPence * vatPence < 0) return refused('E_SIGN', 'VAT and net value have one sign');
  const [net, vat] = [Math.abs(netPence), Math.abs(vatPence)];
  const tolerance = toleranceOf(net, taxPoint, rules);
  const standard = findVatParameter(rules, 'standardRate', taxPoint) ?? 0;
  const most = halfUpShare(net, standard, 10_000);
  const isAbove = vat > most + tolerance;
  if (AT_MOST_STANDARD.has(kind)) {
    const detail = `at most ${most} pence, ${percentText(standard)}% of the net value: ask the supplier for a corrected invoice`;
    return isAbove ? refused('E_VAT_ABOVE_RATE', detail) : null;
  }
  if (AT_ONE_RATE.has(kind)) return atOneRate(net, vat, tolerance, positiveRatesOn(rules, taxPoint));
  if (isAbove) return { is: 'flagged', flag: 'VAT_ABOVE_RATE' };
  if (!INVOICED.has(kind)) return null;
  const [lowest = 0] = positiveRatesOn(rules, taxPoint);
  return vat < halfUpShare(net, lowest, 10_000) - tolerance ? { is: 'flagged', flag: 'VAT_BELOW_RATE' } : null;
}

/** Rounding that an invoice may show, pence. */
function toleranceOf(netPence: number, date: LocalDate, rules: VatRules): number {
  const fixed = findVatParameter(rules, 'statedVat.tolerance', date) ?? 0;
  const perHundred = findVatParameter(rules, 'statedVat.tolerancePerHundred', date) ?? 0;
  return fixed + perHundred * Math.floor(netPence / 10_000);
}

function atOneRate(net: number, vat: number, tolerance: number, rates: readonly number[]): StatedVatFinding | null {
  if (vat === 0) return null;
  const right = rates.map((rate) => [rate, halfUpShare(net, rate, 10_000)] as const);
  if (right.some(([, pence]) => Math.abs(vat - pence) <= tolerance)) return null;
  const amounts = right.map(([rate, pence]) => `${pence} pence (${percentText(rate)}%)`).join(', ');
  return refused('E_VAT_NOT_AT_RATE', `one rate an entry: 0, or of this net value ${amounts}`);
}

function refused(code: string, detail: string): StatedVatFinding {
  return { is: 'refused', fault: { code, pointer: '/vatPence', detail } };
}
