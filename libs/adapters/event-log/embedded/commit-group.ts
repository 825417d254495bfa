import { statfsSync } from 'node:fs';
import type { Database } from 'lmdb';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { commitTogether } from '../../lmdb/commit.ts';
import type { AppendOutcome } from '../event-log.ts';
import { chunkKey, type Partition } from './chunk-keys.ts';
import type { Packed } from './pack-append.ts';

interface WaitingAppend {
  readonly packed: readonly Packed[];
  readonly bytes: number;
  readonly resolve: (outcomes: AppendOutcome[]) => void;
}

interface CommitGroupDependencies {
  readonly folder: string;
  /** Free bytes of the disk below which appends are refused as LOG_FULL. */
  readonly reserveBytes: number;
  readonly chunks: Database<Buffer, Buffer>;
  /** The end of a partition as the disk has it. */
  readonly storedHigh: (partition: Partition) => number;
  /** Called when records were synced and may be read. */
  readonly onCommitted: () => void;
  /** Called once, when a commit failed though the disk is not full. */
  readonly onBroken: (error: TallyError) => void;
}

/** Appends that wait are committed together up to this many bytes. */
const GROUP_BYTES_MAX = 32 * 1024 ** 2;

/** Commits the appends that came while a commit was under way as one transaction with one sync. */
export class CommitGroup {
  readonly #dependencies: CommitGroupDependencies;
  readonly #folder: string;
  readonly #reserveBytes: number;
  readonly #chunks: Database<Buffer, Buffer>;
  #waiting: WaitingAppend[] = [];
  #committing: Promise<void> | null = null;
  #broken: TallyError | null = null;

  constructor(dependencies: CommitGroupDependencies) {
    this.#dependencies = dependencies;
    this.#folder = dependencies.folder;
    this.#reserveBytes = dependencies.reserveBytes;
    this.#chunks = dependencies.chunks;
  }

  /** The failure after which nothing more is written. */
  get broken(): TallyError | null {
    return this.#broken;
  }

  /** Resolves once the append is synced, or refused. */
  add(packed: readonly Packed[]): Promise<AppendOutcome[]> {
    const bytes = packed.reduce(
      (sum, { chunks }) => sum + chunks.reduce((all, chunk) => all + chunk.bytes.length, 0),
      0,
    );
    return new Promise((resolve) => {
      this.#waiting.push({ packed, bytes, resolve });
      this.#committing ??= this.#commitWaiting();
    });
  }

  /** Resolves when nothing waits. */
  async end(): Promise<void> {
    await this.#committing;
  }

  async #commitWaiting(): Promise<void> {
    // One turn of microtasks: appends made together are committed together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#commitGroup(this.#takeGroup());
    }
    this.#committing = null;
  }

  #takeGroup(): WaitingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > GROUP_BYTES_MAX) {
        break;
      }
      bytes += waiting.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(group: readonly WaitingAppend[]): Promise<void> {
    if (this.#broken !== null) {
      return failGroup(group, 'failed', this.#broken);
    }
    const bytes = group.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const highs = new Map<Partition, number>();
    const outcomes: AppendOutcome[][] = [];
    try {
      if (this.isFull(bytes)) {
        return failGroup(group, 'failed', fullError(this.#folder));
      }
      await commitTogether(this.#chunks, () => {
        const written: Promise<boolean>[] = [];
        for (const waiting of group) {
          outcomes.push(waiting.packed.map((packed) => this.#put(packed, highs, written)));
        }
        return written;
      });
    } catch (error) {
      return this.#commitFailed(group, bytes, error);
    }
    for (const [partition, high] of highs) {
      partition.high = high;
    }
    for (const [index, waiting] of group.entries()) {
      waiting.resolve(outcomes[index] ?? []);
    }
    this.#dependencies.onCommitted();
  }

  #put({ partition, chunks }: Packed, highs: Map<Partition, number>, written: Promise<boolean>[]): AppendOutcome {
    const baseOffset = highs.get(partition) ?? partition.high;
    let offset = baseOffset;
    for (const { bytes, count } of chunks) {
      written.push(this.#chunks.put(chunkKey(partition, offset), bytes));
      offset += count;
    }
    highs.set(partition, offset);
    return { status: 'appended', baseOffset };
  }

  #commitFailed(group: readonly WaitingAppend[], bytes: number, cause: unknown): void {
    const touched = new Set(group.flatMap((waiting) => waiting.packed.map((packed) => packed.partition)));
    if (
      this.isFull(bytes) &&
      [...touched].every((partition) => this.#dependencies.storedHigh(partition) === partition.high)
    ) {
      failGroup(group, 'failed', fullError(this.#folder, cause));
      return;
    }
    this.#broken = brokenError(this.#folder, cause);
    this.#dependencies.onBroken(this.#broken);
    failGroup(group, 'unknown', this.#broken);
  }

  /**
   * True where the disk has no room for this many bytes more. LMDB reports a full disk as EIO (a short write), like a broken one, so the
   * free space itself is asked, before a commit and after a failure.
   */
  isFull(bytes: number): boolean {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize < this.#reserveBytes + 2 * bytes;
  }
}

function failGroup(group: readonly WaitingAppend[], status: 'failed' | 'unknown', error: TallyError): void {
  for (const waiting of group) {
    waiting.resolve(waiting.packed.map(() => ({ status, error })));
  }
}

/** LOG_FULL: retriable, since it heals when there is room. */
export function fullError(folder: string, cause?: unknown): TallyError {
  return new TallyError(
    'LOG_FULL',
    `the disk of ${folder} is full: nothing is accepted until there is room`,
    { folder },
    { retriable: true, cause },
  );
}

function brokenError(folder: string, cause: unknown): TallyError {
  return new TallyError(
    'LOG_BROKEN',
    `a commit of the event log in ${folder} failed: its disk can not be trusted, restart when it is sound`,
    { folder },
    { cause },
  );
}
