import { describe, expect, it } from 'vitest';
import { checkVatSubmission } from '../../../../../../libs/core/vat/check/check-vat-submission.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { SALE_JSON } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const HEAD = { eventId: SALE_JSON.eventId, vrn: SALE_JSON.vrn };
const PURCHASE = {
  ...HEAD,
  type: 'PurchaseRecorded',
  kind: 'purchase',
  taxPoint: '2026-11-20',
  netPence: 10_000,
  vatPence: 2_000,
};
const ADJUSTMENT = { ...PURCHASE, type: 'VatAdjustmentMade', kind: 'import_pva' };
const REGISTRATION = {
  ...HEAD,
  type: 'TraderRegistered',
  validFrom: '2026-10-01',
  cadence: 'stagger2',
  scheme: 'pointOfSale',
};
const FLAT_RATE = { ...REGISTRATION, scheme: 'flatRate', flatRateSector: 'pubs' };
const CLOSE = {
  ...HEAD,
  type: 'VatPeriodClosed',
  periodStart: '2026-07-01',
  periodEnd: '2026-09-30',
  close: 'hard',
};
const SALE = SALE_JSON;
const REPORT = { ...SALE, type: 'X_REPORT', lines: [], totalPence: 0, payments: [] };

const MOST_PENCE = 100_000_000_000;
const WHOLE_PENCE = 'whole pence';
const AT_MOST = 'at most 100000000000 pence either way';
const CIVIL_DATE = 'a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31';
const SHARE = 'basis points, a whole number from 0 to 10000';
const REFERENCE = 'printable text of at most 100 characters';
const CREDIT_SIGN = 'positive on a purchase, negative on a credit';
const UUID = 'a lower-case UUID';

type Told = readonly [code: string, pointer: string, detail: string];

function told(json: unknown): readonly Told[] {
  return checkVatSubmission(json, RULES).map(({ code, pointer, detail }) => [code, pointer, detail]);
}

describe('what a purchase is told of a fault is its code, its place and what would be right', () => {
  it.each<[other: object, told: Told]>([
    [{ eventId: 7 }, ['E_EVENT_ID', '/eventId', UUID]],
    [{ eventId: [HEAD.eventId] }, ['E_EVENT_ID', '/eventId', UUID]],
    [{ kind: 'gift' }, ['E_ENTRY_KIND', '/kind', 'purchase or purchase_credit']],
    [{ taxPoint: '2026-02-30' }, ['E_DATE', '/taxPoint', CIVIL_DATE]],
    [{ taxPoint: ['2026-11-20'] }, ['E_DATE', '/taxPoint', CIVIL_DATE]],
    [{ netPence: '10000' }, ['E_AMOUNT_NOT_INTEGER', '/netPence', WHOLE_PENCE]],
    [{ vatPence: 0.5 }, ['E_AMOUNT_NOT_INTEGER', '/vatPence', WHOLE_PENCE]],
    [{ netPence: MOST_PENCE + 1 }, ['E_AMOUNT_RANGE', '/netPence', AT_MOST]],
    [{ netPence: -1 }, ['E_SIGN', '/netPence', CREDIT_SIGN]],
    [{ kind: 'purchase_credit', netPence: -1, vatPence: 1 }, ['E_SIGN', '/vatPence', CREDIT_SIGN]],
    [{ recoverableBasisPoints: 10_001 }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ recoverableBasisPoints: -1 }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ recoverableBasisPoints: 0.5 }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ supplierVrn: '1'.repeat(21) }, ['FIELD_TYPE', '/supplierVrn', 'printable text of at most 20 characters']],
    [{ reference: 'r'.repeat(101) }, ['FIELD_TYPE', '/reference', REFERENCE]],
    [{ reference: 7 }, ['FIELD_TYPE', '/reference', REFERENCE]],
  ])('%j', (other, fault) => {
    expect(told({ ...PURCHASE, ...other })).toEqual([fault]);
  });

  it.each([
    { netPence: MOST_PENCE, vatPence: 0, recoverableBasisPoints: 0 },
    { kind: 'purchase_credit', netPence: -MOST_PENCE, vatPence: 0, recoverableBasisPoints: 10_000 },
    { supplierVrn: '1'.repeat(20), reference: 'r'.repeat(100), recoverableBasisPoints: null },
    { supplierVrn: null, reference: null },
  ])('and of %j nothing', (other) => {
    expect(told({ ...PURCHASE, ...other })).toEqual([]);
  });
});

describe('what an adjustment is told of a fault is its code, its place and what would be right', () => {
  const goods = { kind: 'goods_for_resale', vatPence: 0, ratePct: '20' };
  const item = { kind: 'margin_sale', vatPence: 0, costPence: 1 };
  const pool = { kind: 'margin_pool_purchase', vatPence: 0 };
  const dearItem = 'an item of the pool costs at most 50000 pence: a purchase above it says what its dearest item cost';

  it.each<[other: object, told: Told]>([
    [{ kind: 'purchase' }, ['E_ENTRY_KIND', '/kind', 'a kind of adjustment']],
    [{ kind: 'purchase_credit' }, ['E_ENTRY_KIND', '/kind', 'a kind of adjustment']],
    [{ kind: ['import_pva'] }, ['E_ENTRY_KIND', '/kind', 'a kind of adjustment']],
    [{ taxPoint: 'today' }, ['E_DATE', '/taxPoint', CIVIL_DATE]],
    [{ taxPoint: ['2026-11-20'] }, ['E_DATE', '/taxPoint', CIVIL_DATE]],
    [{ netPence: null }, ['E_AMOUNT_NOT_INTEGER', '/netPence', WHOLE_PENCE]],
    [{ netPence: -MOST_PENCE - 1 }, ['E_AMOUNT_RANGE', '/netPence', AT_MOST]],
    [{ vatPence: MOST_PENCE + 1 }, ['E_AMOUNT_RANGE', '/vatPence', AT_MOST]],
    [{ recoverableBasisPoints: -1 }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ recoverableBasisPoints: 10_001 }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ recoverableBasisPoints: '50' }, ['E_RECOVERABLE', '/recoverableBasisPoints', SHARE]],
    [{ reference: 'r'.repeat(101) }, ['FIELD_TYPE', '/reference', REFERENCE]],
    [{ kind: 'drc_sale' }, ['E_ADJUSTMENT_VAT', '/vatPence', 'this kind bears no VAT of its own: 0']],
    [{ ratePct: '20' }, ['E_RATE_UNKNOWN', '/ratePct', 'goods of the retail schemes alone name a rate']],
    [{ ...goods, ratePct: '100.01' }, ['E_RATE_UNKNOWN', '/ratePct', 'the rate of the goods, as text such as "17.5"']],
    [{ ...goods, ratePct: 20 }, ['E_RATE_UNKNOWN', '/ratePct', 'the rate of the goods, as text such as "17.5"']],
    [{ ...goods, ratePct: '99' }, ['E_RATE_UNKNOWN', '/ratePct', 'a rate in force on 2026-11-20: "0", "5", "20"']],
    [{ ...goods, ratePct: '17.5' }, ['E_RATE_UNKNOWN', '/ratePct', 'a rate in force on 2026-11-20: "0", "5", "20"']],
    [{ ...pool, netPence: 50_001 }, ['E_MARGIN_POOL_ITEM', '/dearestItemPence', dearItem]],
    [{ ...pool, netPence: -50_001 }, ['E_MARGIN_POOL_ITEM', '/dearestItemPence', dearItem]],
    [{ ...pool, netPence: 90_000, dearestItemPence: 50_001 }, ['E_MARGIN_POOL_ITEM', '/dearestItemPence', dearItem]],
    [
      { ...pool, netPence: 90_000, dearestItemPence: '1' },
      ['E_MARGIN_POOL_ITEM', '/dearestItemPence', 'whole pence from 0: what the dearest item of the purchase cost'],
    ],
    [
      { ...pool, netPence: 10, dearestItemPence: 11 },
      ['E_MARGIN_POOL_ITEM', '/dearestItemPence', 'the dearest item costs no more than the whole purchase'],
    ],
    [
      { dearestItemPence: 1 },
      ['E_MARGIN_POOL_ITEM', '/dearestItemPence', 'a purchase for the pool of the margin scheme alone'],
    ],
    [{ vatPence: -1 }, ['E_SIGN', '/vatPence', 'VAT and net value have one sign']],
    [
      { kind: 'stock_retained_dereg', netPence: 10_000, vatPence: 2_003 },
      [
        'E_VAT_ABOVE_RATE',
        '/vatPence',
        'at most 2000 pence, 20% of the net value: ask the supplier for a corrected invoice',
      ],
    ],
    [
      { kind: 'own_use', netPence: 10_000, vatPence: 1_000 },
      ['E_VAT_NOT_AT_RATE', '/vatPence', 'one rate an entry: 0, or of this net value 500 pence (5%), 2000 pence (20%)'],
    ],
    [{ costPence: 1 }, ['E_MARGIN_COST', '/costPence', 'the sale of an item of the margin scheme alone']],
    [{ ...item, costPence: null }, ['E_AMOUNT_NOT_INTEGER', '/costPence', WHOLE_PENCE]],
    [
      { ...item, costPence: -1 },
      ['E_SIGN', '/costPence', 'price and cost have one sign: both are negated in a return'],
    ],
  ])('%j', (other, fault) => {
    expect(told({ ...ADJUSTMENT, ...other })).toEqual([fault]);
  });

  it.each([
    { netPence: MOST_PENCE, vatPence: MOST_PENCE },
    { netPence: -MOST_PENCE, vatPence: -MOST_PENCE },
    { recoverableBasisPoints: 0 },
    { recoverableBasisPoints: 10_000, reference: 'r'.repeat(100) },
    // An item got for nothing, one given away, and one taken back.
    { ...item, costPence: 0 },
    { ...item, netPence: 0 },
    { ...item, netPence: -2, costPence: -1 },
    { ...goods, ratePct: '5' },
    { ...goods, ratePct: '0.0' },
    { ...pool, netPence: 50_000 },
    { ...pool, netPence: 90_000, dearestItemPence: 50_000 },
    { ...pool, netPence: -90_000, dearestItemPence: 12_000 },
    { ...goods, kind: 'stock_opening' },
    { ...goods, kind: 'stock_closing' },
    // Relevant goods of the limited cost trader test state the VAT in what they cost.
    { kind: 'frs_relevant_goods' },
  ])('and of %j nothing', (other) => {
    expect(told({ ...ADJUSTMENT, ...other })).toEqual([]);
  });
});

describe('what a registration is told of a fault is its code, its place and what would be right', () => {
  const month = 'the month 1 to 12 in which annual periods end, for them alone';
  const sector = 'a sector, for the flat rate scheme alone';
  const noSector = 'not a sector of the flat rate scheme on that date';
  const majority = 'the rate of most goods, for direct calculation alone';
  const annual = { cadence: 'annual', annualEndMonth: 3 };

  it.each<[other: object, told: Told]>([
    [{ validFrom: '2026-02-30' }, ['E_DATE', '/validFrom', CIVIL_DATE]],
    [{ validFrom: ['2026-10-01'] }, ['E_DATE', '/validFrom', CIVIL_DATE]],
    [{ registeredOn: 'once' }, ['E_DATE', '/registeredOn', 'a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31']],
    [
      { registeredOn: ['2026-09-01'] },
      ['E_DATE', '/registeredOn', 'a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31'],
    ],
    [{ registeredOn: '2026-10-02' }, ['E_DATE', '/registeredOn', 'not after validFrom']],
    [{ cadence: 'weekly' }, ['E_CADENCE', '/cadence', 'one of stagger1, stagger2, stagger3, monthly, annual']],
    [{ annualEndMonth: 3 }, ['E_CADENCE', '/annualEndMonth', month]],
    [{ ...annual, annualEndMonth: 0 }, ['E_CADENCE', '/annualEndMonth', month]],
    [{ ...annual, annualEndMonth: 13 }, ['E_CADENCE', '/annualEndMonth', month]],
    [{ ...annual, annualEndMonth: 1.5 }, ['E_CADENCE', '/annualEndMonth', month]],
    [{ ...annual, annualEndMonth: '3' }, ['E_CADENCE', '/annualEndMonth', month]],
    [
      { scheme: 'bespoke' },
      [
        'E_SCHEME',
        '/scheme',
        'one of pointOfSale, apportionment1, apportionment2, directCalculation1, directCalculation2, flatRate',
      ],
    ],
    [{ scheme: ['pointOfSale'] }, ['E_SCHEME', '/scheme', expect.stringMatching(/^one of /) as string]],
    [{ limitedCostTest: 'no' }, ['FIELD_TYPE', '/limitedCostTest', 'true or false']],
    [{ cashAccounting: 1 }, ['FIELD_TYPE', '/cashAccounting', 'true or false']],
    [{ interimPayments: 'daily' }, ['E_INTERIM', '/interimPayments', 'none, monthly or quarterly']],
    [{ interimPayments: 'monthly' }, ['E_INTERIM', '/interimPayments', 'annual accounting has annual periods']],
    [{ interimPayments: 'quarterly' }, ['E_INTERIM', '/interimPayments', 'annual accounting has annual periods']],
    [{ poundsRule: 'up' }, ['E_POUNDS_RULE', '/poundsRule', 'truncate or nearest']],
    [{ flatRateSector: 'pubs' }, ['E_FRS_SECTOR', '/flatRateSector', sector]],
    [{ scheme: 'flatRate' }, ['E_FRS_SECTOR', '/flatRateSector', sector]],
    [{ ...FLAT_RATE, flatRateSector: 'inns' }, ['E_FRS_SECTOR', '/flatRateSector', noSector]],
    [{ ...FLAT_RATE, flatRateSector: 'Pubs' }, ['E_FRS_SECTOR', '/flatRateSector', noSector]],
    [{ ...FLAT_RATE, flatRateSector: ['pubs'] }, ['E_FRS_SECTOR', '/flatRateSector', noSector]],
    [
      { ...FLAT_RATE, cashAccounting: true },
      ['E_SCHEME_COMBINATION', '/cashAccounting', 'the flat rate scheme has a cash method of its own'],
    ],
    [{ limitedCostTest: true }, ['E_SCHEME_COMBINATION', '/limitedCostTest', 'for the flat rate scheme alone']],
    [{ majorityRatePct: '20' }, ['E_RATE_UNKNOWN', '/majorityRatePct', majority]],
    [{ scheme: 'directCalculation1' }, ['E_RATE_UNKNOWN', '/majorityRatePct', majority]],
    [{ scheme: 'directCalculation2', majorityRatePct: '100.01' }, ['E_RATE_UNKNOWN', '/majorityRatePct', majority]],
    [
      { scheme: 'directCalculation2', majorityRatePct: '25.01' },
      ['E_RATE_UNKNOWN', '/majorityRatePct', 'a rate of VAT, as text such as "20": none was ever above 25%'],
    ],
    [{ scheme: 'directCalculation2', majorityRatePct: 20 }, ['E_RATE_UNKNOWN', '/majorityRatePct', majority]],
  ])('%j', (other, fault) => {
    expect(told({ ...REGISTRATION, ...other })).toEqual([fault]);
  });

  it.each([
    { registeredOn: '2026-10-01', limitedCostTest: false, cashAccounting: true },
    { ...annual, annualEndMonth: 1, interimPayments: 'monthly' },
    { ...annual, annualEndMonth: 12, interimPayments: 'quarterly' },
    { interimPayments: 'none', poundsRule: 'truncate' },
    { interimPayments: null, poundsRule: 'nearest' },
    { ...FLAT_RATE, limitedCostTest: true },
    { scheme: 'directCalculation1', majorityRatePct: '25' },
    { scheme: 'directCalculation1', majorityRatePct: '0' },
    { scheme: 'directCalculation2', majorityRatePct: '20' },
  ])('and of %j nothing', (other) => {
    expect(told({ ...REGISTRATION, ...other })).toEqual([]);
  });

  it('does not look for a sector in the table where the date cannot be read, or no table is at hand', () => {
    const unknown = { ...FLAT_RATE, flatRateSector: 'inns' };
    expect(told({ ...unknown, validFrom: 'soon' })).toEqual([['E_DATE', '/validFrom', CIVIL_DATE]]);
    expect(checkVatSubmission(unknown, null)).toEqual([]);
    expect(checkVatSubmission({ ...unknown, flatRateSector: 'inns!' }, null)).toHaveLength(1);
    expect(checkVatSubmission({ ...unknown, flatRateSector: '!inns' }, null)).toHaveLength(1);
    expect(checkVatSubmission({ ...unknown, flatRateSector: 'i'.repeat(65) }, null)).toHaveLength(1);
  });
});

describe('what the close of a period is told of a fault is its code, its place and what would be right', () => {
  it.each<[other: object, told: Told]>([
    [{ periodStart: '2026-13-01' }, ['E_DATE', '/periodStart', CIVIL_DATE]],
    [{ periodEnd: ['2026-09-30'] }, ['E_DATE', '/periodEnd', CIVIL_DATE]],
    [{ periodStart: '0001-01-01' }, ['E_DATE', '/periodStart', CIVIL_DATE]],
    [{ periodEnd: '9999-12-31' }, ['E_DATE', '/periodEnd', CIVIL_DATE]],
    [{ close: 'firm' }, ['E_CLOSE', '/close', 'soft or hard']],
  ])('%j', (other, fault) => {
    expect(told({ ...CLOSE, ...other })).toEqual([fault]);
  });

  it('and nothing where it is soft or hard', () => {
    for (const close of ['soft', 'hard']) expect(told({ ...CLOSE, close })).toEqual([]);
  });
});

describe('what a till event is told of its shape is its code, its place and what would be right', () => {
  const line = (other: object) => ({ lines: [{ ...SALE.lines[0], ...other }] });
  const tender = (other: object) => ({ payments: [{ ...SALE.payments[0], ...other }] });
  const tenders = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ method: 'card', amountPence: index === 0 ? 1_200 : 0 }));

  it.each<[other: object, told: Told]>([
    [{ colour: 'red' }, ['UNKNOWN_FIELD', '/colour', 'there is no such field']],
    [{ 'a/b~c': 1 }, ['UNKNOWN_FIELD', '/a~1b~0c', 'there is no such field']],
    [{ ['x'.repeat(65)]: 1 }, ['UNKNOWN_FIELD', `/${'x'.repeat(64)}`, 'there is no such field']],
    [{ schema: 2 }, ['E_SCHEMA_VERSION', '/schema', '1']],
    [{ eventId: [HEAD.eventId] }, ['E_EVENT_ID', '/eventId', UUID]],
    [{ vrn: undefined }, ['E_MISSING_FIELD:vrn', '/vrn', 'this field is required']],
    [line({ id: '' }), ['FIELD_TYPE', '/lines/0/id', 'printable text of 1 to 40 characters']],
    [line({ id: 'i'.repeat(41) }), ['FIELD_TYPE', '/lines/0/id', 'printable text of 1 to 40 characters']],
    [line({ qty: `1.${'0'.repeat(7)}` }), ['E_QTY', '/lines/0/qty', 'a positive decimal as text, such as "1.337"']],
    [line({ colour: 'red' }), ['UNKNOWN_FIELD', '/lines/0/colour', 'there is no such field']],
    [tender({ method: '' }), ['FIELD_TYPE', '/payments/0/method', 'printable text of 1 to 40 characters']],
    [tender({ method: 'm'.repeat(41) }), ['FIELD_TYPE', '/payments/0/method', 'printable text of 1 to 40 characters']],
    [tender({ note: 'x' }), ['UNKNOWN_FIELD', '/payments/0/note', 'there is no such field']],
    [{ payments: tenders(101) }, ['TOO_MANY', '/payments', 'at most 100']],
    [
      { unlinkedReason: 'r'.repeat(201) },
      ['FIELD_TYPE', '/unlinkedReason', 'printable text of at most 200 characters'],
    ],
    [{ ...REPORT, lines: 'none' }, ['FIELD_TYPE', '/lines', 'a list']],
    [{ ...REPORT, payments: {} }, ['FIELD_TYPE', '/payments', 'a list']],
    [{ ...REPORT, payments: ['card'] }, ['FIELD_TYPE', '/payments/0', 'an object']],
    [
      { ...REPORT, payments: [{ method: 'card', amountPence: 0.5 }] },
      ['E_AMOUNT_NOT_INTEGER', '/payments/0/amountPence', WHOLE_PENCE],
    ],
    [{ ...REPORT, vatPence: 0.5 }, ['E_AMOUNT_NOT_INTEGER', '/vatPence', WHOLE_PENCE]],
    [{ ...REPORT, totalPence: '0' }, ['E_AMOUNT_NOT_INTEGER', '/totalPence', WHOLE_PENCE]],
    [
      { ...REPORT, lines: [{ id: '1', category: 'standard', paidPence: 0.5 }] },
      ['E_AMOUNT_NOT_INTEGER', '/lines/0/paidPence', 'whole pence, VAT included'],
    ],
    [
      { ...REPORT, lines: [{ id: '1', category: '', paidPence: 1 }] },
      ['FIELD_TYPE', '/lines/0/category', 'printable text of 1 to 64 characters'],
    ],
    [
      { ...REPORT, lines: [{ id: '1', category: 'c', ratePct: '1'.repeat(21), paidPence: 1 }] },
      ['FIELD_TYPE', '/lines/0/ratePct', 'printable text of at most 20 characters'],
    ],
    [
      { ...REPORT, lines: [{ id: '1', category: 'c', qty: '1'.repeat(21), paidPence: 1 }] },
      ['FIELD_TYPE', '/lines/0/qty', 'printable text of at most 20 characters'],
    ],
    [{ ...REPORT, lines: Array(2_001).fill(SALE.lines[0]) }, ['TOO_MANY', '/lines', 'at most 2000']],
    [{ ...REPORT, originalEventId: 'e' }, ['E_EVENT_ID', '/originalEventId', UUID]],
    [{ ...REPORT, originalEventId: 7 }, ['E_EVENT_ID', '/originalEventId', UUID]],
  ])('%j', (other, fault) => {
    expect(told({ ...SALE, ...other })).toEqual([fault]);
  });

  it.each([
    line({ id: 'i'.repeat(40), qty: '123456789012.123456', ratePct: '20' }),
    tender({ method: 'm'.repeat(40) }),
    { payments: tenders(100) },
    { region: 'NI', vatPence: null, originalEventId: null, unlinkedReason: null, claimedDate: null },
    { ...REPORT, lines: null, payments: null, totalPence: null },
    { ...REPORT, lines: Array(2_000).fill(SALE.lines[0]) },
    { ...REPORT, type: 'NO_SALE', originalEventId: HEAD.eventId },
  ])('and of %j nothing', (other) => {
    expect(told({ ...SALE, ...other })).toEqual([]);
  });

  it('is read as a report where its type says so, and as takings where it does not', () => {
    // Takings say by themselves which amounts are not whole pence: once, not twice.
    for (const type of ['SALE', 'REFUND', 'VOID']) {
      const json = {
        ...SALE,
        type,
        originalEventId: type === 'SALE' ? null : HEAD.eventId,
        ...line({ paidPence: 0.5 }),
      };
      expect(told(json).filter(([code]) => code === 'E_AMOUNT_NOT_INTEGER')).toHaveLength(1);
    }
    const tooMany = Array(2_001).fill({ id: '1', category: 'zero', paidPence: 0 });
    for (const type of ['SALE', 'REFUND', 'VOID']) {
      expect(told({ ...SALE, type, lines: tooMany }).filter(([code]) => code === 'TOO_MANY')).toHaveLength(1);
    }
  });

  it('has its rates checked by its day where it names no sale; a sale that names one too', () => {
    const unknown = (type: string, sign: number, original: object) => {
      const paidPence = 1_200 * sign;
      return told({
        ...SALE,
        type,
        lines: [{ id: '1', category: 'unicorn', paidPence }],
        totalPence: paidPence,
        payments: [{ method: 'card', amountPence: paidPence }],
        ...original,
      }).map(([code]) => code);
    };
    const named = { originalEventId: HEAD.eventId };
    expect(unknown('SALE', 1, named)).toEqual(['E_RATE_UNKNOWN', 'E_ORIGINAL_FORBIDDEN']);
    expect(unknown('REFUND', -1, named)).toEqual([]);
    expect(unknown('REFUND', -1, { originalEventId: null, unlinkedReason: 'none' })).toEqual(['E_RATE_UNKNOWN']);
    expect(unknown('REFUND', -1, { unlinkedReason: 'none' })).toEqual(['E_RATE_UNKNOWN']);
  });

  it('that is no object says so, whatever stands instead', () => {
    for (const json of [null, 7, 'sale', [], undefined]) {
      expect(told(json)).toEqual([['E_JSON', '', 'an event is a JSON object']]);
    }
  });
});
