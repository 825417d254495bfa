import { createHash } from 'node:crypto';
import { type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import type { Decision, StateValue, StateView } from '../../libs/core/decisions/decision.ts';
import type { Head } from '../../libs/core/decisions/heads.ts';
import type { PayeEvent, PaymentMade } from '../../libs/core/events/paye-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../libs/core/identity/event-id.ts';
import { type Pence, pence } from '../../libs/core/money/pence.ts';
import { decidePaye } from '../../libs/core/paye/payment/decide-paye.ts';
import type { PayeRules } from '../../libs/core/paye/rates/paye-rules.ts';

type Loosened<V> = V extends Pence ? number : V extends LocalDate ? string : V;
type Loose<T> = { [K in keyof T]?: Loosened<T[K]> };

let counter = 0;

/** A payment of 2,750.00 to an employee on 1257L, letter A, at the end of April 2026; say what differs. */
export function paymentMade(changes: Loose<PaymentMade> = {}): PaymentMade {
  counter += 1;
  return {
    type: 'PaymentMade',
    eventId: eventId(counter.toString(16).padStart(32, '0')),
    account: account('paye:123/AB456'),
    receivedAtMs: 1_777_000_000_000,
    person: personToken('0123456789abcdef0123456789abcdef'),
    worksNumber: 'W-1',
    paymentDate: localDate('2026-04-30'),
    payFrequency: 'M1',
    period: 1,
    taxCode: '1257L',
    week1Month1: false,
    taxablePayPence: pence(275_000),
    payrolledBenefitsPence: pence(0),
    nicableEarningsPence: pence(275_000),
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
    ...(changes as Partial<PaymentMade>),
  };
}

export function hashOf(event: PayeEvent): string {
  return createHash('sha256').update(JSON.stringify(event)).digest('hex');
}

/** Tax's state in a Map: decides events one after another and folds their changes, as the stage does. */
export class PayeBook {
  readonly state = new Map<string, StateValue>();
  readonly balance = new Map<Head, number>();
  readonly decisions: Decision[] = [];
  readonly #rules: PayeRules;

  constructor(rules: PayeRules) {
    this.#rules = rules;
  }

  readonly view: StateView = { get: (key) => this.state.get(key) };

  decide(event: PayeEvent): Decision {
    const decision = decidePaye(event, hashOf(event), this.view, this.#rules);
    for (const { key, value } of decision.changes) {
      // State goes through JSON, as it does in the store.
      if (value === null) this.state.delete(key);
      else this.state.set(key, JSON.parse(JSON.stringify(value)) as StateValue);
    }
    for (const { amounts } of decision.results) {
      for (const { head, pence: amount } of amounts) this.balance.set(head, (this.balance.get(head) ?? 0) + amount);
    }
    this.decisions.push(decision);
    return decision;
  }

  /** Amounts of the payment by head, or the code of its rejection. */
  pay(changes: Loose<PaymentMade>): Readonly<Partial<Record<Head, number>>> | string {
    const { results, rejections } = this.decide(paymentMade(changes));
    const [result] = results;
    if (result === undefined) return rejections[0]?.code ?? 'repeat';
    return Object.fromEntries(result.amounts.map(({ head, pence: amount }) => [head, amount]));
  }
}
