import type { PaymentMade } from '../../events/paye-events.ts';

/** Payments that are remembered to find an equal one: a year of months, a quarter of weeks. */
const PAYMENTS_MAX = 12;
const MARK_LENGTH = 8;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Eight hex digits (FNV-1a) that stand for what an employment was paid, and when, whatever id the event has. */
export function paymentMark(event: PaymentMade): string {
  const text = [
    event.paymentDate,
    event.payFrequency,
    event.period,
    event.taxCode,
    event.niCategory,
    event.taxablePayPence,
    event.nicableEarningsPence,
    event.payrolledBenefitsPence,
    event.terminationAwardPence,
    event.sportingTestimonialPence,
  ].join(' ');
  let bits = FNV_OFFSET;
  for (let at = 0; at < text.length; at += 1) bits = Math.imul(bits ^ text.charCodeAt(at), FNV_PRIME);
  return (bits >>> 0).toString(16).padStart(MARK_LENGTH, '0');
}

export function isPaidBefore(latest: string, mark: string): boolean {
  for (let at = latest.indexOf(mark); at >= 0; at = latest.indexOf(mark, at + 1)) {
    if (at % MARK_LENGTH === 0) return true;
  }
  return false;
}

/** The marks with one more; the oldest are forgotten beyond the limit. */
export function withPayment(latest: string, mark: string): string {
  const kept = latest.length < PAYMENTS_MAX * MARK_LENGTH ? latest : latest.slice(MARK_LENGTH);
  return kept + mark;
}
