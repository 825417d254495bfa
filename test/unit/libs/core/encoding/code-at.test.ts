import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codeAt } from '../../../../../libs/core/encoding/code-at.ts';

it('The code of a character is the one that the text itself gives, of any text and beyond its end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, index) => {
      expect(codeAt(text, index)).toBe(text.charCodeAt(index));
      expect(codeAt(`${text}-joined to be long enough`.slice(1), index)).toBe(
        `${text}-joined to be long enough`.charCodeAt(index + 1),
      );
    }),
  );
});
