import { describe, expect, it } from 'vitest';
import { hasCode } from '../../../../../../libs/core/errors/tally-error.ts';
import { parseTaxCode } from '../../../../../../libs/core/paye/rates/tax-code.ts';

describe('free pay of one period', () => {
  it.each([
    // 256 left after two blocks of 500: (2,569 + 0) / 12 up = 214.92, and 2 * 416.67.
    ['1257L', 'month', 104_826],
    ['1257L', 'week', 24_192],
    // 500 and less have no block: 5,009 / 12 = 417.4166 up to the penny.
    ['500L', 'month', 41_742],
    // 501 is one block and number 1: 19 / 12 = 1.5833 -> 1.59, and 416.67.
    ['501L', 'month', 41_826],
    ['0T', 'month', 0],
    ['BR', 'week', 0],
    ['K475', 'month', 39_659],
  ] as const)('%s for a %s is %i pence', (code, family, pence) => {
    expect(parseTaxCode(code).adjustmentPence[family]).toBe(pence);
  });
});

describe('reading a code', () => {
  it.each([
    ['1257L', { nation: 'restOfUk', kind: 'allowance', number: 1257, nonCumulative: false }],
    [' s1257l w1 ', { nation: 'scotland', kind: 'allowance', number: 1257, nonCumulative: true }],
    ['C1257LX', { nation: 'wales', nonCumulative: true }],
    ['1257L W1/M1', { nonCumulative: true }],
    ['1257LW1M1', { nonCumulative: true }],
    ['SK9999', { nation: 'scotland', kind: 'k', number: 9999 }],
    ['BR', { kind: 'flat', aboveBasic: 0 }],
    ['SD3', { nation: 'scotland', kind: 'flat', aboveBasic: 4 }],
    ['NT', { kind: 'nt' }],
    ['0T', { kind: 'allowance', number: 0 }],
    ['999999T', { kind: 'allowance', number: 999_999 }],
  ])('%s', (text, parts) => {
    expect(parseTaxCode(text)).toMatchObject(parts);
  });

  it.each([
    '',
    'W1',
    '1257',
    '1257P',
    '1257Y',
    'SNT',
    'CNT',
    '9999999T',
    'S999999T',
    'KL',
    'D',
    'D10',
    'B R',
    'SS1257L',
    '１257L',
  ])('refuses "%s"', (text) => {
    expect(codeOf(text)).toBe('BAD_TAX_CODE');
  });

  it.each(['K0', 'K10000'])('refuses the number of %s', (text) => {
    expect(codeOf(text)).toBe('K_CODE_OUT_OF_RANGE');
  });
});

function codeOf(text: string): string {
  try {
    parseTaxCode(text);
    return 'accepted';
  } catch (error) {
    return hasCode(error, 'BAD_TAX_CODE') ? 'BAD_TAX_CODE' : (error as { code: string }).code;
  }
}
