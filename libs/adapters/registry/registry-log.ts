import type { RegistryWireFormat } from '../codec/schema/registry-wire-format.ts';
import type { EventLog, LogReader, LogRecord, PartitionAppend, RecordBatch } from '../event-log/event-log.ts';

/** A log whose values stand in a schema registry's wire format and are read and written here in single-object encoding; either is read. */
export function registryLog(log: EventLog, format: RegistryWireFormat): EventLog {
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    partitionCount: (topic) => log.partitionCount(topic),
    append: (appends) => log.append(appends.map((append) => toWire(append, format))),
    bounds: (partition) => log.bounds(partition),
    reader: (positions) => registryReader(log.reader(positions), format),
    join: (options) => log.join(options),
    deleteBefore: (position) => log.deleteBefore(position),
    close: () => log.close(),
  };
}

function registryReader(reader: LogReader, format: RegistryWireFormat): LogReader {
  return {
    poll: async (options) => (await reader.poll(options)).map((batch) => fromWire(batch, format)),
    seek: (position) => reader.seek(position),
    drop: (partition) => reader.drop(partition),
    close: () => reader.close(),
  };
}

function toWire(append: PartitionAppend, format: RegistryWireFormat): PartitionAppend {
  const records = append.records.map((record) =>
    record.value === null ? record : { ...record, value: format.toWire(record.value) },
  );
  return { ...append, records };
}

function fromWire(batch: RecordBatch, format: RegistryWireFormat): RecordBatch {
  return { ...batch, records: batch.records.map((record) => readable(record, format)) };
}

function readable(record: LogRecord, format: RegistryWireFormat): LogRecord {
  if (record.value === null) return record;
  const value = format.fromWire(record.value);
  return value === record.value ? record : { ...record, value };
}
