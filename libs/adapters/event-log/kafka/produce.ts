import type { Broker } from 'kafkajs';
import type { AppendRecord } from '../event-log.ts';
import { KAFKA_CODECS, type KafkaCodec } from '../record-batch/codecs.ts';
import { BATCH_HEADER_BYTES } from '../record-batch/plain-records.ts';
import { RequestWriter, recordBytes, writeBatch } from '../record-batch/write-batch.ts';
import { encodedAs, withProtocol } from './client/kafkajs-internals.ts';

/** What is appended to one topic in one request: for each partition one record batch. */
export interface TopicBatches {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly records: readonly AppendRecord[] }[];
}

export interface ProduceRequest {
  readonly topics: readonly TopicBatches[];
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number;
  readonly compression: KafkaCodec;
  readonly civilMs: number;
}

export interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly baseOffset: string }[];
  }[];
}

const ALL_REPLICAS = -1;
/** Versions of Produce whose request has this form. */
const VERSION_MIN = 3;
const VERSION_MAX = 7;
/** Transactional id, acks, timeout, number of topics. */
const REQUEST_HEADER_BYTES = 12;
const TOPIC_HEADER_BYTES = 6;
/** Partition, bytes of its batch. */
const PARTITION_HEADER_BYTES = 8;
/**
 * Asks a broker to append. Versions, connections, answers and their errors are kafkajs's; the bytes of the request are made here, in one
 * piece: kafkajs copies each message seven times and takes its checksum byte by byte, 9 ms of CPU a megabyte.
 */
export async function produce(broker: Broker, request: ProduceRequest): Promise<ProduceAnswer> {
  const bytes = await encodeProduce(request);
  const sending = withProtocol(broker, (protocol) => {
    const { apiVersion } = protocol.request;
    if (apiVersion < VERSION_MIN || apiVersion > VERSION_MAX) {
      throw new Error(`Produce of version ${apiVersion} is of another form: brokers from 0.11 to 4.x are known`);
    }
    return { ...protocol, request: { ...protocol.request, encode: encodedAs(bytes) } };
  });
  const { timeoutMs: timeout, compression } = request;
  const options = { acks: ALL_REPLICAS, timeout, compression: KAFKA_CODECS[compression], topicData: [] };
  return (await sending.produce(options)) as ProduceAnswer;
}

/** The body of a Produce request of version 3 to 7 (Kafka protocol guide, "Produce", "Record Batch"). */
export async function encodeProduce(request: ProduceRequest): Promise<Buffer> {
  const { topics, timeoutMs } = request;
  const writer = new RequestWriter(REQUEST_HEADER_BYTES + topics.reduce((sum, topic) => sum + topicBytes(topic), 0));
  writer.writeInt16(-1);
  writer.writeInt16(ALL_REPLICAS);
  writer.writeInt32(timeoutMs);
  writer.writeInt32(topics.length);
  for (const { topic, partitions } of topics) {
    writer.writeInt16(Buffer.byteLength(topic));
    writer.writeText(topic);
    writer.writeInt32(partitions.length);
    for (const { partition, records } of partitions) {
      writer.writeInt32(partition);
      await writeBatch(writer, records, request);
    }
  }
  return writer.taken();
}

function topicBytes({ topic, partitions }: TopicBatches): number {
  let bytes = TOPIC_HEADER_BYTES + Buffer.byteLength(topic);
  for (const { records } of partitions) {
    bytes += PARTITION_HEADER_BYTES + BATCH_HEADER_BYTES;
    for (const record of records) bytes += recordBytes(record);
  }
  return bytes;
}
