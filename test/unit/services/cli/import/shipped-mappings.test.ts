import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proposeMapping } from '../../../../../services/cli/mapping/propose-mapping.ts';
import { type Row, readRows } from '../../../../../services/cli/rows/read-rows.ts';
import { capability } from '../../../../support/capabilities.ts';
import { ImportWorld } from '../../../../support/import-world.ts';

let world: ImportWorld;
beforeEach(() => {
  world = new ImportWorld();
});
afterEach(() => world.dispose());

const outputVat = (): number => world.heads['outputVat'] ?? 0;
const data = capability('real-data');

/** The same payment of £3,250.00 in May 2026, as four programs write it. */
const PAYROLLS: readonly [string, string][] = [
  [
    'brightpay',
    'Works Number,Name,Surname,National Insurance Number,Pay Date,Payment Frequency,Tax Code,Week/Month 1 Basis,Taxable Pay,NICable Pay,National Insurance Table,Student Loan Plan,Postgraduate Loan,Tax,Employee NIC,Employer NIC,Net Pay\n7,Ann,Lee,AB 12 34 56 C,29/05/2026,Monthly,1257L,No,"£3,250.00","£3,250.00",A,Plan 2,No,£440.40,£176.16,£424.95,"£2,500.00"\n',
  ],
  [
    'sage',
    'Employee Reference,Surname,NI Number,Payment Date,Payment Frequency,Tax Code,Taxable Gross Pay,NIable Gross Pay,NI Category,Student Loan Plan,PAYE Tax,Employee NI,Employer NI\n7,Lee,AB123456C,29/05/26,Monthly,1257L,3250.00,3250.00,A,Plan 2,440.40,176.16,424.95\n',
  ],
  [
    'xero',
    'Employee Number,Employee Name,NI Number,Payment Date,Pay Frequency,Tax Code,Taxable Earnings,NIable Earnings,NI Category Letter,Student Loan Plan,PAYE,Employee NIC,Employer NIC\n7,Ann Lee,AB123456C,29 May 2026,Monthly,1257L,"3,250.00","3,250.00",A,Plan 2,440.40,176.16,424.95\n',
  ],
  [
    'payroll',
    'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan\n123/AB456,7,AB123456C,2026-05-29,M1,2,1257L,,3250.00,3250.00,A,02,\n',
  ],
];

describe('payroll, by the mapping of its software', () => {
  it.each(PAYROLLS)('%s: the payment is taken without a hand on the file', async (mapping, file) => {
    const employer = mapping === 'payroll' ? {} : { payeReference: '123/AB456' };
    expect(await world.payroll(file, { mapping, ...employer })).toMatchObject({ accepted: 1, rejections: [] });
    expect(world.events[0]).toMatchObject({
      payeReference: '123/AB456',
      worksNumber: '7',
      paymentDate: '2026-05-29',
      payFrequency: 'M1',
      period: 2,
      taxCode: '1257L',
      taxablePayPence: 325_000,
      nicableEarningsPence: 325_000,
      niCategory: 'A',
      studentLoanPlan: '02',
    });
    if (mapping !== 'payroll') expect(world.events[0]).toMatchObject({ stated: { incomeTaxPence: 44_040 } });
  });

  it('without the employer’s reference it is asked for before a row is read', async () => {
    await expect(world.payroll(PAYROLLS[0]?.[1] ?? '', { mapping: 'brightpay' })).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
      message: expect.stringContaining('--paye-reference 123/AB456'),
    });
  });

  it('a name of no mapping is answered with those that there are', async () => {
    await expect(world.payroll('', { mapping: 'brightpays' })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('brightpay, '),
    });
  });

  it.each(PAYROLLS)('%s: what is proposed for it reads it', async (name, content) => {
    const { mapping } = await proposed(content);
    const employer = name === 'payroll' ? {} : { payeReference: '123/AB456' };
    expect(await world.payroll(content, { mapping, ...employer })).toMatchObject({ accepted: 1, rejections: [] });
    expect(world.events[0]).toMatchObject({
      taxablePayPence: 325_000,
      nicableEarningsPence: 325_000,
      studentLoanPlan: '02',
      period: 2,
    });
  });
});

const SHOPIFY = `Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Shipping Country,Refunded Amount
#1001,ann@example.com,partially_refunded,GBP,20.00,3.60,3.93,23.60,TENOFF,4.00,2026-11-05 09:00:00 +0000,2,Mug,10.00,MUG,GB,12.00
#1001,ann@example.com,,,,,,,,,2026-11-05 09:00:00 +0000,1,Spoon,4.00,SPOON,,
#1002,bob@example.com,paid,EUR,10.00,0.00,1.67,10.00,,0.00,2026-11-05 09:00:00 +0000,1,Mug,10.00,MUG,GB,0.00
#1003,cat@example.com,paid,GBP,10.00,0.00,1.67,10.00,,0.00,2026-11-05 09:00:00 +0000,1,Voucher,10.00,EVOUCH,,0.00
`;
const SQUARE = `Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,Tax,Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Customer ID,Customer Name
05/11/2026,09:00:00,London,Drinks,Coffee,2.0,Regular,COF,,£6.00,-£1.20,£4.80,£0.80,tx1,p1,iPad,,,Payment,Leeds,,
06/11/2026,10:00:00,London,Drinks,Coffee,-1.0,Regular,COF,,-£3.00,£0.60,-£2.40,-£0.40,tx2,p2,iPad,,,Refund,Leeds,,
`;
const SUMUP = `Date,Time,Type,Transaction ID,Receipt Number,Payment Method,Quantity,Description,Currency,Price (Gross),Price (Net),Tax,Tax rate
05/11/2026,09:00,Sale,T1,R1,Card,1,Cake,GBP,£6.00,£5.00,£1.00,20%
05/11/2026,09:30,Sale,T2,R2,Card,1,Cake,EUR,€6.00,€5.00,€1.00,20%
06/11/2026,09:00,Refund,T3,R3,Card,1,Cake,GBP,£6.00,£5.00,£1.00,20%
`;

describe('sales, by the mapping of their software', () => {
  it('Shopify: discount, carriage and what was given back count, another currency is refused, no address is the United Kingdom', async () => {
    const summary = await world.sales(SHOPIFY, { mapping: 'shopify' });
    expect(summary.rejections).toMatchObject([{ name: '#1002', code: 'CURRENCY_NOT_GBP' }]);
    expect(world.events.map(({ type, totalPence }) => [type, totalPence])).toEqual([
      ['SALE', 2_360],
      ['REFUND', -1_200],
      ['SALE', 1_000],
    ]);
    expect(outputVat()).toBe(393 - 200 + 167);
    expect(await world.sales(SHOPIFY, { mapping: 'shopify' })).toMatchObject({ accepted: 2, seenBefore: 2, events: 0 });
  });

  it('Shopify: money given back since the last export is a further refund, where corrections are applied', async () => {
    await world.sales(SHOPIFY, { mapping: 'shopify' });
    const later = SHOPIFY.replace(',GB,12.00', ',GB,15.00');
    expect((await world.sales(later, { mapping: 'shopify' })).rejections[0]).toMatchObject({
      code: 'CHANGED_SINCE_IMPORT',
      reason: expect.stringContaining('15.00 given back instead of 12.00'),
    });
    expect(await world.sales(later, { mapping: 'shopify', corrections: 'apply' })).toMatchObject({
      corrected: 1,
      events: 1,
    });
    expect(world.events.at(-1)).toMatchObject({ type: 'REFUND', totalPence: -300 });
    expect(await world.sales(later, { mapping: 'shopify' })).toMatchObject({ accepted: 2, events: 0 });
  });

  it('Square: discounts come off, and a quantity of -1 gives back', async () => {
    expect(await world.sales(SQUARE, { mapping: 'square' })).toMatchObject({ accepted: 2, rejections: [] });
    expect(world.events.map(({ type, totalPence, occurredAt }) => [type, totalPence, occurredAt])).toEqual([
      ['SALE', 480, '2026-11-05T09:00:00Z'],
      ['REFUND', -240, '2026-11-06T10:00:00Z'],
    ]);
  });

  it('SumUp: a row that says so gives back, and euros are refused', async () => {
    const { rejections } = await world.sales(SUMUP, { mapping: 'sumup' });
    expect(rejections).toMatchObject([{ name: 'T2', code: 'CURRENCY_NOT_GBP' }]);
    expect(world.events.map(({ type, totalPence }) => [type, totalPence])).toEqual([
      ['SALE', 600],
      ['REFUND', -600],
    ]);
  });

  it.each([
    ['Shopify', SHOPIFY],
    ['Square', SQUARE],
    ['SumUp', SUMUP],
  ])('%s: what is proposed leaves to a person what no file says, and leaves no money out', async (_name, content) => {
    const { mapping, notes } = await proposed(content);
    await expect(world.sales(content, { mapping })).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
      message: expect.stringContaining('/pricesIncludeVat'),
    });
    expect(notes.join('\n')).toMatch(/columns that may hold money/);
    await expect(world.sales(content, { mapping: { ...mapping, pricesIncludeVat: true } })).rejects.toMatchObject({
      code: 'MONEY_NOT_READ',
    });
  });
});

describe('a trial', () => {
  it('says what would be owed on top of what was imported, as the import then finds it, and writes nothing', async () => {
    await world.sales(SQUARE.replace('tx1', 'tx0'), { mapping: 'square' });
    const before = [outputVat(), world.events.length];
    const trial = await world.trySales(SQUARE, { mapping: 'square' });
    expect(trial).toMatchObject({
      read: 2,
      accepted: 2,
      rejected: 0,
      seenBefore: 1,
      owed: [{ account: 'vat:101747696', pence: { outputVat: 80 } }],
    });
    expect([outputVat(), world.events.length]).toEqual(before);
    await world.sales(SQUARE, { mapping: 'square' });
    expect(outputVat() - (before[0] ?? 0)).toBe(80);
  });

  it('works out pay on the year so far', async () => {
    const [, file = ''] = PAYROLLS[3] ?? [];
    await world.payroll(file);
    const before = world.heads;
    const june = file.replace('2026-05-29,M1,2', '2026-06-30,M1,3');
    const trial = await world.tryPayroll(june);
    await world.payroll(june);
    const moved = Object.fromEntries(
      Object.entries(world.heads).map(([head, pence]) => [head, pence - (before[head] ?? 0)]),
    );
    expect(trial.owed).toEqual([{ account: 'paye:123/AB456', pence: moved }]);
    expect(moved['incomeTax']).toBeGreaterThan(0);
  });

  it('refuses what the import would refuse', async () => {
    const [, file = ''] = PAYROLLS[3] ?? [];
    const trial = await world.tryPayroll(file.replace('1257L', 'ZZZ'));
    expect(trial).toMatchObject({
      accepted: 0,
      rejected: 1,
      owed: [],
      rejections: [{ code: 'BAD_TAX_CODE', reason: expect.stringMatching(/^line 2, column "tax_code"/) }],
    });
  });
});

it('every shipped mapping is read, and the page of mappings names it', async () => {
  const page = readFileSync('docs/mappings/README.md', 'utf8');
  const files = readdirSync('docs/mappings').filter((file) => file.endsWith('.json'));
  expect(files.length).toBeGreaterThan(8);
  for (const file of files) {
    expect(page).toContain(`\`${file.replace('.json', '')}\``);
    const { kind } = JSON.parse(readFileSync(join('docs/mappings', file), 'utf8')) as { readonly kind: string };
    const empty = world.write('a,b\n');
    const read =
      kind === 'sales'
        ? world.sales(readFileSync(empty), { mapping: file.replace('.json', '') })
        : world.payroll(readFileSync(empty), { mapping: file.replace('.json', ''), payeReference: '123/AB456' });
    await expect(read).rejects.toMatchObject({ code: 'COLUMN_MISSING' });
  }
});

describe.skipIf(!data.available)('the vendors’ own examples', () => {
  it.each([
    ['poslog_ncr_acs_SMALL.redacted.xml', 'FILE_IS_XML', /a POSLog of a till/],
    ['square/CreateOrderResponse.example.json', 'ROWS_NOT_NAMED', /"rows": "order.line_items"/],
    ['square/RefundPaymentResponse.example.json', 'COLUMN_MISSING', /its columns are: refund.amount_money.amount/],
    ['sumup/get_v2_1_merchants_merchant_code_transactions_history_example.json', 'ROWS_NOT_NAMED', /"rows": "items"/],
    ['sumup/get_v1_1_receipts_transaction_id_example.json', 'COLUMN_MISSING', /transaction_data.timestamp/],
  ])('%s is told by what it is, with what to map', async (file, code, text) => {
    const content = readFileSync(join(data.path, 'tillformats', file));
    await expect(world.sales(content, { mapping: 'square' })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(text),
    });
  });

  it('an order of Square, and payments of SumUp, in other money than pounds are read by a mapping and refused by their currency', async () => {
    const order = {
      kind: 'sales',
      rows: 'order.line_items',
      amounts: 'pence',
      columns: {
        invoice: 'order.id',
        code: 'name',
        quantity: 'quantity',
        lineAmount: 'total_money.amount',
        occurredAt: 'order.created_at',
        currency: 'total_money.currency',
      },
      pricesIncludeVat: true,
      tillId: 'SQUARE',
      defaultCategory: 'standard',
      notRead: [],
    };
    const content = readFileSync(join(data.path, 'tillformats/square/RetrieveOrderResponse.example.json'));
    const unread = await world.sales(content, { mapping: order }).catch((error: unknown) => error);
    const columns = (unread as { facts: { columns: string[] } }).facts.columns;
    const { rejections } = await world.sales(content, { mapping: { ...order, notRead: columns } });
    expect(rejections).toMatchObject([
      { code: 'CURRENCY_NOT_GBP', reason: expect.stringContaining('entry 1, column "total_money.currency": USD') },
    ]);
  });
});

async function proposed(content: string) {
  const names = new Set<string>();
  const rows: Row[] = [];
  for await (const row of readRows({ file: world.write(content), columns: [] }, names)) rows.push(row);
  return proposeMapping(rows, [...names]);
}
