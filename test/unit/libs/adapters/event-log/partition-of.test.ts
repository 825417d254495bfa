import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../../../libs/adapters/event-log/partition-of.ts';

const kafkajs: (key: Buffer) => number = createRequire(import.meta.url)(
  'kafkajs/src/producer/partitioners/default/murmur2',
);

describe('the partition of a key', () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('murmur2 of %s is that of the Java client', (key, expected) => {
    expect(murmur2(Buffer.from(key))).toBe(expected);
  });

  it('is what kafkajs makes of any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => murmur2(bytes) === kafkajs(Buffer.from(bytes))));
  });

  it('is that of the UTF-8 bytes of any text, short or long', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constant('vat:101747696'),
    );
    fc.assert(
      fc.property(
        texts,
        (text) => partitionOf(text, 1_000_003) === (kafkajs(Buffer.from(text)) & 0x7fffffff) % 1_000_003,
      ),
    );
  });

  it('of an account among twelve stays where it is for ever', () => {
    expect(partitionOf('paye:123/AB456', 12)).toBe(435380968 % 12);
    expect(partitionOf('vat:101747696', 12)).toBe((-686131412 & 0x7fffffff) % 12);
  });
});
