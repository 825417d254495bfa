import { describe, expect, it } from 'vitest';
import { type IncomeTaxInput, incomeTax } from '../../../../../../libs/core/paye/assess/income-tax.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { scaleOfNation } from '../../../../../../libs/core/paye/rates/rates-not-known.ts';
import { parseTaxCode } from '../../../../../../libs/core/paye/rates/tax-code.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const DATED = rulesAtYearEnd(testPayeRules(), '2026-27');
const { overridingLimitBasisPoints } = DATED;

function tax(code: string, changes: Partial<IncomeTaxInput>) {
  const parsed = parseTaxCode(code);
  return incomeTax({
    scale: scaleOfNation(DATED, parsed.nation),
    code: parsed,
    family: 'month',
    periods: 1,
    cumulative: true,
    payPence: 0,
    benefitsPence: 0,
    payBeforePence: 0,
    taxBeforePence: 0,
    limitBasisPoints: overridingLimitBasisPoints,
    ...changes,
  });
}

describe('income tax of a payment', () => {
  it('works on whole pounds of taxable pay, free pay taken off to the penny', () => {
    // 3,000.00 - 1,048.26 = 1,951.74: 20% of 1,951 = 390.20.
    expect(tax('1257L', { payPence: 300_000 })).toMatchObject({
      taxPence: 39_020,
      taxablePence: 195_174,
      limitApplied: false,
    });
  });

  it('chooses the band with the pence, not with whole pounds', () => {
    // Basic rate band of a month: 37,700 / 12 = 3,141.6666, tested as 3,142.00. At 3,142.00 all is basic: 20% of 3,142.
    expect(tax('0T', { payPence: 314_200 }).taxPence).toBe(62_840);
    // A penny more is in the higher band: 628.3333 + (3,142 - 3,141.6666) * 40% = 628.4666 -> 628.46 cut after 4 decimals.
    expect(tax('0T', { payPence: 314_201 }).taxPence).toBe(62_846);
  });

  it('refunds what was overpaid to date', () => {
    expect(tax('1257L', { periods: 2, payBeforePence: 300_000, taxBeforePence: 39_020 }).taxPence).toBe(
      39_020 * -1 + 18_060,
    );
  });

  it('is limited to half of the pay less payrolled benefits', () => {
    // K9999 adds 8,333.26 a month to 1,000.00.
    expect(tax('K9999', { payPence: 100_000, benefitsPence: 20_000 })).toMatchObject({
      taxPence: 40_000,
      limitApplied: true,
    });
    expect(tax('K9999', { payPence: 10_000, benefitsPence: 20_000 }).taxPence).toBe(0);
  });

  it('NT refunds on a cumulative basis only', () => {
    expect(tax('NT', { payPence: 100_000, taxBeforePence: 5_000 }).taxPence).toBe(-5_000);
    expect(tax('NT', { payPence: 100_000, taxBeforePence: 5_000, cumulative: false }).taxPence).toBe(0);
  });

  it('flat codes take whole pounds at one rate, and nothing of negative pay', () => {
    expect(tax('D1', { payPence: 100_199 }).taxPence).toBe(45_045);
    expect(tax('BR', { payPence: -5_000 }).taxPence).toBe(0);
  });

  it('is exact far beyond any pay: a hundred million pounds in Scotland', () => {
    // Bands of one month, then 48% above 125,140 / 12 = 10,428.3333; tax below: 45,146.88 / 12 … by exact integers.
    const pounds = 100_000_000n;
    const annual = 3_967n * 1_900n + 12_989n * 2_000n + 14_136n * 2_100n + 31_338n * 4_200n + 62_710n * 4_500n;
    const c = (125_140n * 10_000n) / 12n;
    const expected = (annual / 12n + ((pounds * 10_000n - c) * 4_800n) / 10_000n) / 100n;
    expect(tax('S0T', { payPence: 10_000_000_000 }).beforeLimitPence).toBe(Number(expected));
  });
});
