import type { Broker, KafkaMessage } from 'kafkajs';
import { BATCH_HEADER_BYTES, int64At, PlainRecords } from '../record-batch/plain-records.ts';
import { withProtocol } from './client/kafkajs-internals.ts';

export interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[];
  /** As kafkajs gives them; empty where `records` are given. */
  readonly messages: readonly FetchedMessage[];
  /** Where they were read here: none is of a transaction or a control record. */
  readonly records?: PlainRecords;
}

export type FetchedMessage = KafkaMessage & {
  readonly isControlRecord?: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
};

/** The version of Fetch whose answer is read here: brokers from 2.3 on are asked in it. */
const VERSION = 11;

/**
 * Asks a broker for records. Versions, connections, requests and the errors of answers are kafkajs's. An answer of plain record batches, as
 * nearly all are, is read here in one go; kafkajs makes some twenty objects of each record. One with anything else in it (compression,
 * transactions, messages of brokers before 0.11, what can not be read) is left to kafkajs whole.
 */
export async function fetchRecords(broker: Broker, request: object): Promise<FetchAnswer> {
  const reading = withProtocol(broker, (protocol) => {
    if (protocol.request.apiVersion !== VERSION) return protocol;
    const { response } = protocol;
    const decode = async (answer: Buffer): Promise<unknown> => decodeFetch(answer) ?? (await response.decode(answer));
    return { ...protocol, response: { ...response, decode } };
  });
  return (await reading.fetch(request)) as FetchAnswer;
}

/** The answer to a Fetch of version 11 (Kafka protocol guide, "Fetch", "Record Batch"), or null for one that is left to kafkajs. */
export function decodeFetch(answer: Buffer): (FetchAnswer & { readonly clientSideThrottleTime: number }) | null {
  const reader = new AnswerReader(answer);
  const clientSideThrottleTime = reader.readInt32();
  const errorCode = reader.readInt16();
  const sessionId = reader.readInt32();
  const responses = reader.readList(() => ({
    topicName: reader.readText(),
    partitions: reader.readList(() => readPartition(reader)),
  }));
  if (!reader.isPlain) return null;
  // The broker has not throttled: it asks its client to wait (KIP-219).
  const answered = { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
  return answered;
}

function readPartition(reader: AnswerReader): FetchedPartition & { readonly errorCode: number } {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = String(reader.readInt64());
  const lastStableOffset = String(reader.readInt64());
  reader.skip(8);
  const abortedTransactions = reader.readList(() => ({
    producerId: String(reader.readInt64()),
    firstOffset: String(reader.readInt64()),
  }));
  reader.skip(4);
  const records = reader.readBatches();
  return { partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, messages: [], records };
}

const MAGIC = 2;
/** First offset and length of a batch: what its length does not count. */
const BATCH_START_BYTES = 12;
const MAGIC_AT = 16;

/** Reads an answer from its beginning; whatever is odd about it ends in `isPlain` being false, and what was read means nothing then. */
class AnswerReader {
  isPlain = true;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  readInt16(): number {
    return this.#has(2) ? this.#bytes.readInt16BE(this.skip(2)) : 0;
  }

  readInt32(): number {
    return this.#has(4) ? this.#bytes.readInt32BE(this.skip(4)) : 0;
  }

  readInt64(): number {
    return this.#has(8) ? int64At(this.#bytes, this.skip(8)) : 0;
  }

  readText(): string {
    const length = this.readInt16();
    if (length < 0 || !this.#has(length)) return '';
    const start = this.skip(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A list that is null is an empty one. */
  readList<Item>(readItem: () => Item): Item[] {
    const items: Item[] = [];
    const count = this.readInt32();
    for (let index = 0; index < count && this.isPlain; index += 1) items.push(readItem());
    return items;
  }

  /** Moves on, and gives from where. */
  skip(count: number): number {
    this.#at += count;
    return this.#at - count;
  }

  /** The record batches of a partition: the last may be cut off, since a broker sends so many bytes and no more. */
  readBatches(): PlainRecords {
    const length = this.readInt32();
    const records = new PlainRecords(this.#bytes);
    if (length <= 0 || !this.#has(length)) return records;
    const end = this.#at + length;
    while (this.isPlain && this.#at + BATCH_HEADER_BYTES <= end) {
      const next = this.#at + BATCH_START_BYTES + this.#bytes.readInt32BE(this.#at + 8);
      if (this.#bytes[this.#at + MAGIC_AT] !== MAGIC || next < this.#at + BATCH_HEADER_BYTES) this.isPlain = false;
      if (next > end || !this.isPlain) break;
      this.isPlain = records.add(this.#at, next);
      this.#at = next;
    }
    // What is left is a part of a batch: of one before 0.11 it can not be told.
    if (end - this.#at > MAGIC_AT && this.#bytes[this.#at + MAGIC_AT] !== MAGIC) this.isPlain = false;
    this.#at = end;
    return records;
  }

  #has(count: number): boolean {
    if (this.#at + count > this.#bytes.length) this.isPlain = false;
    return this.isPlain;
  }
}
