import type { PartitionPosition } from '../../../libs/adapters/event-log/event-log.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { EventId, PersonToken } from '../../../libs/core/identity/event-id.ts';

/** The memory of an event, kept for ever: a sender may ask again at any time. */
export interface Reservation {
  /** Number of its receipt; 0 where the reservation was rebuilt from the log and has none yet. */
  readonly receipt: number;
  /** Its place in the receipt. */
  readonly index: number;
  readonly receivedAtMs: number;
  /** SHA-256 of the bytes appended, or to be appended, as 64 hex. */
  readonly hash: string;
}

export interface StoredReceipt {
  readonly note: string;
  /** Tree hashes of its leaves as latin1 strings of 32 characters, in order. */
  readonly leafHashes: readonly string[];
}

/** A receipt whose events may not all be in the log. */
export interface PendingReceipt {
  /** Where its events stand at the earliest. */
  readonly from: readonly PartitionPosition[];
  /** Places in the receipt of events that are known to be in the log. */
  readonly appended: readonly number[];
  /** Events of the receipt. */
  readonly size: number;
}

export interface NewReservation extends Reservation {
  readonly key: Buffer;
}

interface NewPerson {
  readonly person: PersonToken;
  readonly nino: string;
}

/** What is written before anything is appended: one transaction, one sync. */
export interface ReservationBatch {
  readonly receipts: readonly {
    readonly number: number;
    readonly receipt: StoredReceipt;
    /** Null where its events are in the log already. */
    readonly pending: PendingReceipt | null;
  }[];
  readonly reservations: readonly NewReservation[];
  readonly persons: readonly NewPerson[];
}

/** Up to where the gateway knows the log to hold what it appended: the next offset, and the SHA-256 of the value before it, 64 hex. */
export interface LogEnd extends PartitionPosition {
  readonly hash: string;
}

const ID_BYTES = 16;
const HASH_BYTES = 32;
const RESERVATION_BYTES = 8 + 4 + 8 + HASH_BYTES;
/** The key of an event: its account, a zero byte, its 16 bytes. */
export function reservationKey(account: Account, eventId: EventId): Buffer {
  const key = Buffer.allocUnsafe(account.length + 1 + ID_BYTES);
  key.write(account, 0, 'latin1');
  key[account.length] = 0;
  key.write(eventId, account.length + 1, 'hex');
  return key;
}

/** A reservation as its value in the store. */
export function reservationBytes(reservation: Reservation): Buffer {
  const value = Buffer.allocUnsafe(RESERVATION_BYTES);
  writeNumber(value, 0, reservation.receipt);
  value.writeUInt32BE(reservation.index, 8);
  writeNumber(value, 12, reservation.receivedAtMs);
  value.write(reservation.hash, 20, HASH_BYTES, 'hex');
  return value;
}

/** The reservation in a value of the store. */
export function readReservation(value: Buffer): Reservation {
  assert(value.length === RESERVATION_BYTES, 'a reservation has its length', { bytes: value.length });
  return {
    receipt: readNumber(value, 0),
    index: value.readUInt32BE(8),
    receivedAtMs: readNumber(value, 12),
    hash: value.toString('hex', 20, RESERVATION_BYTES),
  };
}

/** A receipt as its value in the store: the length of the note, the note, the leaf hashes. */
export function receiptBytes(receipt: StoredReceipt): Buffer {
  const note = Buffer.from(receipt.note);
  const value = Buffer.allocUnsafe(4 + note.length + receipt.leafHashes.length * HASH_BYTES);
  value.writeUInt32BE(note.length, 0);
  note.copy(value, 4);
  let at = 4 + note.length;
  for (const leafHash of receipt.leafHashes) at += value.write(leafHash, at, HASH_BYTES, 'latin1');
  return value;
}

/** The receipt in a value of the store. */
export function readReceipt(value: Buffer): StoredReceipt {
  const noteBytes = value.readUInt32BE(0);
  const leafHashes: string[] = [];
  for (let at = 4 + noteBytes; at < value.length; at += HASH_BYTES) {
    leafHashes.push(value.toString('latin1', at, at + HASH_BYTES));
  }
  return { note: value.toString('utf8', 4, 4 + noteBytes), leafHashes };
}

/** The number of events in the receipt that a value holds. */
export function leavesOf(value: Buffer): number {
  return (value.length - 4 - value.readUInt32BE(0)) / HASH_BYTES;
}

/** The key of a receipt: its number in 8 bytes, big-endian, so that keys sort by it. */
export function numberKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeNumber(key, 0, number);
  return key;
}

function writeNumber(buffer: Buffer, at: number, value: number): void {
  buffer.writeUInt32BE(Math.floor(value / 2 ** 32), at);
  buffer.writeUInt32BE(value >>> 0, at + 4);
}

/** The number in 8 bytes, big-endian. */
export function readNumber(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}
