import { describe, expect, it } from 'vitest';
import { class1aNicsPence } from '../../../../../../libs/core/paye/assess/class1a-nics.ts';

describe('Class 1A on a termination award', () => {
  it('is on what exceeds 30,000: 15% of 9,200.00 is 1,380.00', () => {
    expect(class1aNicsPence(3_920_000, 0, 3_000_000, 1_500)).toBe(138_000);
  });

  it('is nothing below, and in parts what it is as a whole', () => {
    expect(class1aNicsPence(3_000_000, 0, 3_000_000, 1_500)).toBe(0);
    const parts =
      class1aNicsPence(3_500_001, 0, 3_000_000, 1_500) + class1aNicsPence(3_920_000, 3_500_001, 3_000_000, 1_500);
    expect(parts).toBe(138_000);
  });
});
