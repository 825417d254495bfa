import { describe, expect, it } from 'vitest';
import { checkTillSubmission, checkVatSubmission } from '../../../../../../libs/core/vat/check/check-vat-submission.ts';
import {
  adjustmentOf,
  periodClosedOf,
  purchaseOf,
  registrationOfJson,
  tillEventOf,
} from '../../../../../../libs/core/vat/check/read-vat-submission.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { SALE_JSON } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const SALE = SALE_JSON;
const ID = SALE.eventId;
const PURCHASE = {
  type: 'PurchaseRecorded',
  eventId: ID,
  vrn: '101747696',
  kind: 'purchase',
  taxPoint: '2026-11-20',
  netPence: 10_000,
  vatPence: 2_000,
};
const at = (json: unknown, rules: typeof RULES | null = null) =>
  checkVatSubmission(json, rules).map(({ code, pointer }) => `${code} ${pointer}`);

describe('a till event at the door', () => {
  it('passes and becomes the event of the log, absent fields as null', () => {
    expect(at(SALE, RULES)).toEqual([]);
    expect(tillEventOf(SALE, 'f'.repeat(64), { receivedAtMs: 7 })).toEqual({
      type: 'TillEvent',
      eventId: ID.replaceAll('-', ''),
      account: 'vat:101747696',
      receivedAtMs: 7,
      tillId: 'T1',
      seq: 1,
      prevHash: null,
      hash: 'f'.repeat(64),
      tillType: 'SALE',
      occurredAt: '2026-11-21T10:15:00Z',
      currency: 'GBP',
      region: null,
      lines: [{ id: '1', category: 'standard', qty: null, ratePct: null, paidPence: 1_200 }],
      totalPence: 1_200,
      vatPence: null,
      payments: [{ method: 'card', amountPence: 1_200 }],
      originalEventId: null,
      unlinkedReason: null,
      claimedDate: null,
    });
  });

  it('shows every fault at once, by pointer', () => {
    const bad = {
      ...SALE,
      tillId: '',
      surprise: 1,
      'a/b': 1,
      lines: [{ id: 5, category: 'standard', paidPence: 1_200, colour: 'red', qty: 2 }, 'no line'],
      payments: [{ method: '', amountPence: 0.5 }],
      unlinkedReason: 'x'.repeat(201),
      vatPence: 1.5,
    };
    expect(at(bad)).toEqual([
      'UNKNOWN_FIELD /surprise',
      'UNKNOWN_FIELD /a~1b',
      'E_TILL_ID /tillId',
      'E_QTY /lines/0/qty',
      'E_AMOUNT_NOT_INTEGER /lines/1/paidPence',
      'UNKNOWN_FIELD /lines/0/colour',
      'FIELD_TYPE /lines/0/id',
      'FIELD_TYPE /lines/0/qty',
      'FIELD_TYPE /lines/1',
      'FIELD_TYPE /payments/0/method',
      'E_AMOUNT_NOT_INTEGER /payments/0/amountPence',
      'E_AMOUNT_NOT_INTEGER /vatPence',
      'FIELD_TYPE /unlinkedReason',
    ]);
  });

  it('has its rates checked only where rules are at hand and no sale is named', () => {
    const unknown = { ...SALE, lines: [{ id: '1', category: 'food.unicorn', paidPence: 1_200 }] };
    expect(at(unknown)).toEqual([]);
    expect(at(unknown, RULES)).toEqual(['E_RATE_UNKNOWN /lines/0/category']);
    const refund = {
      ...SALE,
      type: 'REFUND',
      originalEventId: ID,
      lines: [{ id: '1', category: 'food.unicorn', paidPence: -1_200 }],
      totalPence: -1_200,
      payments: [{ method: 'card', amountPence: -1_200 }],
    };
    expect(at(refund, RULES)).toEqual([]);
    expect(at({ ...refund, originalEventId: 'x' }, RULES)).toEqual(['E_EVENT_ID /originalEventId']);
  });

  it('has at most 2,000 lines', () => {
    const lines = Array.from({ length: 2_001 }, (_, index) => ({
      id: String(index),
      category: 'standard',
      paidPence: 0,
    }));
    expect(at({ ...SALE, lines, totalPence: 0, payments: [] })).toEqual(['TOO_MANY /lines']);
    expect(at({ ...SALE, type: 'X_REPORT', lines })).toEqual(['TOO_MANY /lines']);
  });

  it('that reports needs no amounts; those it has are whole pence', () => {
    const { lines: _lines, totalPence: _total, payments: _payments, ...report } = { ...SALE, type: 'Z_REPORT' };
    expect(at(report)).toEqual([]);
    expect(tillEventOf(report, '', { receivedAtMs: 0 })).toMatchObject({ lines: [], totalPence: 0, payments: [] });
    expect(at({ ...report, totalPence: 0.5, lines: [{ id: '1', category: 'standard' }] })).toEqual([
      'E_AMOUNT_NOT_INTEGER /totalPence',
      'E_AMOUNT_NOT_INTEGER /lines/0/paidPence',
    ]);
  });

  it('that is no object, or lacks a field of the envelope, says so', () => {
    expect(at('sale')).toEqual(['E_JSON ']);
    expect(checkTillSubmission(null)).toMatchObject([{ code: 'E_JSON' }]);
    const { vrn: _vrn, ...rest } = SALE;
    expect(at(rest)).toEqual(['E_MISSING_FIELD:vrn /vrn']);
  });
});

describe('a purchase at the door', () => {
  it('passes and becomes the event of the log, wholly recoverable unless it says otherwise', () => {
    expect(at(PURCHASE)).toEqual([]);
    expect(purchaseOf(PURCHASE, { receivedAtMs: 7 })).toMatchObject({
      account: 'vat:101747696',
      kind: 'purchase',
      recoverableBasisPoints: 10_000,
      supplierVrn: null,
      reference: null,
    });
    expect(purchaseOf({ ...PURCHASE, recoverableBasisPoints: 0 }, { receivedAtMs: 7 }).recoverableBasisPoints).toBe(0);
  });

  it('becomes a credit where it is one, with all that it says', () => {
    const credit = {
      ...PURCHASE,
      kind: 'purchase_credit',
      netPence: -1,
      vatPence: 0,
      supplierVrn: 'GB1',
      reference: 'r',
    };
    expect(purchaseOf(credit, { receivedAtMs: 7 })).toEqual({
      type: 'PurchaseRecorded',
      eventId: ID.replaceAll('-', ''),
      account: 'vat:101747696',
      receivedAtMs: 7,
      kind: 'purchase_credit',
      taxPoint: '2026-11-20',
      netPence: -1,
      vatPence: 0,
      recoverableBasisPoints: 10_000,
      supplierVrn: 'GB1',
      reference: 'r',
    });
  });

  it('shows every fault at once, by pointer', () => {
    const bad = {
      ...PURCHASE,
      eventId: 'x',
      vrn: '101747692',
      kind: 'gift',
      taxPoint: '2026-02-30',
      netPence: '1',
      vatPence: 100_000_000_001,
      recoverableBasisPoints: -1,
      reference: 1,
      extra: 1,
    };
    expect(at(bad)).toEqual([
      'UNKNOWN_FIELD /extra',
      'E_EVENT_ID /eventId',
      'E_VRN_CHECK_DIGITS /vrn',
      'E_ENTRY_KIND /kind',
      'E_DATE /taxPoint',
      'E_AMOUNT_NOT_INTEGER /netPence',
      'E_AMOUNT_RANGE /vatPence',
      'E_RECOVERABLE /recoverableBasisPoints',
      'FIELD_TYPE /reference',
    ]);
    expect(at({ ...PURCHASE, kind: 'purchase_credit' })).toEqual(['E_SIGN /netPence', 'E_SIGN /vatPence']);
  });
});

describe('an adjustment', () => {
  const ADJUSTMENT = {
    type: 'VatAdjustmentMade',
    eventId: '00000000-0000-4000-8000-000000000011',
    vrn: '101747696',
    kind: 'import_pva',
    taxPoint: '2026-10-05',
    netPence: 1_000_000,
    vatPence: 200_000,
  };

  it('is taken, and what it leaves out has its default', () => {
    expect(at(ADJUSTMENT)).toEqual([]);
    const taken = {
      type: 'VatAdjustmentMade',
      eventId: '00000000000040008000000000000011',
      account: 'vat:101747696',
      receivedAtMs: 7,
      kind: 'import_pva',
      taxPoint: '2026-10-05',
      netPence: 1_000_000,
      vatPence: 200_000,
      recoverableBasisPoints: 10_000,
      reference: null,
      ratePct: null,
      costPence: null,
      dearestItemPence: null,
    };
    expect(adjustmentOf(ADJUSTMENT, { receivedAtMs: 7 })).toEqual(taken);
    const more = { recoverableBasisPoints: 0, reference: 'r', ratePct: '17.5', costPence: -5, dearestItemPence: 7 };
    expect(adjustmentOf({ ...ADJUSTMENT, ...more }, { receivedAtMs: 7 })).toEqual({ ...taken, ...more });
  });

  it('shows every fault at once, by pointer', () => {
    const bad = {
      ...ADJUSTMENT,
      vrn: '1',
      kind: 'purchase',
      taxPoint: 'today',
      netPence: 0.5,
      costPence: 1,
      reference: 1,
    };
    expect(at(bad)).toEqual([
      'E_VRN_INVALID /vrn',
      'E_ENTRY_KIND /kind',
      'E_DATE /taxPoint',
      'E_AMOUNT_NOT_INTEGER /netPence',
      'E_MARGIN_COST /costPence',
      'FIELD_TYPE /reference',
    ]);
    expect(at({ ...ADJUSTMENT, kind: 'ni_dispatch', ratePct: '20' })).toEqual([
      'E_ADJUSTMENT_VAT /vatPence',
      'E_RATE_UNKNOWN /ratePct',
    ]);
    expect(at({ ...ADJUSTMENT, kind: 'goods_for_resale', vatPence: 0 })).toEqual(['E_RATE_UNKNOWN /ratePct']);
    expect(at({ ...ADJUSTMENT, kind: 'goods_for_resale', vatPence: 0, ratePct: '17.5' })).toEqual([]);
    const margin = { ...ADJUSTMENT, kind: 'margin_sale', vatPence: 0 };
    expect(at(margin)).toEqual(['E_AMOUNT_NOT_INTEGER /costPence']);
    expect(at({ ...margin, costPence: -1 })).toEqual(['E_SIGN /costPence']);
    expect(at({ ...ADJUSTMENT, vatPence: 200_000_000_000, recoverableBasisPoints: 10_001 })).toEqual([
      'E_AMOUNT_RANGE /vatPence',
      'E_RECOVERABLE /recoverableBasisPoints',
    ]);
  });
});

describe('a trader’s registration', () => {
  const REGISTRATION = {
    type: 'TraderRegistered',
    eventId: '00000000-0000-4000-8000-000000000012',
    vrn: '101747696',
    validFrom: '2026-10-01',
    cadence: 'stagger2',
    scheme: 'pointOfSale',
  };

  it('keeps all that it says', () => {
    const year = { cadence: 'annual', annualEndMonth: 9, registeredOn: '2026-09-01', poundsRule: 'nearest' };
    const flat = { scheme: 'flatRate', flatRateSector: 'pubs', limitedCostTest: true };
    for (const interimPayments of ['monthly', 'quarterly', 'none']) {
      expect(
        registrationOfJson({ ...REGISTRATION, ...year, ...flat, interimPayments }, { receivedAtMs: 7 }),
      ).toMatchObject({
        type: 'TraderRegistered',
        ...year,
        ...flat,
        interimPayments,
        cashAccounting: false,
      });
    }
    const direct = { scheme: 'directCalculation1', majorityRatePct: '17.5', cashAccounting: true };
    expect(registrationOfJson({ ...REGISTRATION, ...direct }, { receivedAtMs: 7 })).toMatchObject({
      ...direct,
      limitedCostTest: false,
      poundsRule: 'truncate',
    });
  });

  it('is taken, and what it leaves out has its default', () => {
    expect(at(REGISTRATION)).toEqual([]);
    expect(registrationOfJson(REGISTRATION, { receivedAtMs: 7 })).toEqual({
      type: 'TraderRegistered',
      eventId: '00000000000040008000000000000012',
      account: 'vat:101747696',
      receivedAtMs: 7,
      validFrom: '2026-10-01',
      registeredOn: null,
      cadence: 'stagger2',
      annualEndMonth: null,
      scheme: 'pointOfSale',
      flatRateSector: null,
      limitedCostTest: false,
      majorityRatePct: null,
      cashAccounting: false,
      interimPayments: 'none',
      poundsRule: 'truncate',
      unpaidOverSixMonths: false,
    });
  });

  it('refuses what does not stand together', () => {
    const flat = { ...REGISTRATION, scheme: 'flatRate', flatRateSector: 'pubs' };
    expect(at({ ...flat, flatRateSector: 'no_such_sector' }, RULES)).toEqual(['E_FRS_SECTOR /flatRateSector']);
    expect(at({ ...flat, flatRateSector: 7 })).toEqual(['E_FRS_SECTOR /flatRateSector']);
    expect(at({ ...REGISTRATION, flatRateSector: 'pubs' })).toEqual(['E_FRS_SECTOR /flatRateSector']);
    expect(at({ ...flat, cashAccounting: true })).toEqual(['E_SCHEME_COMBINATION /cashAccounting']);
    expect(at({ ...REGISTRATION, limitedCostTest: true })).toEqual(['E_SCHEME_COMBINATION /limitedCostTest']);
    expect(at({ ...REGISTRATION, scheme: 'directCalculation1' })).toEqual(['E_RATE_UNKNOWN /majorityRatePct']);
    expect(at({ ...REGISTRATION, scheme: 'directCalculation1', majorityRatePct: '0' })).toEqual([]);
    expect(at({ ...REGISTRATION, majorityRatePct: '20' })).toEqual(['E_RATE_UNKNOWN /majorityRatePct']);
    expect(at({ ...REGISTRATION, cadence: 'annual' })).toEqual(['E_CADENCE /annualEndMonth']);
    expect(at({ ...REGISTRATION, annualEndMonth: 3 })).toEqual(['E_CADENCE /annualEndMonth']);
    expect(at({ ...REGISTRATION, cadence: 'annual', annualEndMonth: 13 })).toEqual(['E_CADENCE /annualEndMonth']);
    expect(at({ ...REGISTRATION, interimPayments: 'monthly' })).toEqual(['E_INTERIM /interimPayments']);
    expect(at({ ...REGISTRATION, interimPayments: 'daily' })).toEqual(['E_INTERIM /interimPayments']);
  });

  it('refuses what is no date, code or truth', () => {
    const bad = {
      ...REGISTRATION,
      validFrom: '2026-02-30',
      registeredOn: 1,
      cadence: 'weekly',
      scheme: 'none',
      cashAccounting: 'yes',
      poundsRule: 'up',
    };
    expect(at(bad)).toEqual([
      'E_DATE /validFrom',
      'E_DATE /registeredOn',
      'E_CADENCE /cadence',
      'E_SCHEME /scheme',
      'FIELD_TYPE /cashAccounting',
      'E_POUNDS_RULE /poundsRule',
    ]);
    expect(at({ ...REGISTRATION, registeredOn: '2026-10-02' })).toEqual(['E_DATE /registeredOn']);
  });
});

describe('the close of a period', () => {
  const CLOSE = {
    type: 'VatPeriodClosed',
    eventId: '00000000-0000-4000-8000-000000000013',
    vrn: '101747696',
    periodStart: '2026-07-01',
    periodEnd: '2026-09-30',
    close: 'hard',
  };

  it('is taken with two dates and how it closes', () => {
    expect(at(CLOSE)).toEqual([]);
    expect(periodClosedOf(CLOSE, { receivedAtMs: 7 })).toEqual({
      type: 'VatPeriodClosed',
      eventId: '00000000000040008000000000000013',
      account: 'vat:101747696',
      receivedAtMs: 7,
      periodStart: '2026-07-01',
      periodEnd: '2026-09-30',
      close: 'hard',
    });
    expect(periodClosedOf({ ...CLOSE, close: 'soft' }, { receivedAtMs: 7 })).toMatchObject({ close: 'soft' });
    expect(at({ ...CLOSE, periodStart: 1, periodEnd: '2026-13-01', close: 'firm' })).toEqual([
      'E_DATE /periodStart',
      'E_DATE /periodEnd',
      'E_CLOSE /close',
    ]);
  });
});
