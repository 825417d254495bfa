import type { MtdFault } from './error.ts';

interface MoneyField {
  readonly name: string;
  /** In pounds. */
  readonly min: number;
  readonly max: number;
  readonly decimals: 0 | 2;
}

const BOX_MAX = 9_999_999_999_999.99;
const WHOLE_MAX = 9_999_999_999_999;
const MONEY_FIELDS: readonly MoneyField[] = [
  { name: 'vatDueSales', min: -BOX_MAX, max: BOX_MAX, decimals: 2 },
  { name: 'vatDueAcquisitions', min: -BOX_MAX, max: BOX_MAX, decimals: 2 },
  { name: 'totalVatDue', min: -BOX_MAX, max: BOX_MAX, decimals: 2 },
  { name: 'vatReclaimedCurrPeriod', min: -BOX_MAX, max: BOX_MAX, decimals: 2 },
  { name: 'netVatDue', min: 0, max: 99_999_999_999.99, decimals: 2 },
  { name: 'totalValueSalesExVAT', min: -WHOLE_MAX, max: WHOLE_MAX, decimals: 0 },
  { name: 'totalValuePurchasesExVAT', min: -WHOLE_MAX, max: WHOLE_MAX, decimals: 0 },
  { name: 'totalValueGoodsSuppliedExVAT', min: -WHOLE_MAX, max: WHOLE_MAX, decimals: 0 },
  { name: 'totalAcquisitionsExVAT', min: -WHOLE_MAX, max: WHOLE_MAX, decimals: 0 },
];
const VRN = /^\d{9}$/;
const PERIOD_KEY = /^[#0-9A-Z]{4}$/;
const PENCE_TEXT = /^-?\d+(?:\.\d{1,2})?$/;
const WHOLE_TEXT = /^-?\d+$/;

type Json = Readonly<Record<string, unknown>>;

/**
 * The faults of a return as HMRC's submission validator reports them, tier by tier (vat.md section 7): a tier is looked at only when the
 * one before has no fault. VRN, JSON, fields, totals, declaration. The API does not check VRN check digits.
 *
 * @param body the parsed body, or the text of one.
 */
export function validateMtdReturn(vrn: string, body: unknown): readonly MtdFault[] {
  if (!VRN.test(vrn)) return [{ code: 'VRN_INVALID', path: null }];
  const json = typeof body === 'string' ? parsed(body) : body;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [{ code: 'INVALID_JSON', path: null }];
  const fields = json as Json;
  const fieldFaults = [...periodKeyFaults(fields.periodKey), ...moneyFaults(fields), ...declarationFaults(fields)];
  if (fieldFaults.length > 0) return fieldFaults;
  const totalFaults = totalsOf(fields);
  if (totalFaults.length > 0) return totalFaults;
  return fields.finalised === true ? [] : [{ code: 'NOT_FINALISED', path: '/finalised' }];
}

function periodKeyFaults(value: unknown): readonly MtdFault[] {
  const path = '/periodKey';
  if (value === undefined) return [{ code: 'MANDATORY_FIELD_MISSING', path }];
  if (typeof value !== 'string') return [{ code: 'INVALID_STRING_VALUE', path }];
  return PERIOD_KEY.test(value) ? [] : [{ code: 'PERIOD_KEY_INVALID', path }];
}

function moneyFaults(fields: Json): readonly MtdFault[] {
  const faults: MtdFault[] = [];
  for (const { name, min, max, decimals } of MONEY_FIELDS) {
    const value = fields[name];
    const path = `/${name}`;
    if (value === undefined) faults.push({ code: 'MANDATORY_FIELD_MISSING', path });
    else if (typeof value !== 'number') faults.push({ code: 'INVALID_NUMERIC_VALUE', path });
    else if (value < min || value > max || !(decimals === 0 ? WHOLE_TEXT : PENCE_TEXT).test(String(value))) {
      faults.push({ code: 'INVALID_MONETARY_AMOUNT', path });
    }
  }
  return faults;
}

function declarationFaults({ finalised }: Json): readonly MtdFault[] {
  const path = '/finalised';
  if (finalised === undefined) return [{ code: 'MANDATORY_FIELD_MISSING', path }];
  return typeof finalised === 'boolean' ? [] : [{ code: 'INVALID_BOOLEAN_VALUE', path }];
}

function totalsOf(fields: Json): readonly MtdFault[] {
  const box = (name: string) => Math.round(Number(fields[name]) * 100);
  const faults: MtdFault[] = [];
  if (box('totalVatDue') !== box('vatDueSales') + box('vatDueAcquisitions')) {
    faults.push({ code: 'VAT_TOTAL_VALUE', path: '/totalVatDue' });
  }
  if (box('netVatDue') !== Math.abs(box('totalVatDue') - box('vatReclaimedCurrPeriod'))) {
    faults.push({ code: 'VAT_NET_VALUE', path: '/netVatDue' });
  }
  return faults;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
