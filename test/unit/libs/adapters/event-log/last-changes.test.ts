import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withLastChanges } from '../../../../../libs/adapters/event-log/last-changes.ts';
import type { StateChange } from '../../../../../libs/core/events/decision.ts';

const arbitraryChange: fc.Arbitrary<StateChange> = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  value: fc.option(fc.record({ count: fc.nat() })),
});
const arbitraryDecisions = fc.array(
  fc.array(arbitraryChange, { maxLength: 4 }).map((changes) => ({ changes })),
  { maxLength: 12 },
);

/** The state that all changes, one after another, leave. */
function stateAfter(decisions: readonly { readonly changes: readonly StateChange[] }[]): Map<string, unknown> {
  const state = new Map<string, unknown>();
  for (const { key, value } of decisions.flatMap(({ changes }) => changes)) state.set(key, value);
  return state;
}

describe('the changes of the decisions of one message', () => {
  it('are for each key the last, where it was made, printed', () => {
    const decisions = [
      { name: 'first', changes: [{ key: 'a', value: [1] }] },
      {
        name: 'second',
        changes: [
          { key: 'a', value: [2] },
          { key: 'b', value: [3] },
        ],
      },
      { name: 'third', changes: [{ key: 'b', value: null }] },
    ];
    const { decisions: settled, bytes } = withLastChanges(decisions, () => 100);
    expect(settled).toEqual([
      { name: 'first', changes: [] },
      { name: 'second', changes: [{ key: 'a', value: [2], text: '[2]' }] },
      { name: 'third', changes: [{ key: 'b', value: null }] },
    ]);
    // Three decisions, then key, text and 8 for each of two changes.
    expect(bytes).toBe(3 * 100 + (1 + 3 + 8) + (1 + 0 + 8));
  });

  it('leave the state that all changes leave, wherever the message ends', () => {
    fc.assert(
      fc.property(arbitraryDecisions, (decisions) => {
        const { decisions: settled } = withLastChanges(decisions, () => 0);
        expect(settled).toHaveLength(decisions.length);
        expect(stateAfter(settled)).toEqual(stateAfter(decisions));
        const keys = settled.flatMap(({ changes }) => changes.map(({ key }) => key));
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });
});
