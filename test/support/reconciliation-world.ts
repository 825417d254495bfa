import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { encodeAcknowledgement } from '../../libs/adapters/codec/acknowledgement-codec.ts';
import { blocksCodec } from '../../libs/adapters/codec/blocks-codec.ts';
import { encodeEvent, topicOfType } from '../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import { NODE_HASHES } from '../../libs/adapters/crypto/node-crypto.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { ACKNOWLEDGEMENTS, BLOCKS, LIABILITIES, TOPICS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { InputRange } from '../../libs/adapters/stage/program.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { Clock } from '../../libs/adapters/time/clock.ts';
import type { Assessment, Decision } from '../../libs/core/decisions/decision.ts';
import type { DecisionOfRecord } from '../../libs/core/decisions/liability-message.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import type { DisputeRaised } from '../../libs/core/ledger/block/acknowledgement-events.ts';
import type { BlocksBody } from '../../libs/core/ledger/block/blocks-message.ts';
import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import { openEntryOf, sealBlock } from '../../libs/core/ledger/block/seal-block.ts';
import { entryOf } from '../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry } from '../../libs/core/ledger/entry/key-event.ts';
import { pence } from '../../libs/core/money/pence.ts';
import {
  openReconciliation,
  type Reconciliation,
  type ReconciliationOptions,
} from '../../services/reconciliation/create-reconciliation.ts';
import { LEDGER_KEY, LEDGER_NAME, seededBytes } from './ledger-chain.ts';
import { idOf } from './sample-events.ts';

const PARTITIONS = 3;
const ZERO_ID = '0'.repeat(32);
export const ANALYST_KEY = 'analyst-key';
export const PAYER_KEY = 'payer-key';

/** An assessment as tax would write it: VAT or tax of a sixth of the base unless said otherwise. */
export function assessed(
  event: TaxEvent,
  number: number,
  basePence: number,
  other: Partial<Assessment> = {},
): Assessment {
  const head = event.account.startsWith('vat:') ? 'outputVat' : 'incomeTax';
  const amount = Math.round(basePence / 6);
  return {
    account: event.account,
    eventId: event.eventId,
    kind: 'charge',
    number,
    taxPeriod: '2026-10-01/2026-12-31',
    basePence: pence(basePence),
    amounts: amount === 0 ? [] : [{ head, pence: pence(amount) }],
    person: null,
    links: [],
    flags: [],
    stated: [],
    receivedAtMs: event.receivedAtMs,
    ...other,
  };
}

export function accepted(...results: Assessment[]): Decision {
  return { outcome: 'accepted', results, rejections: [], changes: [] };
}

/**
 * A log into which a test writes by hand what gateway, tax, ledger and payers would: through the real codecs, with real blocks. The clock stands
 * where the test puts it, for the log too.
 */
export class ReconciliationWorld {
  nowMs: number;
  /** Moves on with `nowMs`, by both times. */
  readonly clock: Clock = { civilMs: () => this.nowMs, elapsedMs: () => this.nowMs };
  readonly folder = mkdtempSync(join(tmpdir(), 'tallystick-reconciliation-'));
  readonly metrics: ReturnType<typeof createMetrics>[] = [];
  readonly #linked = new Map<string, { tip: string; covered: Map<string, number>; count: number }>();
  readonly #heads = new Map<Account, ChainHead>();
  #log: EventLog | null = null;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  async open(): Promise<void> {
    this.#log = await openEmbeddedLog({ folder: join(this.folder, 'log') }, { clock: this.clock });
    await this.log.ensureTopics(
      TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
    );
  }

  get log(): EventLog {
    if (this.#log === null) throw new Error('the world is not open');
    return this.#log;
  }

  async close(): Promise<void> {
    await this.log.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  reconcile(options: Partial<ReconciliationOptions> = {}): Promise<Reconciliation> {
    const metrics = createMetrics();
    this.metrics.push(metrics);
    return openReconciliation(
      { folder: join(this.folder, 'reconciliation'), idleWaitMs: 5, liveEveryMs: 30, ...options },
      {
        log: this.log,
        clients: clientRegistry([client('analyst', ANALYST_KEY, ['analyst']), client('payer', PAYER_KEY, ['payer'])]),
        logger: createLogger({ service: 'reconciliation', level: 'silent' }),
        metrics,
        clock: this.clock,
      },
    );
  }

  /** Appends an event as the gateway would; gives its place. */
  async receive(event: TaxEvent): Promise<{ topic: string; partition: number; offset: number }> {
    return this.receiveBytes(topicOfType(event.type), event.account, encodeEvent(event));
  }

  async receiveBytes(topic: string, key: Account, value: Buffer) {
    const partition = partitionOf(key, PARTITIONS);
    const [outcome] = await this.log.append([{ topic, partition, records: [{ key, value }] }]);
    if (outcome?.status !== 'appended') throw new Error('not appended');
    return { topic, partition, offset: outcome.baseOffset };
  }

  /** Appends one message of decisions of one partition, covering the places it is given. */
  async decide(
    ...decisions: readonly (readonly [
      place: { topic: string; partition: number; offset: number },
      decision: Decision,
    ])[]
  ): Promise<void> {
    const partition = decisions[0]?.[0].partition ?? 0;
    const ofRecords: DecisionOfRecord[] = decisions.map(([{ topic, offset }, decision]) => ({
      ...decision,
      topic,
      offset,
    }));
    const covered = new Map<string, number>();
    for (const [{ topic, offset }] of decisions) covered.set(topic, Math.max(covered.get(topic) ?? 0, offset + 1));
    const covers = [...covered].map(([topic, next]) => ({ topic, partition, next }));
    const body = {
      decidedAtMs: this.nowMs,
      payeRulesHash: '1'.repeat(64),
      vatRulesHash: '2'.repeat(64),
      decisions: ofRecords,
    };
    await this.#appendLinked(LIABILITIES, partition, covers, (link, full) => liabilitiesCodec.encode(link, full, body));
  }

  /** Appends a valid link whose coverage leaves out the first record of the VAT events. */
  async skipCoverage(partition: number): Promise<void> {
    const link = { id: idOf('hole'), previous: ZERO_ID };
    const body = {
      decidedAtMs: this.nowMs,
      payeRulesHash: '1'.repeat(64),
      vatRulesHash: '2'.repeat(64),
      decisions: [],
    };
    const value = liabilitiesCodec.encode(link, [{ topic: VAT_EVENTS, partition, from: 1, next: 2 }], body);
    await this.log.append([{ topic: LIABILITIES, partition, records: [{ key: null, value }] }]);
  }

  /** Seals assessments of one account as its next block (after block 0 where it has none) and appends it. */
  async seal(account: Account, ...assessments: readonly Assessment[]): Promise<ChainHead> {
    const body = { blocks: [...this.#openChain(account)], checkpoint: null, acknowledged: [] };
    const entries = assessments.map((each) =>
      openEntryOf(entryOf(each, { personKey: seededBytes('person', 32), salt: seededBytes(each.eventId, 16) })),
    );
    const sealed = sealBlock(
      { ...this.#sealing(account), entries, reason: 'age', rulesHash: '3'.repeat(64) },
      NODE_HASHES,
    );
    this.#heads.set(account, sealed.head);
    await this.blocks({ ...body, blocks: [...body.blocks, sealed.block] });
    return sealed.head;
  }

  async acknowledge(head: Pick<ChainHead, 'account' | 'chain' | 'seq' | 'blockHash'>): Promise<void> {
    const { account, chain, seq, blockHash } = head;
    await this.blocks({ blocks: [], checkpoint: null, acknowledged: [{ account, chain, seq, blockHash }] });
  }

  async blocks(body: BlocksBody): Promise<void> {
    await this.#appendLinked(BLOCKS, 0, [], (link, covers) => blocksCodec.encode(link, covers, body));
  }

  async dispute(dispute: Omit<DisputeRaised, 'type' | 'eventId' | 'receivedAtMs'>): Promise<void> {
    const event: DisputeRaised = {
      type: 'DisputeRaised',
      eventId: idOf('dispute'),
      receivedAtMs: this.nowMs,
      ...dispute,
    };
    await this.receiveBytes(ACKNOWLEDGEMENTS, dispute.account, encodeAcknowledgement(event));
  }

  *#openChain(account: Account) {
    if (this.#heads.has(account)) return;
    const entries = [openEntryOf(ledgerKeyEntry(account, LEDGER_KEY, seededBytes('salt', 16)))];
    const sealed = sealBlock({ ...this.#sealing(account), entries, reason: 'key', rulesHash: null }, NODE_HASHES);
    this.#heads.set(account, sealed.head);
    yield sealed.block;
  }

  #sealing(account: Account) {
    return {
      ledgerName: LEDGER_NAME,
      account,
      chain: idOf(`chain of ${account}`),
      previous: this.#heads.get(account) ?? null,
      closedAtMs: this.nowMs,
      blind: seededBytes('blind', 32),
    };
  }

  async #appendLinked(
    topic: string,
    partition: number,
    covers: readonly { topic: string; partition: number; next: number }[],
    encode: (link: { id: string; previous: string }, covers: readonly InputRange[]) => Buffer,
  ): Promise<void> {
    const key = `${topic}/${partition}`;
    const output = this.#linked.get(key) ?? { tip: ZERO_ID, covered: new Map<string, number>(), count: 0 };
    const full = covers.map((cover) => ({ ...cover, from: output.covered.get(cover.topic) ?? 0 }));
    for (const { topic: input, next } of covers) output.covered.set(input, next);
    output.count++;
    const link = { id: idOf(`${key}/${output.count}`), previous: output.tip };
    await this.log.append([{ topic, partition, records: [{ key: null, value: encode(link, full) }] }]);
    this.#linked.set(key, { ...output, tip: link.id });
  }
}

function client(id: string, key: string, roles: readonly ('analyst' | 'payer')[]) {
  return { id, keySha256: digestOfKey(key), accounts: '*' as const, roles: [...roles], expiresAt: null };
}
