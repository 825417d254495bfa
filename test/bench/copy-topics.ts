import kafkajs from 'kafkajs';

// CommonJS: of its names Node finds only some, so these come by its default export.
const { Kafka, logLevel } = kafkajs;

/** What the whole pipeline is measured against: kafkajs alone, reading topics and writing the same records to others. */
export interface CopyRequest {
  readonly brokers: readonly string[];
  readonly group: string;
  readonly topics: readonly { readonly from: string; readonly to: string }[];
  readonly partitions: number;
  /** As the services fetch (libs/adapters/event-log/kafka/log.ts). */
  readonly fetchBytes: number;
  readonly fetchAllBytes: number;
  readonly fetchWaitMs: number;
}

export type CopyMessage = { readonly type: 'begun' } | { readonly type: 'progress'; readonly done: number };

const PROGRESS_MS = 50;
const ALL_REPLICAS = -1;

const request = JSON.parse(process.argv[2] ?? '{}') as CopyRequest;
process.on('disconnect', () => process.exit(0));
const tell = (message: CopyMessage): void => void process.send?.(message);

const kafka = new Kafka({ clientId: 'bench-copy', brokers: [...request.brokers], logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false });
const consumer = kafka.consumer({
  groupId: request.group,
  allowAutoTopicCreation: false,
  maxBytesPerPartition: request.fetchBytes,
  maxBytes: request.fetchAllBytes,
  maxWaitTimeInMs: request.fetchWaitMs,
  minBytes: 1,
});
const targets = new Map(request.topics.map(({ from, to }) => [from, to]));
let done = 0;
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topics: [...targets.keys()], fromBeginning: true });
consumer.on(consumer.events.GROUP_JOIN, () => tell({ type: 'begun' }));
setInterval(() => tell({ type: 'progress', done }), PROGRESS_MS);
await consumer.run({
  partitionsConsumedConcurrently: request.partitions * request.topics.length,
  eachBatch: async ({ batch }) => {
    const messages = batch.messages.map(({ key, value }) => ({ key, value, partition: batch.partition }));
    await producer.send({ topic: targets.get(batch.topic) ?? '', acks: ALL_REPLICAS, messages });
    done += messages.length;
  },
});
