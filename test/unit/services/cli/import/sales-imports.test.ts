import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImportWorld } from '../../../../support/import-world.ts';

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
  zone: 'Europe/London',
  tillId: 'SHOP1',
  creditNotePrefix: 'CN',
  categories: [{ code: 'FOOD.*', category: 'food.basic' }],
  defaultCategory: 'standard',
  notSupplies: [],
  writeOffs: 'not a supply',
  homeCountries: ['United Kingdom', 'Unspecified'],
  dispatches: { countries: ['France'], category: 'goods.dispatched_eu' },
  abroadCategory: 'zero',
};
const HEAD = 'receipt,sku,qty,price,time,customer,country';
const UK = 'United Kingdom';
const csv = (...rows: readonly string[]): string => [HEAD, ...rows, ''].join('\n');

let world: ImportWorld;
beforeEach(() => {
  world = new ImportWorld();
});
afterEach(() => world.dispose());

const sales = (content: string | Buffer, more: Parameters<ImportWorld['sales']>[1] = {}) =>
  world.sales(content, { mapping: MAPPING, ...more });
const outputVat = (): number => world.heads['outputVat'] ?? 0;

describe('what names an invoice is its number and day, not its place in a file', () => {
  const first = csv(
    `R1,MUG,1,12.00,2026-11-02 10:00:00,,${UK}`,
    `R2,MUG,1,"1,200.00",2026-11-02 10:05:00,,${UK}`,
    `R3,MUG,1,24.00,2026-11-02 13:10:00,,${UK}`,
  );
  const mended = first.replace('"1,200.00"', '1200.00');

  it('a line mended leaves the other invoices alone, and the till goes on with its numbers', async () => {
    const refused = await sales(first);
    expect(refused).toMatchObject({ accepted: 2, rejected: 1, seenBefore: 0 });
    expect(refused.rejections[0]).toMatchObject({
      name: 'R2',
      code: 'DECIMAL_INVALID',
      reason: expect.stringContaining(
        'line 3, column "price": "9,999.99" is no amount written as 1234.56: where the file writes amounts so, say "amounts": "£1,234.56" in the mapping',
      ),
    });
    expect(await sales(mended)).toMatchObject({ accepted: 3, rejected: 0, seenBefore: 2, events: 1, flags: {} });
    expect(outputVat()).toBe(200 + 20_000 + 400);
    expect(world.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('the same in another order, with an older invoice added, and the next month’s file', async () => {
    await sales(mended);
    const rows = mended.trim().split('\n').slice(1).reverse();
    const other = `R0,MUG,1,6.00,2026-10-02 10:00:00,,${UK}`;
    expect(await sales(csv(...rows, other))).toMatchObject({ accepted: 4, seenBefore: 3, events: 1, flags: {} });
    const next = csv(`R4,MUG,1,12.00,2026-12-02 10:00:00,,${UK}`);
    expect(await sales(next)).toMatchObject({ accepted: 1, seenBefore: 0, flags: {} });
    expect(world.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('numbers that begin again each day are different receipts', async () => {
    const days = csv(`1,MUG,1,12.00,2026-11-02 10:00:00,,${UK}`, `1,MUG,1,24.00,2026-11-03 10:00:00,,${UK}`);
    expect(await sales(days)).toMatchObject({ read: 2, accepted: 2 });
    expect(outputVat()).toBe(600);
    // in a file of its own too, and written otherwise
    expect(await sales(csv(`1,MUG,1,36.00,2026-11-04T10:00:00Z,,${UK}`))).toMatchObject({ accepted: 1, seenBefore: 0 });
    expect(outputVat()).toBe(1_200);
  });

  it('a shop’s numbers are its own', async () => {
    const mapping = { ...MAPPING, columns: { ...MAPPING.columns, shop: 'shop' } };
    const rows = ['Leeds', 'York'].map((shop) => `1,MUG,1,12.00,2026-11-02 10:00:00,,${UK},${shop}`);
    expect(await sales([`${HEAD},shop`, ...rows, ''].join('\n'), { mapping })).toMatchObject({ read: 2, accepted: 2 });
    expect(outputVat()).toBe(400);
  });

  it('a changed amount is refused with what stands, and put right where that is asked for', async () => {
    await sales(mended);
    const changed = mended.replace('24.00', '36.00');
    const refused = await sales(changed);
    expect(refused).toMatchObject({ accepted: 2, rejected: 1, events: 0 });
    expect(refused.rejections[0]).toMatchObject({
      code: 'CHANGED_SINCE_IMPORT',
      reason:
        'line 4: it was imported before, and now has a total of 36.00 instead of 24.00. What was imported stands; --corrections apply takes that back and puts this in its place',
    });
    expect(outputVat()).toBe(20_600);
    expect(await sales(changed, { corrections: 'apply' })).toMatchObject({
      rejections: [],
      accepted: 3,
      seenBefore: 2,
      corrected: 1,
      events: 2,
      flags: {},
    });
    expect(outputVat()).toBe(20_800);
    expect(world.events.slice(3).map(({ type, totalPence }) => [type, totalPence])).toEqual([
      ['VOID', -2_400],
      ['SALE', 3_600],
    ]);
    // The corrected file is the same as what stands; the file of before is not, and can be put back.
    expect(await sales(changed, { corrections: 'apply' })).toMatchObject({ accepted: 3, seenBefore: 3, events: 0 });
    expect(await sales(mended)).toMatchObject({ accepted: 2, rejected: 1, events: 0 });
    expect(await sales(mended, { corrections: 'apply' })).toMatchObject({ corrected: 1 });
    expect(outputVat()).toBe(20_600);
  });

  it('a credit note finds its sale in an earlier file, once', async () => {
    await sales(csv(`R1,MUG,2,12.00,2026-06-02 10:00:00,C7,${UK}`));
    const credit = csv(`CN1,MUG,-1,12.00,2026-11-02 10:00:00,C7,${UK}`);
    expect(await sales(credit)).toMatchObject({ accepted: 1, flags: {} });
    expect(await sales(credit)).toMatchObject({ accepted: 1, seenBefore: 1, events: 0 });
    const both = csv(`CN2,MUG,-2,12.00,2026-11-03 10:00:00,C7,${UK}`);
    expect(await sales(both)).toMatchObject({ accepted: 1, events: 2, flags: { UNLINKED_REFUND: 1 } });
    const refunds = world.events.slice(1).map((event) => [event['totalPence'], 'originalEventId' in event]);
    expect(refunds).toEqual([
      [-1_200, true],
      [-1_200, true],
      [-1_200, false],
    ]);
    const less = await sales(credit.replace('-1,12.00', '-1,11.00'));
    expect(less.rejections[0]).toMatchObject({
      code: 'CHANGED_SINCE_IMPORT',
      reason: expect.stringContaining('11.00 given back instead of 12.00'),
    });
  });

  it('equal rows of a receipt are asked about, by both places, and counted or not as is said', async () => {
    const row = `R1,MUG,1,12.00,2026-11-02 10:00:00,,${UK}`;
    const asked = await sales(csv(row, row));
    expect(asked.rejections).toMatchObject([
      {
        code: 'EQUAL_ROWS',
        reason: expect.stringMatching(
          /^line 3: the row is the same as line 2: .*--equal-rows count.*--equal-rows once/,
        ),
      },
    ]);
    expect(await sales(csv(row, row), { equalRows: 'once' })).toMatchObject({ accepted: 1 });
    expect(outputVat()).toBe(200);
    expect(await sales(csv(row, row), { equalRows: 'count', vrn: '101747641' })).toMatchObject({ accepted: 1 });
    expect(outputVat()).toBe(600);
  });
});

describe('a gap is never a fact', () => {
  it.each(['UK', 'GB', 'united kingdom', 'England', 'Unspecified'])('%s is the United Kingdom', async (country) => {
    expect(await sales(csv(`R1,MUG,1,12.00,2026-11-05 10:00:00,,${country}`))).toMatchObject({ accepted: 1 });
    expect(outputVat()).toBe(200);
  });

  it.each([
    ['a blank country', '', 'COUNTRY_MISSING', /line 2, column "country": it is empty/],
    [
      'a country in no list',
      'Atlantis',
      'COUNTRY_UNKNOWN',
      /line 2, column "country".*"homeCountries".*"abroadCountries"/,
    ],
  ])('%s is no export', async (_name, country, code, reason) => {
    const { rejections } = await sales(csv(`R1,MUG,1,12.00,2026-11-05 10:00:00,,${country}`));
    expect(rejections).toMatchObject([{ code, reason: expect.stringMatching(reason) }]);
    expect(world.events).toEqual([]);
  });

  it('a country that the mapping lists is one', async () => {
    const mapping = { ...MAPPING, abroadCountries: ['Japan'] };
    await sales(csv('R1,MUG,1,12.00,2026-11-05 10:00:00,,Japan', 'R2,MUG,1,12.00,2026-11-05 10:00:00,,France'), {
      mapping,
    });
    expect(outputVat()).toBe(0);
  });

  it.each([
    [
      'a quantity of 0',
      'R1,MUG,0,12.00,2026-11-05 09:00:00,,',
      'QUANTITY_ZERO',
      /^line 2, column "qty": 0 is not a quantity/,
    ],
    [
      'a day-first date',
      'R1,MUG,1,12.00,05/11/2026 09:00,,',
      'TIME_INVALID',
      /column "time".*say "dates": "DD\/MM\/YYYY" or "dates": "MM\/DD\/YYYY" in the mapping/,
    ],
    ['a day alone', 'R1,MUG,1,12.00,2026-11-05,,', 'TIME_INVALID', /has no time of day/],
    ['a pound sign', 'R1,MUG,1,£12.00,2026-11-05 09:00:00,,', 'DECIMAL_INVALID', /say "amounts": "£1,234.56"/],
    ['parentheses', 'R1,MUG,1,(12.00),2026-11-05 09:00:00,,', 'DECIMAL_INVALID', /say "amounts": "£1,234.56"/],
    ['euros', 'R1,MUG,1,€12.00,2026-11-05 09:00:00,,', 'CURRENCY_NOT_GBP', /another currency/],
    ['a blank price', 'R1,MUG,1,,2026-11-05 09:00:00,,', 'DECIMAL_INVALID', /column "price": it is empty/],
    [
      'an item without a code',
      'R1,,1,12.00,2026-11-05 09:00:00,,',
      'ITEM_CODE_MISSING',
      /"itemsWithoutCode": "defaultCategory"/,
    ],
    ['a negative line', 'R1,DISC,1,-1.20,2026-11-05 09:00:00,,', 'NEGATIVE_SALE_LINE', /"discounts".*"tenders"/],
    ['no receipt number', ',MUG,1,12.00,2026-11-05 09:00:00,,', 'INVOICE_NUMBER_MISSING', /column "receipt"/],
    ['a lost character', 'R1,M\uFFFDG,1,12.00,2026-11-05 09:00:00,,', 'BADLY_DECODED', /column "sku"/],
  ])('%s is refused by its place, with the line of the mapping that reads it', async (_name, row, code, reason) => {
    const { rejections } = await sales(csv(`${row}${UK}`));
    expect(rejections).toMatchObject([{ code, reason: expect.stringMatching(reason) }]);
  });

  it('another currency is refused whether its column is mapped or not, and rows of two countries or customers are not one invoice', async () => {
    const eur = `${HEAD},Currency\nR1,MUG,1,12.00,2026-11-05 09:00:00,,${UK},EUR\n`;
    expect((await sales(eur)).rejections).toMatchObject([
      { code: 'CURRENCY_NOT_GBP', reason: expect.stringContaining('column "Currency": EUR is not GBP') },
    ]);
    const mixed = csv(`R1,MUG,1,12.00,2026-11-05 09:00:00,A,${UK}`, `R1,CUP,1,12.00,2026-11-05 09:00:00,B,${UK}`);
    expect((await sales(mixed)).rejections).toMatchObject([
      { code: 'INVOICE_MIXED', reason: expect.stringContaining('line 3, column "customer": it differs from line 2') },
    ]);
  });

  it('money in a column that the mapping does not name refuses the file, unless it is left out on purpose', async () => {
    const file = `${HEAD},Discount,Total\nR1,MUG,1,12.00,2026-11-05 09:00:00,,${UK},2.00,10.00\n`;
    await expect(sales(file)).rejects.toMatchObject({
      code: 'MONEY_NOT_READ',
      message: expect.stringContaining('"Discount", "Total"'),
    });
    const mapping = { ...MAPPING, columns: { ...MAPPING.columns, orderDiscount: 'Discount', total: 'Total' } };
    expect(await sales(file, { mapping })).toMatchObject({ accepted: 1 });
    expect(outputVat()).toBe(167);
    const left = { ...MAPPING, notRead: ['Discount', 'Total'] };
    expect(await sales(file, { mapping: left, vrn: '101747641' })).toMatchObject({ accepted: 1 });
  });

  it('a total that the lines do not come to is refused: there is money somewhere else', async () => {
    const mapping = { ...MAPPING, columns: { ...MAPPING.columns, total: 'Total' } };
    const file = `${HEAD},Total\nR1,MUG,1,12.00,2026-11-05 09:00:00,,${UK},10.00\n`;
    expect((await sales(file, { mapping })).rejections).toMatchObject([
      { code: 'TOTAL_DIFFERS', reason: expect.stringContaining('the lines come to 12.00, and it says 10.00') },
    ]);
  });

  it('a category that is none is one message before a row is read, with the nearest name', async () => {
    const mapping = { ...MAPPING, defaultCategory: 'Standard', categories: [{ code: 'F.*', category: 'food.basics' }] };
    await expect(sales(csv(), { mapping })).rejects.toMatchObject({
      code: 'MAPPING_INVALID',
      message: expect.stringMatching(
        /\/defaultCategory: "Standard".*is "standard" meant\?\n.*\/categories\/0\/category.*is "food.basic" meant/s,
      ),
    });
  });
});

describe('sales as tills and shops write them', () => {
  const mapping = {
    ...MAPPING,
    dates: 'DD/MM/YYYY',
    amounts: '£1,234.56',
    itemsWithoutCode: 'defaultCategory',
    discounts: ['DISC.*'],
    tenders: ['GIFT'],
  };

  it.each([
    [
      'a discount as a negative line',
      ['D1,MUG,1,12.00,2026-11-05 09:00:00', 'D1,DISC10,1,-1.20,2026-11-05 09:00:00'],
      180,
    ],
    ['an exchange in one receipt', ['D4,MUG,1,24.00,2026-11-05 09:30:00', 'D4,MUG,-1,12.00,2026-11-05 09:30:00'], 200],
    ['an open-price item', ['D7,,1,12.00,2026-11-05 09:55:00'], 200],
    ['a day-first time', ['D8,MUG,1,12.00,05/11/2026 09:00'], 200],
    ['a time with Z', ['D10,MUG,1,12.00,2026-11-05T09:00:00Z'], 200],
    ['a time with an offset', ['D11,MUG,1,12.00,2026-11-05 09:00:00 +0000'], 200],
    ['a pound sign and thousands', ['D12,MUG,1,"£1,200.00",2026-11-05 09:00:00'], 20_000],
    [
      'a gift card given in payment',
      ['D13,MUG,1,12.00,2026-11-05 09:00:00', 'D13,GIFT,1,-5.00,2026-11-05 09:00:00'],
      200,
    ],
    [
      'a discount over goods of two rates',
      [
        'D14,MUG,1,12.00,2026-11-05 09:00:00',
        'D14,FOOD1,1,12.00,2026-11-05 09:00:00',
        'D14,DISC,1,-2.40,2026-11-05 09:00:00',
      ],
      180,
    ],
  ])('%s', async (_name, rows, vat) => {
    expect(await sales(csv(...rows.map((row) => `${row},,${UK}`)), { mapping })).toMatchObject({
      accepted: 1,
      rejected: 0,
    });
    expect(outputVat()).toBe(vat);
    expect(world.events.every(({ occurredAt }) => /^2026-11-05T09:/.test(String(occurredAt)))).toBe(true);
  });

  it('date and time in two columns are joined', async () => {
    const joined = { ...mapping, columns: { ...MAPPING.columns, occurredAt: ['Date', 'Time'] } };
    const file = `receipt,sku,qty,price,Date,Time,customer,country\nR1,MUG,1,£12.00,05/11/2026,09:00:00,,${UK}\n`;
    expect(await sales(file, { mapping: joined })).toMatchObject({ accepted: 1 });
    expect(world.events[0]).toMatchObject({ occurredAt: '2026-11-05T09:00:00Z' });
  });
});
