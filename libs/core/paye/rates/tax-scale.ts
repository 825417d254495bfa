import { TallyError } from '../../errors/tally-error.ts';
import { taxOnTenThousandths } from '../../money/paye-rounding.ts';
import { type Family, PERIODS_IN_YEAR } from './pay-frequency.ts';
import type { TaxCode } from './tax-code.ts';

/** A nation's rates and bands of one year (paye.md section 3). */
export interface TaxScale {
  /** Place of the basic rate among the rates, from 0. */
  readonly basicRateIndex: number;
  readonly ratesBasisPoints: readonly number[];
  /** Cumulative annual tops of all bands but the highest, whole pounds. */
  readonly topsPounds: readonly number[];
  /** Annual tax at each top, ten-thousandths of a pound, exact. */
  readonly taxAtTops: readonly number[];
  /** Bands of a number of weeks or months, made when first asked for. */
  readonly periodBands: Readonly<Record<Family, (PeriodBands | undefined)[]>>;
}

/** Bands of n weeks or months (paye.md 4.3): c and k in ten-thousandths of a pound, cut; v, the value that U is tested with, in pence. */
export interface PeriodBands {
  readonly tops: readonly number[];
  readonly taxAtTops: readonly number[];
  readonly testTopsPence: readonly number[];
}

/** Makes a scale. Throws RATE_CARD_INVALID unless there is one rate more than there are tops, and tops rise. */
export function taxScale(
  basicRateIndex: number,
  ratesBasisPoints: readonly number[],
  topsPounds: readonly number[],
): TaxScale {
  const rising = topsPounds.every((top, index) => Number.isInteger(top) && top > (topsPounds[index - 1] ?? 0));
  if (ratesBasisPoints.length !== topsPounds.length + 1 || !rising || basicRateIndex >= ratesBasisPoints.length) {
    throw new TallyError(
      'RATE_CARD_INVALID',
      'income tax: one rate for each band, tops in whole pounds and rising',
      {},
    );
  }
  const taxAtTops: number[] = [];
  let tax = 0;
  for (const [index, top] of topsPounds.entries()) {
    tax += (top - (topsPounds[index - 1] ?? 0)) * (ratesBasisPoints[index] ?? 0);
    taxAtTops.push(tax);
  }
  return { basicRateIndex, ratesBasisPoints, topsPounds, taxAtTops, periodBands: { week: [], month: [] } };
}

/** Rate of BR or Dk in basis points (paye.md 2.2). Throws NO_RATE_FOR_D_CODE where the scale has none so high. */
export function flatRateOf(scale: TaxScale, code: TaxCode): number {
  const rate = scale.ratesBasisPoints[scale.basicRateIndex + code.aboveBasic];
  if (rate === undefined) {
    throw new TallyError('NO_RATE_FOR_D_CODE', 'the nation has no rate so far above its basic rate', {});
  }
  return rate;
}

/** The band that taxable pay falls in, from 0: the first whose test value it does not exceed (paye.md 4.4). */
export function bandOf(bands: PeriodBands, taxablePence: number): number {
  let index = 0;
  for (const top of bands.testTopsPence) {
    if (taxablePence <= top) return index;
    index += 1;
  }
  return index;
}

/** Tax on taxable pay by the bands of n periods, pence: chosen with U, worked on U in whole pounds, down to the penny (paye.md 4.4). */
export function taxByBandsPence(scale: TaxScale, family: Family, periods: number, taxablePence: number): number {
  if (taxablePence <= 0) return 0;
  const bands = periodBandsOf(scale, family, periods);
  const index = bandOf(bands, taxablePence);
  const pounds = Math.floor(taxablePence / 100);
  const rate = scale.ratesBasisPoints[index] ?? 0;
  if (index === 0) return Math.floor((pounds * rate) / 100);
  const below = bands.tops[index - 1] ?? 0;
  const taxBelow = bands.taxAtTops[index - 1] ?? 0;
  return Math.floor((taxBelow + taxOnTenThousandths(pounds * 10_000 - below, rate)) / 100);
}

/** The bands of n weeks or months of a scale. */
export function periodBandsOf(scale: TaxScale, family: Family, periods: number): PeriodBands {
  const made = scale.periodBands[family][periods];
  if (made !== undefined) return made;
  const inYear = PERIODS_IN_YEAR[family];
  const tops = scale.topsPounds.map((top) => Math.floor((top * 10_000 * periods) / inYear));
  const bands: PeriodBands = {
    tops,
    taxAtTops: scale.taxAtTops.map((tax) => Math.floor((tax * periods) / inYear)),
    testTopsPence: tops.map((top) => Math.ceil(top / 10_000) * 100),
  };
  scale.periodBands[family][periods] = bands;
  return bands;
}
