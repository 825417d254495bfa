export interface Holder {
  readonly id: string;
  /** Partitions that it has worked on, with the number of its assignment of each: of two claims the later one holds. */
  readonly held: ReadonlyMap<number, number>;
}

/**
 * Shares partitions 0..count-1 among members so that counts differ by one at most and as few as possible change hands. The same members
 * give the same answer, in whatever order they come.
 */
export function sharePartitions(members: readonly Holder[], count: number): Map<string, number[]> {
  const kept = heldBy(members, count);
  const byHolding = [...members].sort((a, b) => holding(kept, b) - holding(kept, a) || (a.id < b.id ? -1 : 1));
  const smallest = Math.floor(count / Math.max(members.length, 1));
  let larger = count - smallest * members.length;
  const shares = new Map<string, number[]>();
  const room: { readonly share: number[]; left: number }[] = [];
  for (const { id } of byHolding) {
    const size = larger > 0 ? smallest + 1 : smallest;
    larger -= 1;
    const share = (kept.get(id) ?? []).slice(0, size);
    shares.set(id, share);
    room.push({ share, left: size - share.length });
  }
  const given = new Set([...shares.values()].flat());
  for (let partition = 0; partition < count; partition += 1) {
    const receiver = given.has(partition) ? undefined : room.find(({ left }) => left > 0);
    if (receiver !== undefined) {
      receiver.share.push(partition);
      receiver.left -= 1;
    }
  }
  for (const share of shares.values()) {
    share.sort((a, b) => a - b);
  }
  return shares;
}

/** A partition that two claim (one was stopped and woke) is held by the one to which it was assigned last. */
function heldBy(members: readonly Holder[], count: number): Map<string, number[]> {
  const holders = new Map<number, { readonly id: string; readonly assignmentNumber: number }>();
  for (const { id, held } of [...members].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    for (const [partition, assignmentNumber] of held) {
      const other = holders.get(partition);
      if (partition >= 0 && partition < count && (other === undefined || assignmentNumber > other.assignmentNumber)) {
        holders.set(partition, { id, assignmentNumber });
      }
    }
  }
  const kept = new Map<string, number[]>();
  for (const [partition, { id }] of [...holders].sort(([a], [b]) => a - b)) {
    kept.set(id, [...(kept.get(id) ?? []), partition]);
  }
  return kept;
}

function holding(kept: ReadonlyMap<string, readonly number[]>, { id }: Holder): number {
  return kept.get(id)?.length ?? 0;
}
