import type { Membership } from '../event-log.ts';

interface Member {
  readonly owned: Map<number, number>;
}

/**
 * One group in this process: shares out the partitions of an output topic so that counts differ by one at most, moving as few as
 * possible. Each assignment of a partition has a new number, larger than any before in this group.
 */
export class EmbeddedMembership {
  readonly #partitions: number;
  readonly #members: Member[] = [];
  #assignmentNumber = 0;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  join(): Membership {
    const member: Member = { owned: new Map() };
    this.#members.push(member);
    this.#share();
    return {
      owned: () => member.owned,
      // Lag is read from the stages' statistics here: there is no broker that would show it.
      commitForMonitoring: async () => undefined,
      leave: async () => this.#leave(member),
    };
  }

  close(): void {
    for (const member of [...this.#members]) {
      this.#leave(member);
    }
  }

  #leave(member: Member): void {
    const index = this.#members.indexOf(member);
    if (index >= 0) {
      this.#members.splice(index, 1);
      member.owned.clear();
      this.#share();
    }
  }

  #share(): void {
    const smallest = Math.floor(this.#partitions / Math.max(this.#members.length, 1));
    let larger = this.#partitions - smallest * this.#members.length;
    const byHolding = [...this.#members].sort((a, b) => b.owned.size - a.owned.size);
    const room = new Map<Member, number>();
    for (const member of byHolding) {
      const share = larger > 0 ? smallest + 1 : smallest;
      larger -= 1;
      for (const partition of [...member.owned.keys()].slice(share)) {
        member.owned.delete(partition);
      }
      room.set(member, share - member.owned.size);
    }
    for (const partition of this.#unowned()) {
      const receiver = byHolding.find((member) => (room.get(member) ?? 0) > 0);
      if (receiver !== undefined) {
        this.#assignmentNumber += 1;
        receiver.owned.set(partition, this.#assignmentNumber);
        room.set(receiver, (room.get(receiver) ?? 0) - 1);
      }
    }
  }

  #unowned(): number[] {
    const owned = new Set(this.#members.flatMap((member) => [...member.owned.keys()]));
    return Array.from({ length: this.#partitions }, (_, partition) => partition).filter((number) => !owned.has(number));
  }
}
