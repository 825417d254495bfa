import type { ImportedEvent } from '../documents/imported-document.ts';

/** The newest event of a till, as the payer's node says it. */
export interface TillHead {
  readonly seq: number;
  readonly hash: string | null;
}

const NO_EVENT: TillHead = { seq: 0, hash: null };

/** Numbers the events of tills on from the newest of each, each with the hash of the one before. */
export class TillNumbers {
  readonly #heads = new Map<string, TillHead>();
  #next = new Map<string, TillHead>();
  readonly #hashOf: (event: Record<string, unknown>) => string;

  /** @param hashOf SHA-256 hex of the RFC 8785 JSON of a till event: the `prevHash` of the next. */
  constructor(hashOf: (event: Record<string, unknown>) => string) {
    this.#hashOf = hashOf;
  }

  /** Says where a till is. */
  goOnFrom(vrn: string, tillId: string, head: TillHead): void {
    this.#heads.set(`${vrn} ${tillId}`, head);
  }

  /** The events as they are sent next: what was numbered before and never taken by the node does not count. */
  numbered(events: readonly ImportedEvent[]): readonly ImportedEvent[] {
    const next = new Map(this.#heads);
    this.#next = next;
    return events.map((event) => {
      const till = `${String(event['vrn'])} ${String(event['tillId'])}`;
      const head = next.get(till) ?? NO_EVENT;
      const numbered = { ...event, seq: head.seq + 1, prevHash: head.hash };
      next.set(till, { seq: numbered.seq, hash: this.#hashOf(numbered) });
      return numbered;
    });
  }

  /** The node has what was numbered last. */
  taken(): void {
    for (const [till, head] of this.#next) this.#heads.set(till, head);
  }
}
