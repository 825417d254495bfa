import { describe, expect, it } from 'vitest';
import { hashInput, uint64 } from '../../../../../libs/core/encoding/hash-input.ts';

describe('what is hashed', () => {
  it('a text stands behind its 4-byte length in UTF-8, a number as 8 bytes, fixed bytes bare', () => {
    const message = hashInput('£', 258, Uint8Array.of(9, 8));
    expect(Buffer.from(message).toString('hex')).toBe(`00000002${'c2a3'}${'0000000000000102'}${'0908'}`);
  });

  it('two texts cannot run into one another', () => {
    expect(hashInput('ab', 'c')).not.toEqual(hashInput('a', 'bc'));
  });

  it('a seq beyond 2^32 is exact, a negative or broken one is refused', () => {
    expect(Buffer.from(uint64(2 ** 53 - 1)).toString('hex')).toBe('001fffffffffffff');
    for (const value of [-1, 1.5, 2 ** 53]) expect(() => uint64(value)).toThrow('safe integer');
  });
});
