import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedMembership } from '../../../../../../libs/adapters/event-log/embedded/membership.ts';
import type { Membership } from '../../../../../../libs/adapters/event-log/event-log.ts';

describe('membership in one process', () => {
  it('owns every partition once, evenly, with assignment numbers that only grow, whoever joins and leaves', () => {
    const moves = fc.array(fc.option(fc.nat(5), { nil: null }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), moves, (partitions, joinOrLeave) => {
        const group = new EmbeddedMembership(partitions);
        const members: Membership[] = [group.join()];
        const numbers = new Map<number, number>();
        for (const move of joinOrLeave) {
          const before = new Map(members.map((member) => [member, new Map(member.owned())]));
          if (move === null) {
            members.push(group.join());
          } else if (members.length > 1) {
            void members.splice(move % members.length, 1)[0]?.leave();
          }
          const owned = members.flatMap((member) => [...member.owned().keys()]);
          expect(owned.sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, index) => index));
          const sizes = members.map((member) => member.owned().size);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          for (const member of members) {
            for (const [partition, assignment] of member.owned()) {
              const isKept = before.get(member)?.get(partition) === assignment;
              expect(isKept || assignment > (numbers.get(partition) ?? 0)).toBe(true);
              numbers.set(partition, Math.max(assignment, numbers.get(partition) ?? 0));
            }
          }
        }
      }),
    );
  });

  it('moves no more partitions than it must', async () => {
    const group = new EmbeddedMembership(6);
    const [first, second] = [group.join(), group.join()];
    const kept = [...first.owned().keys()];
    const third = group.join();
    expect([...first.owned().keys()].every((partition) => kept.includes(partition))).toBe(true);
    expect(third.owned().size).toBe(2);
    await second.leave();
    expect(first.owned().size).toBe(3);
  });
});
