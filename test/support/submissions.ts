import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A payment that every door takes, with what a test wants otherwise. */
export function paymentJson(more: Json = {}): Json {
  return {
    type: 'PaymentMade',
    eventId: randomUUID(),
    payeReference: '123/AB456',
    nino: 'AB123456C',
    worksNumber: 'W-1001',
    paymentDate: '2026-11-20',
    payFrequency: 'M1',
    period: 8,
    taxCode: '1257L',
    taxablePayPence: 250_000,
    nicableEarningsPence: 250_000,
    niCategory: 'A',
    ...more,
  };
}

/** A sale that every door takes: £12.00 at the standard rate. */
export function saleJson(more: Json = {}): Json {
  return {
    schema: 1,
    eventId: randomUUID(),
    vrn: '101747696',
    tillId: 'T1',
    seq: 1,
    prevHash: null,
    type: 'SALE',
    occurredAt: '2026-11-20T10:15:00Z',
    currency: 'GBP',
    lines: [{ id: '1', category: 'standard', paidPence: 1_200 }],
    totalPence: 1_200,
    vatPence: 200,
    payments: [{ method: 'card', amountPence: 1_200 }],
    ...more,
  };
}

export function moneyJson(more: Json = {}): Json {
  return {
    eventId: randomUUID(),
    account: 'vat:101747696',
    direction: 'received',
    amountPence: 120_000,
    bookedOn: '2026-11-20',
    ...more,
  };
}

/** Sales of one till, each with the hash of the one before. */
export function salesOfTill(count: number, tillId: string, more: Json = {}): Json[] {
  const sales: Json[] = [];
  let prevHash: string | null = null;
  for (let seq = 1; seq <= count; seq += 1) {
    const sale = saleJson({ tillId, seq, prevHash, ...more });
    prevHash = createHash('sha256').update(canonicalJson(sale)).digest('hex');
    sales.push(sale);
  }
  return sales;
}
