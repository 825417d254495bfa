import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventDefinition } from '../../core/events/field.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { eventCodecOf, type RecordCodec } from './compile-record.ts';
import { ownSchema, readerOfBody, writerOf } from './schema/single-object.ts';

/** Writes and reads the events of one family: those that the records of one topic, or of several, may be. */
export interface EventFamily<Event extends { readonly type: string }> {
  /** The value of an event's record: Avro single-object encoded, byte for byte as avsc writes it. */
  readonly encode: (event: Event) => Buffer;
  /**
   * The event of a record's value, of the schema in force or any released one.
   * Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (not of this family, not Avro, cut short, bytes after its end, a code, date or account that is none).
   */
  readonly decode: (value: Buffer) => Event;
}

/**
 * Makes the codec of a family out of the definitions of its events.
 *
 * @param noun What a record of the family is called in an error: `an event`.
 */
export function eventFamily<Event extends { readonly type: string }>(
  noun: string,
  definitions: { readonly [Type in Event['type']]: EventDefinition<Type> },
): EventFamily<Event> {
  const writer = new ByteWriter({ startBytes: 64 * 1024 });
  const forms = new Map<string, { readonly header: Buffer; readonly codec: RecordCodec<Event> }>();
  const codecs = new Map<string, RecordCodec<Event>>();
  for (const definition of Object.values<EventDefinition>(definitions)) {
    // The table pairs each type with its own definition, so that a codec is given no other event.
    const codec = eventCodecOf(definition) as unknown as RecordCodec<Event>;
    forms.set(definition.type, { header: ownSchema(definition.schema).header, codec });
    codecs.set(definition.schema, codec);
  }
  return {
    encode: (event) => {
      const form = forms.get(event.type);
      if (form === undefined) throw new Error(`${event.type} is not ${noun}`);
      writer.reset();
      writer.writeRaw(form.header);
      form.codec.write(writer, event);
      return writer.copy();
    },
    decode: (value) => {
      const writtenWith = writerOf(value);
      const { schema } = writtenWith;
      const codec = codecs.get(schema.name);
      if (codec === undefined) {
        throw new TallyError('RECORD_UNREADABLE', `${schema.name} is not ${noun}`, { schema: schema.name });
      }
      const reader = readerOfBody(value, writtenWith);
      const event = codec.read(reader);
      reader.finish();
      return event;
    },
  };
}
