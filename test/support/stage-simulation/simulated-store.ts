import type { Checkpoint, StateStore, StoreCommit } from '../../../libs/adapters/state-store/state-store.ts';
import type { Scheduler } from './scheduler.ts';

interface StoredPartition {
  readonly checkpoint: Checkpoint;
  readonly values: ReadonlyMap<string, string>;
}

export interface StoreFaults {
  /** Written, and the answer lost. */
  answerLost: number;
  requestLost: number;
}

/** Rules of a store that a test may switch off. */
export interface PlantedStoreFaults {
  readonly ignoresTip: boolean;
  readonly lies: boolean;
}

/** The one store of a simulated world, as a Redis would be: shared by all owners, wiped and restored at any time. */
export class SimulatedStore {
  readonly #scheduler: Scheduler;
  readonly #planted: PlantedStoreFaults;
  faults: StoreFaults = { answerLost: 0.04, requestLost: 0.04 };
  #partitions = new Map<number, StoredPartition>();
  #snapshot = new Map<number, StoredPartition>();

  constructor(scheduler: Scheduler, planted: PlantedStoreFaults) {
    this.#scheduler = scheduler;
    this.#planted = planted;
  }

  wipeAll(): void {
    this.#partitions = new Map();
  }

  takeSnapshot(): void {
    this.#snapshot = new Map(this.#partitions);
  }

  restoreSnapshot(): void {
    this.#partitions = new Map(this.#snapshot);
  }

  stored(partition: number): StoredPartition | undefined {
    return this.#partitions.get(partition);
  }

  connect(owner: string): StateStore {
    const call = <T>(effect: () => T) => this.#scheduler.call(owner, effect);
    const believed = new Map<number, string | null>();
    return {
      checkpoint: (partition) =>
        call(() => {
          const checkpoint = this.#partitions.get(partition)?.checkpoint ?? null;
          believed.set(partition, checkpoint?.tip ?? null);
          return checkpoint;
        }),
      get: (partition, keys) =>
        call(() => {
          const stored = this.#partitions.get(partition);
          const tip = stored?.checkpoint.tip ?? null;
          const values = keys.map((key) => stored?.values.get(key) ?? null);
          return { tip: this.#planted.lies ? (believed.get(partition) ?? null) : tip, values };
        }),
      commit: (commits) =>
        call(() => {
          if (this.#scheduler.chance(this.faults.requestLost)) {
            throw new Error('the store did not answer');
          }
          const outcomes = commits.map((commit) => this.#commit(commit));
          for (const { partition, checkpoint } of commits) {
            believed.set(partition, checkpoint.tip);
          }
          if (this.#scheduler.chance(this.faults.answerLost)) {
            throw new Error('the store did not answer');
          }
          return outcomes;
        }),
      wipe: (partition) =>
        call(() => {
          this.#partitions.delete(partition);
        }),
      close: async () => undefined,
    };
  }

  #commit({ partition, expectedTip, checkpoint, puts }: StoreCommit): 'committed' | 'stale' {
    const stored = this.#partitions.get(partition);
    if ((stored?.checkpoint.tip ?? null) !== expectedTip && !this.#planted.ignoresTip) {
      return 'stale';
    }
    const values = new Map(stored?.values);
    for (const { key, value } of puts) {
      if (value === null) {
        values.delete(key);
      } else {
        values.set(key, String(value));
      }
    }
    this.#partitions.set(partition, { checkpoint, values });
    return 'committed';
  }
}
