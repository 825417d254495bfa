import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { londonDate } from '../../libs/core/calendar/london-time.ts';
import { monthOpenAt } from '../../libs/core/paye/rates/charge-month.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';

/** A small employer's tax month 8 of 2026-27, by the real doors of the whole service, worked out here by hand. */
const REF = '123/SMALL1';
const ACCOUNT = `paye:${REF}`;
const PATH = '/v1/paye/accounts/123-SMALL1';
/** Month 8 is open until 19 December 2026: run later, what is sent counts in the month open then (paye.md 7.8). */
const MONTH = monthOpenAt('2026-27', 8, londonDate(Date.now()));
const NAME = `2026-27-M${String(MONTH).padStart(2, '0')}`;

type Json = Readonly<Record<string, unknown>>;

function payment(more: Json): Json {
  return {
    type: 'PaymentMade',
    eventId: randomUUID(),
    payeReference: REF,
    paymentDate: '2026-11-20',
    payFrequency: 'M1',
    period: 8,
    taxCode: '1257L',
    niCategory: 'A',
    nicableEarningsPence: more['taxablePayPence'],
    ...more,
  };
}

const PAYMENTS = {
  // A starter with a P45 of 19,250.00 pay and 2,380.00 tax. Pay to date 22,000.00, less 8 x 1,048.26 = 13,613.92: 20% of 13,613 = 2,722.60.
  ann: payment({
    worksNumber: 'W-ANN',
    taxablePayPence: 275_000,
    studentLoanPlan: '02',
    starter: { startDate: '2026-11-09', p45PayPence: 1_925_000, p45TaxPence: 238_000 },
  }),
  // A leaver on month 1: (2,000.00 - 1,048.26) = 951: 190.20.
  bob: payment({ worksNumber: 'W-BOB', taxablePayPence: 200_000, week1Month1: true, leavingDate: '2026-11-20' }),
  // A bonus after leaving: 0T on week 1, NICs by the week: 500 at 20%.
  bobAfterLeaving: payment({
    worksNumber: 'W-BOB',
    taxablePayPence: 50_000,
    payFrequency: 'IO',
    period: 33,
    taxCode: '0T',
    week1Month1: true,
    leavingDate: '2026-11-20',
    paymentAfterLeaving: true,
  }),
  // A director's annual earnings period: 20,000.00 against 12,570 and 5,000.
  cat: payment({ worksNumber: 'W-CAT', taxablePayPence: 2_000_000, directorsNic: 'AN' }),
  // A starter with declaration C: BR. The employer took tax as on 1257L month 1, and a penny too little NICs.
  dan: payment({
    worksNumber: 'W-DAN',
    taxablePayPence: 150_000,
    taxCode: 'BR',
    starter: { startDate: '2026-11-09', declaration: 'C' },
    stated: { incomeTaxPence: 9_020, employeeNicsPence: 3_615, employerNicsPence: 16_245 },
  }),
  // Ann had 250.00 too much.
  annCorrected: payment({ worksNumber: 'W-ANN', taxablePayPence: -25_000, studentLoanPlan: '02', lateReason: 'H' }),
  // A termination award of 35,000.00: 5,000.00 of it taxable on 0T month 1, and liable to Class 1A.
  eve: payment({
    worksNumber: 'W/EVE 1',
    taxablePayPence: 500_000,
    nicableEarningsPence: 0,
    taxCode: '0T',
    week1Month1: true,
    terminationAwardPence: 3_500_000,
  }),
};
const CLAIMS = {
  type: 'EmployerClaimsMade',
  eventId: randomUUID(),
  payeReference: REF,
  taxYear: '2026-27',
  taxMonth: MONTH,
  employmentAllowance: true,
  smallEmployer: true,
  statutoryPayPence: { SMP: 100_000 },
  cisSufferedPence: 5_000,
};

interface Line {
  readonly head: string;
  readonly text: string;
  readonly pence: number;
  readonly rule: string;
}
interface Month {
  readonly taxPeriod: string;
  readonly paymentCount: number;
  readonly taxablePayPence: number;
  readonly paymentReference: string | null;
  readonly bill: {
    readonly lines: readonly Line[];
    readonly chargePence: number;
    readonly netDuePence: number;
    readonly payablePence: number;
    readonly referenceSuffix: string;
  };
  readonly differences: readonly Json[];
  readonly claims: readonly Json[];
  readonly payments: readonly { readonly worksNumber: string; readonly amounts: readonly Json[] }[];
  readonly nextAfter: number | null;
}
interface Employment {
  readonly toDate: Readonly<Record<string, number>>;
  readonly payments: readonly Payslip[];
}
interface Payslip {
  readonly eventId: string;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  readonly working: readonly Line[];
  readonly stated: readonly Json[];
  readonly flags: readonly string[];
}

const service = new ServiceProcess();
let month: Month;

beforeAll(async () => {
  await service.start();
  const sent = await service.call('payer', 'POST', '/payer/v1/events/paye', [...Object.values(PAYMENTS), CLAIMS]);
  expect(sent).toEqual({ status: 202, body: { queued: 8 } });
  const seen = await eventually(
    () => service.call<Month>('payer', 'GET', `${PATH}/months/${NAME}`),
    ({ status, body }) => status === 200 && body.paymentCount === 7 && body.claims.length === 1,
  );
  month = seen.body;
}, 360_000);

afterAll(async () => {
  await service.dispose();
});

function employment(worksNumber: string): Promise<{ status: number; body: Employment }> {
  return service.call('payer', 'GET', `${PATH}/employments/${encodeURIComponent(worksNumber)}?taxYear=2026-27`);
}

async function amountsOf(worksNumber: string): Promise<Record<string, number>[]> {
  const { body } = await employment(worksNumber);
  return body.payments.map(({ amounts }) => Object.fromEntries(amounts.map(({ head, pence }) => [head, pence])));
}

describe('the month of a small employer', () => {
  it('is charged to the penny, payment by payment', async () => {
    expect(await amountsOf('W-ANN')).toEqual([
      // 2,722.60 - 2,380.00 of the P45. (2,750 - 1,048) * 8%; (2,750 - 417) * 15%; plan 2: (2,750 - 2,448.75) * 9% = 27.11 -> 27.
      { incomeTax: 34_260, employeeNics: 13_616, employerNics: 34_995, studentLoan: 2_700 },
      // On 2,500.00: 20% of 13,363 = 2,672.60 less 2,722.60; 116.16 - 136.16; 312.45 - 349.95; (2,500 - 2,448.75) * 9% = 4 less 27.
      { incomeTax: -5_000, employeeNics: -2_000, employerNics: -3_750, studentLoan: -2_300 },
    ]);
    expect(await amountsOf('W-BOB')).toEqual([
      // (2,000 - 1,048) * 8%; (2,000 - 417) * 15%.
      { incomeTax: 19_020, employeeNics: 7_616, employerNics: 23_745 },
      // By the week: (500 - 242) * 8%; (500 - 96) * 15%.
      { incomeTax: 10_000, employeeNics: 2_064, employerNics: 6_060 },
    ]);
    // 20,000 - 8 x 1,048.26 = 11,613.92: 20% of 11,613. (20,000 - 12,570) * 8%; (20,000 - 5,000) * 15%.
    expect(await amountsOf('W-CAT')).toEqual([{ incomeTax: 232_260, employeeNics: 59_440, employerNics: 225_000 }]);
    // 20% of 1,500; (1,500 - 1,048) * 8%; (1,500 - 417) * 15%.
    expect(await amountsOf('W-DAN')).toEqual([{ incomeTax: 30_000, employeeNics: 3_616, employerNics: 16_245 }]);
    // 628.3333 on 3,141.6666, and 1,858.3334 at 40% = 743.3333: 1,371.66. Class 1A: (35,000 - 30,000) * 15%.
    expect(await amountsOf('W/EVE 1')).toEqual([{ incomeTax: 137_166, class1aNics: 75_000 }]);
  });

  it('has the bill that these payments and the claims come to', () => {
    const tax = 34_260 - 5_000 + 19_020 + 10_000 + 232_260 + 30_000 + 137_166;
    const employee = 13_616 - 2_000 + 7_616 + 2_064 + 59_440 + 3_616;
    const employer = 34_995 - 3_750 + 23_745 + 6_060 + 225_000 + 16_245;
    expect([tax, employee, employer]).toEqual([457_706, 84_352, 302_295]);
    const charge = tax + employee + employer + (2_700 - 2_300) + 75_000;
    expect(month.bill.chargePence).toBe(charge);
    // All of the employer's Class 1 (under 10,500.00); SMP in full with 9% to a small employer; CIS 50.00.
    expect(month.bill.lines.map(({ head, pence }) => [head, pence])).toEqual([
      ['incomeTax', tax],
      ['employeeNics', employee],
      ['employerNics', employer],
      ['studentLoan', 400],
      ['class1aNics', 75_000],
      ['employmentAllowance', -employer],
      ['statutoryPayRecovered', -100_000],
      ['nicCompensation', -9_000],
      ['cisSuffered', -5_000],
    ]);
    expect(month.bill).toMatchObject({ netDuePence: 503_458, payablePence: 503_458 });
    expect(charge - employer - 100_000 - 9_000 - 5_000).toBe(503_458);
    expect(month.bill.lines.map(({ text }) => text)).toContain(
      "Employment Allowance: employer's NICs 3,022.95, 10,500.00 left of 10,500.00",
    );
    expect(month.bill.referenceSuffix).toBe(`27${String(MONTH).padStart(2, '0')}`);
    const pay = Object.values(PAYMENTS).reduce((sum, each) => sum + Number(each['taxablePayPence']), 0);
    expect(month).toMatchObject({ taxPeriod: `2026-27/${NAME.slice(-3)}`, taxablePayPence: pay, nextAfter: null });
  });

  it('is what stands in the ledger: the statement owes the same', async () => {
    const path = '/payer/v1/accounts/paye:123-SMALL1/statement?limit=0';
    const { body } = await service.call<{ balancePence: number; heads: Record<string, number> }>('payer', 'GET', path);
    expect(body.balancePence).toBe(503_458);
    expect(body.heads).toMatchObject({ employmentAllowance: -302_295, class1aNics: 75_000 });
  });

  it('shows what was stated otherwise, by cause', async () => {
    expect(month.differences).toEqual([
      { head: 'incomeTax', cause: 'wrong code', payments: 1, pence: 9_020 - 30_000 },
      { head: 'employeeNics', cause: 'rounding', payments: 1, pence: -1 },
    ]);
    const [dan] = (await employment('W-DAN')).body.payments;
    expect(dan?.stated).toMatchObject([
      { cause: 'wrong code', statedPence: 9_020, assessedPence: 30_000 },
      { cause: 'rounding' },
    ]);
    const found = await eventually(
      () => service.call<{ exceptions: Json[] }>('analyst', 'GET', `/reconciliation/v1/exceptions?account=${ACCOUNT}`),
      ({ body }) => body.exceptions.length > 0,
    );
    expect(found.body.exceptions).toMatchObject([
      { kind: 'stated', detail: 'incomeTax -20980 (wrong code), employeeNics -1 (rounding)' },
    ]);
  });

  it('is given in pages, with a payment reference to who says its Accounts Office reference', async () => {
    const at = (query: string) => service.call<Month>('payer', 'GET', `${PATH}/months/${NAME}?${query}`);
    const first = await at('limit=4&accountsOfficeReference=123PW12345678');
    expect(first.body.payments).toHaveLength(4);
    expect(first.body.paymentReference).toBe(`123PW12345678${month.bill.referenceSuffix}`);
    const rest = await at(`limit=4&after=${first.body.nextAfter}`);
    expect(rest.body.payments.map(({ worksNumber }) => worksNumber)).toEqual(['W-DAN', 'W-ANN', 'W/EVE 1']);
    expect(rest.body.nextAfter).toBeNull();
  });
});

describe('a payslip', () => {
  it('shows each step with its rule, and the figures to date', async () => {
    const { body } = await employment('W-ANN');
    const [first] = body.payments;
    expect(first?.working.map(({ text, pence, rule }) => `${text} = ${pence} (${rule})`)).toEqual([
      'pay to month 8 = 2200000 (SI 2003/2682 regs 23 to 31 (rule 4))',
      'free pay of code number 1257: 8 x 1,048.26 = -838608 (HMRC tax table routines v24.0 (rule 4.1))',
      'taxable pay = 1361392 (HMRC tax table routines v24.0 (rule 4.2))',
      'tax due: 13613 pounds at 20% = 272260 (HMRC tax table routines v24.0 (rule 4.4))',
      'less tax to date = -238000 (SI 2003/2682 regs 23 to 31 (rule 4.7))',
      'tax of this payment = 34260 (SI 2003/2682 regs 23 to 31 (rule 4.9))',
      'earnings of the period under letter A = 275000 (SI 2001/1004 regs 10 to 12 (rule 5.4))',
      'bands: at LEL 559.00, to PT 489.00, to UEL 1,702.00, above 0.00 = 275000 (SI 2001/1004 regs 10 to 12 (rule 5.4))',
      "employee's NICs: 8% from 1,048.00 to 4,189.00, 2% above = 13616 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      "employer's NICs: 15% above 417.00 = 34995 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      'plan 02: 9% of 2,750.00 above 2,448.75, in whole pounds = 2700 (SI 2009/470 Part 4 (rule 6.2))',
    ]);
    expect(body.toDate).toMatchObject({
      taxablePayPence: 1_925_000 + 275_000 - 25_000,
      incomeTaxPence: 238_000 + 34_260 - 5_000,
      p45PayPence: 1_925_000,
      employeeNicsPence: 11_616,
      studentLoanPence: 400,
    });
  });

  it('is printed for a clerk, with exit code 1 where the employer stated something else', async () => {
    const at = ['--data-dir', service.dataDir, '--tax-year', '2026-27'];
    const ann = await tally(['payslip', ACCOUNT, 'W-ANN', '2026-11-20', ...at]);
    expect(ann).toMatchObject({ code: 0, stderr: '' });
    expect(ann.stdout).toContain('free pay of code number 1257: 8 x 1,048.26');
    expect(ann.stdout).toContain(
      'due: income tax -50.00, employee nics -20.00, employer nics -37.50, student loan -23.00',
    );
    const dan = await tally(['payslip', ACCOUNT, 'W-DAN', ...at]);
    expect(dan.code).toBe(1);
    expect(dan.stdout).toContain('STATED OTHERWISE: income tax 90.20, assessed 300.00: wrong code');
    const one = await tally(['payslip', ACCOUNT, 'W-CAT', String(PAYMENTS.cat['eventId']), '--json', ...at]);
    expect(JSON.parse(one.stdout)).toMatchObject({ payslips: [{ niCategory: 'A' }] });
    expect(await tally(['payslip', ACCOUNT, 'W-NOBODY', ...at])).toMatchObject({ code: 2 });
  });

  it('stands beside the month in the statement of the command line', async () => {
    const args = ['statement', ACCOUNT, '--month', NAME, '--ao-reference', '123PW12345678', '--entries'];
    const printed = await tally([...args, '--data-dir', service.dataDir]);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    for (const text of [
      '5,034.58',
      'payment reference: 123PW1234567827',
      'income tax: wrong code, 1 payments, -209.80',
      'W/EVE 1',
    ]) {
      expect(printed.stdout).toContain(text);
    }
  });
});

describe('what cannot be', () => {
  it.each<readonly [Json, string]>([
    [{ taxCode: '1257Q' }, '/taxCode BAD_TAX_CODE'],
    [{ taxCode: 'D2' }, '/taxCode NO_RATE_FOR_D_CODE'],
    [{ taxCode: 'K10000' }, '/taxCode K_CODE_OUT_OF_RANGE'],
    [{ niCategory: 'G' }, '/niCategory BAD_NI_CATEGORY'],
    [{ payFrequency: 'M2' }, '/payFrequency BAD_PAY_FREQUENCY'],
    [{ period: 13 }, '/period BAD_PERIOD'],
    [{ payFrequency: 'W2', period: 53 }, '/period BAD_PERIOD'],
    [{ paymentDate: '2026-02-30' }, '/paymentDate BAD_DATE'],
    [{ paymentDate: '2019-05-01' }, '/paymentDate UNSUPPORTED_TAX_YEAR'],
    [{ studentLoanPlan: '03' }, '/studentLoanPlan BAD_STUDENT_LOAN_PLAN'],
    [{ paymentDate: '2025-11-20', studentLoanPlan: '05' }, '/studentLoanPlan PLAN_NOT_IN_FORCE'],
    [{ lateReason: 'E' }, '/lateReason BAD_LATE_REASON'],
    [{ nino: 'GB123456A' }, '/nino BAD_NINO_FORMAT'],
    [{ worksNumber: 'AB123456C' }, '/worksNumber WORKS_NUMBER_IS_NINO'],
    [{ payeReference: '12/AB' }, '/payeReference BAD_PAYE_REF'],
    [{ taxablePayPence: 10.5 }, '/taxablePayPence NOT_INTEGER_PENCE'],
    [{ directorsNic: 'AN', directorAppointedWeek: 54 }, '/directorAppointedWeek DIRECTOR_WEEK_INVALID'],
  ])('%o is refused at the door as %s', async (wrong, fault) => {
    const body = payment({ worksNumber: 'W-WRONG', taxablePayPence: 100_000, nicableEarningsPence: 100_000, ...wrong });
    const answer = await service.call<{ faults: { code: string; pointer: string }[] }>(
      'payer',
      'POST',
      '/payer/v1/events/paye',
      body,
    );
    expect(answer.status).toBe(422);
    expect(answer.body.faults.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([fault]);
  });

  it('of claims is refused at the door', async () => {
    const sick = { ...CLAIMS, eventId: randomUUID(), statutoryPayPence: { SSP: 100 }, taxMonth: 13 };
    const answer = await service.call<{ faults: { code: string }[] }>('payer', 'POST', '/payer/v1/events/paye', sick);
    expect(answer.status).toBe(422);
    expect(answer.body.faults.map(({ code }) => code).sort()).toEqual(['BAD_TAX_MONTH', 'NOT_RECOVERABLE']);
  });

  it('neither a repeat nor another body under a known id changes anything', async () => {
    const again = await service.call('payer', 'POST', '/payer/v1/events/paye', PAYMENTS.cat);
    expect(again).toEqual({ status: 202, body: { queued: 1 } });
    const other = await service.call<{ code: string }>('payer', 'POST', '/payer/v1/events/paye', {
      ...PAYMENTS.cat,
      taxablePayPence: 1,
    });
    expect([other.status, other.body.code]).toEqual([409, 'EVENT_ID_CONFLICT']);
    const { body } = await service.call<Month>('payer', 'GET', `${PATH}/months/${NAME}`);
    expect(body).toEqual(month);
  });

  it.each([
    ['months/2026-27-M13', 422, 'BAD_TAX_MONTH'],
    ['months/november', 422, 'BAD_TAX_MONTH'],
    ['months/2019-20-M01', 422, 'UNSUPPORTED_TAX_YEAR'],
    [`months/${NAME}?limit=1001`, 422, 'INPUT_INVALID'],
    [`months/${NAME}?after=-1`, 422, 'INPUT_INVALID'],
    [`months/${NAME}?accountsOfficeReference=123PA12345678`, 422, 'BAD_AO_REF_CHECK_CHARACTER'],
    ['employments/W-NOBODY', 404, 'NOT_FOUND'],
    ['employments/W-ANN?taxYear=26', 422, 'BAD_TAX_YEAR'],
    ['employments/W-ANN/payslips/2026-11-21?taxYear=2026-27', 404, 'NOT_FOUND'],
  ])('%s is answered with %i %s', async (path, status, code) => {
    const answer = await service.call<{ code: string }>('payer', 'GET', `${PATH}/${path}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('is another’s account, one that is unknown, and a key of the bank', async () => {
    const unknown = await service.call<{ code: string }>('payer', 'GET', `/v1/paye/accounts/999-ZZ9/months/${NAME}`);
    expect(unknown.status).toBe(404);
    const vat = await service.call<{ code: string }>('payer', 'GET', `/v1/paye/accounts/vat:101747696/months/${NAME}`);
    expect(vat.status).toBe(404);
    const bank = await service.call<{ code: string }>('bank', 'GET', `${PATH}/months/${NAME}`);
    expect(bank.status).toBe(403);
  });
});
