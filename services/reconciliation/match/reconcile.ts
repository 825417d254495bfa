import { setTimeout as sleep, setImmediate as yieldToOthers } from 'node:timers/promises';
import { decodeAcknowledgement } from '../../../libs/adapters/codec/acknowledgement-codec.ts';
import { blocksCodec } from '../../../libs/adapters/codec/blocks-codec.ts';
import { liabilitiesCodecWithoutState } from '../../../libs/adapters/codec/liabilities-codec.ts';
import type { EventLog, LogReader, RecordBatch, TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';
import { partitionKey } from '../../../libs/adapters/event-log/partition-key.ts';
import { ACKNOWLEDGEMENTS, BLOCKS, LIABILITIES } from '../../../libs/adapters/event-log/topics.ts';
import { linkedStart } from '../../../libs/adapters/stage/linked-output.ts';
import type { InputRange } from '../../../libs/adapters/stage/program.ts';
import { type Clock, elapsedOf, type Moment, momentOf } from '../../../libs/adapters/time/clock.ts';
import type { LiabilityBody } from '../../../libs/core/decisions/liability-message.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { BlocksBody } from '../../../libs/core/ledger/block/blocks-message.ts';
import type { LedgerHashes } from '../../../libs/core/ledger/block/seal-block.ts';
import { agedTallies, storedFigures } from '../count/figures.ts';
import { type ReconciliationState, recordException } from '../count/reconciliation-state.ts';
import type { ReconciliationStore } from '../count/reconciliation-store.ts';
import { LinkedQueue } from './linked-queue.ts';
import { takeAcknowledged, takeDispute } from './match-copies.ts';
import { countBlock, type ExaminedBlock, examineBlocks, waitsForDecisions } from './match-entries.ts';
import { countDecision, countEvent, EVENT_TOPICS } from './match-events.ts';
import { placeOf } from './places.ts';

export interface ReconcilerOptions {
  readonly pollMaxBytes: number;
  readonly pollMaxRecords: number;
  /** How long a poll waits where nothing is there. */
  readonly idleWaitMs: number;
  readonly commitEveryMs: number;
  readonly commitEveryChanges: number;
}

export interface ReconcilerDependencies {
  readonly log: EventLog;
  readonly store: ReconciliationStore;
  readonly books: ReconciliationState;
  readonly hashes: LedgerHashes<string>;
  readonly clock: Clock;
}

/**
 * Until when the log is known, by elapsed time: everything that a topic said up to then has been counted. An item that was received a minute
 * before that and is still unmatched is overdue; reading old records again proves nothing about the present.
 */
export interface Evidence {
  readonly decisionsElapsedMs: number | null;
  readonly blocksElapsedMs: number | null;
  /** Records known to be in the log and not read yet, by topic. */
  readonly unread: Readonly<Record<string, number>>;
}

const EVIDENCE_EVERY_MS = 1_000;
const WORK_WITHOUT_PAUSE_MS = 8;

/**
 * Reads every topic and matches what it finds. Upstream is always read before what comes of it is counted: a decision waits until its events
 * were read, an entry until its decision was; only at the known end of a topic is what is missing there called missing.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #dependencies: ReconcilerDependencies;
  readonly #records = new Map<string, number>();
  readonly #decisions = new Map<number, LinkedQueue<LiabilityBody>>();
  readonly #unread = new Map<string, number>();
  #blocks: LinkedQueue<BlocksBody> | null = null;
  #examined: readonly ExaminedBlock[] | null = null;
  /** Where decisions ended when the blocks that wait were read: an entry whose decision is not before that has none. */
  #decisionEnds: ReadonlyMap<number, number> | null = null;
  #readers: { events: LogReader; decisions: LogReader; blocks: LogReader } | null = null;
  #decisionsElapsedMs: number | null = null;
  #blocksElapsedMs: number | null = null;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #committedAtMs = Number.NEGATIVE_INFINITY;
  #breathedAtMs = Number.NEGATIVE_INFINITY;
  #amidMessage = false;

  constructor(options: ReconcilerOptions, dependencies: ReconcilerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Finds the partitions and where reading goes on. Throws TOPIC_UNKNOWN. */
  async open(): Promise<void> {
    const { log, store } = this.#dependencies;
    const positions = store.stored?.positions ?? { records: {}, linked: {} };
    const linked = (partition: TopicPartition) => positions.linked[partitionKey(partition)] ?? linkedStart(partition);
    for (const topic of [...EVENT_TOPICS, ACKNOWLEDGEMENTS]) {
      for (const place of await partitionsOf(topic, log)) {
        this.#records.set(partitionKey(place), positions.records[partitionKey(place)] ?? 0);
      }
    }
    for (const place of await partitionsOf(LIABILITIES, log)) {
      this.#decisions.set(place.partition, new LinkedQueue(linked(place), liabilitiesCodecWithoutState));
    }
    this.#blocks = new LinkedQueue(linked({ topic: BLOCKS, partition: 0 }), blocksCodec);
    this.#readers = {
      events: log.reader([...this.#records].map(([key, offset]) => ({ ...placeOf(key), offset }))),
      decisions: log.reader([...this.#decisions.values()].map(({ position }) => position)),
      blocks: log.reader([this.#blocks.position]),
    };
    this.#committedAtMs = this.#dependencies.clock.elapsedMs();
  }

  /** Reads and counts one round. True where there was something to do. */
  async step(): Promise<boolean> {
    const { events, decisions, blocks } = this.#open();
    // On a full disk nothing more is read than memory has room for.
    if (this.#dependencies.store.changes >= this.#options.commitEveryChanges) this.commit();
    const blocksQueue = this.#blocks;
    let read = 0;
    if (blocksQueue?.empty === true) {
      for (const batch of await this.#poll(blocks, 0)) {
        blocksQueue.push(batch);
        read += batch.records.length;
      }
    }
    if ([...this.#decisions.values()].every(({ empty }) => empty)) {
      for (const batch of await this.#poll(decisions, 0)) {
        this.#decisions.get(batch.partition)?.push(batch);
        read += batch.records.length;
      }
    }
    const found = await this.#poll(events, read > 0 || this.#examined !== null ? 0 : this.#options.idleWaitMs);
    for (const batch of found) await this.#takeRecords(batch);
    read += found.length;
    const settled = (await this.#settleDecisions(found.length === 0)) + (await this.#settleBlocks());
    await this.#measure();
    this.#commitIfDue();
    return read + settled > 0;
  }

  evidence(): Evidence {
    const unread: Record<string, number> = {};
    for (const [key, records] of this.#unread) {
      const { topic } = placeOf(key);
      unread[topic] = (unread[topic] ?? 0) + records;
    }
    return { decisionsElapsedMs: this.#decisionsElapsedMs, blocksElapsedMs: this.#blocksElapsedMs, unread };
  }

  /** Makes what was counted durable, with where reading stands; leaves it for the next time in the middle of a message. */
  commit(): void {
    if (this.#amidMessage) return;
    const { store, books } = this.#dependencies;
    const linked = [...this.#decisions.values(), this.#blocks].flatMap((queue) =>
      queue === null ? [] : queue.position,
    );
    store.commit({
      figures: storedFigures(books.figures),
      positions: {
        records: Object.fromEntries(this.#records),
        linked: Object.fromEntries(linked.map((position) => [partitionKey(position), position])),
      },
    });
    this.#committedAtMs = this.#dependencies.clock.elapsedMs();
  }

  async close(): Promise<void> {
    const readers = this.#readers;
    this.#readers = null;
    if (readers === null) return;
    await Promise.all([readers.events.close(), readers.decisions.close(), readers.blocks.close()]);
  }

  #open(): { events: LogReader; decisions: LogReader; blocks: LogReader } {
    if (this.#readers === null) throw new TallyError('NOT_READY', 'the reconciliation is not open');
    return this.#readers;
  }

  async #poll(reader: LogReader, waitMs: number): Promise<RecordBatch[]> {
    const { pollMaxBytes: maxBytes, pollMaxRecords: maxRecords } = this.#options;
    const batches = await reader.poll({ maxBytes, maxRecords, waitMs });
    for (const batch of batches) this.#unread.set(partitionKey(batch), batch.highOffset - batch.nextOffset);
    return batches;
  }

  async #takeRecords(batch: RecordBatch): Promise<void> {
    const { books } = this.#dependencies;
    const key = partitionKey(batch);
    const from = this.#records.get(key) ?? 0;
    if (batch.fromOffset > from) {
      this.#open().events.seek({ topic: batch.topic, partition: batch.partition, offset: from });
      return;
    }
    for (const record of batch.records) {
      if (record.offset < from) continue;
      if (batch.topic === ACKNOWLEDGEMENTS) takeAcknowledgement(books, record.value, record.timestampMs);
      else countEvent(books, batch.topic, batch.partition, record);
      this.#records.set(key, record.offset + 1);
      const pause = this.#breathe();
      if (pause !== null) await pause;
    }
    this.#records.set(key, Math.max(from, batch.nextOffset));
  }

  /** Gives the number of messages settled. */
  async #settleDecisions(eventsAreIdle: boolean): Promise<number> {
    const { books } = this.#dependencies;
    let settled = 0;
    for (const [partition, queue] of this.#decisions) {
      for (let first = queue.first(); first !== null; first = queue.first()) {
        const { covers, body } = first.message;
        const waits = covers.some((cover) => !this.#hasRead(cover));
        if (waits && !(eventsAreIdle && (await this.#areAtEnd(covers)))) break;
        const atMs = first.timestampMs;
        await this.#inOneGo(body.decisions, (decision) => countDecision(books, partition, decision, atMs));
        queue.settle();
        this.#amidMessage = false;
        settled++;
      }
    }
    return settled;
  }

  async #settleBlocks(): Promise<number> {
    const { books, hashes } = this.#dependencies;
    const queue = this.#blocks;
    let settled = 0;
    for (let first = queue?.first() ?? null; first !== null; first = queue?.first() ?? null) {
      this.#examined ??= await examineBlocks(books, first.message.body, hashes, () => this.#breathe());
      if (waitsForDecisions(books, this.#examined) && !(await this.#haveReadDecisions())) break;
      const atMs = first.timestampMs;
      await this.#inOneGo(this.#examined, (block) => countBlock(books, block, atMs));
      await this.#inOneGo(first.message.body.acknowledged, (head) => takeAcknowledged(books, head, atMs));
      this.#examined = null;
      this.#decisionEnds = null;
      queue?.settle();
      this.#amidMessage = false;
      settled++;
    }
    return settled;
  }

  /** Works through the items of one message, which are stored together with its position or not at all. */
  async #inOneGo<Item>(items: readonly Item[], take: (item: Item) => void): Promise<void> {
    this.#amidMessage = true;
    for (const item of items) {
      take(item);
      const pause = this.#breathe();
      if (pause !== null) await pause;
    }
  }

  /** To be awaited where not null: HTTP answers and the other services of an embedded process have their turn. */
  #breathe(): Promise<void> | null {
    const { clock } = this.#dependencies;
    if (clock.elapsedMs() - this.#breathedAtMs < WORK_WITHOUT_PAUSE_MS) return null;
    return yieldToOthers().then(() => {
      this.#breathedAtMs = clock.elapsedMs();
    });
  }

  #hasRead({ topic, partition, next }: InputRange): boolean {
    const read = this.#records.get(partitionKey({ topic, partition }));
    return read === undefined || read >= next;
  }

  /** Whether those inputs were read to the end that they have now. */
  async #areAtEnd(covers: readonly InputRange[]): Promise<boolean> {
    for (const { topic, partition } of covers) {
      const read = this.#records.get(partitionKey({ topic, partition }));
      if (read === undefined) continue;
      const { high } = await this.#dependencies.log.bounds({ topic, partition });
      if (read < high) return false;
    }
    return true;
  }

  async #haveReadDecisions(): Promise<boolean> {
    this.#decisionEnds ??= await endsOf([...this.#decisions.values()], this.#dependencies.log);
    for (const [partition, high] of this.#decisionEnds) {
      if ((this.#decisions.get(partition)?.position.offset ?? high) < high) return false;
    }
    return true;
  }

  /** Asks once a second how far the log reaches, so that silence is told from being behind. */
  async #measure(): Promise<void> {
    const { log, clock, books } = this.#dependencies;
    const measured = momentOf(clock);
    if (measured.elapsedMs - this.#measuredAtMs < EVIDENCE_EVERY_MS) return;
    this.#measuredAtMs = measured.elapsedMs;
    for (const tally of agedTallies(books.figures)) tally.see(measured);
    const known = await Promise.all([...this.#decisions.values()].map((queue) => knownUntil(queue, measured, log)));
    this.#decisionsElapsedMs = earliest(known);
    this.#blocksElapsedMs = this.#blocks === null ? null : await knownUntil(this.#blocks, measured, log);
  }

  #commitIfDue(): void {
    const { store, clock } = this.#dependencies;
    const due = clock.elapsedMs() - this.#committedAtMs >= this.#options.commitEveryMs;
    if (store.changes >= this.#options.commitEveryChanges || (due && store.changes > 0)) this.commit();
  }
}

/** Runs a reconciler until told to stop; retries what can pass, throws what cannot. */
export async function runReconciler(
  reconciler: Reconciler,
  signal: AbortSignal,
  onRetry: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const busy = await reconciler.step();
      await sleep(busy ? 0 : IDLE_PAUSE_MS);
    } catch (error) {
      if (!(error instanceof TallyError && error.retriable)) throw error;
      onRetry(error);
      await sleep(RETRY_PAUSE_MS);
    }
  }
}

const IDLE_PAUSE_MS = 20;
const RETRY_PAUSE_MS = 500;

function takeAcknowledgement(books: ReconciliationState, value: Buffer | null, atMs: number): void {
  try {
    if (value === null) throw new TallyError('RECORD_UNREADABLE', 'the record has no value');
    const event = decodeAcknowledgement(value);
    if (event.type === 'DisputeRaised') takeDispute(books, event);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    const detail = 'an acknowledgement that cannot be read';
    const { code } = error;
    recordException(books, 'unreadable', { account: null, eventId: null, code, stage: 'payerCopy', detail, atMs });
  }
}

async function partitionsOf(topic: string, log: EventLog): Promise<TopicPartition[]> {
  const count = await log.partitionCount(topic);
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
}

async function knownUntil<Body>(queue: LinkedQueue<Body>, measured: Moment, log: EventLog): Promise<number | null> {
  const { high } = await log.bounds(queue.position);
  if (queue.empty && queue.position.offset >= high) return measured.elapsedMs;
  return queue.settledMs === null ? null : elapsedOf(queue.settledMs, measured);
}

async function endsOf<Body>(queues: readonly LinkedQueue<Body>[], log: EventLog): Promise<ReadonlyMap<number, number>> {
  const ends = queues.map(async ({ position }) => [position.partition, (await log.bounds(position)).high] as const);
  return new Map(await Promise.all(ends));
}

function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce<number | null>(
    (first, time) => (first === null || time === null ? null : Math.min(first, time)),
    Number.MAX_SAFE_INTEGER,
  );
}
