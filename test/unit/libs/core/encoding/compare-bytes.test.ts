import { describe, expect, it } from 'vitest';
import { compareBytes, sameBytes } from '../../../../../libs/core/encoding/compare-bytes.ts';

describe('byte strings', () => {
  it('sort unsigned, a prefix first', () => {
    const sorted = [[], [0], [0, 255], [1], [128], [255]].map((bytes) => Uint8Array.from(bytes));
    expect([...sorted].reverse().sort(compareBytes)).toEqual(sorted);
  });

  it('are the same only byte for byte', () => {
    expect(sameBytes(Uint8Array.of(1, 2), Buffer.from([1, 2]))).toBe(true);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  });
});
