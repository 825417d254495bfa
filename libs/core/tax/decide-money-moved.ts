import { accountCounter, accountKey, decisionsOf } from '../decisions/account-counter.ts';
import type { Assessment, Decision, StateView } from '../decisions/decision.ts';
import type { MoneyMoved } from '../events/payment-events.ts';
import { negatePence, ZERO_PENCE } from '../money/pence.ts';
import { moneyMovedFaults } from './check-money-moved.ts';

/** How much of an event's hash is remembered: enough to tell a repeat from another body. */
const HASH_DIGITS = 32;

/**
 * Decides money that HMRC received (kind payment, head payment positive) or paid back (repayment, negative). An event id of an account
 * counts once; the same id with another body is EVENT_ID_CONFLICT.
 *
 * @param eventHash SHA-256 (64 lower-case hex) of the event as appended.
 */
export function decideMoneyMoved(event: MoneyMoved, eventHash: string, view: StateView): Decision {
  const key = eventKeyOf(event);
  const hash = eventHash.slice(0, HASH_DIGITS);
  const seen = view.get(key) as { readonly h?: unknown } | undefined;
  if (seen !== undefined) return seen.h === hash ? REPEAT : rejected(event, ['EVENT_ID_CONFLICT']);
  const faults = moneyMovedFaults(event as unknown as Readonly<Record<string, unknown>>);
  if (faults.length > 0) return rejected(event, [...new Set(faults.map((fault) => fault.code))]);
  const number = decisionsOf(event.account, view) + 1;
  const isReceived = event.direction === 'received';
  const assessment: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: isReceived ? 'payment' : 'repayment',
    number,
    taxPeriod: '',
    basePence: ZERO_PENCE,
    amounts: [{ head: 'payment', pence: isReceived ? event.amountPence : negatePence(event.amountPence) }],
    person: null,
    links: [],
    flags: [],
    stated: [],
    receivedAtMs: event.receivedAtMs,
  };
  const changes = [
    { key: accountKey(event.account), value: accountCounter(number) },
    { key, value: { h: hash, n: number } },
  ];
  return { outcome: 'accepted', results: [assessment], rejections: [], changes };
}

/** The keys that a decision on this event reads. */
export function moneyStateKeys(event: MoneyMoved): readonly string[] {
  return [accountKey(event.account), eventKeyOf(event)];
}

const REPEAT: Decision = { outcome: 'repeat', results: [], rejections: [], changes: [] };

function eventKeyOf(event: MoneyMoved): string {
  return `event|${event.account}|${event.eventId}`;
}

function rejected(event: MoneyMoved, codes: readonly string[]): Decision {
  const { account, eventId, receivedAtMs } = event;
  const code = codes[0] ?? 'ASSERTION_FAILED';
  const rejection = { account, eventId, code, facts: { codes: codes.join(' ') }, receivedAtMs };
  return { outcome: 'rejected', results: [], rejections: [rejection], changes: [] };
}
