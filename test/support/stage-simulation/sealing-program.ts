import type { PartitionPosition, RecordBatch } from '../../../libs/adapters/event-log/event-log.ts';
import type { FoldedMessage, Proposal, StageProgram } from '../../../libs/adapters/stage/program.ts';
import type { Checkpoint } from '../../../libs/adapters/state-store/state-store.ts';
import type { Counted, CountedBody } from '../counting-program.ts';
import type { Scheduler } from './scheduler.ts';

interface Sealed {
  readonly count: number;
  /** Offset of the last sealed record of the key, by input. */
  readonly last: Readonly<Record<string, number>>;
}

/** What an owner of the sealing program has on its own disk: survives its death, may be behind the log. */
export interface SealingDisk {
  checkpoint: Checkpoint | null;
  sealed: ReadonlyMap<string, Sealed>;
}

/** A small ledger: entries wait in open blocks by key, are sealed by number or age, and its coverage is the lowest entry still open. */
export class SealingProgram implements StageProgram<CountedBody> {
  readonly coverage = 'low';
  readonly #owner: string;
  readonly #disk: SealingDisk;
  readonly #scheduler: Scheduler;
  readonly #served: (ids: readonly string[]) => void;
  #sealed = new Map<string, Sealed>();
  #open: Counted[] = [];
  #read = new Map<string, PartitionPosition>();

  constructor(
    options: { readonly owner: string },
    dependencies: {
      readonly disk: SealingDisk;
      readonly scheduler: Scheduler;
      readonly served: (ids: readonly string[]) => void;
    },
  ) {
    this.#owner = options.owner;
    this.#disk = dependencies.disk;
    this.#scheduler = dependencies.scheduler;
    this.#served = dependencies.served;
  }

  checkpoint() {
    return this.#scheduler.call(this.#owner, () => {
      this.#sealed = new Map(this.#disk.sealed);
      return this.#disk.checkpoint;
    });
  }

  async startReading(positions: readonly PartitionPosition[]) {
    this.#open = [];
    this.#read = new Map(positions.map((position) => [`${position.topic}/${position.partition}`, position]));
  }

  async decide(batches: readonly RecordBatch[]) {
    for (const { topic, partition, records, nextOffset } of batches) {
      const input = `${topic}/${partition}`;
      this.#read.set(input, { topic, partition, offset: nextOffset });
      for (const { offset, key } of records) {
        if (offset > (this.#sealed.get(key ?? '')?.last[input] ?? -1)) {
          this.#open.push({ topic: input, offset, key: key ?? '', number: 0, changes: [] });
        }
      }
    }
    return this.#open.length >= 4 ? this.#seal() : [];
  }

  async tick() {
    return this.#open.length > 0 ? this.#seal() : [];
  }

  fold({ body }: FoldedMessage<CountedBody>) {
    for (const { topic, offset, key } of body.decisions) {
      const before = this.#sealed.get(key) ?? { count: 0, last: {} };
      this.#sealed.set(key, { count: before.count + 1, last: { ...before.last, [topic]: offset } });
    }
    this.#open = this.#open.filter(({ key, topic, offset }) => offset > (this.#sealed.get(key)?.last[topic] ?? -1));
    return [];
  }

  async onFolded(messages: readonly FoldedMessage<CountedBody>[], checkpoint: Checkpoint) {
    const sealed = new Map(this.#sealed);
    await this.#scheduler.call(this.#owner, () => {
      this.#disk.checkpoint = checkpoint;
      this.#disk.sealed = sealed;
      this.#served(messages.map(({ link }) => link.id));
    });
  }

  async wipe() {
    this.#disk.checkpoint = null;
    this.#disk.sealed = new Map();
  }

  reset() {
    this.#sealed = new Map();
    this.#open = [];
  }

  /** Seals the block of the oldest entry's key. */
  #seal(): Proposal<CountedBody>[] {
    const key = this.#open[0]?.key ?? '';
    const count = this.#sealed.get(key)?.count ?? 0;
    const entries = this.#open.filter((entry) => entry.key === key);
    const decisions = entries.map((entry, index) => ({ ...entry, number: count + index + 1 }));
    const rest = this.#open.filter((entry) => entry.key !== key);
    const covers = [...this.#read].map(([input, { topic, partition, offset }]) => {
      const low = rest.filter((entry) => entry.topic === input).map((entry) => entry.offset);
      return { topic, partition, next: Math.min(offset, ...low) };
    });
    return [{ covers, body: { decisions } }];
  }
}
