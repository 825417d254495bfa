import { addDays, type LocalDate } from '../../calendar/local-date.ts';
import { hashInput } from '../../encoding/hash-input.ts';
import { toHex } from '../../encoding/hex.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import type { Account } from '../../identity/account.ts';
import { type EventId, eventId } from '../../identity/event-id.ts';
import type { TraderState } from '../state/trader.ts';

/** Days after the end of a period in which what comes late is still expected (vat.md 8.2). */
export const SOFT_CLOSE_GRACE_DAYS = 7;

/** A close that is due, as the VatPeriodClosed event says it. */
export interface DuePeriodClose {
  /** Made of account, period and kind of close: whoever appends it, and however often, it is one event. */
  readonly eventId: EventId;
  readonly periodStart: LocalDate;
  readonly periodEnd: LocalDate;
  readonly close: 'soft';
}

/**
 * The soft closes that are due on a day: of each open period that ended more than the grace before. A hard close is never due by itself:
 * it comes with the submission, which a person makes.
 */
export function duePeriodCloses(
  account: Account,
  trader: TraderState,
  today: LocalDate,
  digest: Sha256 = sha256,
): readonly DuePeriodClose[] {
  return trader.o
    .filter(([, end, soft]) => soft === 0 && addDays(end, SOFT_CLOSE_GRACE_DAYS) < today)
    .map(([periodStart, periodEnd]) => ({
      eventId: periodCloseId(account, periodStart, periodEnd, 'soft', digest),
      periodStart,
      periodEnd,
      close: 'soft',
    }));
}

/** The id of a period's close: the first 16 bytes of the hash of account, period and kind (ledger.md section 2, derived entries). */
export function periodCloseId(
  account: Account,
  periodStart: LocalDate,
  periodEnd: LocalDate,
  close: 'soft' | 'hard',
  digest: Sha256 = sha256,
): EventId {
  const hash = digest(hashInput(account, `${periodStart}/${periodEnd}`, `vat period closed ${close}`));
  return eventId(toHex(hash.subarray(0, 16)));
}
