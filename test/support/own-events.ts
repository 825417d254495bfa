import { createHash } from 'node:crypto';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';

export const PAYER_PAYE = 'paye:123/AB456';
export const PAYER_VAT = 'vat:101747696';

/** A UUID made of a name. */
export function uuidOfName(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A month's pay as payroll posts it: £3,000.00 in tax month `month` of 2026-27 for the employee of this number. */
export function paymentJson(employee: number, month = 1, other: Readonly<Record<string, unknown>> = {}): object {
  const date = new Date(Date.UTC(2026, 3 + month - 1, 30));
  return {
    type: 'PaymentMade',
    eventId: uuidOfName(`payment ${employee} ${month}`),
    payeReference: '123/AB456',
    nino: `AA${String(100_000 + employee).slice(0, 6)}A`,
    worksNumber: `W${employee}`,
    paymentDate: date.toISOString().slice(0, 10),
    payFrequency: 'M1',
    period: month,
    taxCode: '1257L',
    taxablePayPence: 300_000 + employee,
    nicableEarningsPence: 300_000 + employee,
    niCategory: 'A',
    ...other,
  };
}

/** The first `count` events of a till in a row, each linked to the one before: sales of one standard-rated line. */
export function saleJsons(count: number, tillId = 'T1', vrn = '101747696', from = 1): readonly object[] {
  const events: object[] = [];
  let prevHash: string | null = null;
  for (let seq = 1; seq < from + count; seq += 1) {
    const paidPence = 1_000 + ((seq * 37) % 900);
    const event: Readonly<Record<string, unknown>> = {
      schema: 1,
      eventId: uuidOfName(`sale ${vrn} ${tillId} ${seq}`),
      vrn,
      tillId,
      seq,
      prevHash,
      type: 'SALE',
      occurredAt: '2026-11-20T10:15:00Z',
      currency: 'GBP',
      lines: [{ id: '1', category: 'standard', paidPence }],
      totalPence: paidPence,
      payments: [{ method: 'card', amountPence: paidPence }],
    };
    prevHash = createHash('sha256').update(canonicalJson(event)).digest('hex');
    if (seq >= from) events.push(event);
  }
  return events;
}
