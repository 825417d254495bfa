import { describe, expect, it } from 'vitest';
import { fromHex, hexOf16, toHex } from '../../../../../libs/core/encoding/hex.ts';

describe('hex', () => {
  it('every byte there and back', () => {
    const bytes = new Uint8Array(Array.from({ length: 256 }, (_, index) => index));
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
    expect(fromHex(toHex(bytes), 256)).toEqual(bytes);
  });

  it('sixteen bytes from an offset on, as one text', () => {
    const bytes = new Uint8Array(Array.from({ length: 256 }, (_, index) => (index * 7) % 256));
    for (const offset of [0, 1, 100, 240])
      expect(hexOf16(bytes, offset)).toBe(toHex(bytes.subarray(offset, offset + 16)));
  });

  it.each(['0', 'AB', 'zz', '0x', '00 ', '0000', '\u01300', '0é'])('%j is not one byte of lower-case hex', (text) => {
    expect(() => fromHex(text, 1)).toThrow(expect.objectContaining({ code: 'HEX_INVALID' }));
  });
});
