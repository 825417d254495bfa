import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../../../../libs/core/encoding/base64.ts';

describe('base64', () => {
  it('is what node makes, for every length to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = new Uint8Array(Array.from({ length }, (_, index) => (index * 37 + length) % 256));
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
  });

  // "TQ==" is "M"; the bits behind it must be zero, and nothing may be left out or added.
  it.each(['TR==', 'TQ=', 'TQ', 'TQ===', 'TQ==\n', ' TQ==', 'T===', '====', '=', 'TQ-=', 'TWF_', 'TWFu=', 'TWE=TWE='])(
    '%j is not canonical',
    (text) => expect(() => fromBase64(text)).toThrow(expect.objectContaining({ code: 'BASE64_INVALID' })),
  );

  it('another length than expected is refused', () => {
    expect(() => fromBase64('TWFu', 2)).toThrow(expect.objectContaining({ code: 'BASE64_INVALID' }));
    expect(fromBase64('TWFu', 3)).toEqual(new Uint8Array(Buffer.from('Man')));
  });
});
