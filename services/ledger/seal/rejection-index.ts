import { liabilitiesCodecWithoutState } from '../../../libs/adapters/codec/liabilities-codec.ts';
import type { EventLog } from '../../../libs/adapters/event-log/event-log.ts';
import { LIABILITIES } from '../../../libs/adapters/event-log/topics.ts';
import { type LinkedPosition, ZERO_TIP } from '../../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../../libs/adapters/stage/linked-reader.ts';
import type { FoldedMessage } from '../../../libs/adapters/stage/program.ts';
import type { LiabilityBody } from '../../../libs/core/decisions/liability-message.ts';
import type { LedgerStore } from '../store/ledger-store.ts';

export interface RejectionIndexDependencies {
  readonly log: EventLog;
  readonly store: LedgerStore;
}

const POLL = { maxBytes: 8 * 1024 * 1024, maxRecords: 10_000, waitMs: 1_000 };

/**
 * The rejected events of each account in the order of their decisions, so that a payer's cursor means the same after a rebuild. They
 * stand in liabilities.v1 and in no block, so they have positions of their own in the store: taken along while the stage reads, and
 * caught up where the store lags behind what blocks cover (it was deleted).
 */
export class RejectionIndex {
  readonly #log: EventLog;
  readonly #store: LedgerStore;

  constructor(dependencies: RejectionIndexDependencies) {
    this.#log = dependencies.log;
    this.#store = dependencies.store;
  }

  /** Takes the rejections of a valid message, once. */
  take(partition: number, message: FoldedMessage<LiabilityBody>): void {
    const position = this.#store.rejectionsPosition(partition);
    if (position !== undefined && message.offset < position.offset) return;
    for (const decision of message.body.decisions) {
      for (const { account, eventId, code, facts } of decision.rejections) {
        if (account !== null && eventId !== null) this.#store.addRejection(account, { eventId, code, facts });
      }
    }
    this.#store.setRejectionsPosition(partition, { offset: message.offset + 1, tip: message.link.id });
  }

  /** Reads what lies between the store's own position and where the stage begins to read. */
  async catchUp(start: LinkedPosition): Promise<void> {
    const { partition, offset } = start;
    let position = this.#store.rejectionsPosition(partition) ?? { offset: 0, tip: ZERO_TIP };
    if (position.offset >= offset) return;
    const from = { topic: LIABILITIES, partition, offset: position.offset, tip: position.tip, covered: [] };
    const reader = openLinkedReader([from], { log: this.#log, codec: liabilitiesCodecWithoutState });
    try {
      while (position.offset < offset) {
        for (const batch of await reader.poll(POLL)) {
          for (const message of batch.messages) if (message.offset < offset) this.take(partition, message);
          position = batch.position;
        }
        if (this.#store.hasPendingRejections) await this.#store.commit();
      }
    } finally {
      await reader.close();
    }
  }
}
