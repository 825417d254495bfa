import { describe, expect, it } from 'vitest';
import { PAY_FREQUENCIES } from '../../../../../../libs/core/events/paye-events.ts';
import {
  FREQUENCY_TERMS,
  isPayFrequency,
  isPeriodOf,
  periodOf,
} from '../../../../../../libs/core/paye/rates/pay-frequency.ts';

describe('pay frequencies', () => {
  it('are RTI’s nine', () => {
    expect(PAY_FREQUENCIES.every(isPayFrequency)).toBe(true);
    expect([isPayFrequency('M2'), isPayFrequency(1), isPayFrequency(undefined)]).toEqual([false, false, false]);
  });

  it('one-off and irregular pay work by the week', () => {
    expect(FREQUENCY_TERMS.IO).toEqual(FREQUENCY_TERMS.W1);
    expect(FREQUENCY_TERMS.IR).toEqual(FREQUENCY_TERMS.W1);
  });
});

describe('periods', () => {
  it.each([
    ['M1', [1, 12], [0, 13, 53]],
    ['MA', [12], [13]],
    ['W1', [1, 52, 53], [0, 54, 56]],
    ['W2', [2, 52, 54], [53, 56]],
    ['W4', [4, 52, 56], [53, 54]],
    ['IR', [53], [54]],
  ] as const)('%s', (frequency, good, bad) => {
    expect(good.map((period) => isPeriodOf(frequency, period))).toEqual(good.map(() => true));
    expect(bad.map((period) => isPeriodOf(frequency, period))).toEqual(bad.map(() => false));
  });

  it('are whole numbers', () => {
    expect([1.5, '3', null, Number.NaN].map((period) => isPeriodOf('M1', period))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('of a pay day are its week or month', () => {
    expect(periodOf(FREQUENCY_TERMS.W4, 8, 2)).toBe(8);
    expect(periodOf(FREQUENCY_TERMS.W4, 53, 12)).toBe(56);
    expect(periodOf(FREQUENCY_TERMS.M3, 8, 2)).toBe(2);
  });
});
