import type { EventLog, LogReader, PartitionAppend } from '../../libs/adapters/event-log/event-log.ts';

/**
 * A log whose process can die: from the chosen append on nothing of it ever answers, as to a process that was killed. With `before` that
 * append is lost, with `after` it is in the log though nobody was told.
 */
export class KillableLog implements EventLog {
  readonly #log: EventLog;
  readonly #topic: string;
  #appendsLeft = Number.POSITIVE_INFINITY;
  #mode: 'before' | 'after' = 'before';
  #dead = false;
  #tellDead: () => void = () => undefined;
  /** Resolves at the moment of death. */
  readonly died = new Promise<void>((resolve) => {
    this.#tellDead = resolve;
  });

  constructor(log: EventLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  killAtAppend(count: number, mode: 'before' | 'after'): void {
    this.#appendsLeft = count;
    this.#mode = mode;
  }

  async append(appends: readonly PartitionAppend[]) {
    await this.#alive();
    if (appends.some((append) => append.topic === this.#topic)) this.#appendsLeft -= 1;
    if (this.#appendsLeft > 0) return this.#log.append(appends);
    if (this.#mode === 'after') await this.#log.append(appends);
    this.#dead = true;
    this.#tellDead();
    return new Promise<never>(() => undefined);
  }

  async ensureTopics(topics: readonly { readonly topic: string; readonly partitions: number }[]) {
    await this.#alive();
    return this.#log.ensureTopics(topics);
  }

  async partitionCount(topic: string) {
    await this.#alive();
    return this.#log.partitionCount(topic);
  }

  async bounds(partition: { readonly topic: string; readonly partition: number }) {
    await this.#alive();
    return this.#log.bounds(partition);
  }

  reader(positions: Parameters<EventLog['reader']>[0]): LogReader {
    const reader = this.#log.reader(positions);
    return {
      poll: async (options) => {
        await this.#alive();
        return reader.poll(options);
      },
      seek: (position) => reader.seek(position),
      drop: (partition) => reader.drop(partition),
      close: () => reader.close(),
    };
  }

  join(options: Parameters<EventLog['join']>[0]) {
    return this.#log.join(options);
  }

  deleteBefore(position: Parameters<EventLog['deleteBefore']>[0]) {
    return this.#log.deleteBefore(position);
  }

  async close() {}

  #alive(): Promise<void> {
    return this.#dead ? new Promise<never>(() => undefined) : Promise.resolve();
  }
}
