import { describe, expect, it } from 'vitest';
import { checkMoneyMoved } from '../../../../../libs/core/tax/check-money-moved.ts';

const GOOD = {
  eventId: '018f0000-0000-7000-8000-000000000001',
  account: 'vat:101747696',
  direction: 'received',
  amountPence: 1,
  bookedOn: '2026-11-20',
  reference: 'any',
};

describe('a payment at the door', () => {
  it('may go without a reference', () => {
    expect(checkMoneyMoved(GOOD)).toEqual([]);
    expect(checkMoneyMoved({ ...GOOD, reference: undefined })).toEqual([]);
  });

  it('shows every fault at once, by pointer', () => {
    const bad = {
      eventId: 'X',
      account: 'vat:1',
      direction: 'lost',
      amountPence: 1.5,
      bookedOn: '2026-02-30',
      reference: 5,
      'a/b': 1,
    };
    expect(checkMoneyMoved(bad).map(({ pointer }) => pointer)).toEqual([
      '/a~1b',
      '/eventId',
      '/account',
      '/direction',
      '/amountPence',
      '/bookedOn',
      '/reference',
    ]);
    expect(checkMoneyMoved([])).toMatchObject([{ code: 'E_JSON', pointer: '' }]);
  });
});
