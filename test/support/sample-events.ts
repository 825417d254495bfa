import { createHash } from 'node:crypto';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import type { PaymentMade } from '../../libs/core/events/paye-events.ts';
import type { MoneyMoved } from '../../libs/core/events/payment-events.ts';
import type { TillEvent } from '../../libs/core/events/vat-events.ts';
import { type Account, account } from '../../libs/core/identity/account.ts';
import { type EventId, eventId, personToken } from '../../libs/core/identity/event-id.ts';
import { pence } from '../../libs/core/money/pence.ts';

const hex = (text: string, characters: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, characters);

/** An event id made of a name, so that a test says which event it means. */
export function idOf(name: string): EventId {
  return eventId(hex(name, 32));
}

/** A month's pay of £3,000.00 on 1257L, letter A, on 30 April 2026 (2026-27, month 1); any field may be given otherwise. */
export function samplePayment(name: string, other: Partial<PaymentMade> = {}): PaymentMade {
  return {
    type: 'PaymentMade',
    eventId: idOf(name),
    account: account('paye:123/AB456'),
    receivedAtMs: Date.UTC(2026, 3, 30, 10),
    person: personToken(hex('person', 32)),
    worksNumber: 'W1',
    paymentDate: localDate('2026-04-30'),
    payFrequency: 'M1',
    period: 1,
    taxCode: '1257L',
    week1Month1: false,
    taxablePayPence: pence(300_000),
    payrolledBenefitsPence: pence(0),
    nicableEarningsPence: pence(300_000),
    niCategory: 'A',
    studentLoanPlan: null,
    postgraduateLoan: false,
    starter: null,
    leavingDate: null,
    paymentAfterLeaving: false,
    directorsNic: null,
    directorAppointedWeek: null,
    onStrike: false,
    irregularEmployment: false,
    oldWorksNumber: null,
    lateReason: null,
    terminationAwardPence: pence(0),
    sportingTestimonialPence: pence(0),
    oddIntervalDays: null,
    stated: null,
    separateNics: false,
    toDate: null,
    openingBalance: null,
    ...other,
  };
}

/** A sale of £12.00 at the standard rate on 21 November 2026 on till T1, its first event; any field may be given otherwise. */
export function sampleSale(name: string, other: Partial<TillEvent> = {}): TillEvent {
  const lines = other.lines ?? [{ id: '1', category: 'standard', qty: null, ratePct: null, paidPence: pence(1_200) }];
  const totalPence = pence(lines.reduce((sum, line) => sum + line.paidPence, 0));
  return {
    type: 'TillEvent',
    eventId: idOf(name),
    account: account('vat:101747696'),
    receivedAtMs: Date.UTC(2026, 10, 21, 10, 15),
    tillId: 'T1',
    seq: 1,
    prevHash: null,
    hash: hex(`till ${name}`, 64),
    tillType: 'SALE',
    occurredAt: '2026-11-21T10:15:00Z',
    currency: 'GBP',
    region: null,
    lines,
    totalPence,
    vatPence: null,
    payments: [{ method: 'card', amountPence: totalPence }],
    originalEventId: null,
    unlinkedReason: null,
    claimedDate: null,
    ...other,
  };
}

/** £100.00 received by HMRC. */
export function sampleMoney(name: string, owner: Account, other: Partial<MoneyMoved> = {}): MoneyMoved {
  return {
    type: 'MoneyMoved',
    eventId: idOf(name),
    account: owner,
    receivedAtMs: Date.UTC(2026, 10, 21, 11),
    direction: 'received',
    amountPence: pence(10_000),
    bookedOn: localDate('2026-11-21'),
    reference: null,
    ...other,
  };
}
