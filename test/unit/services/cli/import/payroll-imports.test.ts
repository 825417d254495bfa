import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImportWorld } from '../../../../support/import-world.ts';

const HEAD =
  'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan';
const csv = (...rows: readonly string[]): string => [HEAD, ...rows, ''].join('\n');
const pay = (
  worksNumber: string,
  pounds: string,
  other: { nino?: string; date?: string; period?: string } = {},
): string =>
  `902/DUP,${worksNumber},${other.nino ?? ''},${other.date ?? '2026-11-27'},M1,${other.period ?? '8'},1257L,,${pounds},${pounds},A,,`;
const COLUMNS = {
  payeReference: 'paye_reference',
  worksNumber: 'works_number',
  nino: 'nino',
  paymentDate: 'payment_date',
  payFrequency: 'pay_frequency',
  period: 'period',
  taxCode: 'tax_code',
  week1Month1: 'week1_month1',
  taxablePayPence: 'taxable_pay',
  nicableEarningsPence: 'nicable_earnings',
  niCategory: 'ni_category',
  studentLoanPlan: 'student_loan_plan',
  postgraduateLoan: 'postgraduate_loan',
};
const MAPPING = { kind: 'payroll', columns: COLUMNS };

let world: ImportWorld;
beforeEach(() => {
  world = new ImportWorld();
});
afterEach(() => world.dispose());

const employerNics = (): number => world.heads['employerNics'] ?? 0;
const paid = (): number => world.events.reduce((sum, event) => sum + Number(event['taxablePayPence']), 0);

describe('what names a payment is employer, works number, day and number', () => {
  it('equal rows are asked about, by both places, counted as two or as one', async () => {
    const file = csv(pay('B1', '500.00'), pay('B1', '500.00'));
    const asked = await world.payroll(file);
    expect(asked).toMatchObject({ read: 2, accepted: 1, rejected: 1 });
    expect(asked.rejections).toMatchObject([
      {
        code: 'EQUAL_ROWS',
        line: 3,
        reason: expect.stringMatching(/^line 3: the row is the same as line 2: .*--equal-rows count.*"occurrence"/),
      },
    ]);
    expect(await world.payroll(file, { equalRows: 'once' })).toMatchObject({ accepted: 2, rejected: 0 });
    expect(paid()).toBe(50_000);
    expect(await world.payroll(file, { equalRows: 'count' })).toMatchObject({ accepted: 2, seenBefore: 1, events: 1 });
    expect(paid()).toBe(100_000);
    // 15% of 1,000.00 less 417.00
    expect(employerNics()).toBe(8_745);
    expect(await world.payroll(file, { equalRows: 'count' })).toMatchObject({ accepted: 2, seenBefore: 2, events: 0 });
  });

  it('rows that a column numbers are payments of their own, in whatever file they come', async () => {
    const mapping = { ...MAPPING, columns: { ...COLUMNS, occurrence: 'number' } };
    const numbered = (number: string): string => `${HEAD},number\n${pay('B1', '500.00')},${number}\n`;
    expect(await world.payroll(numbered('1'), { mapping })).toMatchObject({ accepted: 1, events: 1 });
    expect(await world.payroll(numbered('2'), { mapping })).toMatchObject({ accepted: 1, events: 1 });
    expect(await world.payroll(numbered('1'), { mapping })).toMatchObject({ accepted: 1, seenBefore: 1, events: 0 });
    expect(paid()).toBe(100_000);
  });

  it('two payments of a day that differ are asked about, neither being first', async () => {
    const file = csv(pay('B1', '500.00'), pay('B1', '70.00'));
    const { rejections } = await world.payroll(file);
    expect(rejections.map(({ code, line }) => [code, line])).toEqual([
      ['SAME_DAY_PAYMENTS', 2],
      ['SAME_DAY_PAYMENTS', 3],
    ]);
    expect(rejections[1]?.reason).toMatch(/the same works number on the same day as line 2/);
    expect(await world.payroll(file, { equalRows: 'count' })).toMatchObject({ accepted: 2 });
    expect(paid()).toBe(57_000);
    const reversed = csv(pay('B1', '70.00'), pay('B1', '500.00'));
    expect(await world.payroll(reversed, { equalRows: 'count' })).toMatchObject({ seenBefore: 2, events: 0 });
  });

  it('one day written in two ways is one day', async () => {
    const file = csv(pay('B1', '500.00'), pay('B1', '500.00', { date: '27 November 2026' }));
    expect(await world.payroll(file)).toMatchObject({ accepted: 0, rejected: 2 });
  });

  it('the file again with a field mended pays nobody twice: refused with what differs, or put right as a correction', async () => {
    const first = csv(pay('E2', '3000.00'), pay('E3', '2000.00'));
    const again = csv(pay('E2', '3000.00', { nino: 'AB123456C' }), pay('E3', '2000.00'));
    await world.payroll(first);
    const refused = await world.payroll(again);
    expect(refused).toMatchObject({ accepted: 1, rejected: 1, events: 0 });
    expect(refused.rejections).toMatchObject([
      {
        code: 'CHANGED_SINCE_IMPORT',
        reason: expect.stringMatching(
          /^line 2: it was imported before, and now has another "nino"\. What was imported stands; --corrections apply/,
        ),
      },
    ]);
    expect(refused.rejections[0]?.reason).not.toContain('AB123456C');
    expect(paid()).toBe(500_000);
    expect(await world.payroll(again, { corrections: 'apply' })).toMatchObject({
      accepted: 2,
      corrected: 1,
      events: 2,
    });
    expect(paid()).toBe(500_000);
    expect(
      world.events.slice(2).map((event) => [event['taxablePayPence'], event['lateReason'], event['nino'] ?? null]),
    ).toEqual([
      [-300_000, 'H', null],
      [300_000, 'H', 'AB123456C'],
    ]);
    expect(await world.payroll(again)).toMatchObject({ accepted: 2, seenBefore: 2, events: 0 });
  });

  it('a corrected amount leaves tax and NICs as if it had been paid so at once', async () => {
    await world.payroll(csv(pay('E2', '3250.00')));
    await world.payroll(csv(pay('E2', '3350.00')), { corrections: 'apply' });
    const other = new ImportWorld();
    await other.payroll(csv(pay('E2', '3350.00')));
    expect(world.heads).toEqual(other.heads);
    other.dispose();
  });
});

it('a corrected amount of a starter leaves tax as if it had been paid so at once: the P45 counts once', async () => {
  const columns = { ...COLUMNS, 'starter.p45PayPence': 'p45_pay', 'starter.p45TaxPence': 'p45_tax' };
  const file = (pounds: string): string => `${HEAD},p45_pay,p45_tax\n${pay('S1', pounds)},20000.00,2322.00\n`;
  const mapping = { ...MAPPING, columns };
  await world.payroll(file('3000.00'), { mapping });
  await world.payroll(file('3100.00'), { mapping, corrections: 'apply' });
  const other = new ImportWorld();
  await other.payroll(file('3100.00'), { mapping });
  expect(world.heads).toEqual(other.heads);
  other.dispose();
});

it('figures to date, and an opening balance in mid-year, come by file', async () => {
  const columns = {
    ...COLUMNS,
    'openingBalance.taxablePayPence': 'pay_before',
    'openingBalance.incomeTaxPence': 'tax_before',
    'openingBalance.nicableEarningsByLetter': 'ni_pay_before',
    'toDate.taxablePayPence': 'pay_to_date',
  };
  const file = `${HEAD},pay_before,tax_before,ni_pay_before,pay_to_date\n${pay('S1', '3000.00')},21000.00,2532.00,21000.00,24000.00\n`;
  expect(await world.payroll(file, { mapping: { ...MAPPING, columns } })).toMatchObject({
    accepted: 1,
    rejections: [],
  });
  expect(world.events[0]).toMatchObject({
    openingBalance: { taxablePayPence: 2_100_000, nicableEarningsByLetter: { A: 2_100_000 } },
    toDate: { taxablePayPence: 2_400_000 },
  });
  // 24,000.00 less 8 x 1,048.26 is 15,613; a fifth is 3,122.60, less 2,532.00
  expect(world.heads['incomeTax']).toBe(59_060);
  const changed = file.replace('21000.00,2532.00', '20000.00,2532.00');
  const refused = await world.payroll(changed, { mapping: { ...MAPPING, columns }, corrections: 'apply' });
  expect(refused.rejections).toMatchObject([
    { code: 'CHANGED_SINCE_IMPORT', reason: expect.stringMatching(/opening balance stands/) },
  ]);
});

describe('a gap is never a fact', () => {
  it.each([
    [
      'NICable pay',
      '902/DUP,B1,,2026-11-27,M1,8,1257L,,500.00,,A,,',
      'VALUE_MISSING',
      /line 2, column "nicable_earnings": it is empty.*0\.00/,
    ],
    ['the letter', '902/DUP,B1,,2026-11-27,M1,8,1257L,,500.00,500.00,,,', 'VALUE_MISSING', /column "ni_category"/],
    ['the tax code', '902/DUP,B1,,2026-11-27,M1,8,,,500.00,500.00,A,,', 'VALUE_MISSING', /column "tax_code"/],
    ['the pay day', '902/DUP,B1,,,M1,8,1257L,,500.00,500.00,A,,', 'VALUE_MISSING', /column "payment_date"/],
    [
      'the works number',
      '902/DUP,,,2026-11-27,M1,8,1257L,,500.00,500.00,A,,',
      'VALUE_MISSING',
      /column "works_number"/,
    ],
  ])('%s left blank is asked for', async (_name, row, code, reason) => {
    expect((await world.payroll(csv(row))).rejections).toMatchObject([{ code, reason: expect.stringMatching(reason) }]);
  });

  it.each([
    [
      'a day-first date',
      '902/DUP,B1,,29/05/2026,M1,2,1257L,,1,1,A,,',
      'BAD_DATE',
      /column "payment_date": "99\/99\/9999".*"dates": "DD\/MM\/YYYY" in the mapping/,
    ],
    [
      'a word for the interval',
      '902/DUP,B1,,2026-05-29,Monthly,2,1257L,,1,1,A,,',
      'CODE_UNKNOWN',
      /column "pay_frequency": "Monthly".*"values": {"payFrequency": {"Monthly": "M1"}}/,
    ],
    [
      'a word for the plan',
      '902/DUP,B1,,2026-05-29,M1,2,1257L,,1,1,A,Plan 2,',
      'CODE_UNKNOWN',
      /column "student_loan_plan".*{"Plan 2": "02"}/,
    ],
    ['a word for no plan', '902/DUP,B1,,2026-05-29,M1,2,1257L,,1,1,A,None,', 'CODE_UNKNOWN', /{"None": null}/],
    ['a letter in lower case', '902/DUP,B1,,2026-05-29,M1,2,1257L,,1,1,a,,', 'CODE_UNKNOWN', /{"a": "A"}/],
    [
      'a pound sign',
      '902/DUP,B1,,2026-05-29,M1,2,1257L,,"£3,250.00",1,A,,',
      'DECIMAL_INVALID',
      /column "taxable_pay".*"amounts": "£1,234.56"/,
    ],
    [
      'a decimal comma',
      '902/DUP,B1,,2026-05-29,M1,2,1257L,,"3250,00",1,A,,',
      'DECIMAL_INVALID',
      /"amounts": "1.234,56"/,
    ],
    [
      'a fault of the door',
      '902/DUP,B1,,2026-05-29,M1,2,12XYZ,,1,1,A,,',
      'BAD_TAX_CODE',
      /^line 2, column "tax_code": /,
    ],
    ['a wrong week', '902/DUP,B1,,2026-05-29,M1,60,1257L,,1,1,A,,', 'BAD_PERIOD', /^line 2, column "period": /],
    [
      'a name where a number belongs',
      '902/DUP,B1,,2026-05-29,M1,2,1257L,,Smith,1,A,,',
      'DECIMAL_INVALID',
      /"aaaaa" is no amount/,
    ],
  ])('%s is refused by its place, with the line of the mapping that reads it', async (_name, row, code, reason) => {
    const { rejections } = await world.payroll(csv(row));
    expect(rejections).toMatchObject([{ code, reason: expect.stringMatching(reason) }]);
    expect(rejections[0]?.reason).not.toContain('Smith');
  });

  it('what the mapping says is read', async () => {
    const mapping = {
      ...MAPPING,
      dates: 'DD/MM/YYYY',
      amounts: '£1,234.56',
      values: { payFrequency: { Monthly: 'M1' }, studentLoanPlan: { 'Plan 2': '02', None: null } },
    };
    const row = '902/DUP,B1,AB 12 34 56 C,29/05/2026,monthly,2,1257L M1,,"£3,250.00",£3250,A,Plan 2,N';
    expect(await world.payroll(csv(row), { mapping })).toMatchObject({ accepted: 1, rejections: [] });
    expect(world.events[0]).toMatchObject({
      paymentDate: '2026-05-29',
      payFrequency: 'M1',
      taxCode: '1257L',
      week1Month1: true,
      taxablePayPence: 325_000,
      nicableEarningsPence: 325_000,
      studentLoanPlan: '02',
      postgraduateLoan: false,
    });
  });

  it('two people whose names differ in a character that is not UTF-8 do not become one', async () => {
    const bytes = Buffer.from(
      csv(pay('JOSÉ', '1000.00', { date: '2026-10-30', period: '7' }), pay('JOSÈ', '2000.00')),
      'latin1',
    );
    await expect(world.payroll(bytes)).rejects.toMatchObject({
      code: 'FILE_NOT_UTF8',
      message: expect.stringContaining('line 2 is not UTF-8'),
    });
    expect(await world.payroll(bytes, { encoding: 'windows-1252' })).toMatchObject({ accepted: 2 });
    expect(world.events.map(({ worksNumber }) => worksNumber)).toEqual(['JOSÉ', 'JOSÈ']);
  });

  it.each([
    [
      { nicableEarningsPence: undefined },
      /nicableEarningsPence: .*"sameAs": {"nicableEarningsPence": "taxablePayPence"}/,
    ],
    [{ period: undefined }, /period: .*"periodOfPayDay": true/],
    [{ taxCod: 'tax_code' }, /\/columns\/taxCod: a payment has no such field: is "taxCode" meant\?/],
    [{ 'starter.p45Pay': 'p45' }, /is "starter.p45PayPence" meant/],
  ])(
    'a mapping that lacks a field, or names one that is none, is refused before a row is read',
    async (columns, message) => {
      const mapping = {
        ...MAPPING,
        columns: Object.fromEntries(
          Object.entries({ ...COLUMNS, ...columns }).filter(([, name]) => name !== undefined),
        ),
      };
      await expect(world.payroll(csv(pay('B1', '1.00')), { mapping })).rejects.toMatchObject({
        code: 'MAPPING_INVALID',
        message: expect.stringMatching(message),
      });
    },
  );

  it('earnings that are always the taxable pay, and the month of the pay day, come by the mapping’s word', async () => {
    const { nicableEarningsPence, period, ...columns } = COLUMNS;
    const mapping = {
      kind: 'payroll',
      columns,
      sameAs: { nicableEarningsPence: 'taxablePayPence' },
      periodOfPayDay: true,
    };
    expect(await world.payroll(csv(pay('B1', '500.00')), { mapping })).toMatchObject({ accepted: 1 });
    expect(world.events[0]).toMatchObject({ nicableEarningsPence: 50_000, period: 8 });
  });
});

it('a starter’s P45 and what payroll deducted come by file', async () => {
  const mapping = {
    ...MAPPING,
    columns: {
      ...COLUMNS,
      'starter.startDate': 'start_date',
      'starter.declaration': 'declaration',
      'starter.p45PayPence': 'p45_pay',
      'starter.p45TaxPence': 'p45_tax',
      'stated.incomeTaxPence': 'tax_deducted',
    },
  };
  const file = `${HEAD},start_date,declaration,p45_pay,p45_tax,tax_deducted\n${pay('S1', '3000.00')},2026-11-02,,20000.00,2322.00,321.20\n`;
  expect(await world.payroll(file, { mapping })).toMatchObject({ accepted: 1, rejections: [] });
  // 23,000.00 less 8 x 1,048.26 is 14,613; a fifth is 2,922.60, less 2,322.00
  expect(world.heads['incomeTax']).toBe(60_060);
  expect(world.events[0]).toMatchObject({
    stated: { incomeTaxPence: 32_120 },
    starter: { startDate: '2026-11-02', p45PayPence: 2_000_000 },
  });
});
