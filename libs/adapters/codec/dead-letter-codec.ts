import { TallyError } from '../../core/errors/tally-error.ts';
import type { DeadLetter } from '../../core/events/dead-letter.ts';
import { ByteWriter } from './byte-writer.ts';
import { ownSchema, readerOfBody, writerOf } from './single-object.ts';
import { readAccount, readNullableEventId } from './typed-fields.ts';

const SCHEMA = ownSchema('dead-letter.v1');
const WRITER = new ByteWriter({ startBytes: 4 * 1024 });

/** The value of a record of rejections.v1; its key is `deadLetterKey`. */
export function encodeDeadLetter(letter: DeadLetter): Buffer {
  const { origin, decision } = letter;
  WRITER.reset();
  WRITER.writeRaw(SCHEMA.header);
  WRITER.writeString(origin.topic);
  WRITER.writeLong(origin.partition);
  WRITER.writeLong(origin.offset);
  WRITER.writeBranch(decision !== null);
  if (decision !== null) {
    WRITER.writeLong(decision.partition);
    WRITER.writeLong(decision.offset);
    WRITER.writeLong(decision.index);
    WRITER.writeLong(decision.rejection);
  }
  WRITER.writeNullableString(letter.account);
  WRITER.writeNullableHex(letter.eventId, 16);
  WRITER.writeString(letter.code);
  WRITER.writeMap(letter.facts, (fact) => WRITER.writeString(fact));
  WRITER.writeNullableLong(letter.receivedAtMs);
  WRITER.writeLong(letter.recordedAtMs);
  return WRITER.take();
}

/** Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE. */
export function decodeDeadLetter(value: Buffer): DeadLetter {
  const writer = writerOf(value);
  if (writer.schema !== SCHEMA) {
    throw new TallyError('RECORD_UNREADABLE', `the record is a ${writer.schema.name}`, { schema: writer.schema.name });
  }
  const reader = readerOfBody(value, writer);
  const letter: DeadLetter = {
    origin: { topic: reader.readString(), partition: reader.readLong(), offset: reader.readLong() },
    decision: reader.readBranch()
      ? {
          partition: reader.readLong(),
          offset: reader.readLong(),
          index: reader.readLong(),
          rejection: reader.readLong(),
        }
      : null,
    account: reader.readBranch() ? readAccount(reader) : null,
    eventId: readNullableEventId(reader),
    code: reader.readString(),
    facts: reader.readMap(() => reader.readString()),
    receivedAtMs: reader.readNullableLong(),
    recordedAtMs: reader.readLong(),
  };
  reader.finish();
  return letter;
}
