import { describe, expect, it } from 'vitest';
import { pseudonymOf } from '../../../../../../libs/core/ledger/entry/chain-keys.ts';
import { decodeEntry, encodeEntry } from '../../../../../../libs/core/ledger/entry/entry-codec.ts';
import { entryOf } from '../../../../../../libs/core/ledger/entry/entry-of-assessment.ts';
import { assessment, seededBytes } from '../../../../../support/ledger-chain.ts';

const MAKING = { personKey: seededBytes('person key', 32), salt: seededBytes('salt', 16) };

describe('one event, one entry', () => {
  it('says what was assessed, and of the person only the pseudonym of this chain', () => {
    const assessed = assessment(7);
    const entry = entryOf(assessed, MAKING);
    expect(entry).toMatchObject({ eventId: assessed.eventId, number: 7, amounts: assessed.amounts, salt: MAKING.salt });
    expect(assessed.person).not.toBeNull();
    if (assessed.person !== null) expect(entry.person).toBe(pseudonymOf(MAKING.personKey, assessed.person));
    expect(JSON.stringify(entry)).not.toContain(assessed.person);
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
  });

  it('without a person has none; a no-sale has no amounts', () => {
    const entry = entryOf(assessment(1, { person: null, amounts: [] }), MAKING);
    expect([entry.person, entry.amounts]).toEqual([null, []]);
  });
});
