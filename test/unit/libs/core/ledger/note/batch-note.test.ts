import { describe, expect, it } from 'vitest';
import {
  batchNoteOf,
  isInBatch,
  parseBatchNote,
  printBatchNote,
} from '../../../../../../libs/core/ledger/note/batch-note.ts';
import { treeHasher } from '../../../../../../libs/core/ledger/tree/tree-hash.ts';
import { LEDGER_NAME, seededBytes } from '../../../../../support/ledger-chain.ts';

const HEAD = { kind: 'rejections', ledgerName: LEDGER_NAME, receivedAtMs: 0 } as const;

describe('a note over a batch', () => {
  it('of any size to 40 holds each of its leaves at its place and at no other', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = Array.from({ length: size }, (_, index) => seededBytes(`leaf ${index}`, 20));
      const { text, places } = batchNoteOf(HEAD, leaves, treeHasher);
      const note = parseBatchNote(text, 'rejections');
      expect(printBatchNote(note)).toBe(text);
      leaves.forEach((leaf, index) => {
        const [place, next] = [places[index], places[(index + 1) % size]];
        if (place === undefined || next === undefined) throw new Error('a place for each leaf');
        expect(isInBatch(note, leaf, place, treeHasher), `${index} of ${size}`).toBe(true);
        if (size > 1) expect(isInBatch(note, leaf, next, treeHasher)).toBe(false);
      });
    }
  });

  it('over nothing is not made', () => {
    expect(() => batchNoteOf(HEAD, [], treeHasher)).toThrow('at least one event');
  });
});
