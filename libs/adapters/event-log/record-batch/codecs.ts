import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import kafkajs from 'kafkajs';

// CommonJS: Node finds only some of its names, so these come by its default export.
const { CompressionCodecs, CompressionTypes } = kafkajs;

export const KAFKA_CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP } as const;
/** What our own messages may be compressed with, and what brokers are told to keep batches in (topic-settings.ts). */
export type KafkaCodec = keyof typeof KAFKA_CODECS;

/** A batch that unpacks to more ends the reading of its partition (BATCH_UNREADABLE); brokers refuse more than 1 MiB packed. */
const UNPACKED_BYTES_MAX = 64 * 1024 ** 2;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Has kafkajs unpack gzip within bounds: its own codec makes room for as much as a batch unpacks to. To be called before a read. */
export function registerGzip(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: compressGzip,
    decompress: unpackGzip,
  });
}

/** Throws a RangeError, which the reader takes for a batch that will not be read by asking again. */
async function unpackGzip(packed: Buffer): Promise<Buffer> {
  try {
    return await decompress(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (cause) {
    throw new RangeError(`its gzip is damaged, or unpacks to more than ${UNPACKED_BYTES_MAX} bytes`, { cause });
  }
}

/** kafkajs's typings give an Encoder's bytes as `buffer`. */
export function compressGzip(encoder: { readonly buffer: Buffer }): Promise<Buffer> {
  return compress(encoder.buffer);
}
