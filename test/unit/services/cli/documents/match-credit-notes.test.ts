import { describe, expect, it } from 'vitest';
import { CreditMatcher, type SoldLine } from '../../../../../services/cli/documents/match-credit-notes.ts';

function sold(eventId: string, quantity: number, pence: number): SoldLine {
  return {
    eventId,
    lineId: '1',
    category: 'standard',
    remainingQuantity: quantity * 1000,
    remainingPence: pence,
    pricedPence: pence,
    soldAt: '2010-12-01T08:26:00Z',
    givenBy: [],
  };
}

describe('credit notes are matched to sales first in, first out', () => {
  it('takes the oldest sale of the customer and item first, then the next', () => {
    const matcher = new CreditMatcher();
    matcher.remember('17850', '85123A', sold('first', 6, 1_530));
    matcher.remember('17850', '85123A', sold('second', 6, 1_530));
    const parts = matcher.split({ by: 'credit', customer: '17850', code: '85123A', quantity: 8_000, pence: 2_040 });
    expect(parts.map((part) => [part.sold?.eventId, part.pence])).toEqual([
      ['first', 1_530],
      ['second', 510],
    ]);
  });

  it('gives what no sale covers as a part without a sale', () => {
    const matcher = new CreditMatcher();
    matcher.remember('17850', '85123A', sold('first', 2, 510));
    const parts = matcher.split({ by: 'credit', customer: '17850', code: '85123A', quantity: 3_000, pence: 765 });
    expect(parts.map((part) => [part.sold?.eventId ?? null, part.pence])).toEqual([
      ['first', 510],
      [null, 255],
    ]);
  });

  it('never gives back more on a line than was paid for it: a credit at a higher price leaves the excess without a sale', () => {
    const matcher = new CreditMatcher();
    matcher.remember('1', 'A', sold('first', 1, 100));
    const parts = matcher.split({ by: 'credit', customer: '1', code: 'A', quantity: 1_000, pence: 150 });
    expect(parts.map((part) => [part.sold?.eventId ?? null, part.pence])).toEqual([
      ['first', 100],
      [null, 50],
    ]);
  });

  it('spreads a penny that does not divide so that the parts sum to the whole', () => {
    const matcher = new CreditMatcher();
    for (const name of ['a', 'b', 'c']) matcher.remember('1', 'A', sold(name, 1, 34));
    const parts = matcher.split({ by: 'credit', customer: '1', code: 'A', quantity: 3_000, pence: 100 });
    expect(parts.map((part) => part.pence)).toEqual([33, 34, 33]);
  });

  it('matches nothing for a customer that the file does not name', () => {
    const matcher = new CreditMatcher();
    matcher.remember('', 'A', sold('first', 1, 100));
    expect(matcher.split({ by: 'credit', customer: '', code: 'A', quantity: 1_000, pence: 100 })).toEqual([
      { sold: null, pence: 100 },
    ]);
  });

  it('remembers what an earlier credit note took', () => {
    const matcher = new CreditMatcher();
    matcher.remember('1', 'A', sold('first', 2, 200));
    matcher.split({ by: 'credit', customer: '1', code: 'A', quantity: 1_000, pence: 100 });
    expect(
      matcher
        .split({ by: 'credit', customer: '1', code: 'A', quantity: 2_000, pence: 200 })
        .map((part) => [part.sold?.eventId ?? null, part.pence]),
    ).toEqual([
      ['first', 100],
      [null, 100],
    ]);
  });
});
