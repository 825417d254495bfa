import { describe, expect, it } from 'vitest';
import { NODE_HASHES } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { loadTaxRules } from '../../../../../../libs/adapters/rules/load-rules.ts';
import { accountKey } from '../../../../../../libs/core/decisions/account-counter.ts';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import { toHex } from '../../../../../../libs/core/encoding/hex.ts';
import type { TaxEvent } from '../../../../../../libs/core/events/tax-event.ts';
import type { EventId } from '../../../../../../libs/core/identity/event-id.ts';
import { blockHashOf, parseBlockHeader } from '../../../../../../libs/core/ledger/block/block-header.ts';
import { parseBlockTotals } from '../../../../../../libs/core/ledger/block/block-totals.ts';
import { headOf } from '../../../../../../libs/core/ledger/block/chain-head.ts';
import { openEntryOf, sealBlock } from '../../../../../../libs/core/ledger/block/seal-block.ts';
import { chainKeysOf, pseudonymOf } from '../../../../../../libs/core/ledger/entry/chain-keys.ts';
import { entryOf } from '../../../../../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry, payerKeyEntry } from '../../../../../../libs/core/ledger/entry/key-event.ts';
import type { LedgerEntry } from '../../../../../../libs/core/ledger/entry/ledger-entry.ts';
import { type OwnRecord, recomputeBlock } from '../../../../../../libs/core/ledger/verify/recompute-block.ts';
import type { VerifiedBlock } from '../../../../../../libs/core/ledger/verify/verify-block.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { decideEvent } from '../../../../../../libs/core/tax/decide-event.ts';
import { LEDGER_KEY, LEDGER_NAME, seededBytes } from '../../../../../support/ledger-chain.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';

const rules = loadTaxRules();
const OWNER = 'vat:101747696';
const KEYS = chainKeysOf(seededBytes('master', 32), OWNER);
const IDENTITY = { ledgerName: LEDGER_NAME, ledgerVerifierKey: LEDGER_KEY, account: OWNER, chain: KEYS.chain } as const;
const SALT = seededBytes('salt', 16);
const HASH = 'cd'.repeat(32);

/** An own record that holds these events, as OwnRecord wants it; any part may be given otherwise. */
function ownRecord(
  events: readonly TaxEvent[],
  other: Partial<OwnRecord> = {},
): OwnRecord & { state: Map<string, StateValue> } {
  const state = new Map<string, StateValue>();
  const byId = new Map<EventId, TaxEvent>(events.map((event) => [event.eventId, event]));
  return {
    state,
    eventOf: (id) => {
      const event = byId.get(id);
      return event === undefined ? 'unknown' : { event, hash: HASH };
    },
    hasEntry: () => false,
    view: { get: (key) => state.get(key) },
    apply: (changes) => {
      for (const { key, value } of changes) {
        if (value === null) state.delete(key);
        else state.set(key, value);
      }
    },
    rulesOf: (hash) => (hash === rules.vat.hash ? rules : undefined),
    pseudonymOf: (token) => pseudonymOf(KEYS.personKey, token),
    ownKeys: ['ours'],
    ...other,
  };
}

/** Block 1 of these entries, as verified. */
function block(entries: readonly LedgerEntry[], rulesHash = rules.vat.hash): VerifiedBlock {
  const shared = {
    ledgerName: LEDGER_NAME,
    account: OWNER,
    chain: KEYS.chain,
    closedAtMs: 0,
    blind: seededBytes('blind', 32),
  } as const;
  const zero = sealBlock(
    {
      ...shared,
      previous: null,
      entries: [openEntryOf(ledgerKeyEntry(OWNER, LEDGER_KEY, SALT))],
      reason: 'key',
      rulesHash: null,
    },
    NODE_HASHES,
  );
  const sealed = sealBlock(
    { ...shared, previous: zero.head, entries: entries.map(openEntryOf), reason: 'age', rulesHash },
    NODE_HASHES,
  );
  const header = parseBlockHeader(sealed.block.header);
  const totals = parseBlockTotals(sealed.block.totals);
  const hash = toHex(blockHashOf(sealed.block.header));
  return {
    block: sealed.block,
    header,
    totals,
    head: headOf(OWNER, header, totals, hash, sealed.head.lastDecision),
    entries,
  };
}

/** Two sales and their honest entries. */
function sales(): { readonly events: readonly TaxEvent[]; readonly entries: readonly LedgerEntry[] } {
  const events = [sampleSale('a'), sampleSale('b', { seq: 2, prevHash: 'ef'.repeat(32) })];
  const own = ownRecord(events);
  const entries = events.map((event) => {
    const decision = decideEvent(event, HASH, own.view, rules);
    own.apply(decision.changes);
    const [assessment] = decision.results;
    if (assessment === undefined) throw new Error('it is accepted');
    return entryOf(assessment, { personKey: KEYS.personKey, salt: SALT });
  });
  return { events, entries };
}

function payment(number: number): LedgerEntry {
  return {
    ...ledgerKeyEntry(OWNER, '', SALT),
    eventId: idOf(`payment ${number}`),
    kind: 'payment',
    number,
    amounts: [{ head: 'payment', pence: pence(700) }],
  };
}

describe('working a block out again', () => {
  it('takes entries in the order of their numbers, each upon the state that the one before left', () => {
    const { events, entries } = sales();
    const own = ownRecord(events);
    expect(recomputeBlock(block(entries), IDENTITY, own)).toEqual({ ok: true, grounds: ['recomputed', 'recomputed'] });
    expect(own.state.get(accountKey(OWNER))).toEqual({ decisions: 2 });
  });

  it('takes money at the bank without an event of its own, and counts its decision', () => {
    const { events, entries } = sales();
    const [first, second] = entries as readonly [LedgerEntry, LedgerEntry];
    const own = ownRecord(events);
    const between = [first, payment(2), { ...second, number: 3 }];
    expect(recomputeBlock(block(between), IDENTITY, own)).toEqual({
      ok: true,
      grounds: ['recomputed', 'unconfirmed', 'recomputed'],
    });
  });

  it('does not take a charge that calls itself a payment', () => {
    const false1 = { ...payment(1), amounts: [{ head: 'outputVat', pence: pence(1) }] } as const;
    expect(recomputeBlock(block([false1]), IDENTITY, ownRecord([]))).toMatchObject({
      ok: false,
      findings: [{ code: 'EVENT_UNKNOWN', seq: 1, entryIndex: 0, eventId: false1.eventId }],
    });
  });

  it.each<[string, Partial<OwnRecord>, string]>([
    ['an event that is not ours', { eventOf: () => 'unknown' }, 'EVENT_UNKNOWN'],
    ['an event that the gateway refused', { eventOf: () => 'refused' }, 'EVENT_REFUSED'],
    ['an own event that was altered', { eventOf: () => 'altered' }, 'OWN_RECORD_DIFFERS'],
    ['an event that has an entry already', { hasEntry: () => true }, 'EVENT_REPEATED'],
    ['a rule set that we do not have', { rulesOf: () => undefined }, 'RULES_UNKNOWN'],
  ])('stops at %s', (_what, other, code) => {
    const { events, entries } = sales();
    const verdict = recomputeBlock(block(entries), IDENTITY, ownRecord(events, other));
    expect(verdict).toMatchObject({ ok: false, findings: [{ code, account: OWNER, seq: 1, entryIndex: 0 }] });
  });

  it('stops at the first entry that differs, with one finding for each field', () => {
    const { events, entries } = sales();
    const [first, second] = entries as readonly [LedgerEntry, LedgerEntry];
    const changed = { ...second, basePence: pence(1), taxPeriod: '' };
    const verdict = recomputeBlock(block([first, changed]), IDENTITY, ownRecord(events));
    expect(verdict).toMatchObject({
      ok: false,
      findings: [
        { code: 'LIABILITY_DIFFERS', entryIndex: 1, field: 'taxPeriod' },
        { code: 'LIABILITY_DIFFERS', entryIndex: 1, field: 'basePence', found: '1' },
      ],
    });
  });

  it('takes its own key, refuses another, and no money without a decision', () => {
    const own = ownRecord([]);
    const ours = payerKeyEntry(idOf('key'), 'ours', SALT);
    expect(recomputeBlock(block([ours]), IDENTITY, own)).toEqual({ ok: true, grounds: ['formal'] });
    const foreign = payerKeyEntry(idOf('key'), 'of another', SALT);
    expect(recomputeBlock(block([foreign]), IDENTITY, own)).toMatchObject({ findings: [{ code: 'KEY_UNKNOWN' }] });
    const charged = { ...ours, amounts: [{ head: 'penalty', pence: pence(1) }] } as const;
    expect(recomputeBlock(block([charged]), IDENTITY, own)).toMatchObject({
      findings: [{ code: 'LIABILITY_DIFFERS' }],
    });
  });
});
