import { describe, expect, it } from 'vitest';
import { seenBefore, seenMark, withSeen } from '../../../../../../libs/core/paye/employment/employment-state.ts';

const HASH = 'c0ffee00'.repeat(8);
const id = (n: number) => n.toString(16).padStart(32, '0');

describe('events seen', () => {
  it('are known by id and by the hash of their bytes', () => {
    const seen = withSeen(withSeen('', seenMark(id(1), HASH)), seenMark(id(2), HASH));
    expect(seenBefore(seen, seenMark(id(2), HASH))).toBe('repeat');
    expect(seenBefore(seen, seenMark(id(2), `0${HASH.slice(1)}`))).toBe('conflict');
    expect(seenBefore(seen, seenMark(id(3), HASH))).toBe('new');
  });

  it('ids that differ in any eight digits have marks that differ', () => {
    const marks = [0, 8, 16, 24].map((at) => {
      const digits = id(0).split('');
      digits[at] = '7';
      return seenMark(digits.join(''), HASH);
    });
    expect(new Set([seenMark(id(0), HASH), ...marks]).size).toBe(5);
  });

  it('do not match across the border of two marks', () => {
    const a = 'a'.repeat(24);
    const b = 'b'.repeat(24);
    expect(seenBefore(a + b, 'a'.repeat(12) + 'b'.repeat(12))).toBe('new');
  });

  it('are bounded: the oldest of a year of daily events is forgotten', () => {
    let seen = '';
    for (let n = 0; n <= 366; n += 1) seen = withSeen(seen, seenMark(id(n), HASH));
    expect(seen).toHaveLength(366 * 24);
    expect(seenBefore(seen, seenMark(id(0), HASH))).toBe('new');
    expect(seenBefore(seen, seenMark(id(1), HASH))).toBe('repeat');
  });
});
