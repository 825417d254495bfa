import { nodeSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { WakeSignal } from '../../../libs/adapters/time/wake-signal.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { type TaxYear, taxYearOf } from '../../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, taxOf } from '../../../libs/core/identity/account.ts';
import { eventId, uuidOf } from '../../../libs/core/identity/event-id.ts';
import { monthsToClose } from '../../../libs/core/paye/month/decide-claims.ts';
import { monthOpenUntil } from '../../../libs/core/paye/rates/charge-month.ts';
import type { PayeRules } from '../../../libs/core/paye/rates/paye-rules.ts';
import { BATCH_EVENTS_MAX, type Outbox } from '../outbox/outbox.ts';
import type { CloseHold } from '../store/close-hold.ts';
import { OwnState } from '../store/own-state.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { PayerStore } from '../store/payer-store.ts';

export interface MonthCloserDependencies {
  readonly store: PayerStore;
  readonly outbox: Pick<Outbox, 'submit'>;
  readonly clock: CivilClock;
  readonly rules: PayeRules;
  /** Keeps a clock that is ahead from closing months. */
  readonly hold: Pick<CloseHold, 'leftMs'>;
  readonly onFault: (fault: TallyError) => void;
}

const LOOK_EVERY_MS = 3_600_000;
const HELD_LOOK_MS = 60_000;

/**
 * Time passes only as events, and an event of an employer's account is the employer's own: so it is the payer's node that closes a tax
 * month, on the 20th after it, with a PayePeriodClosed whose id is made of account and month: where the employer has claims in the year, since
 * an Employment Allowance claimed once goes on (paye.md 7.2), or its pay bill owes Apprenticeship Levy, claims or not (paye.md 7.4).
 */
export class MonthCloser {
  readonly #dependencies: MonthCloserDependencies;

  constructor(dependencies: MonthCloserDependencies) {
    this.#dependencies = dependencies;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const heldMs = await this.#dependencies.hold.leftMs();
      if (heldMs > 0) {
        // Looked at often, since a clock may be put right long before.
        await new WakeSignal().wait(Math.min(heldMs, HELD_LOOK_MS), signal);
        continue;
      }
      try {
        await this.closeDue();
      } catch (error) {
        // A full outbox: the months are found again at the next look.
        if (!(error instanceof TallyError)) throw error;
        this.#dependencies.onFault(error);
      }
      await new WakeSignal().wait(LOOK_EVERY_MS, signal);
    }
  }

  /** Queues a close for every month that is over and not closed yet; gives their number. Throws OUTBOX_FULL. */
  async closeDue(): Promise<number> {
    const { store, outbox } = this.#dependencies;
    const due: unknown[] = [];
    for (const followed of store.accounts()) {
      if (taxOf(followed.account) !== 'paye') continue;
      for (const close of closesDue(this.#dependencies, followed.account, followed.number)) due.push(close);
    }
    for (let from = 0; from < due.length; from += BATCH_EVENTS_MAX) {
      await outbox.submit('paye', due.slice(from, from + BATCH_EVENTS_MAX), { whole: false });
    }
    return due.length;
  }
}

function closesDue(
  { store, rules, clock }: Pick<MonthCloserDependencies, 'store' | 'rules' | 'clock'>,
  owner: Account,
  accountNumber: number,
): readonly unknown[] {
  const today = londonDate(clock.civilMs());
  const state = new OwnState(store, accountNumber);
  const closes: unknown[] = [];
  for (const taxYear of [yearBefore(taxYearOf(today)), taxYearOf(today)]) {
    const months = monthsToClose(state, owner, taxYear, rules);
    if (months === null) continue;
    const { from, to } = months;
    for (let taxMonth = from; taxMonth <= to && monthOpenUntil(taxYear, taxMonth) < today; taxMonth += 1) {
      const id = closeIdOf(owner, taxYear, taxMonth);
      if (store.hasEvent(eventKey(accountNumber, eventId(id)))) continue;
      const payeReference = owner.slice('paye:'.length);
      closes.push({ type: 'PayePeriodClosed', eventId: id, payeReference, taxYear, taxMonth });
    }
  }
  return closes;
}

/** The same id whichever node closes the month: 128 bits of a hash as a UUID of version 8. */
function closeIdOf(owner: Account, taxYear: string, taxMonth: number): string {
  const text = JSON.stringify(['tallystick/paye-period-closed/v1', owner, taxYear, taxMonth]);
  const hash = Buffer.from(nodeSha256(Buffer.from(text)));
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return uuidOf(eventId(hash.toString('hex').slice(0, 32)));
}

function yearBefore(year: TaxYear): TaxYear {
  const start = Number(year.slice(0, 4)) - 1;
  return `${start}-${String((start + 1) % 100).padStart(2, '0')}` as TaxYear;
}
