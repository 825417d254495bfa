import { codeAt } from '../../encoding/code-at.ts';
import type { PaymentMade } from '../../events/paye-events.ts';

/** Payments that are remembered to find an equal one: a year of months, a quarter of weeks. */
const PAYMENTS_MAX = 12;
const MARK_LENGTH = 8;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const UINT32 = 0x100000000;

/** Eight hex digits (FNV-1a) that stand for what an employment was paid, and when, whatever id the event has. */
export function paymentMark(event: PaymentMade): string {
  let bits = withText(FNV_OFFSET, event.paymentDate);
  bits = withText(bits, event.payFrequency);
  bits = withText(bits, event.taxCode);
  bits = withText(bits, event.niCategory);
  bits = withNumber(bits, event.period);
  bits = withNumber(bits, event.taxablePayPence);
  bits = withNumber(bits, event.nicableEarningsPence);
  bits = withNumber(bits, event.payrolledBenefitsPence);
  bits = withNumber(bits, event.terminationAwardPence);
  bits = withNumber(bits, event.sportingTestimonialPence);
  return (bits >>> 0).toString(16).padStart(MARK_LENGTH, '0');
}

/** Each payment comes through here, so nothing is put together: characters and halves of numbers are taken as they are. */
function withText(bits: number, text: string): number {
  let mixed = Math.imul(bits ^ text.length, FNV_PRIME);
  for (let at = 0; at < text.length; at += 1) mixed = Math.imul(mixed ^ codeAt(text, at), FNV_PRIME);
  return mixed;
}

function withNumber(bits: number, value: number): number {
  const low = Math.imul(bits ^ (value | 0), FNV_PRIME);
  return Math.imul(low ^ Math.floor(value / UINT32), FNV_PRIME);
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
