import { describe, expect, it } from 'vitest';
import { account } from '../../../../../../libs/core/identity/account.ts';
import {
  counterKey,
  eventKey,
  heldKey,
  periodKey,
  tillKey,
  traderKey,
} from '../../../../../../libs/core/vat/state/state-keys.ts';

const A = account('vat:101747696');
const B = account('vat:101747641');

describe('the state keys of an account', () => {
  it('are its own, whichever account and period was asked for before', () => {
    for (const owner of [A, B, A]) {
      expect([counterKey(owner), traderKey(owner), heldKey(owner)]).toEqual([
        `account|${owner}`,
        `trader|${owner}`,
        `held|${owner}`,
      ]);
      for (const start of ['2026-07-01', '2026-10-01', '2026-07-01']) {
        expect(periodKey(owner, start)).toBe(`vat|${owner}|${start}`);
      }
    }
  });

  it('are right for more accounts than are kept at hand', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let number = 0; number < 5_000; number += 1) {
        const owner = account(`vat:${String(number).padStart(9, '0')}`);
        expect(traderKey(owner)).toBe(`trader|${owner}`);
      }
    }
  });

  it('of an event are its own, whichever was asked for before', () => {
    for (const owner of [A, B, B, A]) {
      for (const id of ['e1', 'e2', 'e2']) expect(eventKey(owner, id)).toBe(`event|${owner}|${id}`);
    }
  });

  it('of tills and events are right for more of them than are kept at hand', () => {
    for (let round = 0; round < 2; round += 1) {
      for (const owner of [A, B]) {
        for (let number = 0; number < 6_000; number += 1) {
          const id = (number * 0x9e3779b1).toString(16).slice(0, 8).padStart(8, '0');
          expect(eventKey(owner, id)).toBe(`event|${owner}|${id}`);
          if (number < 40) expect(tillKey(owner, `T${number}`)).toBe(`till|${owner}|T${number}`);
        }
      }
    }
  });
});
