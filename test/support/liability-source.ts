import { randomBytes } from 'node:crypto';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { LIABILITIES, PAYE_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { Assessment, Rejection } from '../../libs/core/decisions/decision.ts';
import type { DecisionOfRecord } from '../../libs/core/decisions/liability-message.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../libs/core/identity/event-id.ts';
import { type Pence, pence } from '../../libs/core/money/pence.ts';

export const PAYE_RULES = 'a1'.repeat(32);
export const VAT_RULES = 'b2'.repeat(32);

/** What a test says of a decision; the rest is filled in. */
export type Wanted = Partial<Assessment> & { readonly account: Account };

/**
 * Writes liabilities.v1 as tax does: linked messages of decisions numbered per account without gap. For tests of what reads them.
 */
export class LiabilitySource {
  readonly #log: EventLog;
  readonly #partitions: number;
  readonly #numbers = new Map<string, number>();
  readonly #tips = new Map<number, string>();
  readonly #offsets = new Map<number, number>();
  payeRulesHash = PAYE_RULES;
  vatRulesHash = VAT_RULES;

  constructor(log: EventLog, partitions: number) {
    this.#log = log;
    this.#partitions = partitions;
  }

  partitionOf(account: Account): number {
    return partitionOf(account, this.#partitions);
  }

  /** One message a partition with these decisions in order; `rejections` go with it, one decision each. */
  async decide(wanted: readonly Wanted[], rejections: readonly Rejection[] = []): Promise<readonly Assessment[]> {
    const made = wanted.map((one) => this.#assessment(one));
    const byPartition = new Map<number, DecisionOfRecord[]>();
    const add = (account: Account, decision: Omit<DecisionOfRecord, 'offset' | 'topic' | 'changes'>): void => {
      const partition = this.partitionOf(account);
      const list = byPartition.get(partition) ?? [];
      const offset = this.#offsets.get(partition) ?? 0;
      this.#offsets.set(partition, offset + 1);
      list.push({ ...decision, topic: PAYE_EVENTS, offset, changes: [{ key: `k${offset}`, value: { a: 1 } }] });
      byPartition.set(partition, list);
    };
    for (const one of made) add(one.account, { outcome: 'accepted', results: [one], rejections: [] });
    for (const one of rejections) {
      add(one.account ?? 'vat:000000000', { outcome: 'rejected', results: [], rejections: [one] });
    }
    const appends = [...byPartition].map(([partition, decisions]) => ({
      topic: LIABILITIES,
      partition,
      records: [{ key: null, value: this.#message(partition, decisions) }],
    }));
    const outcomes = await this.#log.append(appends);
    for (const outcome of outcomes) if (outcome.status !== 'appended') throw outcome.error;
    return made;
  }

  /** A message that no reader takes: it names another predecessor than the tip (a late or competing owner's). */
  async decideInvalid(wanted: readonly Wanted[]): Promise<void> {
    const first = wanted[0];
    if (first === undefined) return;
    const partition = this.partitionOf(first.account);
    const decisions = wanted.map((one, offset) => ({
      topic: PAYE_EVENTS,
      offset,
      outcome: 'accepted' as const,
      results: [assessmentOf(one, 999_999)],
      rejections: [],
      changes: [],
    }));
    const link = { id: randomId(), previous: randomId() };
    const body = { decidedAtMs: 1, payeRulesHash: this.payeRulesHash, vatRulesHash: this.vatRulesHash, decisions };
    const value = liabilitiesCodec.encode(link, [], body);
    await this.#log.append([{ topic: LIABILITIES, partition, records: [{ key: null, value }] }]);
  }

  /** For faults of tax: the next decision of the account gets this number. */
  setNextNumber(account: Account, number: number): void {
    this.#numbers.set(account, number - 1);
  }

  #assessment(wanted: Wanted): Assessment {
    const number = (this.#numbers.get(wanted.account) ?? 0) + 1;
    this.#numbers.set(wanted.account, number);
    return assessmentOf(wanted, number);
  }

  #message(partition: number, decisions: readonly DecisionOfRecord[]): Buffer {
    const link = { id: randomId(), previous: this.#tips.get(partition) ?? '0'.repeat(32) };
    this.#tips.set(partition, link.id);
    const first = decisions[0]?.offset ?? 0;
    const covers = [{ topic: PAYE_EVENTS, partition, from: first, next: first + decisions.length }];
    const { payeRulesHash, vatRulesHash } = this;
    return liabilitiesCodec.encode(link, covers, { decidedAtMs: 1, payeRulesHash, vatRulesHash, decisions });
  }
}

function assessmentOf(wanted: Wanted, number: number): Assessment {
  const isPaye = wanted.account.startsWith('paye:');
  return {
    eventId: eventId(randomId()),
    kind: 'charge',
    number,
    taxPeriod: isPaye ? '2026-27/M08' : '2026-10-01/2026-12-31',
    basePence: pence(250_000),
    amounts: isPaye
      ? [
          { head: 'incomeTax', pence: pence(29_040) },
          { head: 'employeeNics', pence: pence(11_616) },
        ]
      : [{ head: 'outputVat', pence: pence(2_000) }],
    person: isPaye ? personToken(randomId()) : null,
    links: [],
    flags: [],
    stated: [],
    receivedAtMs: 1_795_255_322_000,
    ...wanted,
  };
}

/** Money received on an account. */
export function paymentOf(account: Account, amountPence: number): Wanted {
  const amounts = [{ head: 'payment', pence: amountPence as Pence }] as const;
  return { account, kind: 'payment', taxPeriod: '', basePence: pence(0), amounts, person: null };
}

export function randomId(): string {
  return randomBytes(16).toString('hex');
}
