import { TallyError } from '../../core/errors/tally-error.ts';
import { type EventId, eventId } from '../../core/identity/event-id.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { decodeRecord, encodeWith, HEADER_BYTES, isWrittenWith, ownSchema, writerOf } from './schema/single-object.ts';

/** The exact texts and entry bytes of a block, as a payer gets them; whoever answers may have the texts as bytes. */
export interface PulledBlock<Text extends string | Uint8Array = string> {
  readonly header: Text;
  readonly totals: Text;
  readonly entries: readonly Uint8Array[];
}

/** Where the last block given stands in the tree of the answer's checkpoint. */
export interface PulledInclusion {
  /** Of its leaf in the log. */
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

export interface PulledRejection {
  readonly eventId: EventId;
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
}

export interface PulledChain<Text extends string | Uint8Array = string> {
  /** 32 lower-case hex. */
  readonly chain: string;
  /** BLOCK_DAMAGED where HMRC's copy of the chain waits for repair: then no block of it is given. */
  readonly fault: string | null;
  /** Consecutive, from the seq asked for; empty where there is nothing new. */
  readonly blocks: readonly PulledBlock<Text>[];
  /** Whether the checkpoint covers further blocks of this chain: ask again. */
  readonly more: boolean;
  /** Null where no block is given. */
  readonly inclusion: PulledInclusion | null;
  readonly rejections: readonly PulledRejection[];
  /** What to ask for next as `rejectionsFrom`. */
  readonly rejectionsNext: number;
  readonly moreRejections: boolean;
}

/** What a payer pulls (`POST /ledger/v1/pull`): everything in it stands under the one checkpoint. */
export interface PullAnswer<Text extends string | Uint8Array = string> {
  /** Signed note; null where the ledger has signed nothing yet. */
  readonly checkpoint: string | null;
  /** From the size that the payer said it verified; empty from 0 and where nothing grew. */
  readonly consistency: readonly Uint8Array[];
  /** In the order of the request. */
  readonly chains: readonly PulledChain<Text>[];
  /** Signed note over `account ‖ event id ‖ code` of all rejections of the answer in order; null for none. */
  readonly rejectionsNote: string | null;
}

const SCHEMA = ownSchema('pull-answer.v1');
const WRITER = new ByteWriter({ startBytes: 64 * 1024 });
const HASH_BYTES = 32;
const ID_BYTES = 16;

/** Avro single-object encoding of the answer. */
export function encodePullAnswer(answer: PullAnswer<string | Uint8Array>): Buffer {
  WRITER.reset();
  WRITER.writeRaw(SCHEMA.header);
  WRITER.writeNullableString(answer.checkpoint);
  writeHashes(answer.consistency);
  writeArray(answer.chains, writeChain);
  WRITER.writeNullableString(answer.rejectionsNote);
  return WRITER.copy();
}

/** Throws RECORD_UNREADABLE, SCHEMA_UNKNOWN. Of the form alone: nothing in it is verified. */
export function decodePullAnswer(value: Buffer): PullAnswer {
  if (!isWrittenWith(value, SCHEMA)) return decodeOther(value);
  const reader = new ByteReader(value, HEADER_BYTES);
  const checkpoint = reader.readNullableString();
  const consistency = reader.readArray(() => hashOf(reader));
  const chains = reader.readArray(() => readChain(reader));
  const rejectionsNote = reader.readNullableString();
  reader.finish();
  return { checkpoint, consistency, chains, rejectionsNote };
}

function writeChain(chain: PulledChain<string | Uint8Array>): void {
  WRITER.writeHex(chain.chain, ID_BYTES);
  WRITER.writeNullableString(chain.fault);
  writeArray(chain.blocks, writeBlock);
  WRITER.writeBoolean(chain.more);
  WRITER.writeBranch(chain.inclusion !== null);
  if (chain.inclusion !== null) {
    WRITER.writeLong(chain.inclusion.index);
    writeHashes(chain.inclusion.path);
  }
  writeArray(chain.rejections, writeRejection);
  WRITER.writeLong(chain.rejectionsNext);
  WRITER.writeBoolean(chain.moreRejections);
}

function writeBlock(block: PulledBlock<string | Uint8Array>): void {
  writeText(block.header);
  writeText(block.totals);
  writeArray(block.entries, (entry) => WRITER.writeBytes(entry));
}

/** Avro writes a string as it writes its UTF-8 bytes. */
function writeText(text: string | Uint8Array): void {
  if (typeof text === 'string') WRITER.writeString(text);
  else WRITER.writeBytes(text);
}

function writeRejection(rejection: PulledRejection): void {
  WRITER.writeHex(rejection.eventId, ID_BYTES);
  WRITER.writeString(rejection.code);
  WRITER.writeMap(rejection.facts, (value) => WRITER.writeString(value));
}

function writeHashes(hashes: readonly Uint8Array[]): void {
  writeArray(hashes, (hash) => {
    if (hash.length !== HASH_BYTES) throw new TallyError('HASH_LENGTH', 'a hash has 32 bytes', { bytes: hash.length });
    WRITER.writeRaw(hash);
  });
}

function writeArray<Item>(items: readonly Item[], write: (item: Item) => void): void {
  if (items.length > 0) {
    WRITER.writeLong(items.length);
    for (const item of items) write(item);
  }
  WRITER.writeLong(0);
}

function readChain(reader: ByteReader): PulledChain {
  return {
    chain: reader.readHex(ID_BYTES),
    fault: reader.readNullableString(),
    blocks: reader.readArray(() => readBlock(reader)),
    more: reader.readBoolean(),
    inclusion: reader.readBranch() ? { index: reader.readLong(), path: reader.readArray(() => hashOf(reader)) } : null,
    rejections: reader.readArray(() => readRejection(reader)),
    rejectionsNext: reader.readLong(),
    moreRejections: reader.readBoolean(),
  };
}

function readBlock(reader: ByteReader): PulledBlock {
  return {
    header: reader.readString(),
    totals: reader.readString(),
    entries: reader.readArray(() => reader.readBytes()),
  };
}

function readRejection(reader: ByteReader): PulledRejection {
  return {
    eventId: eventId(reader.readHex(ID_BYTES)),
    code: reader.readString(),
    facts: reader.readMap(() => reader.readString()),
  };
}

function hashOf(reader: ByteReader): Uint8Array {
  return reader.readRaw(HASH_BYTES);
}

/** Written with another release of the schema: through avsc's resolver into the bytes of the one in force. */
function decodeOther(value: Buffer): PullAnswer {
  const writer = writerOf(value);
  if (writer.schema.name !== SCHEMA.name) {
    throw new TallyError('RECORD_UNREADABLE', `expected ${SCHEMA.name}, found ${writer.schema.name}`, {
      schema: writer.schema.name,
    });
  }
  return decodePullAnswer(encodeWith(SCHEMA, decodeRecord(value, writer) as Readonly<Record<string, unknown>>));
}
