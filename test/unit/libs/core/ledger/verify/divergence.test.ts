import { describe, expect, it } from 'vitest';
import { type Divergence, describeDivergence } from '../../../../../../libs/core/ledger/verify/divergence.ts';

const FINDING: Divergence = {
  code: 'TOTALS_DIFFER',
  account: 'vat:123456789',
  chain: 'ab'.repeat(16),
  seq: 7,
  entryIndex: 3,
  eventId: null,
  field: 'charges',
  expected: '100',
  found: '99',
};

describe('a finding for people', () => {
  it('names block, entry and chain, what was expected and what came', () => {
    expect(describeDivergence(FINDING)).toBe(
      `block 7, entry 3 of chain ${'ab'.repeat(16)}: TOTALS_DIFFER charges: expected 100, found 99`,
    );
    expect(describeDivergence({ ...FINDING, entryIndex: null })).toContain(`block 7 of chain`);
  });

  it('of the public log names no chain', () => {
    const finding: Divergence = {
      ...FINDING,
      code: 'CHECKPOINT_SPLIT',
      account: null,
      chain: null,
      seq: null,
      entryIndex: null,
    };
    expect(describeDivergence(finding)).toBe('public log: CHECKPOINT_SPLIT charges: expected 100, found 99');
  });
});
