import { addDays, dayNumber, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { epochMsOfRfc3339 } from '../../libs/core/calendar/london-time.ts';
import type { StateView } from '../../libs/core/decisions/decision.ts';
import { account } from '../../libs/core/identity/account.ts';
import type { VatRate } from '../../libs/core/vat/rates/vat-rate.ts';
import { type PeriodReturn, periodOfDate, returnOfPeriod } from '../../libs/core/vat/return/return-of-period.ts';
import { takingsByRate } from '../../libs/core/vat/state/period-account.ts';
import { accepted, nextEventId, ProductAccounts, type Submitted } from './product-accounts.ts';
import type { VectorInput } from './vector-case.ts';

export const TRADER_VRN = '101747696';
export const TRADER = account(`vat:${TRADER_VRN}`);

/** A line as a till sends it. */
export interface SentLine {
  readonly id: string;
  readonly category: string;
  readonly paidPence: number;
  readonly qty?: string;
}

export interface SentTill {
  readonly type: string;
  /** A civil date, at noon, or RFC 3339. */
  readonly at: string;
  readonly lines?: readonly SentLine[];
  /** The day of receipt, at noon; absent: the event is received as it happens. */
  readonly receivedOn?: LocalDate;
  readonly [field: string]: unknown;
}

/** Takings of a rate, and their VAT. */
export interface RateTakings {
  readonly rate: VatRate;
  grossPence: number;
  vatPence: number;
}

type Accepted = ReturnType<typeof accepted>;

/** One trader whose events go through the product: what a case of VAT says is sent, and the answers are read from the trader's return. */
export class VectorTrader {
  readonly accounts = new ProductAccounts();
  readonly #tills = new Map<string, { seq: number; hash: string | null }>();

  get view(): StateView {
    return this.accounts.view;
  }

  /** Sends a till's event, the next of its till, and throws with the code of its refusal. `fields` are further fields of the envelope. */
  sell(sent: SentTill): Accepted {
    return accepted(this.trySell(sent));
  }

  /** Sends a till's event; one that was accepted is the newest of its till. */
  trySell({ type, at, lines = [], receivedOn, ...fields }: SentTill): Submitted {
    const tillId = String(fields.tillId ?? 'T1');
    const before = this.#tills.get(tillId) ?? { seq: 0, hash: null };
    const totalPence = lines.reduce((sum, { paidPence }) => sum + paidPence, 0);
    const occurredAt = /^\d{4}-\d{2}-\d{2}$/.test(at) ? `${at}T12:00:00Z` : at;
    const json = {
      schema: 1,
      eventId: nextEventId(),
      vrn: TRADER_VRN,
      tillId,
      seq: before.seq + 1,
      prevHash: before.hash,
      type,
      occurredAt,
      currency: 'GBP',
      lines,
      totalPence,
      payments: [{ method: 'card', amountPence: totalPence }],
      ...fields,
    };
    const receivedAtMs = receivedOn === undefined ? epochMsOfRfc3339(occurredAt) : noonOf(receivedOn);
    const submitted = this.accounts.submit('vat', json, Number.isNaN(receivedAtMs) ? 0 : receivedAtMs);
    const { event } = submitted;
    if (event?.type === 'TillEvent') this.#tills.set(tillId, { seq: event.seq, hash: event.hash });
    return submitted;
  }

  /** Takings of one category on a day. */
  take(at: string, category: string, grossPence: number, fields: VectorInput = {}): Accepted {
    const type = grossPence < 0 ? 'REFUND' : 'SALE';
    const lines = [{ id: '1', category, paidPence: grossPence }];
    return this.sell({ type, at, lines, ...(grossPence < 0 ? { unlinkedReason: 'no receipt' } : {}), ...fields });
  }

  /** An adjustment, purchase or registration of a day, sent on it at noon. Throws with the code of its refusal. */
  send(type: string, date: LocalDate, fields: VectorInput): Accepted {
    return this.sendOn(type, date, fields);
  }

  sendOn(type: string, receivedOn: LocalDate, fields: VectorInput): Accepted {
    return accepted(this.trySendOn(type, receivedOn, fields));
  }

  trySendOn(type: string, receivedOn: LocalDate, fields: VectorInput): Submitted {
    const json = { type, eventId: nextEventId(), vrn: TRADER_VRN, ...fields };
    return this.accounts.submit('vat', json, noonOf(receivedOn));
  }

  register(validFrom: LocalDate, fields: VectorInput): Accepted {
    return this.send('TraderRegistered', validFrom, {
      validFrom,
      cadence: 'stagger1',
      scheme: 'pointOfSale',
      ...fields,
    });
  }

  /** Money of the trader as it reached HMRC's bank. */
  pay(bookedOn: LocalDate, amountPence: number): Accepted {
    const json = { eventId: nextEventId(), account: TRADER, direction: 'received', amountPence, bookedOn };
    return accepted(this.accounts.submit('payments', json, noonOf(bookedOn)));
  }

  /** Closes a period for good, on the day after it. */
  close({ period }: PeriodReturn): void {
    const { start, end } = period;
    this.sendOn('VatPeriodClosed', addDays(end, 1), { periodStart: start, periodEnd: end, close: 'hard' });
  }

  returnOn(date: LocalDate): PeriodReturn {
    return returnOfPeriod(this.view, TRADER, periodOfDate(this.view, TRADER, date));
  }
}

/** Takings by rate over several returns, listed as results are. */
export function takingsOf(returns: readonly PeriodReturn[]): readonly RateTakings[] {
  const rows = new Map<string, RateTakings>();
  for (const { account: counted } of returns) {
    for (const { rate, grossPence, vatPence } of takingsByRate(counted)) {
      const row = rows.get(rate.key) ?? { rate, grossPence: 0, vatPence: 0 };
      row.grossPence += grossPence;
      row.vatPence += vatPence;
      rows.set(rate.key, row);
    }
  }
  return [...rows.values()];
}

/** Of amounts of a decision, what one head has. */
export function amountOf({ decision }: Accepted, head: 'outputVat' | 'inputVat' | 'incomeTax'): number {
  const amounts = decision.results.flatMap((result) => result.amounts);
  return amounts.filter((amount) => amount.head === head).reduce((sum, { pence }) => sum + pence, 0);
}

export function noonOf(date: LocalDate): number {
  return dayNumber(date) * 86_400_000 + 43_200_000;
}

/** A civil date of a case. Throws DATE_INVALID. */
export function dateOf(value: unknown): LocalDate {
  return localDate(String(value));
}
