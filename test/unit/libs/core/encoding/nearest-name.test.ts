import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../../../libs/core/encoding/nearest-name.ts';

const NAMES = ['standard', 'zero', 'food.basic'];

describe('the nearest name', () => {
  it.each([
    ['Standard', 'standard'],
    ['standart', 'standard'],
    ['food.basics', 'food.basic'],
    ['zer', 'zero'],
  ])('of %s is %s', (text, name) => {
    expect(nearestName(text, NAMES)).toBe(name);
  });

  it('is none where every name is another word', () => {
    expect(nearestName('books', NAMES)).toBeNull();
    expect(nearestName('standard', [])).toBeNull();
  });
});
