import type { EventLog, LogRecord, RecordBatch, TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../../libs/core/events/tax-event.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { uuidOf } from '../../../libs/core/identity/event-id.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import { hashOfValue } from '../intake/compare-with-log.ts';
import { type IssuedReceipt, issueReceipt, signReceipt } from '../intake/issue-receipt.ts';
import { eventOfRecord } from '../intake/read-logged-events.ts';
import { type Reservation, reservationKey } from '../store/reservation.ts';
import type { ReservationStore } from '../store/reservation-store.ts';
import type { AccountIndex } from './account-index.ts';

/** A receipt with the events themselves, as they are in the log. */
export interface ReceiptWithEvents {
  readonly note: string;
  readonly events: readonly (IssuedReceipt['events'][number] & {
    /** Base64 of the Avro bytes whose SHA-256 the receipt signs. */
    readonly bytes: string;
  })[];
}

export interface AccountEventsPage {
  readonly receipts: readonly ReceiptWithEvents[];
  /** `from` of the next page. */
  readonly next: number;
  readonly more: boolean;
}

export interface AccountEventsDependencies {
  readonly ledgerName: string;
  readonly signer: NoteSigner;
  readonly log: EventLog;
  readonly store: ReservationStore;
  readonly index: AccountIndex;
}

interface LoggedEvent {
  readonly event: TaxEvent;
  readonly bytes: Buffer;
  readonly reservation: Reservation;
}

const PAGE_EVENTS_MAX = 500;
const PAGE_BYTES_MAX = 2 * 1024 * 1024;
/** An account's records are far apart in a busy partition and close together in a quiet one. */
const POLL = { maxBytes: 32 * 1024, maxRecords: 1_000, waitMs: 5_000 } as const;
const POLLS_MAX = 6;

/**
 * A page of the events of one account in the order of the log, whoever sent them, under the receipts that their senders got. Where the
 * gateway's store lost a receipt, a new one is signed for what the log holds. Throws what AccountIndex.page throws.
 */
export async function giveAccountEvents(
  owner: Account,
  from: number,
  dependencies: AccountEventsDependencies,
): Promise<AccountEventsPage> {
  const listed = await dependencies.index.page(owner, from, PAGE_EVENTS_MAX);
  const { records, isCut } = await recordsAt(listed.partition, listed.offsets, dependencies.log);
  const events = loggedEvents(owner, records, dependencies.store);
  const receipts = [...byReceipt(events).values()].map((members) => receiptOf(members, dependencies));
  const last = records.at(-1);
  if (isCut && last !== undefined) return { receipts, next: last.offset + 1, more: true };
  return { receipts, next: listed.next, more: listed.more };
}

/** The records at these ascending offsets, cut where they exceed the bytes of a page. Throws LOG_UNAVAILABLE (retriable). */
async function recordsAt(
  place: TopicPartition,
  offsets: readonly number[],
  log: EventLog,
): Promise<{ readonly records: readonly LogRecord[]; readonly isCut: boolean }> {
  const records: LogRecord[] = [];
  const [first] = offsets;
  if (first === undefined) return { records, isCut: false };
  const reader = log.reader([{ ...place, offset: first }]);
  let bytes = 0;
  let held = new Map<number, LogRecord>();
  let heldTo = first;
  try {
    for (const offset of offsets) {
      if (bytes >= PAGE_BYTES_MAX) return { records, isCut: true };
      if (offset >= heldTo) {
        reader.seek({ ...place, offset });
        const batch = await polled(place, offset, () => reader.poll(POLL));
        held = new Map(batch.records.map((record) => [record.offset, record]));
        heldTo = batch.nextOffset;
      }
      const record = held.get(offset);
      if (record === undefined) continue;
      bytes += record.value?.length ?? 0;
      records.push(record);
    }
  } finally {
    await reader.close();
  }
  return { records, isCut: false };
}

/** A process that was stopped wakes to a wait that is over, so an empty answer is asked for again. */
async function polled(
  { topic, partition }: TopicPartition,
  offset: number,
  poll: () => Promise<RecordBatch[]>,
): Promise<RecordBatch> {
  for (let polls = 0; polls < POLLS_MAX; polls += 1) {
    const [batch] = await poll();
    if (batch !== undefined && batch.nextOffset > offset) return batch;
  }
  const message = `the record of ${topic}/${partition} at offset ${offset} cannot be read now: ask again`;
  throw new TallyError('LOG_UNAVAILABLE', message, { topic, partition, offset }, { retriable: true });
}

/** Each event once, as it was reserved: a record that is no event, or not the reserved one, has no receipt, and tax rejects it or passes it over. */
function loggedEvents(owner: Account, records: readonly LogRecord[], store: ReservationStore): LoggedEvent[] {
  const found = new Map<string, LoggedEvent>();
  for (const record of records) {
    const event = eventOfRecord(record);
    if (event === null || record.value === null || event.account !== owner || found.has(event.eventId)) continue;
    const reservation = store.reservation(reservationKey(owner, event.eventId));
    if (reservation === null || reservation.hash !== hashOfValue(record.value)) continue;
    found.set(event.eventId, { event, bytes: record.value, reservation });
  }
  return [...found.values()];
}

/** A reservation that was rebuilt from the log has receipt 0; a receipt has one time, so these part by theirs. */
function byReceipt(events: readonly LoggedEvent[]): Map<string, LoggedEvent[]> {
  const found = new Map<string, LoggedEvent[]>();
  for (const one of events) {
    const { receipt, receivedAtMs } = one.reservation;
    const name = receipt === 0 ? `at ${receivedAtMs}` : String(receipt);
    const before = found.get(name);
    if (before === undefined) found.set(name, [one]);
    else before.push(one);
  }
  return found;
}

function receiptOf(
  members: readonly LoggedEvent[],
  { store, ledgerName, signer }: AccountEventsDependencies,
): ReceiptWithEvents {
  const number = members[0]?.reservation.receipt ?? 0;
  const events = members.map(({ event, reservation }, position) => ({
    account: event.account,
    eventId: event.eventId,
    hash: reservation.hash,
    index: number === 0 ? position : reservation.index,
    person: null,
  }));
  const receivedAtMs = members[0]?.reservation.receivedAtMs ?? 0;
  const receipt = number === 0 ? signReceipt({ ledgerName, signer }, receivedAtMs, events) : store.receipt(number);
  const issued = issueReceipt(receipt, events, 'needed');
  const bytesById = new Map(members.map(({ event, bytes }) => [uuidOf(event.eventId), bytes.toString('base64')]));
  return {
    note: issued.note,
    events: issued.events.map((event) => ({ ...event, bytes: bytesById.get(event.eventId) ?? '' })),
  };
}
