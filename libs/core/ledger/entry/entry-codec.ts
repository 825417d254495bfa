import type { HeadAmount } from '../../decisions/decision.ts';
import { ENTRY_KINDS, entryKindOfNumber } from '../../decisions/entry-kinds.ts';
import { HEADS, headOfNumber } from '../../decisions/heads.ts';
import { codeAt } from '../../encoding/code-at.ts';
import { sameBytes } from '../../encoding/compare-bytes.ts';
import { hexOf16, writeHex } from '../../encoding/hex.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { EventId } from '../../identity/event-id.ts';
import type { Pence } from '../../money/pence.ts';
import {
  assertEntry,
  ENTRY_LIMITS,
  ENTRY_SALT_BYTES,
  ENTRY_VERSION,
  type FieldCommitment,
  type LedgerEntry,
  type Pseudonym,
} from './ledger-entry.ts';

const ID_BYTES = 16;
/** Above every entry that keeps ENTRY_LIMITS: texts of up to 3 bytes a character, ids, commitments, varints of up to 10 bytes. */
const ENTRY_BYTES_MAX =
  512 +
  3 * (ENTRY_LIMITS.taxPeriodCharacters + ENTRY_LIMITS.detailCharacters) +
  20 * ENTRY_LIMITS.amounts +
  ID_BYTES * ENTRY_LIMITS.links +
  ENTRY_LIMITS.commitments * (SHA256_BYTES + 3 * ENTRY_LIMITS.commitmentNameCharacters + 10);

/** Beyond ten bytes no varint of 64 bits goes. */
const VARINT_SCALE_MAX = 2 ** 70;

const SCRATCH = new Uint8Array(ENTRY_BYTES_MAX);
/** Entries are cut out of slabs: a piece of memory for each would cost the collector of garbage more than the entry. */
const SLAB_BYTES = 16 * 1024;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The canonical Avro binary of schemas/ledger-entry.v1.avsc, bare: hand-written because every event passes here twice, and tested equal to
 * avsc. Throws ENTRY_INVALID.
 */
export function encodeEntry(entry: LedgerEntry): Uint8Array {
  assertEntry(entry);
  const length = writeEntry(entry, SCRATCH);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new Uint8Array(Math.max(SLAB_BYTES, length));
    slabUsed = 0;
  }
  const bytes = slab.subarray(slabUsed, slabUsed + length);
  bytes.set(SCRATCH.subarray(0, length));
  slabUsed += length;
  return bytes;
}

/**
 * The entry of stored bytes. Avro has several byte strings for one value: decodes, encodes again and demands equality.
 * Throws ENTRY_NOT_CANONICAL, also for bytes that are no entry at all.
 */
export function decodeEntry(bytes: Uint8Array): LedgerEntry {
  try {
    const entry = readEntry(new EntryReader(bytes));
    assertEntry(entry);
    if (sameBytes(SCRATCH.subarray(0, writeEntry(entry, SCRATCH)), bytes)) return entry;
  } catch (cause) {
    throw notCanonical(bytes, cause);
  }
  throw notCanonical(bytes);
}

function writeEntry(entry: LedgerEntry, into: Uint8Array): number {
  let at = writeLong(ENTRY_VERSION, into, 0);
  writeHex(entry.eventId, into, at, ID_BYTES);
  at = writeLong(ENTRY_KINDS[entry.kind], into, at + ID_BYTES);
  at = writeText(entry.taxPeriod, into, at);
  at = writeLong(entry.basePence, into, at);
  at = writeCount(entry.amounts.length, into, at);
  for (const amount of entry.amounts) {
    at = writeLong(HEADS[amount.head], into, at);
    at = writeLong(amount.pence, into, at);
  }
  if (entry.amounts.length > 0) into[at++] = 0;
  at = writeLong(entry.number, into, at);
  if (entry.person === null) into.fill(0, at, at + ID_BYTES);
  else writeHex(entry.person, into, at, ID_BYTES);
  at += ID_BYTES;
  into.set(entry.salt, at);
  at = writeCount(entry.links.length, into, at + ENTRY_SALT_BYTES);
  for (const link of entry.links) {
    writeHex(link, into, at, ID_BYTES);
    at += ID_BYTES;
  }
  if (entry.links.length > 0) into[at++] = 0;
  at = writeCount(entry.commitments.length, into, at);
  for (const { name, commitment } of entry.commitments) {
    at = writeText(name, into, at);
    into.set(commitment, at);
    at += SHA256_BYTES;
  }
  if (entry.commitments.length > 0) into[at++] = 0;
  return writeText(entry.detail, into, at);
}

/** An Avro array: its count before its items, a zero behind them; the empty array is that zero alone. */
function writeCount(count: number, into: Uint8Array, at: number): number {
  return writeLong(count, into, at);
}

/** Zigzag varint of any safe integer, exact where doubling would leave the safe integers. */
function writeLong(value: number, into: Uint8Array, start: number): number {
  const negative = value < 0;
  let rest = negative ? -(value + 1) : value;
  let low = (rest % 64) * 2 + (negative ? 1 : 0);
  rest = Math.floor(rest / 64);
  let at = start;
  while (rest > 0) {
    into[at++] = low | 0x80;
    low = rest % 128;
    rest = Math.floor(rest / 128);
  }
  into[at++] = low;
  return at;
}

function writeText(text: string, into: Uint8Array, at: number): number {
  const length = text.length;
  // Short ASCII, nearly always: its length takes one byte, its characters one each.
  if (length < 64) {
    let seen = 0;
    for (let index = 0; index < length; index++) {
      const code = codeAt(text, index);
      seen |= code;
      into[at + 1 + index] = code;
    }
    if (seen < 128) {
      into[at] = length * 2;
      return at + 1 + length;
    }
  }
  const encoded = ENCODER.encode(text);
  const start = writeLong(encoded.length, into, at);
  into.set(encoded, start);
  return start + encoded.length;
}

function readEntry(reader: EntryReader): LedgerEntry {
  const version = reader.long();
  if (version !== ENTRY_VERSION) throw new TallyError('ENTRY_INVALID', 'unknown version of entry', { version });
  const entry = {
    version: ENTRY_VERSION,
    eventId: reader.id() as EventId,
    kind: known(entryKindOfNumber(reader.long()), 'kind'),
    taxPeriod: reader.text(),
    basePence: reader.long() as Pence,
    amounts: reader.array(ENTRY_LIMITS.amounts, readAmount),
    number: reader.long(),
    person: personOf(reader.id()),
    salt: reader.fixed(ENTRY_SALT_BYTES),
    links: reader.array(ENTRY_LIMITS.links, (one) => one.id() as EventId),
    commitments: reader.array(ENTRY_LIMITS.commitments, readCommitment),
    detail: reader.text(),
  } as const;
  reader.end();
  return entry;
}

function readAmount(reader: EntryReader): HeadAmount {
  return { head: known(headOfNumber(reader.long()), 'amounts'), pence: reader.long() as Pence };
}

function readCommitment(reader: EntryReader): FieldCommitment {
  return { name: reader.text(), commitment: reader.fixed(SHA256_BYTES) };
}

const NO_PERSON = '0'.repeat(2 * ID_BYTES);

function personOf(hex: string): Pseudonym | null {
  return hex === NO_PERSON ? null : (hex as Pseudonym);
}

function known<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new TallyError('ENTRY_INVALID', `an unknown number in ${field}`, { field });
  return value;
}

/** Reads Avro binary with every length checked: the bytes come from another party. */
class EntryReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  long(): number {
    let byte = this.byte();
    const negative = (byte & 1) === 1;
    let value = (byte & 0x7f) >> 1;
    let scale = 64;
    while (byte >= 0x80) {
      byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (value > Number.MAX_SAFE_INTEGER || scale > VARINT_SCALE_MAX)
        throw this.broken('a number beyond the safe integers');
    }
    return negative ? -value - 1 : value;
  }

  text(): string {
    const length = this.long();
    if (length < 0) throw this.broken('a text of negative length');
    const end = this.at + length;
    if (end > this.bytes.length) throw this.broken('a text that ends beyond the entry');
    const start = this.at;
    this.at = end;
    return textBetween(this.bytes, start, end);
  }

  fixed(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.bytes.length) throw this.broken('bytes that end beyond the entry');
    const value = this.bytes.slice(this.at, end);
    this.at = end;
    return value;
  }

  id(): string {
    const end = this.at + ID_BYTES;
    if (end > this.bytes.length) throw this.broken('an id that ends beyond the entry');
    const hex = hexOf16(this.bytes, this.at);
    this.at = end;
    return hex;
  }

  /** One block with a positive count and a zero behind it, or a zero alone: the only canonical forms. */
  array<Item>(limit: number, item: (reader: EntryReader) => Item): readonly Item[] {
    const count = this.long();
    if (count === 0) return [];
    if (count < 0 || count > limit) throw this.broken('an array in another form, or too long');
    const items: Item[] = [];
    for (let index = 0; index < count; index++) items.push(item(this));
    if (this.byte() !== 0) throw this.broken('an array in several blocks');
    return items;
  }

  end(): void {
    if (this.at !== this.bytes.length) throw this.broken('bytes behind the entry');
  }

  private byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw this.broken('it ends too early');
    return value;
  }

  private broken(what: string): TallyError {
    return new TallyError('ENTRY_INVALID', what, { at: this.at });
  }
}

/** The tax period read last: nearly all entries of a block are of one. */
let lastText = '';

function textBetween(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  if (isAt(bytes, start, end, lastText)) return lastText;
  let text = '';
  for (let index = start; index < end; index++) {
    const code = bytes[index] ?? 0;
    if (code >= 0x80 || end - start > 64) return DECODER.decode(bytes.subarray(start, end));
    text += String.fromCharCode(code);
  }
  lastText = text;
  return text;
}

/** True where the bytes are the characters of an ASCII text. */
function isAt(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== codeAt(text, index)) return false;
  }
  return true;
}

function notCanonical(bytes: Uint8Array, cause?: unknown): TallyError {
  const why = cause instanceof Error ? cause.message : 'another encoding of the same entry';
  return new TallyError(
    'ENTRY_NOT_CANONICAL',
    `not a canonical ledger entry: ${why}`,
    { bytes: bytes.length },
    { cause },
  );
}
