import { localDate } from '../../libs/core/calendar/local-date.ts';
import type {
  PurchaseRecorded,
  TraderDeregistered,
  TraderRegistered,
  VatAdjustmentMade,
  VatPeriodClosed,
} from '../../libs/core/events/vat-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { idOf } from './sample-events.ts';

const HEAD = { account: account('vat:101747696'), receivedAtMs: Date.UTC(2026, 10, 21, 12) };

/** A sale of £12.00 at a till's door. */
export const SALE_JSON = {
  schema: 1,
  eventId: '018f0000-0000-7000-8000-000000000001',
  vrn: '101747696',
  tillId: 'T1',
  seq: 1,
  prevHash: null,
  type: 'SALE',
  occurredAt: '2026-11-21T10:15:00Z',
  currency: 'GBP',
  lines: [{ id: '1', category: 'standard', paidPence: 1_200 }],
  totalPence: 1_200,
  payments: [{ method: 'card', amountPence: 1_200 }],
};

/** An adjustment of 5 October 2026; `net` and `vat` in pence. */
export function sampleAdjustment(
  name: string,
  kind: string,
  net: number,
  vat = 0,
  other: Partial<VatAdjustmentMade> = {},
): VatAdjustmentMade {
  return {
    type: 'VatAdjustmentMade',
    ...HEAD,
    eventId: idOf(name),
    kind,
    taxPoint: localDate('2026-10-05'),
    netPence: pence(net),
    vatPence: pence(vat),
    recoverableBasisPoints: 10_000,
    reference: null,
    ratePct: null,
    costPence: null,
    dearestItemPence: null,
    ...other,
  };
}

/** A purchase of 5 October 2026. */
export function samplePurchase(
  name: string,
  net: number,
  vat: number,
  other: Partial<PurchaseRecorded> = {},
): PurchaseRecorded {
  return {
    type: 'PurchaseRecorded',
    ...HEAD,
    eventId: idOf(name),
    kind: net < 0 ? 'purchase_credit' : 'purchase',
    taxPoint: localDate('2026-10-05'),
    netPence: pence(net),
    vatPence: pence(vat),
    recoverableBasisPoints: 10_000,
    supplierVrn: null,
    reference: null,
    ...other,
  };
}

/** A trader's registration: stagger 1, point of sale, from 1 January 2026. */
export function sampleRegistration(name: string, other: Partial<TraderRegistered> = {}): TraderRegistered {
  return {
    type: 'TraderRegistered',
    ...HEAD,
    eventId: idOf(name),
    validFrom: localDate('2026-01-01'),
    registeredOn: null,
    cadence: 'stagger1',
    annualEndMonth: null,
    scheme: 'pointOfSale',
    flatRateSector: null,
    limitedCostTest: false,
    majorityRatePct: null,
    cashAccounting: false,
    interimPayments: 'none',
    poundsRule: 'truncate',
    unpaidOverSixMonths: false,
    ...other,
  };
}

/** The end of a trader's registration. */
export function sampleDeregistration(name: string, deregisteredOn: string): TraderDeregistered {
  return { type: 'TraderDeregistered', ...HEAD, eventId: idOf(name), deregisteredOn: localDate(deregisteredOn) };
}

/** The close of a period, received on the 40th day after it. */
export function sampleClose(name: string, start: string, end: string, close: 'soft' | 'hard'): VatPeriodClosed {
  return {
    type: 'VatPeriodClosed',
    ...HEAD,
    receivedAtMs: Date.parse(`${end}T12:00:00Z`) + 40 * 86_400_000,
    eventId: idOf(name),
    periodStart: localDate(start),
    periodEnd: localDate(end),
    close,
  };
}
