import { TallyError } from '../../errors/tally-error.ts';
import { halfUpShare } from '../../money/half-up.ts';
import type { Pence } from '../../money/pence.ts';

/** S standard, R reduced or a stated temporary percentage, Z zero, E exempt, O outside the scope of VAT. */
export type VatTreatment = 'S' | 'R' | 'Z' | 'E' | 'O';

/** A treatment and its rate: what gross takings are counted by. */
export interface VatRate {
  readonly treatment: VatTreatment;
  /** 2000 is 20%. */
  readonly basisPoints: number;
  /** Decimal text: `20`, `17.5`, `0`. */
  readonly ratePct: string;
  /** `S2000`, `Z0D` of goods dispatched to the EU: names the running total in state. */
  readonly key: string;
  /** Goods dispatched to a member state of the EU: they stand in box 8 too. */
  readonly dispatch: boolean;
  /** VAT as a fraction of the gross, in lowest terms: 1/6 at 20%, 7/47 at 17.5%, 0/1 where there is none. */
  readonly numerator: number;
  readonly denominator: number;
}

const ORDER: Readonly<Record<VatTreatment, number>> = { S: 0, R: 1, Z: 2, E: 3, O: 4 };
const KNOWN_MAX = 256;
const KNOWN = new Map<string, VatRate>();
const KEY = /^([SRZEO])(\d{1,5})(D?)$/;

export function vatRate(treatment: VatTreatment, basisPoints: number, dispatch = false): VatRate {
  const whole = 10_000 + basisPoints;
  const divisor = greatestCommonDivisor(basisPoints, whole);
  return {
    treatment,
    basisPoints,
    ratePct: percentText(basisPoints),
    key: `${treatment}${basisPoints}${dispatch ? 'D' : ''}`,
    dispatch,
    numerator: basisPoints / divisor,
    denominator: whole / divisor,
  };
}

/** The rate of its key in state, or null for a text that is none. */
export function vatRateOfKey(key: string): VatRate | null {
  const match = KEY.exec(key);
  return match === null ? null : vatRate(match[1] as VatTreatment, Number(match[2]), match[3] === 'D');
}

/** As vatRateOfKey, for a key that this house wrote. Each rate is made once. */
export function rateOfKey(key: string): VatRate {
  const known = KNOWN.get(key);
  if (known !== undefined) return known;
  const rate = vatRateOfKey(key);
  if (rate === null) throw new TallyError('ASSERTION_FAILED', 'a rate key of the state is that of a rate', {});
  if (KNOWN.size < KNOWN_MAX) KNOWN.set(key, rate);
  return rate;
}

/** VAT within a VAT-inclusive amount, half up and symmetric (vat.md section 4: round the VAT, never the net). */
export function vatWithin(grossPence: number, rate: VatRate): Pence {
  return halfUpShare(grossPence, rate.numerator, rate.denominator);
}

/** VAT on top of an amount without VAT, half up and symmetric. */
export function vatOnTop(netPence: number, rate: VatRate): Pence {
  return halfUpShare(netPence, rate.basisPoints, 10_000);
}

/** S R Z E O, then by falling rate, what is dispatched last: the order in which results are listed. */
export function compareVatRates(a: VatRate, b: VatRate): number {
  return (
    ORDER[a.treatment] - ORDER[b.treatment] || b.basisPoints - a.basisPoints || Number(a.dispatch) - Number(b.dispatch)
  );
}

/** Basis points of a percentage as decimal text (`17.5`, at most two decimals), or NaN. */
export function basisPointsOfPercent(text: string): number {
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}

/** `17.5` of 1750. */
export function percentText(basisPoints: number): string {
  const rest = basisPoints % 100;
  const whole = (basisPoints - rest) / 100;
  return rest === 0 ? `${whole}` : `${whole}.${String(rest).padStart(2, '0').replace(/0$/, '')}`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
