import { type LocalDate, partsOf } from '../../calendar/local-date.ts';
import { type Pence, pence } from '../../money/pence.ts';
import type { VatReturn } from '../return/vat-return.ts';
import { type MtdRefusal, mtdRefusal } from './error.ts';

/** The JSON fields of boxes 1 to 9, in their order. */
export const BOX_FIELDS = [
  'vatDueSales',
  'vatDueAcquisitions',
  'totalVatDue',
  'vatReclaimedCurrPeriod',
  'netVatDue',
  'totalValueSalesExVAT',
  'totalValuePurchasesExVAT',
  'totalValueGoodsSuppliedExVAT',
  'totalAcquisitionsExVAT',
] as const;
export type BoxField = (typeof BOX_FIELDS)[number];

/** A return as a person declared it, fields checked. Pounds, as in the JSON. */
export type DeclaredReturn = { readonly periodKey: string } & Readonly<Record<BoxField, number>>;

const PERIOD_KEY = /^[#0-9A-Z]{4}$/;
const YEARS_SHOWN = 4;

/** The declared fields of a body in which validateMtdReturn found no fault; anything else in it is left out. */
export function declaredReturnOf(body: Readonly<Record<string, unknown>>): DeclaredReturn {
  const boxes = Object.fromEntries(BOX_FIELDS.map((name) => [name, Number(body[name])])) as Record<BoxField, number>;
  return { periodKey: String(body['periodKey']), ...boxes };
}

/** The JSON of HMRC's MTD VAT API 1.0 that files a return as it stands: pounds as numbers, boxes 6 to 9 without pence. */
export function mtdReturnOf(periodKey: string, { boxes }: VatReturn): DeclaredReturn & { readonly finalised: true } {
  const pounds = BOX_FIELDS.map((name, index) => [name, boxes[(index + 1) as keyof VatReturn['boxes']] / 100] as const);
  return { periodKey, ...(Object.fromEntries(pounds) as Record<BoxField, number>), finalised: true };
}

/** By how many pence each box that differs was declared above (below: negative) what the events come to. */
export function declaredDifference(
  declared: DeclaredReturn,
  { boxes }: VatReturn,
): Readonly<Partial<Record<BoxField, Pence>>> {
  const differences: Partial<Record<BoxField, Pence>> = {};
  BOX_FIELDS.forEach((name, index) => {
    const difference = penceOf(declared[name]) - boxes[(index + 1) as keyof VatReturn['boxes']];
    if (difference !== 0) differences[name] = pence(difference);
  });
  return differences;
}

/** Box 3 less box 4 of a declaration, pence: what it makes the trader owe (negative: be paid). */
export function declaredDuePence(declared: DeclaredReturn): Pence {
  return pence(penceOf(declared.totalVatDue) - penceOf(declared.vatReclaimedCurrPeriod));
}

export function isPeriodKey(text: string): boolean {
  return PERIOD_KEY.test(text);
}

/** Why a return that was filed cannot be shown: its period ended more than four years ago (DATE_RANGE_TOO_LARGE). */
export function viewRefusal(periodEnd: LocalDate, today: LocalDate): MtdRefusal | null {
  const { year, month, day } = partsOf(today);
  const oldest = `${year - YEARS_SHOWN}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return periodEnd < oldest ? mtdRefusal('DATE_RANGE_TOO_LARGE') : null;
}

/** Pounds of at most two decimals, as pence. */
function penceOf(pounds: number): number {
  return Math.round(pounds * 100);
}
