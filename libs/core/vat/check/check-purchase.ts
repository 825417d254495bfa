import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import { isPrintableText } from '../../encoding/printable-text.ts';
import type { Fault } from '../../errors/fault.ts';
import { AMOUNT_PENCE_MAX, REFERENCE_LENGTH_MAX } from '../rates/limits.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { statedVatFinding } from './stated-vat.ts';

type Fields = Readonly<Record<string, unknown>>;

const BASIS_POINTS_MAX = 10_000;
const SUPPLIER_VRN_LENGTH_MAX = 20;

/**
 * Checks what a purchase or a supplier's credit says, from JSON or from the log, and adds faults to the list. An absent share is all of it.
 *
 * @param rules null: its VAT is not held to the rates of its tax point.
 */
export function checkPurchaseFields(fields: Fields, rules: VatRules | null, faults: Fault[]): void {
  const before = faults.length;
  const { kind, taxPoint, netPence, vatPence, recoverableBasisPoints } = fields;
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  if (kind !== 'purchase' && kind !== 'purchase_credit') add('E_ENTRY_KIND', '/kind', 'purchase or purchase_credit');
  if (!isEventDate(taxPoint)) add('E_DATE', '/taxPoint', EVENT_DATE_EXPECTED);
  const sign = kind === 'purchase_credit' ? -1 : 1;
  checkAmount(netPence, '/netPence', sign, faults);
  checkAmount(vatPence, '/vatPence', sign, faults);
  const share = recoverableBasisPoints ?? BASIS_POINTS_MAX;
  if (!Number.isInteger(share) || (share as number) < 0 || (share as number) > BASIS_POINTS_MAX) {
    add('E_RECOVERABLE', '/recoverableBasisPoints', 'basis points, a whole number from 0 to 10000');
  }
  checkText(fields.supplierVrn, '/supplierVrn', SUPPLIER_VRN_LENGTH_MAX, faults);
  checkText(fields.reference, '/reference', REFERENCE_LENGTH_MAX, faults);
  if (rules === null || !isEventDate(taxPoint) || faults.length > before) return;
  const finding = statedVatFinding(String(kind), taxPoint, Number(netPence), Number(vatPence), rules);
  if (finding?.is === 'refused') faults.push(finding.fault);
}

function checkAmount(amount: unknown, pointer: string, sign: 1 | -1, faults: Fault[]): void {
  if (!Number.isInteger(amount)) {
    faults.push({ code: 'E_AMOUNT_NOT_INTEGER', pointer, detail: 'whole pence' });
    return;
  }
  const value = amount as number;
  if (Math.abs(value) > AMOUNT_PENCE_MAX) {
    faults.push({ code: 'E_AMOUNT_RANGE', pointer, detail: `at most ${AMOUNT_PENCE_MAX} pence either way` });
  }
  if (value * sign < 0)
    faults.push({ code: 'E_SIGN', pointer, detail: 'positive on a purchase, negative on a credit' });
}

function checkText(value: unknown, pointer: string, lengthMax: number, faults: Fault[]): void {
  if (value === undefined || value === null) return;
  if (!isPrintableText(value, lengthMax)) {
    faults.push({ code: 'FIELD_TYPE', pointer, detail: `printable text of at most ${lengthMax} characters` });
  }
}
