import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { BlockTexts } from '../../../libs/core/ledger/verify/verify-block.ts';
import type { AppendedEvent, EntryPosition, StoredReceipt } from './payer-records.ts';
import { readUint64, writeUint64 } from './uint64-bytes.ts';

/** Lengths of 4 bytes before each of header, totals, and every entry. */
export function writeBlock(block: BlockTexts): Buffer {
  const headerBytes = Buffer.byteLength(block.header);
  const totalsBytes = Buffer.byteLength(block.totals);
  let length = 4 + headerBytes + 4 + totalsBytes;
  for (const entry of block.entries) length += 4 + entry.length;
  const value = Buffer.allocUnsafe(length);
  let at = value.writeUInt32BE(headerBytes);
  at += value.write(block.header, at);
  at = value.writeUInt32BE(totalsBytes, at);
  at += value.write(block.totals, at);
  for (const entry of block.entries) {
    at = value.writeUInt32BE(entry.length, at);
    value.set(entry, at);
    at += entry.length;
  }
  return value;
}

export function readBlock(value: Buffer): BlockTexts {
  const parts: Buffer[] = [];
  for (let at = 0; at < value.length; ) {
    const end = at + 4 + value.readUInt32BE(at);
    parts.push(value.subarray(at + 4, end));
    at = end;
  }
  const [header, totals, ...entries] = parts;
  if (header === undefined || totals === undefined) {
    throw new TallyError('STORE_DAMAGED', 'a stored block has no header or no totals', { bytes: value.length });
  }
  return { header: header.toString(), totals: totals.toString(), entries };
}

/** seq ‖ position of an entry. */
export function writePlace(place: EntryPosition): Buffer {
  const value = Buffer.allocUnsafe(12);
  writeUint64(value, place.seq, 0);
  value.writeUInt32BE(place.position, 8);
  return value;
}

export function readPlace(value: Buffer): EntryPosition {
  return { seq: readUint64(value, 0), position: value.readUInt32BE(8) };
}

const HASH_BYTES = 32;
const RECEIPT_KEY_BYTES = 16;
const APPENDED_HEADER_BYTES = HASH_BYTES + RECEIPT_KEY_BYTES + 4;

/** hash ‖ receipt key ‖ index in the receipt ‖ bytes as appended to the log. */
export function writeAppended(event: AppendedEvent): Buffer {
  const value = Buffer.allocUnsafe(APPENDED_HEADER_BYTES + event.bytes.length);
  value.set(event.hash, 0);
  value.set(event.receiptKey, HASH_BYTES);
  value.writeUInt32BE(event.index, HASH_BYTES + RECEIPT_KEY_BYTES);
  value.set(event.bytes, APPENDED_HEADER_BYTES);
  return value;
}

export function readAppended(value: Buffer): AppendedEvent {
  return {
    hash: value.subarray(0, HASH_BYTES),
    receiptKey: value.subarray(HASH_BYTES, HASH_BYTES + RECEIPT_KEY_BYTES),
    index: value.readUInt32BE(HASH_BYTES + RECEIPT_KEY_BYTES),
    bytes: value.subarray(APPENDED_HEADER_BYTES),
  };
}

/** length of the note ‖ note ‖ leaf hashes of 32 bytes (none where others share the receipt). */
export function writeReceipt(receipt: StoredReceipt): Buffer {
  const note = Buffer.from(receipt.note);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(note.length);
  return Buffer.concat([length, note, ...receipt.leafHashes]);
}

export function readReceipt(value: Buffer): StoredReceipt {
  const end = 4 + value.readUInt32BE();
  const leafHashes: Buffer[] = [];
  for (let offset = end; offset < value.length; offset += HASH_BYTES) {
    leafHashes.push(value.subarray(offset, offset + HASH_BYTES));
  }
  return { note: value.toString('utf8', 4, end), leafHashes };
}
