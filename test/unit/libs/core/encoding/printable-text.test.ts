import { describe, expect, it } from 'vitest';
import { isPrintableText } from '../../../../../libs/core/encoding/printable-text.ts';

describe('printable text', () => {
  it('is any script, up to its length', () => {
    for (const text of ['', 'Café £5', 'नमस्ते', '😀']) expect(isPrintableText(text, 10)).toBe(true);
    expect(isPrintableText('12345678901', 10)).toBe(false);
  });

  it('has no control characters and no half of a surrogate pair, and is text', () => {
    for (const value of ['a\u0000', 'a\nb', '\u007f', '\ud800', 'x\udc00', 5, null]) {
      expect(isPrintableText(value, 10)).toBe(false);
    }
  });
});
