import { describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { type Door, readSubmissions } from '../../../../../libs/adapters/submissions/submissions.ts';
import { paymentJson } from '../../../../support/own-events.ts';
import { SALE_JSON } from '../../../../support/vat-samples.ts';

const RULES = loadTaxRules();
/** 30 November 2026, in the evening. */
const RECEIVED = Date.UTC(2026, 10, 30, 20);
const faultsOf = (door: Door, json: object, receivedAtMs: number | null = RECEIVED) =>
  readSubmissions(door, json, RULES, receivedAtMs).faults.map(({ code, pointer }) => `${code} ${pointer}`);
const vat = { eventId: SALE_JSON.eventId, vrn: SALE_JSON.vrn, netPence: 10_000, vatPence: 2_000 };
const purchase = (taxPoint: string) => ({ ...vat, type: 'PurchaseRecorded', kind: 'purchase', taxPoint });
const invoice = (taxPoint: string) => ({ ...vat, type: 'VatAdjustmentMade', kind: 'sale', taxPoint });
const money = (bookedOn: string) => ({
  eventId: SALE_JSON.eventId,
  account: 'vat:101747696',
  direction: 'received',
  amountPence: 1,
  bookedOn,
});

describe('a date at a door', () => {
  it.each<[Door, object, string]>([
    ['vat', purchase('2026-12-01'), 'E_DATE_FUTURE /taxPoint'],
    ['vat', invoice('2027-10-06'), 'E_DATE_FUTURE /taxPoint'],
    ['vat', invoice('2006-11-29'), 'E_DATE_PAST /taxPoint'],
    ['payments', money('2027-01-01'), 'DATE_FUTURE /bookedOn'],
    ['paye', { ...(paymentJson(1) as object), paymentDate: '2027-03-01' }, 'PAY_DAY_FUTURE /paymentDate'],
  ])('of %s, %j, is refused', (door, json, fault) => {
    expect(faultsOf(door, json)).toContain(fault);
    // What was received in its time is read again as it is.
    expect(faultsOf(door, json, null)).not.toContain(fault);
  });

  it.each<[Door, object]>([
    ['vat', purchase('2026-11-30')],
    ['vat', invoice('2006-11-30')],
    ['payments', money('2026-12-31')],
  ])('of %s, %j, is taken', (door, json) => {
    expect(faultsOf(door, json)).toEqual([]);
  });
});

describe('a till whose clock is wrong', () => {
  it('has the rates of the day of receipt at the door too: what it printed at 20% is right', () => {
    const printed = { ...SALE_JSON, lines: [{ ...SALE_JSON.lines[0], ratePct: '20' }], vatPence: 200 };
    for (const occurredAt of ['2000-01-01T00:04:10Z', '2099-01-01T00:00:00Z']) {
      expect(faultsOf('vat', { ...printed, occurredAt })).toEqual([]);
    }
    expect(faultsOf('vat', { ...printed, occurredAt: '2010-06-01T00:00:00Z' })).toEqual([
      'E_RATE_MISMATCH /lines/0/ratePct',
      'E_VAT_MISMATCH /vatPence',
    ]);
  });

  it('that stands at its epoch is named at its time, not at the category', () => {
    expect(faultsOf('vat', { ...SALE_JSON, occurredAt: '1970-01-01T11:00:00Z' })).toEqual([
      'E_RATE_NOT_IN_FORCE /occurredAt',
    ]);
  });
});
