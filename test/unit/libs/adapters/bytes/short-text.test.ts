import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SHORT_TEXT_BYTES, shortText } from '../../../../../libs/adapters/bytes/short-text.ts';

describe('A short text', () => {
  it('is the text that stands there, whatever was read before and wherever it stands', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: SHORT_TEXT_BYTES }), { maxLength: 8 });
    fc.assert(
      fc.property(texts, (given) => {
        const short = given.filter((text) => Buffer.byteLength(text) < SHORT_TEXT_BYTES);
        const bytes = Buffer.from(`..${short.join('')}..`);
        let at = 2;
        const read = short.map((text) => {
          const start = at;
          at += Buffer.byteLength(text);
          return shortText(bytes, start, at - start);
        });
        expect(read).toEqual(short.map((text) => Buffer.from(text).toString('utf8')));
      }),
    );
  });

  it('that comes again is told from others at its place in the table', () => {
    const all = Array.from({ length: 20_000 }, (_, index) => `vat:${100_000_000 + index * 7}`);
    const bytes = Buffer.from(all.join(''));
    const read = all.map((text, index) => shortText(bytes, index * text.length, text.length));
    expect(read).toEqual(all);
    expect(all.map((text, index) => shortText(bytes, index * text.length, text.length))).toEqual(all);
  });
});
