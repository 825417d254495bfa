import type { GatewayAnswer, GatewayClient } from '../../../libs/adapters/http/gateway-client.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { WakeSignal } from '../../../libs/adapters/time/wake-signal.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import { laneKey, partsOfEventKey } from '../store/payer-keys.ts';
import type { RefusedEvent } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { CheckedReceipts, ReceiptChecker, SentEvent } from './check-receipts.ts';
import { BATCH_EVENTS_MAX } from './outbox.ts';
import { saveReceipts } from './save-receipts.ts';

/** Characters of JSON at most in one request, well under the gateway's limit of a body. */
const REQUEST_CHARACTERS_MAX = 2_000_000;
const IDLE_WAIT_MS = 1_000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_LAST_MS = 15_000;

export interface ForwarderOptions {
  readonly lane: number;
  readonly tax: Tax;
}

export interface ForwarderDependencies {
  readonly store: PayerStore;
  readonly gateway: GatewayClient;
  readonly receipts: ReceiptChecker;
  readonly clock: CivilClock;
  /** The time of the node that receipts and pulls are held against (steadyTime). */
  readonly steadyMs: () => number;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
  readonly onFault: (fault: TallyError) => void;
  /** Receipts can be checked once it is known which ledger this is; nothing is sent before. */
  readonly ready: () => boolean;
}

interface QueuedEvent extends SentEvent {
  readonly queueKey: Buffer;
}

/**
 * Sends the events of one lane to the gateway, in order, until each has a receipt or a refusal. Whatever is unsure is sent again: the
 * gateway gives the same receipt for the same event, so a crash or a lost answer at any point costs a repeat and nothing else.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #dependencies: ForwarderDependencies;
  readonly #bell = new WakeSignal();
  #batchMax = BATCH_EVENTS_MAX;
  #failures = 0;

  constructor(options: ForwarderOptions, dependencies: ForwarderDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  wake(): void {
    this.#bell.notify();
  }

  /** Runs until the signal aborts; what is under way then is finished. Throws only where the store fails. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const batch = this.#dependencies.ready() ? this.#nextBatch() : [];
      if (batch.length === 0) {
        await this.#bell.wait(IDLE_WAIT_MS, signal);
        continue;
      }
      const pauseMs = await this.#send(batch);
      if (pauseMs > 0) await pause(pauseMs, signal);
    }
  }

  /** Sends one batch and settles it; gives how long to wait before the next. */
  async #send(batch: readonly QueuedEvent[]): Promise<number> {
    let answer: GatewayAnswer;
    let checked: CheckedReceipts | null = null;
    try {
      answer = await this.#dependencies.gateway.postEvents(
        this.#options.tax,
        batch.map((event) => event.text),
      );
      if (answer.kind === 'receipts') {
        checked = this.#dependencies.receipts.check(this.#options.tax, batch, answer.receipts);
      }
    } catch (error) {
      if (!(error instanceof TallyError) || !error.retriable) throw error;
      return this.#backOff(error);
    }
    this.#failures = 0;
    if (checked !== null) await this.#settle(batch, checked);
    else if (answer.kind === 'refused') return await this.#refuse(batch, answer);
    return 0;
  }

  #backOff(error: TallyError): number {
    this.#dependencies.onFault(error);
    const doubled = Math.min(BACKOFF_FIRST_MS * 2 ** this.#failures, BACKOFF_LAST_MS);
    this.#failures += 1;
    const asked = hasCode(error, 'GATEWAY_BUSY') ? Number(error.facts['retryAfterMs'] ?? 0) : 0;
    return Math.max(asked, doubled * (0.5 + this.#dependencies.random() / 2));
  }

  async #settle(batch: readonly QueuedEvent[], checked: CheckedReceipts): Promise<void> {
    const { store, clock, steadyMs } = this.#dependencies;
    const civilMs = clock.civilMs();
    const queueKeys = new Map(batch.map((event) => [event.eventKey.toString('latin1'), event.queueKey]));
    await store.commit(() => {
      saveReceipts(store, checked, steadyMs());
      for (const event of checked.events) {
        const queueKey = queueKeys.get(event.eventKey.toString('latin1'));
        if (queueKey !== undefined) void store.unsent.remove(queueKey);
      }
      for (const differing of checked.differing) {
        const queueKey = queueKeys.get(differing.eventKey.toString('latin1'));
        this.#putRefusal(differing.eventKey, queueKey, [differing.fault], civilMs);
      }
    });
    for (const differing of checked.differing) {
      const { accountNumber, id } = partsOfEventKey(differing.eventKey);
      const facts = { account: store.accountOfNumber(accountNumber).account, eventId: id };
      this.#dependencies.onFault(new TallyError(differing.fault.code, differing.fault.detail, facts));
    }
    this.#batchMax = Math.min(this.#batchMax * 2, BATCH_EVENTS_MAX);
  }

  /** Takes the faulty events out, by pointer; the rest goes on with the next batch. Faults of the whole halve the batch until one is left. */
  async #refuse(batch: readonly QueuedEvent[], answer: GatewayAnswer & { kind: 'refused' }): Promise<number> {
    const byEvent = faultsByIndex(answer.faults, batch.length);
    if (byEvent.size === 0 && batch.length === 1) byEvent.set(0, answer.faults);
    if (byEvent.size === 0) {
      this.#batchMax = Math.ceil(batch.length / 2);
      return 0;
    }
    const { store } = this.#dependencies;
    const civilMs = this.#dependencies.clock.civilMs();
    await store.commit(() => {
      for (const [index, faults] of byEvent) {
        const event = batch[index];
        if (event !== undefined) this.#putRefusal(event.eventKey, event.queueKey, faults, civilMs);
      }
    });
    return 0;
  }

  #putRefusal(key: Buffer, queueKey: Buffer | undefined, faults: readonly Fault[], atMs: number): void {
    const { store } = this.#dependencies;
    const refusal: RefusedEvent = { atMs, faults };
    void store.refused.put(key, JSON.stringify(refusal));
    if (queueKey !== undefined) void store.unsent.remove(queueKey);
  }

  #nextBatch(): readonly QueuedEvent[] {
    const { store } = this.#dependencies;
    const { lane } = this.#options;
    const batch: QueuedEvent[] = [];
    let characters = 0;
    const range = { start: laneKey(lane, 0), end: laneKey(lane + 1, 0), limit: this.#batchMax };
    for (const { key, value } of store.unsent.getRange(range)) {
      const text = store.submitted.get(value);
      if (text === undefined) {
        throw new TallyError('STORE_DAMAGED', 'an event in the outbox is not in the record', { lane });
      }
      characters += text.length;
      if (batch.length > 0 && characters > REQUEST_CHARACTERS_MAX) break;
      batch.push({ queueKey: key, eventKey: value, text });
    }
    return batch;
  }
}

/** Faults by the event that their pointers name: `/12/lines/0` is of the thirteenth. */
function faultsByIndex(faults: readonly Fault[], events: number): Map<number, readonly Fault[]> {
  const found = new Map<number, Fault[]>();
  for (const fault of faults) {
    const index = /^\/(\d{1,6})(\/|$)/.exec(fault.pointer)?.[1];
    if (index === undefined || Number(index) >= events) continue;
    const of = found.get(Number(index));
    if (of === undefined) found.set(Number(index), [fault]);
    else of.push(fault);
  }
  return found;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new WakeSignal().wait(ms, signal);
}
