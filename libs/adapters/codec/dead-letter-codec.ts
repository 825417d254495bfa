import { TallyError } from '../../core/errors/tally-error.ts';
import { type DeadLetter, deadLetter } from '../../core/events/dead-letter.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { compile } from './compile-record.ts';
import { ownSchema, readerOfBody, writerOf } from './schema/single-object.ts';

const SCHEMA = ownSchema(deadLetter.schema);
const CODEC = compile<DeadLetter>(deadLetter.fields);
const WRITER = new ByteWriter({ startBytes: 4 * 1024 });

/** The value of a record of rejections.v1; its key is `deadLetterKey`. */
export function encodeDeadLetter(letter: DeadLetter): Buffer {
  WRITER.reset();
  WRITER.writeRaw(SCHEMA.header);
  CODEC.write(WRITER, letter);
  return WRITER.copy();
}

/** Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE. */
export function decodeDeadLetter(value: Buffer): DeadLetter {
  const writer = writerOf(value);
  if (writer.schema !== SCHEMA) {
    throw new TallyError('RECORD_UNREADABLE', `the record is a ${writer.schema.name}`, { schema: writer.schema.name });
  }
  const reader = readerOfBody(value, writer);
  const letter = CODEC.read(reader);
  reader.finish();
  return letter;
}
