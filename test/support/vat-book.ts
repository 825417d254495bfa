import { createHash } from 'node:crypto';
import type { Decision, StateValue } from '../../libs/core/decisions/decision.ts';
import type { TillEvent, TillLine, VatEvent } from '../../libs/core/events/vat-events.ts';
import type { EventId } from '../../libs/core/identity/event-id.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { decideVat } from '../../libs/core/vat/decide/decide-vat.ts';
import type { VatRules } from '../../libs/core/vat/rates/vat-rules.ts';
import { boxesOf } from '../../libs/core/vat/return/period-boxes.ts';
import { periodAccountOf } from '../../libs/core/vat/state/period-account.ts';
import { sampleSale } from './sample-events.ts';

/** The state of VAT accounts in memory: decides events in order and keeps what each decision changed, as JSON, as a store would. */
export class VatBook {
  readonly state = new Map<string, string>();
  readonly decisions: Decision[] = [];
  readonly #rules: VatRules;

  constructor(rules: VatRules) {
    this.#rules = rules;
  }

  decide(event: VatEvent, hash: string = hashOfEvent(event)): Decision {
    const get = (key: string): StateValue | undefined => {
      const text = this.state.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as StateValue);
    };
    const decision = decideVat(event, hash, { get }, this.#rules);
    for (const { key, value } of decision.changes) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, JSON.stringify(value));
    }
    this.decisions.push(decision);
    return decision;
  }

  /** The sum of a head over all entries so far. */
  total(head: 'outputVat' | 'inputVat'): number {
    let sum = 0;
    for (const { results } of this.decisions) {
      for (const { amounts } of results) for (const amount of amounts) if (amount.head === head) sum += amount.pence;
    }
    return sum;
  }

  /** The nine boxes of the period that starts on this day, in pence, by number. */
  boxes(periodStart: string, owner = 'vat:101747696'): Readonly<Record<number, number>> {
    const text = this.state.get(`vat|${owner}|${periodStart}`);
    const account = periodAccountOf(text === undefined ? undefined : (JSON.parse(text) as StateValue));
    return boxesOf(account, 'truncate').boxes;
  }
}

export function hashOfEvent(event: VatEvent): string {
  return createHash('sha256').update(JSON.stringify(event)).digest('hex');
}

/** A line of a till event. */
export function line(id: string, paidPence: number, category = 'standard', other: Partial<TillLine> = {}): TillLine {
  return { id, category, qty: null, ratePct: null, paidPence: pence(paidPence), ...other };
}

/** A refund (or with tillType VOID a void) of some lines of a sale, the second event of till T1. */
export function sampleRefund(
  name: string,
  originalEventId: EventId | null,
  lines: readonly TillLine[],
  other: Partial<TillEvent> = {},
): TillEvent {
  return sampleSale(name, {
    tillType: 'REFUND',
    seq: 2,
    prevHash: 'a'.repeat(64),
    originalEventId,
    unlinkedReason: originalEventId === null ? 'no receipt' : null,
    lines,
    ...other,
  });
}
