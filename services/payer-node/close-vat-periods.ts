import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import { traderOf } from '../../libs/core/vat/trader.ts';
import type { Doorbell } from './doorbell.ts';
import type { Outbox } from './outbox.ts';
import { OwnState } from './own-state.ts';
import { eventKey, type PayerStore } from './payer-store.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';

export interface VatPeriodCloserDependencies {
  readonly store: PayerStore;
  readonly filings: VatFilings;
  readonly outbox: Pick<Outbox, 'submit'>;
  readonly bell: Doorbell;
  readonly onFault: (fault: TallyError) => void;
}

const LOOK_EVERY_MS = 600_000;

/**
 * A return that a person filed closes its period for good (vat.md 8.2): the close goes through the outbox like any event of the trader,
 * under an id made of what was filed, so that it is sent once, whatever stops this process. Periods are closed in order of time: the close
 * of one that was filed before an earlier one waits for it.
 */
export class VatPeriodCloser {
  readonly #dependencies: VatPeriodCloserDependencies;

  constructor(dependencies: VatPeriodCloserDependencies) {
    this.#dependencies = dependencies;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.closeFiled();
      } catch (error) {
        // A full outbox: the filings are found again at the next look.
        if (!(error instanceof TallyError)) throw error;
        this.#dependencies.onFault(error);
      }
      await this.#dependencies.bell.wait(LOOK_EVERY_MS, signal);
    }
  }

  /** Queues the close of every filed period whose turn it is; gives their number. Throws OUTBOX_FULL. */
  async closeFiled(): Promise<number> {
    const { store, filings, outbox } = this.#dependencies;
    const byAccount = new Map<number, FiledReturn[]>();
    for (const { accountNumber, filed } of filings.all()) {
      byAccount.set(accountNumber, [...(byAccount.get(accountNumber) ?? []), filed]);
    }
    let queued = 0;
    for (const [accountNumber, filed] of byAccount) {
      const closes = closesDue(store, accountNumber, filed);
      if (closes.length > 0) queued += (await outbox.submit('vat', closes, { whole: false })).queued;
    }
    return queued;
  }
}

/** Oldest first. Each close counts as done for those after it: the events of an account keep their order. */
function closesDue(store: PayerStore, accountNumber: number, filed: readonly FiledReturn[]): readonly unknown[] {
  const owner = store.accountOfNumber(accountNumber).account;
  const trader = traderOf(owner, new OwnState(store, accountNumber));
  const closing = new Set<string>(filed.map(({ start }) => start));
  const closes: unknown[] = [];
  for (const one of [...filed].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    if (trader.o.some(([start, end]) => end < one.start && !closing.has(start))) break;
    const isClosed = trader.h !== null && one.end <= trader.h;
    if (isClosed || store.submitted.doesExist(eventKey(accountNumber, eventId(one.closeEventId)))) continue;
    closes.push({
      type: 'VatPeriodClosed',
      eventId: one.closeEventId,
      vrn: owner.slice('vat:'.length),
      periodStart: one.start,
      periodEnd: one.end,
      close: 'hard',
    });
  }
  return closes;
}
