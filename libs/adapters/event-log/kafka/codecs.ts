import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { unpackLz4 } from './unpack-lz4.ts';
import { unpackSnappy } from './unpack-snappy.ts';
import { unpackZstd } from './unpack-zstd.ts';

// CommonJS: of its names Node finds only some, so all come by its default export.
const { CompressionCodecs, CompressionTypes } = kafkajs;

export const KAFKA_CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP } as const;
/** What our own messages may be compressed with. */
export type KafkaCodec = keyof typeof KAFKA_CODECS;

/** What records may come in besides gzip; ours are never written so. */
const UNPACKERS = [
  { name: 'snappy', type: CompressionTypes.Snappy, unpack: unpackSnappy },
  { name: 'lz4', type: CompressionTypes.LZ4, unpack: unpackLz4 },
  { name: 'zstd', type: CompressionTypes.ZSTD, unpack: unpackZstd },
] as const;
export const READABLE_CODECS: readonly string[] = [...Object.keys(KAFKA_CODECS), ...UNPACKERS.map(({ name }) => name)];

/** A batch that unpacks to more than this is not unpacked: brokers refuse more than 1 MiB packed. */
const UNPACKED_BYTES_MAX = 64 * 1024 ** 2;
/** Records of one unreadable batch that still have their places; a batch with more ends its partition (BATCH_UNREADABLE). */
const UNREADABLE_RECORDS_MAX = 100_000;
/** No client of ours writes such a header. */
const MARK = '\u0000unreadable';

let registered = false;

/**
 * Registers a codec for every kind of compression that a record may come in; to be called before anything is read. With an unregistered
 * one kafkajs fails the whole fetch, and its consumer ends. Here each record of a batch that can not be unpacked (it would be too large, or
 * is not what it says) keeps its offset and comes marked as unreadable, so it ends as a decision with a code (inputs) or halts its reader
 * loudly (linked messages).
 */
export function registerKafkaCodecs(): void {
  if (registered) {
    return;
  }
  registered = true;
  CompressionCodecs[CompressionTypes.GZIP] = () => ({ compress: compressGzip, decompress: decompressGzip });
  for (const { name, type, unpack } of UNPACKERS) {
    CompressionCodecs[type] = () => ({
      compress: () => Promise.reject(new Error(`records are not written with ${name}`)),
      decompress: async (packed: Buffer) => {
        try {
          return unpack(packed, UNPACKED_BYTES_MAX);
        } catch (error) {
          if (error instanceof TallyError) return unreadableRecords(name);
          throw error;
        }
      },
    });
  }
}

/** Name of the compression that a record could not be unpacked from; null for every other record. */
export function unreadableCodec({ headers, value }: Pick<KafkaMessage, 'headers' | 'value'>): string | null {
  const mark = value === null ? headers?.[MARK] : undefined;
  return mark === undefined ? null : String(mark);
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** What the typings call an Encoder has the bytes as `buffer`. */
export function compressGzip(encoder: { readonly buffer: Buffer }): Promise<Buffer> {
  return compress(encoder.buffer);
}

async function decompressGzip(packed: Buffer): Promise<Buffer> {
  try {
    return await decompress(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    return unreadableRecords('gzip');
  }
}

const unreadable = new Map<string, Buffer>();

/** Records as an unpacked batch has them, one for each offset, with nothing but the mark. Only as many as the batch counts are read of them. */
function unreadableRecords(name: string): Buffer {
  const known = unreadable.get(name);
  if (known !== undefined) {
    return known;
  }
  const mark = Buffer.concat([zigzag(MARK.length), Buffer.from(MARK), zigzag(name.length), Buffer.from(name)]);
  const records: Buffer[] = [];
  for (let offsetDelta = 0; offsetDelta < UNREADABLE_RECORDS_MAX; offsetDelta += 1) {
    // attributes, timestamp delta, offset delta, no key (-1), no value (-1), one header
    const body = [Buffer.from([0, 0]), zigzag(offsetDelta), zigzag(-1), zigzag(-1), zigzag(1), mark];
    const bytes = body.reduce((sum, part) => sum + part.length, 0);
    records.push(zigzag(bytes), ...body);
  }
  const all = Buffer.concat(records);
  unreadable.set(name, all);
  return all;
}

/** A number as Kafka's records have it: zigzag, seven bits a byte, the lowest first. */
function zigzag(value: number): Buffer {
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  const bytes: number[] = [];
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
