import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../../libs/core/ledger/hex.ts';

describe('hex', () => {
  it('every byte there and back', () => {
    const bytes = new Uint8Array(Array.from({ length: 256 }, (_, index) => index));
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
    expect(fromHex(toHex(bytes), 256)).toEqual(bytes);
  });

  it.each(['0', 'AB', 'zz', '0x', '00 ', '0000', '\u01300', '0é'])('%j is not one byte of lower-case hex', (text) => {
    expect(() => fromHex(text, 1)).toThrow(expect.objectContaining({ code: 'HEX_INVALID' }));
  });
});
