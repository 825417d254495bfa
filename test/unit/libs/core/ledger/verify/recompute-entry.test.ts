import { describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../../../libs/adapters/rules/load-rules.ts';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import { pseudonymOf } from '../../../../../../libs/core/ledger/entry/chain-keys.ts';
import { entryOf } from '../../../../../../libs/core/ledger/entry/entry-of-assessment.ts';
import type { LedgerEntry } from '../../../../../../libs/core/ledger/entry/ledger-entry.ts';
import { recomputeEntry } from '../../../../../../libs/core/ledger/verify/recompute-entry.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { decideEvent } from '../../../../../../libs/core/tax/decide-event.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';
import { idOf, samplePayment, sampleSale } from '../../../../../support/sample-events.ts';

const rules = loadTaxRules();
const personKey = seededBytes('person key', 32);
const pseudonym = (token: Parameters<typeof pseudonymOf>[1]) => pseudonymOf(personKey, token);
const EMPTY = { get: () => undefined };
const HASH = 'ab'.repeat(32);

/** The entry that an honest ledger makes of an event that is the account's first. */
function honestEntry(event: Parameters<typeof decideEvent>[0]): LedgerEntry {
  const [assessment] = decideEvent(event, HASH, EMPTY, rules).results;
  if (assessment === undefined) throw new Error('it is accepted');
  return entryOf(assessment, { personKey, salt: seededBytes('salt', 16) });
}

function recomputed(entry: LedgerEntry, event: Parameters<typeof decideEvent>[0]): ReturnType<typeof recomputeEntry> {
  return recomputeEntry(entry, { event, hash: HASH }, EMPTY, rules, pseudonym);
}

describe('working an entry out again', () => {
  it('agrees with what an honest ledger made, and gives what the state takes', () => {
    for (const event of [samplePayment('a'), sampleSale('b')]) {
      const { differences, changes } = recomputed(honestEntry(event), event);
      expect(differences).toEqual([]);
      expect(changes.length).toBeGreaterThan(0);
    }
  });

  it('is a finding of that entry where our own rules throw, without a word of the event', () => {
    const event = samplePayment('a', { worksNumber: 'W-SECRET' });
    const broken = { ...rules.paye, payDays: { get: () => JSON.parse('W-SECRET') } } as unknown as typeof rules.paye;
    const found = recomputeEntry(
      honestEntry(event),
      { event, hash: HASH },
      EMPTY,
      { ...rules, paye: broken },
      pseudonym,
    );
    expect(found).toEqual({
      differences: [{ field: 'outcome', theirs: 'accepted', ours: 'RULES_FAILED SyntaxError' }],
      changes: [],
      assessment: null,
    });
  });

  it('lets through what reading the state throws: that is no finding', () => {
    const event = samplePayment('a');
    const away = {
      get: () => {
        throw new RangeError('the store is away');
      },
    };
    expect(() => recomputeEntry(honestEntry(event), { event, hash: HASH }, away, rules, pseudonym)).toThrow(
      'the store is away',
    );
  });

  it('names every field in which the entry says something else', () => {
    const event = samplePayment('a');
    const entry = honestEntry(event);
    // £3,000.00 on 1257L in month 1: (3,000 - 1,048.26 of free pay, rounded down to pounds) × 20% = £390.20
    expect(entry.amounts[0]).toEqual({ head: 'incomeTax', pence: 39_020 });
    const cases: readonly (readonly [Partial<LedgerEntry>, string])[] = [
      [{ amounts: entry.amounts.map((one) => ({ ...one, pence: pence(one.pence + 1) })) }, 'amounts'],
      [{ amounts: entry.amounts.slice(1) }, 'amounts'],
      [{ basePence: pence(entry.basePence - 1) }, 'basePence'],
      [{ kind: 'penalty' }, 'kind'],
      [{ number: 2 }, 'number'],
      [{ taxPeriod: '2026-27/M02' }, 'taxPeriod'],
      [{ links: [idOf('other')] }, 'links'],
      [{ person: null }, 'person'],
    ];
    for (const [change, field] of cases) {
      expect(recomputed({ ...entry, ...change }, event).differences.map((one) => one.field)).toEqual([field]);
    }
    expect(recomputed({ ...entry, basePence: pence(1) }, event).differences[0]).toEqual({
      field: 'basePence',
      theirs: '1',
      ours: '300000',
    });
  });

  it('does not agree with an entry for an event that it rejects or has seen', () => {
    const event = sampleSale('b');
    const entry = honestEntry(event);
    const outside = sampleSale('c', {
      lines: [{ id: '1', category: 'no such category', qty: null, ratePct: null, paidPence: pence(1_200) }],
    });
    expect(recomputed({ ...entry, eventId: outside.eventId }, outside).differences[0]).toMatchObject({
      field: 'outcome',
      theirs: 'accepted',
    });
    const state = new Map<string, StateValue>();
    for (const { key, value } of decideEvent(event, HASH, EMPTY, rules).changes)
      if (value !== null) state.set(key, value);
    const view = { get: (key: string) => state.get(key) };
    const again = recomputeEntry(entry, { event, hash: HASH }, view, rules, pseudonym);
    expect(again.differences).toEqual([{ field: 'outcome', theirs: 'accepted', ours: 'repeat' }]);
    expect(again.changes).toEqual([]);
  });
});
