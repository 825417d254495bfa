import { describe, expect, it } from 'vitest';
import { StateDraft } from '../../../../../libs/core/decisions/state-draft.ts';

describe('a draft of state', () => {
  it('reads its own writes, hides what it removed, and lists each key once', () => {
    const draft = new StateDraft({ get: (key) => (key === 'old' ? { n: 1 } : undefined) });
    expect([draft.get('old'), draft.get('new')]).toEqual([{ n: 1 }, undefined]);
    draft.put('new', { n: 2 });
    draft.put('old', null);
    draft.put('new', { n: 3 });
    expect([draft.get('old'), draft.get('new')]).toEqual([undefined, { n: 3 }]);
    expect(draft.changes()).toEqual([
      { key: 'new', value: { n: 3 } },
      { key: 'old', value: null },
    ]);
  });
});
