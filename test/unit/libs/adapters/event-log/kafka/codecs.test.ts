import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackLz4 } from '../../../../../../libs/adapters/event-log/kafka/unpack-lz4.ts';
import { unpackSnappy } from '../../../../../../libs/adapters/event-log/kafka/unpack-snappy.ts';
import { unpackZstd } from '../../../../../../libs/adapters/event-log/kafka/unpack-zstd.ts';

const UNPACK = { snappy: unpackSnappy, lz4: unpackLz4, zstd: unpackZstd } as const;
type Codec = keyof typeof UNPACK;

/** Made by Kafka's own Java client and by the reference tools; base64. */
interface PackedBatch {
  readonly madeBy: string;
  readonly codec: Codec;
  readonly text: 'lines' | 'long';
  readonly packed: string;
}

const batches = JSON.parse(readFileSync(new URL('packed-batches.json', import.meta.url), 'utf8')) as PackedBatch[];
const BYTES_MAX = 1024 ** 2;
const TEXTS = {
  // An id a line that does not repeat.
  lines: Array.from({ length: 40 }, (_, index) => {
    const eventId = (Math.imul(index, 0x9e3779b1) >>> 0).toString(16);
    return `{"eventId":"${eventId}","totalPence":${index}}\n`;
  }).join(''),
  // Of several blocks, which refer to the one before where they are linked.
  long: 'ab'.repeat(250_000),
} as const;

/** What is thrown, or how many bytes came. */
function outcomeOf(codec: Codec, packed: Buffer, bytesMax = BYTES_MAX): unknown {
  try {
    return UNPACK[codec](packed, bytesMax).length;
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

const packedWith = (codec: Codec) => batches.filter((batch) => batch.codec === codec);

describe.each(['snappy', 'lz4', 'zstd'] as const)('a batch that came packed with %s', (codec) => {
  it.each(packedWith(codec))('unpacks to what was packed by $madeBy: $text', ({ packed, text }) => {
    expect(UNPACK[codec](Buffer.from(packed, 'base64'), BYTES_MAX).toString()).toBe(TEXTS[text]);
  });

  it.each(packedWith(codec))('is refused where its end is missing: $madeBy, $text', ({ packed }) => {
    const whole = Buffer.from(packed, 'base64');
    for (let cut = 1; cut < Math.min(whole.length, 60); cut += 1) {
      expect(outcomeOf(codec, whole.subarray(0, -cut)), `${cut} bytes less`).toBe('PACKED_INVALID');
    }
  });

  it('is refused, and never more than the bound is unpacked, whatever its bytes are', () => {
    const oneOfThem = fc.constantFrom(...packedWith(codec).map(({ packed }) => Buffer.from(packed, 'base64')));
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(oneOfThem, changes, (packed, changed) => {
        const damaged = Buffer.from(packed);
        for (const [at, byte] of changed) damaged[at % damaged.length] = byte;
        const outcome = outcomeOf(codec, damaged);
        if (typeof outcome === 'number') expect(outcome).toBeLessThanOrEqual(BYTES_MAX);
        else expect(outcome).toMatch(/^(PACKED_INVALID|UNPACKED_TOO_LARGE)$/);
      }),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(outcomeOf(codec, Buffer.from(bytes))).not.toBeInstanceOf(Error);
      }),
    );
  });

  it('is refused where it is larger than the bound, by what is in it', () => {
    const [long] = batches.filter((batch) => batch.codec === codec && batch.text === 'long');
    const [lines] = packedWith(codec);
    const packed = Buffer.from((long ?? lines)?.packed ?? '', 'base64');
    const bytes = TEXTS[(long ?? lines)?.text ?? 'lines'].length;
    expect(outcomeOf(codec, packed, bytes)).toBe(bytes);
    expect(outcomeOf(codec, packed, bytes - 1)).toBe('UNPACKED_TOO_LARGE');
  });
});

describe('a batch that claims to be large', () => {
  const held = () => process.memoryUsage().arrayBuffers;

  it.each([
    // A block of 4 GiB less one byte, of which three are there.
    ['snappy', 'ffffffff0f08616263', 'PACKED_INVALID'],
    // A frame that refers back over 2 GiB, and holds three bytes.
    ['zstd', '28b52ffd00a819000061 6263', 'UNPACKED_TOO_LARGE'],
    // The same behind a frame of nothing.
    ['zstd', '28b52ffd0000010000 28b52ffd00a819000061 6263', 'PACKED_INVALID'],
    // A frame of 4 GiB by its own word.
    ['zstd', '28b52ffda0ffffffff190000616263', 'UNPACKED_TOO_LARGE'],
    // A frame of 2^60 bytes by its own word: nothing goes by it.
    ['lz4', '04224d1868400000000000000010ff0300008061626300000000', 3],
  ] as const)('is given no room before it fills it: %s %s', (codec, hex, outcome) => {
    const before = held();
    expect(outcomeOf(codec, Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBe(outcome);
    expect(held() - before).toBeLessThan(BYTES_MAX);
  });

  it('is cut off where few bytes stand for many', () => {
    // Blocks of 128 KiB of one byte each, four bytes a block.
    const block = Buffer.from([0x02, 0x00, 0x10, 0x61]);
    const blocks = Array.from({ length: 10_000 }, () => block);
    const bomb = Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...blocks, Buffer.from('010000', 'hex')]);
    expect(outcomeOf('zstd', bomb)).toBe('UNPACKED_TOO_LARGE');
  });
});
