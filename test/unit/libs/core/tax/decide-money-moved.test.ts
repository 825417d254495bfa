import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../../../../libs/core/decisions/decision.ts';
import type { MoneyMoved } from '../../../../../libs/core/events/payment-events.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { decideMoneyMoved, moneyStateKeys } from '../../../../../libs/core/tax/decide-money-moved.ts';
import { idOf } from '../../../../support/sample-events.ts';

const HASH = 'a'.repeat(64);
const MOVED: MoneyMoved = {
  type: 'MoneyMoved',
  eventId: idOf('m1'),
  account: account('paye:123/AB456'),
  receivedAtMs: 5,
  direction: 'received',
  amountPence: pence(10_000),
  bookedOn: localDate('2026-11-20'),
  reference: null,
};

function viewOf(state: ReadonlyMap<string, StateValue> = new Map()) {
  return { get: (key: string) => state.get(key) };
}

describe('money that moved', () => {
  it('received is a payment under its head, positive; paid back a repayment, negative', () => {
    const received = decideMoneyMoved(MOVED, HASH, viewOf()).results[0];
    expect(received).toMatchObject({ kind: 'payment', number: 1, taxPeriod: '', basePence: 0 });
    expect(received?.amounts).toEqual([{ head: 'payment', pence: 10_000 }]);
    const repaid = decideMoneyMoved({ ...MOVED, direction: 'repaid' }, HASH, viewOf()).results[0];
    expect(repaid).toMatchObject({ kind: 'repayment', amounts: [{ head: 'payment', pence: -10_000 }] });
  });

  it('takes the next number of its account', () => {
    const state = new Map<string, StateValue>([['account|paye:123/AB456', { decisions: 41 }]]);
    const { results, changes } = decideMoneyMoved(MOVED, HASH, viewOf(state));
    expect(results[0]?.number).toBe(42);
    expect(changes[0]).toEqual({ key: 'account|paye:123/AB456', value: { decisions: 42 } });
    expect(changes.map(({ key }) => key)).toEqual(moneyStateKeys(MOVED));
  });

  it('counts once: again it is a repeat, with another body a conflict', () => {
    const state = new Map(
      decideMoneyMoved(MOVED, HASH, viewOf()).changes.flatMap(({ key, value }) =>
        value === null ? [] : [[key, value]],
      ),
    );
    expect(decideMoneyMoved(MOVED, HASH, viewOf(state)).outcome).toBe('repeat');
    const other = decideMoneyMoved(MOVED, 'b'.repeat(64), viewOf(state));
    expect(other).toMatchObject({ outcome: 'rejected', changes: [], rejections: [{ code: 'EVENT_ID_CONFLICT' }] });
  });

  it('of nothing, or of less, is refused', () => {
    for (const amount of [0, -1]) {
      const { rejections } = decideMoneyMoved({ ...MOVED, amountPence: pence(amount) }, HASH, viewOf());
      expect(rejections[0]?.code).toBe('AMOUNT_INVALID');
    }
  });
});
