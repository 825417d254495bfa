import { nodeSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import { TimeSlice } from '../../../libs/adapters/time/time-slice.ts';
import type { WakeSignal } from '../../../libs/adapters/time/wake-signal.ts';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, taxOf } from '../../../libs/core/identity/account.ts';
import { eventId, uuidOf } from '../../../libs/core/identity/event-id.ts';
import { duePeriodCloses } from '../../../libs/core/vat/standing/due-period-closes.ts';
import { type TraderState, traderOf } from '../../../libs/core/vat/state/trader.ts';
import { BATCH_EVENTS_MAX, type Outbox } from '../outbox/outbox.ts';
import type { CloseHold } from '../store/close-hold.ts';
import { OwnState } from '../store/own-state.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';

export interface VatPeriodCloserDependencies {
  readonly store: PayerStore;
  readonly filings: VatFilings;
  readonly outbox: Pick<Outbox, 'submit'>;
  readonly bell: WakeSignal;
  readonly clock: Clock;
  /** Keeps a clock that is ahead from closing periods. */
  readonly hold: Pick<CloseHold, 'leftMs'>;
  readonly onFault: (fault: TallyError) => void;
}

export interface VatPeriodCloserOptions {
  readonly lookEveryMs: number;
}

/** A VatPeriodClosed as the outbox takes it. */
interface CloseEvent {
  readonly type: 'VatPeriodClosed';
  readonly eventId: string;
  readonly vrn: string;
  readonly periodStart: LocalDate;
  readonly periodEnd: LocalDate;
  readonly close: 'soft' | 'hard';
}

/**
 * Time passes only as events, and an event of a trader's account is the trader's own: so it is the payer's node that closes its periods
 * (vat.md 8.2), through the outbox like any event, under ids that make each close one event, whatever stops this process.
 *
 * Hard: a return that a person filed closes its period for good. Periods are closed in order of time: the close of one that was filed
 * before an earlier one waits for it. Softly: a period that ended more than the grace before; what comes later is flagged. Looked for
 * once a day, and not in the first minutes of a node: it has its copy to catch up first.
 */
export class VatPeriodCloser {
  readonly #lookEveryMs: number;
  readonly #dependencies: VatPeriodCloserDependencies;
  #softlyClosedOn: LocalDate | null = null;

  constructor({ lookEveryMs }: VatPeriodCloserOptions, dependencies: VatPeriodCloserDependencies) {
    this.#lookEveryMs = lookEveryMs;
    this.#dependencies = dependencies;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { bell, clock, hold } = this.#dependencies;
    const softlyFromMs = clock.elapsedMs() + this.#lookEveryMs;
    while (!signal.aborted) {
      await this.#look(() => this.closeFiled());
      const isHeld = (await hold.leftMs()) > 0;
      if (!isHeld && clock.elapsedMs() >= softlyFromMs) await this.#look(() => this.closeEnded());
      await bell.wait(this.#lookEveryMs, signal);
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
      const closes = hardClosesDue(store, accountNumber, filed);
      if (closes.length > 0) queued += (await outbox.submit('vat', closes, { whole: false })).queued;
    }
    return queued;
  }

  /**
   * Queues the soft close of every period that ended more than the grace before today (in the United Kingdom) and was not filed here;
   * gives their number, 0 where it was done for today. Throws OUTBOX_FULL: the rest is found again.
   */
  async closeEnded(): Promise<number> {
    const { store, filings, outbox, clock } = this.#dependencies;
    const today = londonDate(clock.civilMs());
    if (this.#softlyClosedOn === today) return 0;
    const filed = new Set<string>();
    for (const { accountNumber, filed: one } of filings.all()) filed.add(`${accountNumber} ${one.start}`);
    const slice = new TimeSlice();
    let queued = 0;
    const due: CloseEvent[] = [];
    for (const followed of [...store.accounts()]) {
      if (taxOf(followed.account) !== 'vat') continue;
      due.push(...softClosesDue(store, followed, filed, today));
      if (due.length >= BATCH_EVENTS_MAX) {
        queued += (await outbox.submit('vat', due.splice(0, BATCH_EVENTS_MAX), { whole: false })).queued;
      }
      await slice.giveWay();
    }
    if (due.length > 0) queued += (await outbox.submit('vat', due, { whole: false })).queued;
    this.#softlyClosedOn = today;
    return queued;
  }

  async #look(work: () => Promise<number>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // A full outbox: what is due is found again at the next look.
      if (!(error instanceof TallyError)) throw error;
      this.#dependencies.onFault(error);
    }
  }
}

/** Oldest first. Each close counts as done for those after it: the events of an account keep their order. */
function hardClosesDue(store: PayerStore, accountNumber: number, filed: readonly FiledReturn[]): readonly CloseEvent[] {
  const owner = store.accountOfNumber(accountNumber).account;
  const trader = traderOf(owner, new OwnState(store, accountNumber));
  const closing = new Set<string>(filed.map(({ start }) => start));
  const closes: CloseEvent[] = [];
  for (const one of [...filed].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    if (trader.o.some(([start, end]) => end < one.start && !closing.has(start))) break;
    if (isClosedHard(trader, one.end) || wasSubmitted(store, accountNumber, one.closeEventId)) continue;
    closes.push(closeOf(owner, one.closeEventId, one.start, one.end, 'hard'));
  }
  return closes;
}

function softClosesDue(
  store: PayerStore,
  { account, number }: FollowedAccount,
  filed: ReadonlySet<string>,
  today: LocalDate,
): readonly CloseEvent[] {
  const trader = traderOf(account, new OwnState(store, number));
  return duePeriodCloses(account, trader, today, nodeSha256)
    .filter(({ periodStart }) => !filed.has(`${number} ${periodStart}`))
    .map(({ eventId: id, periodStart, periodEnd }) => closeOf(account, uuidOf(id), periodStart, periodEnd, 'soft'))
    .filter((close) => !wasSubmitted(store, number, close.eventId));
}

function isClosedHard(trader: TraderState, periodEnd: LocalDate): boolean {
  return trader.h !== null && periodEnd <= trader.h;
}

function wasSubmitted(store: PayerStore, accountNumber: number, id: string): boolean {
  return store.hasEvent(eventKey(accountNumber, eventId(id)));
}

function closeOf(
  owner: Account,
  id: string,
  periodStart: LocalDate,
  periodEnd: LocalDate,
  close: 'soft' | 'hard',
): CloseEvent {
  return { type: 'VatPeriodClosed', eventId: id, vrn: owner.slice('vat:'.length), periodStart, periodEnd, close };
}
