import { describe, expect, it } from 'vitest';
import { parseCount, parseDecimal } from '../../../../../libs/core/encoding/canonical-decimal.ts';

describe('decimals of the ledger', () => {
  it.each([0, 1, -1, 10, 9007199254740991, -9007199254740991])('%d reads as it prints', (value) => {
    expect(parseDecimal(String(value))).toBe(value);
  });

  it.each(['', '-', '-0', '+1', '01', '1.0', '1e3', ' 1', '1 ', '١', '9007199254740992', '99999999999999999'])(
    '%j is refused',
    (text) => expect(() => parseDecimal(text)).toThrow(expect.objectContaining({ code: 'DECIMAL_INVALID' })),
  );

  it('a count is not negative', () => {
    expect(parseCount('7')).toBe(7);
    expect(() => parseCount('-7')).toThrow(expect.objectContaining({ code: 'DECIMAL_INVALID' }));
  });
});
