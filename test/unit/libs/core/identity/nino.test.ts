import { describe, expect, it } from 'vitest';
import { isNino, isNinoShaped, normalisedNino } from '../../../../../libs/core/identity/nino.ts';

describe('a NINO', () => {
  it.each(['AB123456C', 'AB 12 34 56 C', 'CS100700A', 'ZY987654D'])('%s is one', (text) => {
    expect(isNino(text)).toBe(true);
    expect(isNinoShaped(text)).toBe(true);
    expect(normalisedNino(text)).toMatch(/^[A-Z]{2}\d{6}[A-D]$/);
  });

  it.each([
    '',
    'ab123456c',
    'AB123456',
    'AB123456E',
    ' AB123456C',
    'AB123456C ',
    'DA123456A',
    'AO123456A',
    'BG123456A',
    'ZZ123456A',
  ])('"%s" is none, and the refusal does not repeat it', (text) => {
    expect(isNino(text)).toBe(false);
    expect(() => normalisedNino(text)).toThrow(expect.objectContaining({ code: 'BAD_NINO_FORMAT', facts: {} }));
  });
});

describe('a NINO whose suffix is blank', () => {
  it.each(['AB123456 ', 'AB 12 34 56 '])('%j is valid, as in the FPS schema', (text) => {
    expect(isNino(text)).toBe(true);
    expect(normalisedNino(text)).toBe('AB123456');
  });

  it.each(['AB123456', 'AB123456  ', ' AB123456 ', 'AB12345６ '])('%j is not', (text) => {
    expect(isNino(text)).toBe(false);
  });
});

describe('a text shaped like a NINO', () => {
  it.each(['qq123456c', 'AB123456', ' AB-12-34-56-C ', 'BG 123456 A'])('%s is', (text) => {
    expect(isNinoShaped(text)).toBe(true);
  });

  it.each(['W-1', '123456', 'AB12345', 'ABC123456', 'AB1234567', 'AB123456Z', 'PAY-AB123456C'])('%s is not', (text) => {
    expect(isNinoShaped(text)).toBe(false);
  });
});
