import type { Broker } from 'kafkajs';
import { TallyError } from '../../../../core/errors/tally-error.ts';
import { encodedAs, sendRaw } from '../client/kafkajs-internals.ts';

/** What of a topic's metadata is looked at. */
export interface TopicIdentity {
  readonly topic: string;
  /** 32 hex digits, given by the cluster when the topic was made. */
  readonly id: string;
  readonly partitions: number;
}

/** Metadata, in the first version that knows topics' ids for both names and answers (brokers from 3.1 on); kafkajs 2.2.4 speaks version 6. */
const METADATA = 3;
const VERSION = 12;
const UNKNOWN_TOPIC = 3;
const UUID_BYTES = 16;

/**
 * The topics of these names that exist, with their ids. The request and its answer are written and read here (Kafka protocol guide,
 * "Metadata", KIP-482); the connection is kafkajs's. No topic is made by asking.
 */
export async function topicIdentities(broker: Broker, topics: readonly string[]): Promise<readonly TopicIdentity[]> {
  const bytes = encodeMetadataRequest(topics);
  const request = {
    apiKey: METADATA,
    apiVersion: VERSION,
    apiName: 'Metadata',
    encode: encodedAs(bytes),
  };
  const response = {
    decode: async (answer: Buffer) => ({ clientSideThrottleTime: 0, topics: decodeMetadataAnswer(answer) }),
    parse: async (decoded: { readonly topics: readonly TopicIdentity[] }) => decoded.topics,
  };
  return (await sendRaw(broker, { request, response })) as readonly TopicIdentity[];
}

/** From the tagged fields that end the flexible head of a request. */
export function encodeMetadataRequest(topics: readonly string[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0]), varint(topics.length + 1)];
  for (const topic of topics) {
    const name = Buffer.from(topic);
    parts.push(Buffer.alloc(UUID_BYTES), varint(name.length + 1), name, Buffer.from([0]));
  }
  // No topic is made, no operations are asked for, no tagged fields.
  parts.push(Buffer.from([0, 0, 0]));
  return Buffer.concat(parts);
}

export function decodeMetadataAnswer(answer: Buffer): readonly TopicIdentity[] {
  const reader = new FlexibleReader(answer);
  reader.skipTags();
  reader.skip(4);
  reader.list(() => {
    reader.skip(4);
    reader.text();
    reader.skip(4);
    reader.text();
    reader.skipTags();
  });
  reader.text();
  reader.skip(4);
  const found = reader.list(() => readTopic(reader));
  return found.flatMap((one) => (one === null ? [] : [one]));
}

/** Null for a topic that does not exist. */
function readTopic(reader: FlexibleReader): TopicIdentity | null {
  const error = reader.int16();
  const topic = reader.text() ?? '';
  const id = reader.take(UUID_BYTES).toString('hex');
  reader.skip(1);
  const partitions = reader.list(() => {
    reader.skip(2 + 4 + 4 + 4);
    for (let lists = 0; lists < 3; lists += 1) reader.list(() => reader.skip(4));
    reader.skipTags();
  });
  reader.skip(4);
  reader.skipTags();
  if (error === UNKNOWN_TOPIC) return null;
  if (error !== 0) {
    const message = `Kafka does not tell how topic ${topic} is (error ${error}): look at the rights of this client and at the brokers`;
    throw new TallyError('LOG_UNAVAILABLE', message, { topic, error }, { retriable: true });
  }
  return { topic, id, partitions: partitions.length };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Reads the compact forms of KIP-482. Throws RangeError where the answer ends too soon. */
class FlexibleReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(bytes: number): void {
    this.take(bytes);
  }

  take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new RangeError('the answer ends too soon');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  int16(): number {
    return this.take(2).readInt16BE();
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.take(1)[0] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError('a length of the answer is no number');
  }

  text(): string | null {
    const length = this.varint();
    return length === 0 ? null : this.take(length - 1).toString();
  }

  list<T>(read: () => T): T[] {
    const count = this.varint();
    const found: T[] = [];
    for (let at = 1; at < count; at += 1) found.push(read());
    return found;
  }

  skipTags(): void {
    for (let left = this.varint(); left > 0; left -= 1) {
      this.varint();
      this.skip(this.varint());
    }
  }
}
