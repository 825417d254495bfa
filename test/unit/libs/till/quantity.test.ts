import { describe, expect, it } from 'vitest';
import { ONE_UNIT, quantity } from '../../../../libs/till/quantity.ts';

describe('a quantity', () => {
  it('is counted in millionths of a unit', () => {
    expect(quantity('1')).toBe(ONE_UNIT);
    expect(quantity('1.337')).toBe(1_337_000n);
    expect(quantity('0.000001')).toBe(1n);
  });

  it.each(['0', '0.000', '-1', '1.', '.5', '1e3', '1.0000001', ''])('"%s" is none', (text) => {
    expect(() => quantity(text)).toThrow(expect.objectContaining({ code: 'E_QTY' }));
  });
});
