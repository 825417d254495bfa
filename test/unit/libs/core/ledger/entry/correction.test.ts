import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReversalOf, replacementOf, reversalOf } from '../../../../../../libs/core/ledger/entry/correction.ts';
import { decodeEntry, encodeEntry } from '../../../../../../libs/core/ledger/entry/entry-codec.ts';
import { chargesOf, paymentsOf } from '../../../../../../libs/core/ledger/entry/ledger-entry.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { addSums } from '../../../../../../libs/core/money/pence-sum.ts';
import { arbitraryEntry, entry, seededBytes } from '../../../../../support/ledger-chain.ts';

const own = (number: number) => ({ eventId: entry(number).eventId, number, salt: seededBytes(`own ${number}`, 16) });

describe('corrections', () => {
  it('an entry and its reversal come to nothing, under every head', () => {
    fc.assert(
      fc.property(arbitraryEntry, (original) => {
        const reversal = reversalOf(original, own(9));
        expect(addSums(chargesOf(original), chargesOf(reversal))).toBe(0);
        expect(addSums(paymentsOf(original), paymentsOf(reversal))).toBe(0);
        expect(isReversalOf(decodeEntry(encodeEntry(reversal)), original)).toBe(true);
      }),
    );
  });

  it('a reversal is linked to its entry, and no reversal of another', () => {
    const reversal = reversalOf(entry(1), own(9));
    expect(reversal).toMatchObject({ kind: 'reversal', links: [entry(1).eventId], basePence: -250_000, number: 9 });
    expect(isReversalOf(reversal, entry(2))).toBe(false);
    expect(isReversalOf({ ...reversal, basePence: pence(0) }, entry(1))).toBe(false);
    expect(isReversalOf({ ...reversal, amounts: reversal.amounts.slice(1) }, entry(1))).toBe(false);
  });

  it('a replacement is linked to both, and needs the true reversal', () => {
    const reversal = reversalOf(entry(1), own(9));
    const right = { ...own(10), basePence: pence(1), amounts: [] };
    expect(replacementOf(entry(1), reversal, right)).toMatchObject({
      kind: 'replacement',
      links: [entry(1).eventId, reversal.eventId],
      taxPeriod: '2026-27/M08',
      number: 10,
    });
    expect(() => replacementOf(entry(2), reversal, right)).toThrow(
      expect.objectContaining({ code: 'REVERSAL_DIFFERS' }),
    );
  });
});
