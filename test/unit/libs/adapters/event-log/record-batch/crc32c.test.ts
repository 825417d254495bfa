import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../../../libs/adapters/event-log/record-batch/crc32c.ts';

describe('CRC-32C', () => {
  // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113fdb5c],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is the published one', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('of a part is that of the part alone, wherever it begins and however long it is', () => {
    const bytes = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * 37) % 256));
    for (let from = 0; from < 9; from += 1) {
      for (let to = from; to < 40; to += 1) {
        expect(crc32c(bytes, from, to)).toBe(crc32c(Buffer.from(bytes.subarray(from, to))));
      }
    }
  });
});
