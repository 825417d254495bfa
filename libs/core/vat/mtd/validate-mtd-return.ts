import { parseJson } from '../../encoding/parse-json.ts';
import type { MtdFault } from './error.ts';
import { BOX_FIELDS } from './return.ts';

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
/** A number as HMRC's framework reads it, from a number of JSON or from a text. */
const NUMBER_TEXT = /^[+-]?(?:\d+\.?(?<decimals>\d*)|\.(?<bare>\d+))(?:[eE](?<exponent>[+-]?\d{1,3}))?$/;
const FIELDS = ['periodKey', ...BOX_FIELDS, 'finalised'] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * The faults of a return as HMRC's submission validator reports them (hmrc/vat-api, SubmitReturnValidator.scala), level by level: a level is
 * looked at only where the one before has no fault, and gives all of its own. VRN, JSON, fields, sums, declaration. In two things this
 * differs: a member that the body names twice makes it no JSON here, where HMRC takes the last; and decimals that are zeros do not count.
 *
 * @param body the parsed body, or the text of one.
 */
export function validateMtdReturn(vrn: string, body: unknown): readonly MtdFault[] {
  if (!VRN.test(vrn)) return [{ code: 'VRN_INVALID', path: null }];
  const json = typeof body === 'string' ? parsed(body) : body;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [{ code: 'INVALID_JSON', path: null }];
  const fields = json as Json;
  const fieldFaults = fieldFaultsOf(fields);
  if (fieldFaults.length > 0) return fieldFaults;
  const sumFaults = sumFaultsOf(fields);
  if (sumFaults.length > 0) return sumFaults;
  return fields.finalised === true ? [] : [{ code: 'NOT_FINALISED', path: '/finalised' }];
}

/** In HMRC's order: what is missing, decimals, types, the form of the period key, ranges. Equal faults stand once. */
function fieldFaultsOf(fields: Json): readonly MtdFault[] {
  const faults: MtdFault[] = [];
  const add = (code: MtdFault['code'], name: string) => {
    if (!faults.some((fault) => fault.code === code && fault.path === `/${name}`)) {
      faults.push({ code, path: `/${name}` });
    }
  };
  for (const name of FIELDS) if (fields[name] === undefined) add('MANDATORY_FIELD_MISSING', name);
  for (const { name, decimals } of MONEY_FIELDS) {
    if (decimalsOf(fields[name]) > decimals) add('INVALID_MONETARY_AMOUNT', name);
  }
  const { periodKey, finalised } = fields;
  if (periodKey !== undefined && typeof periodKey !== 'string') add('INVALID_STRING_VALUE', 'periodKey');
  for (const { name } of MONEY_FIELDS) {
    if (fields[name] !== undefined && Number.isNaN(decimalsOf(fields[name]))) add('INVALID_NUMERIC_VALUE', name);
  }
  if (finalised !== undefined && typeof finalised !== 'boolean') add('UNMAPPED_PLAY_ERROR', 'finalised');
  if (typeof periodKey === 'string' && !PERIOD_KEY.test(periodKey)) add('PERIOD_KEY_INVALID', 'periodKey');
  for (const { name, min, max } of MONEY_FIELDS) {
    if (Number.isNaN(decimalsOf(fields[name]))) continue;
    const pounds = Number(fields[name]);
    if (pounds < min || pounds > max) add('INVALID_MONETARY_AMOUNT', name);
  }
  return faults;
}

/** How many decimals a number has, given as a number or as a text; NaN for what is no number. */
function decimalsOf(value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'string') return Number.NaN;
  const match = NUMBER_TEXT.exec(String(value));
  if (match === null) return Number.NaN;
  const { decimals, bare, exponent } = match.groups ?? {};
  return Math.max(0, (decimals ?? bare ?? '').replace(/0+$/, '').length - Number(exponent ?? 0));
}

function sumFaultsOf(fields: Json): readonly MtdFault[] {
  const box = (name: string) => Math.round(Number(fields[name]) * 100);
  const faults: MtdFault[] = [];
  if (box('netVatDue') !== Math.abs(box('totalVatDue') - box('vatReclaimedCurrPeriod'))) {
    faults.push({ code: 'VAT_NET_VALUE', path: '/netVatDue' });
  }
  if (box('totalVatDue') !== box('vatDueSales') + box('vatDueAcquisitions')) {
    faults.push({ code: 'VAT_TOTAL_VALUE', path: '/totalVatDue' });
  }
  return faults;
}

/** Undefined for a text that is no JSON, or that names a member twice. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
