import { TallyError } from '../../core/errors/tally-error.ts';
import type {
  AcknowledgementEvent,
  DisputeRaised,
  HeadsAcknowledged,
  KeyRegistered,
} from '../../core/events/acknowledgement-events.ts';
import type { AcknowledgedHead } from '../../core/ledger/blocks-message.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ownSchema, readerOfBody, writerOf } from './single-object.ts';
import { readAccount, readEventId } from './typed-fields.ts';

const KEY_REGISTERED = ownSchema('key-registered.v1');
const HEADS_ACKNOWLEDGED = ownSchema('heads-acknowledged.v1');
const DISPUTE_RAISED = ownSchema('dispute-raised.v1');
const WRITER = new ByteWriter({ startBytes: 64 * 1024 });

/** The value of a record of acknowledgements.v1. */
export function encodeAcknowledgement(event: AcknowledgementEvent): Buffer {
  WRITER.reset();
  switch (event.type) {
    case 'KeyRegistered':
      writeKeyRegistered(WRITER, event);
      break;
    case 'HeadsAcknowledged':
      writeHeadsAcknowledged(WRITER, event);
      break;
    case 'DisputeRaised':
      writeDisputeRaised(WRITER, event);
      break;
  }
  return WRITER.take();
}

/** Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (also for a record that is none of acknowledgements.v1). */
export function decodeAcknowledgement(value: Buffer): AcknowledgementEvent {
  const writer = writerOf(value);
  const reader = readerOfBody(value, writer);
  const event = readAny(reader, writer.schema.name);
  reader.finish();
  return event;
}

function readAny(reader: ByteReader, schema: string): AcknowledgementEvent {
  switch (schema) {
    case KEY_REGISTERED.name:
      return readKeyRegistered(reader);
    case HEADS_ACKNOWLEDGED.name:
      return readHeadsAcknowledged(reader);
    case DISPUTE_RAISED.name:
      return readDisputeRaised(reader);
    default:
      throw new TallyError('RECORD_UNREADABLE', `${schema} is not an acknowledgement`, { schema });
  }
}

function writeKeyRegistered(writer: ByteWriter, event: KeyRegistered): void {
  writer.writeRaw(KEY_REGISTERED.header);
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeHex(event.chain, 16);
  writer.writeString(event.verifierKey);
  writer.writeNullableString(event.proof);
}

function readKeyRegistered(reader: ByteReader): KeyRegistered {
  return {
    type: 'KeyRegistered',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    chain: reader.readHex(16),
    verifierKey: reader.readString(),
    proof: reader.readNullableString(),
  };
}

function writeHeadsAcknowledged(writer: ByteWriter, event: HeadsAcknowledged): void {
  writer.writeRaw(HEADS_ACKNOWLEDGED.header);
  writer.writeHex(event.eventId, 16);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.note);
  if (event.heads.length > 0) writer.writeLong(event.heads.length);
  for (const head of event.heads) {
    writer.writeString(head.account);
    writer.writeHex(head.chain, 16);
    writer.writeLong(head.seq);
    writer.writeHex(head.blockHash, 32);
  }
  writer.writeLong(0);
}

function readHeadsAcknowledged(reader: ByteReader): HeadsAcknowledged {
  return {
    type: 'HeadsAcknowledged',
    eventId: readEventId(reader),
    receivedAtMs: reader.readLong(),
    note: reader.readString(),
    heads: reader.readArray(() => readHead(reader)),
  };
}

function readHead(reader: ByteReader): AcknowledgedHead {
  return {
    account: readAccount(reader),
    chain: reader.readHex(16),
    seq: reader.readLong(),
    blockHash: reader.readHex(32),
  };
}

function writeDisputeRaised(writer: ByteWriter, event: DisputeRaised): void {
  writer.writeRaw(DISPUTE_RAISED.header);
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeHex(event.chain, 16);
  writer.writeLong(event.seq);
  writer.writeNullableLong(event.entryIndex);
  writer.writeString(event.code);
  writer.writeString(event.detail);
}

function readDisputeRaised(reader: ByteReader): DisputeRaised {
  return {
    type: 'DisputeRaised',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    chain: reader.readHex(16),
    seq: reader.readLong(),
    entryIndex: reader.readNullableLong(),
    code: reader.readString(),
    detail: reader.readString(),
  };
}
