import { gunzipSync, gzipSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isUnreadableAnswer } from '../../../../../../libs/adapters/event-log/kafka/client/faults.ts';
import { compressGzip, registerGzip } from '../../../../../../libs/adapters/event-log/record-batch/codecs.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;
const MEBIBYTE = 1024 ** 2;

function unpack(packed: Buffer): Promise<Buffer> {
  registerGzip();
  return CompressionCodecs[CompressionTypes.GZIP]().decompress(packed);
}

describe('a batch in gzip', () => {
  it('unpacks to what was packed', async () => {
    const packed = await compressGzip({ buffer: Buffer.from('entry '.repeat(1_000)) });
    expect(packed.length).toBeLessThan(200);
    expect(gunzipSync(packed).toString()).toBe('entry '.repeat(1_000));
    expect((await unpack(packed)).toString()).toBe('entry '.repeat(1_000));
  });

  it.each([
    ['unpacks to more than 64 MiB', gzipSync(Buffer.alloc(64 * MEBIBYTE + 1))],
    ['is cut short', gzipSync(Buffer.from('whole')).subarray(0, -9)],
    ['is not gzip', Buffer.from('plain')],
  ])('that %s can not be read by asking again', async (_how, packed) => {
    const error = await unpack(packed).catch((thrown: unknown) => thrown);
    expect(isUnreadableAnswer(error)).toBe(true);
    expect((error as Error).message).toContain('gzip');
  });

  it('may unpack to 64 MiB', async () => {
    expect((await unpack(gzipSync(Buffer.alloc(64 * MEBIBYTE)))).length).toBe(64 * MEBIBYTE);
  });
});
