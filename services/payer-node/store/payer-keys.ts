import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import { writeUint64 } from './uint64-bytes.ts';

const ACCOUNT_BYTES = 4;
const ID_BYTES = 16;
export const EVENT_KEY_BYTES = ACCOUNT_BYTES + ID_BYTES;

/** The prefix of every key of an account. */
export function accountKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(ACCOUNT_BYTES);
  key.writeUInt32BE(number);
  return key;
}

export function eventKey(accountNumber: number, id: EventId): Buffer {
  const key = Buffer.allocUnsafe(EVENT_KEY_BYTES);
  key.writeUInt32BE(accountNumber);
  key.write(id, ACCOUNT_BYTES, 'hex');
  return key;
}

export function partsOfEventKey(key: Buffer): { readonly accountNumber: number; readonly id: EventId } {
  if (key.length !== EVENT_KEY_BYTES) {
    throw new TallyError('STORE_DAMAGED', 'a key of the payer store has the wrong length', { length: key.length });
  }
  return { accountNumber: key.readUInt32BE(), id: key.toString('hex', ACCOUNT_BYTES) as EventId };
}

export function blockKey(accountNumber: number, seq: number): Buffer {
  const key = Buffer.allocUnsafe(ACCOUNT_BYTES + 8);
  key.writeUInt32BE(accountNumber);
  writeUint64(key, seq, ACCOUNT_BYTES);
  return key;
}

export function stateKey(accountNumber: number, name: string): Buffer {
  const bytes = Buffer.byteLength(name);
  const key = Buffer.allocUnsafe(ACCOUNT_BYTES + bytes);
  key.writeUInt32BE(accountNumber);
  key.write(name, ACCOUNT_BYTES, bytes === name.length ? 'latin1' : 'utf8');
  return key;
}

/** Of the return of a VAT period, by its key. */
export function filingKey(accountNumber: number, periodKey: string): Buffer {
  return stateKey(accountNumber, periodKey);
}

export function laneKey(lane: number, position: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key.writeUInt8(lane);
  writeUint64(key, position, 1);
  return key;
}

/** Range options for every key of an account. */
export function rangeOfAccount(accountNumber: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: accountKey(accountNumber), end: accountKey(accountNumber + 1) };
}

export function numberKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(BigInt(number));
  return key;
}
