import { TallyError } from '../../../core/errors/tally-error.ts';
import { type AppendRecord, type PartitionAppend, RECORD_BYTES_MAX, type TopicPartition } from '../event-log.ts';
import type { Partition } from './chunk-keys.ts';
import { HEADERS_MAX, packChunk, packedBytes, SHORT_TEXT_BYTES_MAX } from './record-chunk.ts';

/** An append to one partition in the form in which it is stored. */
export interface Packed {
  readonly partition: Partition;
  readonly chunks: readonly { readonly bytes: Buffer; readonly count: number }[];
}

const CHUNK_BYTES_MAX = 256 * 1024;

/** Packs records into chunks. Throws RECORD_TOO_LARGE for a record that no chunk or no Kafka broker would hold. */
export function packAppend(append: PartitionAppend, partition: Partition, timestampMs: number): Packed {
  const chunks: { bytes: Buffer; count: number }[] = [];
  let records: AppendRecord[] = [];
  let bytes = 0;
  for (const record of append.records) {
    assertFits(record, append);
    const recordBytes = packedBytes(record);
    if (records.length > 0 && bytes + recordBytes > CHUNK_BYTES_MAX) {
      chunks.push({ bytes: packChunk(records, bytes, timestampMs), count: records.length });
      records = [];
      bytes = 0;
    }
    records.push(record);
    bytes += recordBytes;
  }
  if (records.length > 0) {
    chunks.push({ bytes: packChunk(records, bytes, timestampMs), count: records.length });
  }
  return { partition, chunks };
}

function assertFits(record: AppendRecord, { topic, partition }: TopicPartition): void {
  const bytes = record.value?.length ?? 0;
  if (bytes > RECORD_BYTES_MAX) {
    throw new TallyError('RECORD_TOO_LARGE', `a record of ${bytes} bytes is larger than ${RECORD_BYTES_MAX}`, {
      topic,
      partition,
      bytes,
      maxBytes: RECORD_BYTES_MAX,
    });
  }
  const headers = record.headers === undefined ? [] : Object.entries(record.headers);
  const texts = record.key === null ? headers.flat() : [record.key, ...headers.flat()];
  if (headers.length > HEADERS_MAX || texts.some((text) => Buffer.byteLength(text) > SHORT_TEXT_BYTES_MAX)) {
    throw new TallyError('RECORD_TOO_LARGE', 'a key or header of a record is too long, or there are too many headers', {
      topic,
      partition,
      headers: headers.length,
      textMaxBytes: SHORT_TEXT_BYTES_MAX,
    });
  }
}
