import { describe, expect, it } from 'vitest';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { type MonthFigures, monthBill } from '../../../../../../libs/core/paye/month/month-bill.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const { employer } = rulesAtYearEnd(testPayeRules(), '2026-27');
const NO_CLAIMS = { smallEmployer: false, statutoryPayPence: {}, cisSufferedPence: pence(0), levyAllowancePence: null };

function month(heads: MonthFigures['heads'], other: Partial<MonthFigures> = {}): MonthFigures {
  return { heads, employerNicsPence: heads.employerNics ?? 0, payBillPence: 0, payments: 1, ...other };
}

function bill(months: readonly MonthFigures[], claims: Parameters<typeof monthBill>[0]['claims'] = null) {
  return monthBill({ taxYear: '2026-27', taxMonth: months.length, months, claims }, employer);
}

describe('the bill of a month', () => {
  it('has a line for each head with its working, and adds up', () => {
    const first = month(
      {
        incomeTax: 34_020,
        employeeNics: 13_616,
        employerNics: 34_995,
        studentLoan: 2_700,
        postgraduateLoan: 6_000,
        class1aNics: 75_000,
        employmentAllowance: -34_995,
        statutoryPayRecovered: -92_000,
        cisSuffered: -1_000,
      },
      { payBillPence: 275_000 },
    );
    const claims = { ...NO_CLAIMS, statutoryPayPence: { SMP: pence(100_000) }, cisSufferedPence: pence(1_000) };
    const { lines, ...sums } = bill([first], claims);
    expect(lines.map(({ text, pence: amount, rule }) => `${text} = ${amount} (${rule})`)).toEqual([
      'income tax less refunds of 1 payment = 34020 (SI 2003/2682 regs 67G to 69 (rule 7.1))',
      "employees' NICs of 1 payment = 13616 (SI 2003/2682 regs 67G to 69 (rule 7.1))",
      "employer's NICs of 1 payment = 34995 (SI 2003/2682 regs 67G to 69 (rule 7.1))",
      'student loans of 1 payment = 2700 (SI 2003/2682 regs 67G to 69 (rule 7.1))',
      'postgraduate loans of 1 payment = 6000 (SI 2003/2682 regs 67G to 69 (rule 7.1))',
      'Class 1A on termination awards and testimonials of 1 payment = 75000 (SSCBA 1992 s 10 (rule 5.10))',
      "Employment Allowance: employer's NICs 349.95, 10,500.00 left of 10,500.00 = -34995 (NIC Act 2014 ss 1 to 4 (rule 7.2))",
      'statutory pay recovered: SMP 1,000.00 at 92% = 920.00: 920.00 to date less 0.00 of earlier months = -92000 (SSCBA 1992 s 167 (rule 7.3))',
      'CIS deductions suffered: 10.00: 10.00 to date less 0.00 of earlier months = -1000 (Finance Act 2004 s 62 (rule 7.5))',
    ]);
    expect(sums).toMatchObject({
      chargePence: 34_020 + 13_616 + 34_995 + 2_700 + 6_000 + 75_000,
      netDuePence: 166_331 - 34_995 - 92_000 - 1_000,
      payablePence: 38_336,
      carriedForwardPence: 0,
      duePost: '2026-05-19',
      dueElectronic: '2026-05-22',
      payByPost: '2026-05-19',
      payByElectronic: '2026-05-22',
      referenceSuffix: '2701',
    });
    expect(lines.reduce((sum, { pence: amount }) => sum + amount, 0)).toBe(sums.netDuePence);
  });

  it('of a small employer has its compensation at 9%, and the levy what is left of its allowance', () => {
    const heads = { statutoryPayRecovered: -100_000, nicCompensation: -9_000, apprenticeshipLevy: 375_000 };
    const claims = { ...NO_CLAIMS, smallEmployer: true, statutoryPayPence: { SMP: pence(100_000), SPP: pence(0) } };
    // 0.5% of 1,000,000.00 = 5,000.00, less 15,000 / 12 = 1,250.00.
    const { lines, netDuePence } = bill([month(heads, { payBillPence: 100_000_000 })], claims);
    expect(lines.map(({ text }) => text)).toEqual([
      'statutory pay recovered: SMP 1,000.00 at 100% = 1,000.00: 1,000.00 to date less 0.00 of earlier months',
      "small employer's compensation: SMP 1,000.00 at 9% = 90.00: 90.00 to date less 0.00 of earlier months",
      'Apprenticeship Levy: 0.5% of a pay bill of 1,000,000.00 less 15,000.00 x 1 / 12: 3,750.00 to date less 0.00 of earlier months',
    ]);
    expect(netDuePence).toBe(-100_000 - 9_000 + 375_000);
  });

  it('shows what was taken in earlier months, and what is left of the allowance', () => {
    const first = month({ employmentAllowance: -100_000, employerNics: 100_000, statutoryPayRecovered: -500 });
    const second = month({ employmentAllowance: -40_000, employerNics: 40_000, statutoryPayRecovered: -250 });
    const { lines } = bill([first, second]);
    expect(lines.map(({ text }) => text)).toEqual([
      "employer's NICs of 1 payment",
      "Employment Allowance: employer's NICs 400.00, 9,500.00 left of 10,500.00",
      'statutory pay recovered: as claimed: 7.50 to date less 5.00 of earlier months',
    ]);
  });

  it('of nothing has no lines', () => {
    expect(bill([month({})])).toMatchObject({ lines: [], chargePence: 0, netDuePence: 0, payablePence: 0 });
  });
});

describe('a credit', () => {
  it('is carried to later months of the year until it is used up', () => {
    const months = [month({ incomeTax: -10_000 }), month({ incomeTax: 4_000 }), month({ incomeTax: 9_000 })];
    expect(bill(months.slice(0, 1))).toMatchObject({
      payablePence: 0,
      broughtForwardPence: 0,
      carriedForwardPence: 10_000,
    });
    expect(bill(months.slice(0, 2))).toMatchObject({
      payablePence: 0,
      broughtForwardPence: 10_000,
      carriedForwardPence: 6_000,
    });
    expect(bill(months)).toMatchObject({ payablePence: 3_000, broughtForwardPence: 6_000, carriedForwardPence: 0 });
  });

  it('of a month is nothing of its own to who pays quarterly: the quarter is one sum', () => {
    const months = [
      month({ incomeTax: -10_000 }),
      month({ incomeTax: 4_000 }),
      month({ incomeTax: 9_000 }),
      month({ incomeTax: 700 }),
    ];
    expect(bill(months.slice(0, 3)).quarter).toMatchObject({
      netDuePence: 3_000,
      payablePence: 3_000,
      duePost: '2026-07-19',
      dueElectronic: '2026-07-22',
      // The 19th is a Sunday.
      payByPost: '2026-07-17',
      payByElectronic: '2026-07-22',
      referenceSuffix: '2703',
      mayPayQuarterly: true,
      // (0 + 4,000 + 9,000) / 3.
      averageMonthPence: 4_333,
    });
    expect(bill(months).quarter).toMatchObject({ netDuePence: 700, payablePence: 700, dueElectronic: '2026-10-22' });
  });
});

describe('the days by which a bill is to be paid', () => {
  const dates = (year: '2024-25' | '2022-23', taxMonth: number) => {
    const months = Array.from({ length: taxMonth }, () => month({ incomeTax: 100 }));
    const { employer } = rulesAtYearEnd(testPayeRules(), year);
    const { duePost, dueElectronic, payByPost, payByElectronic, quarter } = monthBill(
      { taxYear: year, taxMonth, months, claims: null },
      employer,
    );
    return [duePost, payByPost, dueElectronic, payByElectronic, quarter.payByPost, quarter.payByElectronic];
  };

  it('may have a month whose due days are no working days', () => {
    // 19 April 2025 is Easter Saturday: the 18th is Good Friday. 22 June 2024 is a Saturday; the quarter ends in July.
    expect(dates('2024-25', 12)).toEqual([
      '2025-04-19',
      '2025-04-17',
      '2025-04-22',
      '2025-04-22',
      '2025-04-17',
      '2025-04-22',
    ]);
    expect(dates('2024-25', 2)).toEqual([
      '2024-06-19',
      '2024-06-19',
      '2024-06-22',
      '2024-06-21',
      '2024-07-19',
      '2024-07-22',
    ]);
  });

  it('are the nominal ones alone where bank holidays are not known', () => {
    expect(dates('2022-23', 5)).toEqual(['2022-09-19', null, '2022-09-22', null, null, null]);
  });
});

describe('who may pay quarterly', () => {
  it('has an average month under 1,500.00', () => {
    expect(bill([month({ incomeTax: 149_999 })]).quarter.mayPayQuarterly).toBe(true);
    expect(bill([month({ incomeTax: 150_000 })]).quarter.mayPayQuarterly).toBe(false);
  });
});

describe('a line of the bill', () => {
  it('counts its payments, shows each kind of statutory pay, and names its rule', () => {
    const statutoryPayPence = { SMP: pence(100), SPP: pence(200), SAP: pence(0) };
    const heads = { incomeTax: 1, nicCompensation: -27, apprenticeshipLevy: 5 };
    const { lines } = bill([month(heads, { payments: 2 })], { ...NO_CLAIMS, smallEmployer: true, statutoryPayPence });
    // 9% of 1.00 and of 2.00.
    expect(lines.map(({ text, rule }) => `${text} (${rule})`)).toEqual([
      'income tax less refunds of 2 payments (SI 2003/2682 regs 67G to 69 (rule 7.1))',
      "small employer's compensation: SMP 1.00 at 9% = 0.09, SPP 2.00 at 9% = 0.18: 0.27 to date less 0.00 of earlier months (SSCBA 1992 s 167 (rule 7.3))",
      'Apprenticeship Levy: 0.5% of a pay bill of 0.00 less 15,000.00 x 1 / 12: 0.05 to date less 0.00 of earlier months (Finance Act 2016 ss 98 to 121 (rule 7.4))',
    ]);
  });
});
