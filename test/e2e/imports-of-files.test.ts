import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, ServiceProcess, tally } from '../support/service-process.ts';

const UK = 'United Kingdom';
const SALES_HEAD = 'receipt,sku,qty,price,time,customer,country';
const PAYROLL_HEAD =
  'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan';
const MAPPING = {
  kind: 'sales',
  columns: {
    invoice: 'receipt',
    code: 'sku',
    quantity: 'qty',
    unitPrice: 'price',
    occurredAt: 'time',
    customer: 'customer',
    country: 'country',
  },
  pricesIncludeVat: true,
  tillId: 'SHOP1',
  creditNotePrefix: 'CN',
  defaultCategory: 'standard',
  homeCountries: [UK],
};

const folder = mkdtempSync(join(tmpdir(), 'tallystick-imports-'));
let service: ServiceProcess;
let files = 0;

beforeAll(async () => {
  service = new ServiceProcess();
  await service.start();
}, 300_000);
afterAll(async () => {
  await service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function write(content: string | Buffer): string {
  files += 1;
  const file = join(folder, `file-${files}`);
  writeFileSync(file, content);
  return file;
}

const reach = (): string[] => ['--data-dir', service.dataDir];

function sales(
  vrn: string,
  rows: readonly string[],
  more: readonly string[] = [],
  head = SALES_HEAD,
): Promise<CommandResult> {
  const file = write([head, ...rows, ''].join('\n'));
  return tally([
    'import',
    'sales',
    file,
    '--mapping',
    write(JSON.stringify(MAPPING)),
    '--vrn',
    vrn,
    ...reach(),
    ...more,
  ]);
}

function payroll(content: string | Buffer, more: readonly string[] = []): Promise<CommandResult> {
  return tally(['import', 'payroll', write(content), '--mapping', 'payroll', ...reach(), ...more]);
}

async function box1(vrn: string): Promise<number> {
  const { stdout } = await tally(['vat', 'return', vrn, '2026-11-05', ...reach(), '--json']);
  return (JSON.parse(stdout) as { readonly boxesPence: Readonly<Record<number, number>> }).boxesPence[1] ?? Number.NaN;
}

const lastLine = ({ stdout }: CommandResult): string => stdout.trim().split('\n').at(-1) ?? '';

describe('files, sent through the running service', () => {
  it('a mended file of sales changes what was mended; the next goes on with the till’s numbers; a credit note finds its sale', async () => {
    const vrn = '210000564';
    const rows = [
      `R1,MUG,1,12.00,2026-11-02 10:00:00,C7,${UK}`,
      `R2,MUG,1,"1,200.00",2026-11-02 10:05:00,,${UK}`,
      `R3,MUG,1,24.00,2026-11-02 13:10:00,,${UK}`,
    ];
    const first = await sales(vrn, rows);
    expect([first.code, lastLine(first)]).toEqual([1, '2 accepted + 1 rejected = 3 read (invoices)']);
    expect(first.stdout).toMatch(/rejected R2: DECIMAL_INVALID: line 3, column "price".*"amounts": "£1,234.56"/);
    const mended = rows.map((row) => row.replace('"1,200.00"', '1200.00'));
    const second = await sales(vrn, [...mended].reverse());
    expect([second.code, lastLine(second)]).toEqual([0, '3 accepted + 0 rejected = 3 read (invoices)']);
    expect(second.stdout).toContain('2 invoices had been imported before');
    // A receipt that is mended comes after later ones: its time goes back, its number and its link do not.
    expect(second.stdout).not.toMatch(/^flag E_/m);
    const credit = await sales(vrn, [`CN1,MUG,-1,12.00,2026-11-03 10:00:00,C7,${UK}`]);
    expect([credit.code, credit.stdout.includes('UNLINKED_REFUND')]).toEqual([0, false]);
    expect(await box1(vrn)).toBe(20_000 + 400);
  }, 120_000);

  it('a changed amount is refused with what stands, tried out, and put right', async () => {
    const vrn = '210000662';
    const row = (pounds: string): string => `R1,MUG,1,${pounds},2026-11-05 10:00:00,,${UK}`;
    await sales(vrn, [row('12.00')]);
    const refused = await sales(vrn, [row('24.00')]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(
      'now has a total of 24.00 instead of 12.00. What was imported stands; --corrections apply',
    );
    const trial = await sales(vrn, [row('24.00')], ['--corrections', 'apply', '--dry-run']);
    expect(trial.stdout).toContain(`vat:${vrn} would owe £2.00`);
    expect(lastLine(trial)).toBe('1 would be accepted + 0 rejected = 1 read (invoices)');
    expect(await box1(vrn)).toBe(200);
    expect((await sales(vrn, [row('24.00')], ['--corrections', 'apply'])).code).toBe(0);
    expect(await box1(vrn)).toBe(400);
  }, 120_000);

  it('a blank country is no export; a header with one name twice, and money that nobody reads, refuse the file', async () => {
    const vrn = '210000270';
    const blank = await sales(vrn, [
      'R1,MUG,1,12.00,2026-11-05 10:00:00,,',
      'R2,MUG,1,12.00,2026-11-05 10:00:00,,England',
    ]);
    expect(blank.code).toBe(1);
    expect(blank.stdout).toMatch(/COUNTRY_MISSING: line 2, column "country"/);
    expect(await box1(vrn)).toBe(200);
    const twice = await sales(
      vrn,
      ['H1,MUG,1,12.00,99.00,x,,UK'],
      [],
      'receipt,sku,qty,price,price,time,customer,country',
    );
    expect([twice.code, twice.stderr]).toEqual([
      2,
      expect.stringMatching(/"price" twice \(columns 4 and 5\).*Nothing of the file was sent \(COLUMN_TWICE\)\n$/),
    ]);
    const money = await sales(vrn, [`H1,MUG,1,12.00,2026-11-05 10:00:00,,UK,3.00`], [], `${SALES_HEAD},Shipping`);
    expect([money.code, money.stderr]).toEqual([2, expect.stringContaining('"Shipping"')]);
    expect(money.stderr).not.toContain('    at ');
  }, 120_000);

  it('payroll: equal rows are asked about, the file again with a field mended pays nobody twice, and Windows-1252 makes two people', async () => {
    const pay = (worksNumber: string, nino: string, pounds: string): string =>
      `903/RE,${worksNumber},${nino},2026-11-27,M1,8,1257L,,${pounds},${pounds},A,,`;
    const file = (...rows: string[]): string => [PAYROLL_HEAD, ...rows, ''].join('\n');
    const equal = file(pay('B1', '', '500.00'), pay('B1', '', '500.00'));
    const asked = await payroll(equal);
    expect([asked.code, lastLine(asked)]).toEqual([1, '1 accepted + 1 rejected = 2 read (payments)']);
    expect(asked.stdout).toMatch(/EQUAL_ROWS: line 3: the row is the same as line 2/);
    expect(lastLine(await payroll(equal, ['--equal-rows', 'count']))).toBe(
      '2 accepted + 0 rejected = 2 read (payments)',
    );
    expect(await toDate('903-RE', 'B1')).toBe(100_000);

    await payroll(file(pay('E2', '', '3000.00')));
    const again = await payroll(file(pay('E2', 'AB123456C', '3000.00')));
    expect(again.stdout).toContain('now has another "nino"');
    expect(again.stdout + again.stderr).not.toContain('AB123456C');
    expect(await toDate('903-RE', 'E2')).toBe(300_000);
    const applied = await payroll(file(pay('E2', 'AB123456C', '3000.00')), ['--corrections', 'apply']);
    expect([applied.code, applied.stdout.includes('1 payments corrected')]).toEqual([0, true]);
    expect(await toDate('903-RE', 'E2')).toBe(300_000);

    const latin = Buffer.from(file(pay('JOSÉ', '', '1000.00'), pay('JOSÈ', '', '2000.00')), 'latin1');
    const refused = await payroll(latin);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/line 2 is not UTF-8.*--encoding windows-1252/),
    ]);
    expect(lastLine(await payroll(latin, ['--encoding', 'windows-1252']))).toBe(
      '2 accepted + 0 rejected = 2 read (payments)',
    );
    expect([await toDate('903-RE', 'JOSÉ'), await toDate('903-RE', 'JOSÈ')]).toEqual([100_000, 200_000]);
  }, 180_000);

  it('columns that are not read are named, and a mapping is proposed', async () => {
    const extra = `${PAYROLL_HEAD},p45_pay\n904/UN,S1,,2026-11-27,M1,8,1257L,,1000.00,1000.00,A,,,20000.00\n`;
    expect((await payroll(extra)).stdout).toContain('columns not read: p45_pay');
    const proposed = await tally(['import', 'inspect', write(extra)]);
    expect(JSON.parse(proposed.stdout)).toMatchObject({
      kind: 'payroll',
      columns: { 'starter.p45PayPence': 'p45_pay' },
    });
  }, 60_000);
});

/** Taxable pay to date, pence. */
async function toDate(reference: string, worksNumber: string): Promise<number> {
  const path = `/payer/v1/paye/accounts/${reference}/employments/${encodeURIComponent(worksNumber)}?taxYear=2026-27`;
  const { body } = await service.call<{
    readonly payments: readonly {
      readonly event?: { readonly taxablePayPence: number };
      readonly taxablePayPence?: number;
    }[];
  }>('payer', 'GET', path);
  return body.payments.reduce(
    (sum, payment) => sum + (payment.taxablePayPence ?? payment.event?.taxablePayPence ?? Number.NaN),
    0,
  );
}
