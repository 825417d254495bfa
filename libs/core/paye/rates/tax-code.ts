import { TallyError } from '../../errors/tally-error.ts';
import { NATION_OF_PREFIX, type Nation } from './nation.ts';
import { type Family, PERIODS_IN_YEAR } from './pay-frequency.ts';

/** A tax code as read (paye.md section 2). */
export interface TaxCode {
  readonly nation: Nation;
  /** allowance: free pay and bands; k: additional pay and bands; flat: all pay at one rate; nt: no tax. */
  readonly kind: 'allowance' | 'k' | 'flat' | 'nt';
  /** Number of an allowance or K code. */
  readonly number: number;
  /** Rates above the nation's basic rate: 0 for BR, k + 1 for Dk. */
  readonly aboveBasic: number;
  /** True where the text itself carries W1, M1 or X. */
  readonly nonCumulative: boolean;
  /** Free pay (or additional pay) of one week or month, pence: a1 of paye.md 4.1. */
  readonly adjustmentPence: Readonly<Record<Family, number>>;
}

const CODE = /^([SC]?)(?:(\d{1,6})[LMNT]|(K)(\d+)|(BR)|D(\d)|(NT))( *\/? *(?:W1[ /]?M1|W1|M1|X))?$/;
/** Longest code without its basis (RTI, specification v24.0 para 3.3.2). */
const LENGTH_MAX = 7;
const K_NUMBER_MAX = 9999;

/**
 * Reads a tax code, trimmed and in any case. Whether a flat code's rate exists depends on the nation's scale of the year (flatRateOf).
 * Throws BAD_TAX_CODE or K_CODE_OUT_OF_RANGE.
 */
export function parseTaxCode(text: string): TaxCode {
  const upper = text.trim().toUpperCase();
  const match = CODE.exec(upper);
  if (match === null) throw badTaxCode();
  const [, prefix = '', digits, k, kDigits = '', br, d, nt, basis = ''] = match;
  if (upper.length - basis.length > LENGTH_MAX || (nt !== undefined && prefix !== '')) throw badTaxCode();
  const common = { nation: NATION_OF_PREFIX[prefix] ?? 'restOfUk', nonCumulative: basis !== '' } as const;
  if (nt !== undefined) return { ...common, kind: 'nt', number: 0, aboveBasic: 0, adjustmentPence: NO_ADJUSTMENT };
  if (br !== undefined) return { ...common, kind: 'flat', number: 0, aboveBasic: 0, adjustmentPence: NO_ADJUSTMENT };
  if (d !== undefined) {
    return { ...common, kind: 'flat', number: 0, aboveBasic: Number(d) + 1, adjustmentPence: NO_ADJUSTMENT };
  }
  const number = Number(k === undefined ? digits : kDigits);
  if (k !== undefined && (number < 1 || number > K_NUMBER_MAX)) {
    throw new TallyError('K_CODE_OUT_OF_RANGE', 'the number of a K code is 1 to 9999', {});
  }
  const kind = k === undefined ? 'allowance' : 'k';
  return { ...common, kind, number, aboveBasic: 0, adjustmentPence: adjustmentOf(number) };
}

const NO_ADJUSTMENT: Readonly<Record<Family, number>> = { week: 0, month: 0 };

function adjustmentOf(number: number): Readonly<Record<Family, number>> {
  return { week: onePeriodAdjustmentPence(number, 'week'), month: onePeriodAdjustmentPence(number, 'month') };
}

/**
 * Free pay of one period (paye.md 4.1): the number less one in whole 500s, each worth 5,000 / D up to the penny (96.16 a week, 416.67 a
 * month), and the rest by the nnn9 rule: (10 r + 9) / D, cut to four decimals, up to the penny.
 */
function onePeriodAdjustmentPence(number: number, family: Family): number {
  if (number === 0) return 0;
  const periods = PERIODS_IN_YEAR[family];
  const blocks = Math.floor((number - 1) / 500);
  const rest = ((number - 1) % 500) + 1;
  const tenThousandths = Math.floor(((10 * rest + 9) * 10_000) / periods);
  return Math.ceil(tenThousandths / 100) + blocks * Math.ceil(500_000 / periods);
}

function badTaxCode(): TallyError {
  return new TallyError(
    'BAD_TAX_CODE',
    'the tax code is not one of nnnL M N T, 0T, Knnn, BR, D0-D3, NT with S or C before it',
    {},
  );
}
