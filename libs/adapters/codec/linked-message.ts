import { TallyError } from '../../core/errors/tally-error.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { LogRecord } from '../event-log/event-log.ts';
import type { InputRange, Link, MessageReader, StageCodec } from '../stage/program.ts';
import { type OwnSchema, readerOfBody, writerOf } from './schema/single-object.ts';

/** How the body of a stage's message is written and read, behind the link and the coverage. */
export interface BodyCodec<Body> {
  readonly write: (writer: ByteWriter, body: Body) => void;
  /** Where the end of a body is printed already, with room before it: what `write` leaves out then is in the bytes given. */
  readonly printed?: (body: Body) => PrintedEnd | null;
  readonly read: (reader: ByteReader) => Body;
}

/** The end of a message that was printed before the rest of it is known. */
export interface PrintedEnd {
  /** The bytes of the message whose beginning takes so many bytes, which are to be written there; null where there is no room for them. */
  begin(bytes: number): Buffer | null;
  /** The end alone. */
  readonly end: Buffer;
}

/**
 * The codec of a stage's messages: link (id at bytes 10..26, previous at 26..42), coverage, body.
 * Decoding throws MESSAGE_UNREADABLE whatever is wrong: a message of another schema, cut short, or with bytes behind its end.
 */
export function linkedMessageCodec<Body>(schema: OwnSchema, codec: BodyCodec<Body>): StageCodec<Body> {
  const writer = new ByteWriter({ startBytes: 1024 * 1024 });
  return {
    encode(link: Link, covers: readonly InputRange[], body: Body): Buffer {
      writer.reset();
      writer.writeRaw(schema.header);
      writer.writeHex(link.id, 16);
      writer.writeHex(link.previous, 16);
      writeCovers(writer, covers);
      codec.write(writer, body);
      const printed = codec.printed?.(body) ?? null;
      if (printed === null) return writer.copy();
      const whole = printed.begin(writer.position);
      if (whole !== null) {
        writer.copyTo(whole, 0);
        return whole;
      }
      writer.writeRaw(printed.end);
      return writer.copy();
    },
    ...linkedMessageReader(schema, codec.read),
  };
}

/** The same for whoever reads only: `read` may leave out what it has no use of, but reads to the end. */
export function linkedMessageReader<Body>(schema: OwnSchema, read: (reader: ByteReader) => Body): MessageReader<Body> {
  return {
    decode(record: LogRecord) {
      try {
        const reader = bodyReader(schema, record.value);
        const link = { id: reader.readHex(16), previous: reader.readHex(16) };
        const covers = reader.readArray(() => readCoverage(reader));
        const body = read(reader);
        reader.finish();
        return { link, covers, body };
      } catch (error) {
        const facts = { schema: schema.name, offset: record.offset };
        throw new TallyError('MESSAGE_UNREADABLE', `offset ${record.offset} is not a ${schema.name}`, facts, {
          cause: error,
        });
      }
    },
  };
}

function bodyReader(schema: OwnSchema, value: Buffer | null): ByteReader {
  if (value === null) throw new TallyError('RECORD_UNREADABLE', 'the record has no value', {});
  const writer = writerOf(value);
  if (writer.schema !== schema) {
    throw new TallyError('RECORD_UNREADABLE', `the record is a ${writer.schema.name}`, { schema: writer.schema.name });
  }
  return readerOfBody(value, writer);
}

function writeCovers(writer: ByteWriter, covers: readonly InputRange[]): void {
  if (covers.length > 0) writer.writeLong(covers.length);
  for (const coverage of covers) {
    writer.writeString(coverage.topic);
    writer.writeLong(coverage.partition);
    writer.writeLong(coverage.from);
    writer.writeLong(coverage.next);
  }
  writer.writeLong(0);
}

function readCoverage(reader: ByteReader): InputRange {
  return {
    topic: reader.readString(),
    partition: reader.readLong(),
    from: reader.readLong(),
    next: reader.readLong(),
  };
}
