import type avro from 'avsc';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { ByteReader } from '../../bytes/byte-reader.ts';
import { crc64Avro } from './crc64-avro.ts';
import { registryIdOf } from './registry-wire-format.ts';
import { readSchemaFiles } from './schema-files.ts';

/** Avro single-object encoding: marker C3 01, CRC-64-AVRO fingerprint of the writer's schema (8 bytes little-endian), body. */
export const HEADER_BYTES = 10;

/** A schema that the house writes: the header of its values and the type that avsc made of it. */
export interface OwnSchema {
  readonly name: string;
  readonly header: Buffer;
  readonly type: avro.Type;
}

/** What a value was written with. `resolver` is null where that is the schema in force. */
export interface Writer {
  readonly schema: OwnSchema;
  readonly resolver: ReturnType<avro.Type['createResolver']> | null;
}

/** The schema in force of this name (`till-event.v1`). */
export function ownSchema(name: string): OwnSchema {
  const schema = ALL.own.get(name);
  if (schema === undefined) throw new TallyError('SCHEMA_UNKNOWN', `schemas/${name}.avsc does not exist`, { name });
  return schema;
}

/**
 * The writer of a value, by its fingerprint: never read without (dependencies.md, pain 7).
 * Throws RECORD_UNREADABLE for a value without the header, SCHEMA_UNKNOWN for a fingerprint that no schema in force or in history has.
 */
export function writerOf(value: Buffer): Writer {
  const registryId = registryIdOf(value);
  if (registryId !== null) {
    const message = `the value names schema ${registryId} of a registry, which this process does not know: see SCHEMA_REGISTRY_URL`;
    throw new TallyError('SCHEMA_UNKNOWN', message, { registryId });
  }
  if (value.length < HEADER_BYTES || value[0] !== 0xc3 || value[1] !== 0x01) {
    throw new TallyError('RECORD_UNREADABLE', 'the record is not Avro single-object encoded', { bytes: value.length });
  }
  const writer = ALL.writers.get(value.toString('latin1', 2, HEADER_BYTES));
  if (writer === undefined) {
    const fingerprint = value.toString('hex', 2, HEADER_BYTES);
    throw new TallyError('SCHEMA_UNKNOWN', `no schema has the fingerprint ${fingerprint}`, { fingerprint });
  }
  return writer;
}

/** True where the value was written with the schema in force of this name. */
export function isWrittenWith(value: Buffer, schema: OwnSchema): boolean {
  return value.length >= HEADER_BYTES && value.compare(schema.header, 0, HEADER_BYTES, 0, HEADER_BYTES) === 0;
}

/** A value as avsc writes it: for records that are not hot. */
export function encodeWith(schema: OwnSchema, record: unknown): Buffer {
  return Buffer.concat([schema.header, schema.type.toBuffer(record)]);
}

/** The record of a value as avsc reads it, resolved to the schema in force. Throws RECORD_UNREADABLE: also where bytes follow it. */
export function decodeRecord(value: Buffer, writer: Writer): unknown {
  return guarded(writer, () =>
    writer.resolver === null
      ? writer.schema.type.fromBuffer(value.subarray(HEADER_BYTES))
      : writer.schema.type.fromBuffer(value.subarray(HEADER_BYTES), writer.resolver),
  );
}

/**
 * The same record in each older release of its schema, fields added since left out: how the same event was written before an upgrade.
 * Empty for a schema of one release.
 */
export function olderEncodings(value: Buffer): Buffer[] {
  const { schema } = writerOf(value);
  const older = ALL.older.get(schema.name) ?? [];
  if (older.length === 0) return [];
  const record: unknown = schema.type.fromBuffer(value.subarray(HEADER_BYTES));
  return older.map((release) => encodeWith(release, record));
}

/**
 * A reader at the body of a value, in the schema in force: a value of an older release is resolved by avsc and written anew first.
 * Throws RECORD_UNREADABLE where the value does not fit the schema that it names.
 */
export function readerOfBody(value: Buffer, writer: Writer): ByteReader {
  if (writer.resolver === null) return new ByteReader(value, HEADER_BYTES);
  const record = decodeRecord(value, writer);
  return new ByteReader(
    guarded(writer, () => writer.schema.type.toBuffer(record)),
    0,
  );
}

function guarded<Value>(writer: Writer, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const cause = error instanceof Error ? error.message.slice(0, 100) : '';
    throw new TallyError('RECORD_UNREADABLE', `the record does not fit ${writer.schema.name}`, { cause });
  }
}

interface Schemas {
  readonly own: ReadonlyMap<string, OwnSchema>;
  /** By the fingerprint's bytes as latin1 text. */
  readonly writers: ReadonlyMap<string, Writer>;
  /** Releases that differ from the schema in force, by its name. */
  readonly older: ReadonlyMap<string, readonly OwnSchema[]>;
}

const ALL = loadSchemas();

function loadSchemas(): Schemas {
  const files = readSchemaFiles();
  const own = new Map<string, OwnSchema>();
  for (const file of files) {
    if (file.release === 0)
      own.set(file.name, { name: file.name, header: singleObjectHeader(file.type), type: file.type });
  }
  const writers = new Map<string, Writer>();
  const older = new Map<string, OwnSchema[]>();
  for (const file of files) {
    const schema = own.get(file.name);
    if (schema === undefined)
      throw new Error(`schemas/${file.file} is a release of a schema that is not there any more`);
    const header = singleObjectHeader(file.type);
    const fingerprint = header.toString('latin1', 2);
    const resolver = header.equals(schema.header) ? null : schema.type.createResolver(file.type);
    if (writers.has(fingerprint)) continue;
    writers.set(fingerprint, { schema, resolver });
    if (resolver === null) continue;
    const before = older.get(file.name) ?? [];
    older.set(file.name, [...before, { name: file.name, header, type: file.type }]);
  }
  return { own, writers, older };
}

/** The header of values written with this type. */
export function singleObjectHeader(type: avro.Type): Buffer {
  return Buffer.concat([Buffer.from([0xc3, 0x01]), crc64Avro(JSON.stringify(type.schema()))]);
}
