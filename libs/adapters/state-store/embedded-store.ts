import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase, Transaction } from 'lmdb';
import { assert } from '../../core/errors/assert.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { PartitionPosition } from '../event-log/event-log.ts';
import { commitTogether } from '../lmdb/commit.ts';
import { type DataFolderLock, lockDataFolder } from '../lmdb/data-folder-lock.ts';
import { TAX_STATE } from '../lmdb/data-stores.ts';
import { dropTables, type OnDiscarded, openLmdb } from '../lmdb/open-lmdb.ts';
import { openSealedText, sealText } from '../lmdb/sealed-text.ts';
import { answeredInTime, assertRoom, storeBroken, writeFault } from '../lmdb/write-fault.ts';
import type { Checkpoint, InspectableStore, StoreCommit } from './state-store.ts';

export interface EmbeddedStoreOptions {
  /** Each stage has its own store in a folder of its name within this one. */
  readonly folder: string;
  readonly stage: string;
  /** How long a commit may take before its disk counts as failed. */
  readonly commitMsMax?: number;
}

export interface EmbeddedStoreDependencies {
  /** Told where the store was damaged and begins anew. */
  readonly onDiscarded?: OnDiscarded;
}

const MAP_SIZE_BYTES = 64 * 1024 ** 3;

/** Free bytes of the disk below which the store says that it is full: fewer than the log keeps, which refuses appends first. */
const RESERVE_BYTES = 16 * 1024 ** 2;

/** LMDB's own limit is 1,978 bytes with pages of 4 KiB; 5 go to partition and kind. */
export const STORE_KEY_BYTES_MAX = 1_900;

const CHECKPOINT_KIND = 0;
const STATE_KIND = 1;
const WIPE_BATCH_KEYS = 10_000;
/** In place of a checkpoint while its state is being removed; JSON, but no checkpoint. */
const WIPING = '"wiping"';

/**
 * The state store in this process, on LMDB, its folder under an exclusive lock. Throws DATA_FOLDER_IN_USE.
 * Every value carries a checksum; one that is not what was written is thrown as STORE_DAMAGED, and a stage then folds it again.
 *
 * A commit resolves when it is visible, not when it is on the disk: `overlappingSync` lets LMDB flush behind the commits and move the
 * durable root only then. A power cut so takes the store back to an earlier whole transaction, never to a torn one, and as checkpoint
 * and values are of one transaction, the stage folds the rest from the log, which alone is synced. (`noSync` would save little more
 * and could tear the tree.)
 */
export async function openEmbeddedStore(
  options: EmbeddedStoreOptions,
  dependencies: EmbeddedStoreDependencies = {},
): Promise<InspectableStore> {
  const folder = join(options.folder, options.stage);
  const lock = await lockDataFolder(folder);
  try {
    const settings = {
      path: folder,
      mapSize: MAP_SIZE_BYTES,
      overlappingSync: true,
      maxDbs: 3,
    };
    const env = openLmdb(TAX_STATE, settings, dependencies.onDiscarded);
    const store = new EmbeddedStore(env, lock, folder, options.commitMsMax);
    await store.finishWipes();
    return store;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface Write {
  readonly place: Buffer;
  /** Null removes. */
  readonly text: string | null;
}

class EmbeddedStore implements InspectableStore {
  readonly #env: RootDatabase;
  readonly #lock: DataFolderLock;
  readonly #folder: string;
  readonly #state: Database<string, Buffer>;
  /** One write at a time, so that the compare-and-set of a commit is decided on what is stored. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #commitMsMax: number | undefined;
  #isBroken = false;
  #closed = false;

  constructor(env: RootDatabase, lock: DataFolderLock, folder: string, commitMsMax: number | undefined) {
    this.#commitMsMax = commitMsMax;
    this.#env = env;
    this.#lock = lock;
    this.#folder = folder;
    // Of an earlier version: without checksums. The stage folds it again from the log.
    dropTables(env, ['state']);
    this.#state = env.openDB('sealed-state', { encoding: 'string', keyEncoding: 'binary' });
  }

  async checkpoint(partition: number): Promise<Checkpoint | null> {
    this.#assertOpen();
    const text = this.#checkpointText(partition);
    return text === undefined ? null : parseCheckpoint(text);
  }

  async get(
    partition: number,
    keys: readonly string[],
  ): Promise<{ readonly tip: string | null; readonly values: readonly (string | null)[] }> {
    this.#assertOpen();
    // One read transaction: tip and values are of one commit.
    const transaction = this.#state.useReadTransaction();
    try {
      const tip = this.#tip(partition, transaction);
      const values = keys.map((key) => this.#read(stateKey(partition, key), transaction) ?? null);
      return { tip, values };
    } finally {
      transaction.done();
    }
  }

  commit(commits: readonly StoreCommit[]): Promise<('committed' | 'stale')[]> {
    return this.#inTurn(async () => {
      const writes: Write[] = [];
      const tips = new Map<number, string | null>();
      const outcomes = commits.map((commit) => this.#prepare(commit, tips, writes));
      await this.#write(writes);
      return outcomes;
    });
  }

  wipe(partition: number): Promise<void> {
    return this.#inTurn(async () => {
      // Too much for one transaction: a mark that no tip equals goes first, and a crash in between is finished when the store is opened.
      await this.#write([{ place: checkpointKey(partition), text: WIPING }]);
      await this.#finishWipe(partition);
    });
  }

  async check(): Promise<void> {
    this.#assertOpen();
    const { bavail, bsize } = statfsSync(this.#folder);
    if (bavail * bsize < RESERVE_BYTES) {
      const message = `the disk of ${this.#folder} is full: make room, and it goes on by itself`;
      throw new TallyError('STORE_FULL', message, { folder: this.#folder }, { retriable: true });
    }
  }

  /** Ends the wipes that a crash has cut off. */
  async finishWipes(): Promise<void> {
    for (let start = checkpointKey(0); ; ) {
      const [found] = [...this.#state.getKeys({ start, limit: 1 })].map((key) => Buffer.from(key));
      if (found === undefined) {
        return;
      }
      const partition = found.readUInt32BE(0);
      if (this.#isWiping(partition)) {
        await this.#finishWipe(partition);
      }
      start = checkpointKey(partition + 1);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    await this.#last.catch(() => undefined);
    // After a failed write LMDB waits for a sync that never comes: the process ends without it.
    if (!this.#isBroken) await this.#env.close();
    await this.#lock.release();
  }

  /** Decides one commit on what is stored, and lists what it writes: nothing is written before all of a call is known to be sound. */
  #prepare(
    { partition, expectedTip, checkpoint, puts }: StoreCommit,
    tips: Map<number, string | null>,
    writes: Write[],
  ): 'committed' | 'stale' {
    const storedTip = tips.has(partition) ? (tips.get(partition) ?? null) : this.#tip(partition);
    if (storedTip !== expectedTip) {
      return 'stale';
    }
    for (const { key, value } of puts) {
      writes.push({ place: stateKey(partition, key), text: value === null ? null : String(value) });
    }
    writes.push({ place: checkpointKey(partition), text: JSON.stringify(checkpoint) });
    tips.set(partition, checkpoint.tip);
    return 'committed';
  }

  /** What commits and reads are compared with: not null where something is stored that stands for nothing. */
  #tip(partition: number, transaction?: Transaction): string | null {
    const text = this.#checkpointText(partition, transaction);
    return text === undefined ? null : (parseCheckpoint(text)?.tip ?? WIPING);
  }

  #checkpointText(partition: number, transaction?: Transaction): string | undefined {
    return this.#read(checkpointKey(partition), transaction);
  }

  #isWiping(partition: number): boolean {
    const place = checkpointKey(partition);
    return this.#state.get(place) === sealText(place, WIPING);
  }

  /** Throws STORE_DAMAGED where the value is not what was written. */
  #read(place: Buffer, transaction?: Transaction): string | undefined {
    const sealed = this.#stored(place, transaction);
    if (sealed === undefined) return undefined;
    const text = openSealedText(place, sealed);
    if (text !== null) return text;
    const facts = { folder: this.#folder, partition: place.readUInt32BE(0) };
    throw new TallyError(
      'STORE_DAMAGED',
      `a value of the state store in ${this.#folder} is not what was written`,
      facts,
    );
  }

  /** LMDB's own errors mean that its pages are not what it wrote: the next start looks at the file and begins anew. */
  #stored(place: Buffer, transaction?: Transaction): string | undefined {
    try {
      return transaction === undefined ? this.#state.get(place) : this.#state.get(place, { transaction });
    } catch (cause) {
      throw storeBroken(this.#folder, cause);
    }
  }

  async #finishWipe(partition: number): Promise<void> {
    const range = { start: stateKey(partition, ''), end: checkpointKey(partition + 1), limit: WIPE_BATCH_KEYS };
    for (;;) {
      const keys = [...this.#state.getKeys(range)].map((key) => Buffer.from(key));
      if (keys.length === 0) {
        break;
      }
      await this.#write(keys.map((place) => ({ place, text: null })));
    }
    await this.#write([{ place: checkpointKey(partition), text: null }]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last
      .catch(() => undefined)
      .then(() => {
        this.#assertOpen();
        return work();
      });
    this.#last = turn;
    return turn;
  }

  async #write(writes: readonly Write[]): Promise<void> {
    assertRoom(this.#folder);
    try {
      const writing = commitTogether(this.#state, () =>
        writes.map(({ place, text }) =>
          text === null ? this.#state.remove(place) : this.#state.put(place, sealText(place, text)),
        ),
      );
      await answeredInTime(this.#folder, writing, this.#commitMsMax);
    } catch (cause) {
      const fault = cause instanceof TallyError ? cause : writeFault(this.#folder, cause);
      this.#isBroken ||= !fault.retriable;
      throw fault;
    }
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new TallyError('STORE_CLOSED', 'the state store is closed', { folder: this.#folder });
    }
  }
}

function checkpointKey(partition: number): Buffer {
  const key = Buffer.alloc(5);
  key.writeUInt32BE(partition, 0);
  key.writeUInt8(CHECKPOINT_KIND, 4);
  return key;
}

function stateKey(partition: number, name: string): Buffer {
  const nameBytes = Buffer.byteLength(name);
  assert(nameBytes <= STORE_KEY_BYTES_MAX, 'a key of state is not too long', { nameBytes });
  const key = Buffer.allocUnsafe(5 + nameBytes);
  key.writeUInt32BE(partition, 0);
  key.writeUInt8(STATE_KIND, 4);
  key.write(name, 5);
  return key;
}

function parseCheckpoint(text: string): Checkpoint | null {
  const parsed: unknown = JSON.parse(text);
  return isCheckpoint(parsed) ? parsed : null;
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tip' in value &&
    typeof value.tip === 'string' &&
    'tipOffset' in value &&
    typeof value.tipOffset === 'number' &&
    'outputNext' in value &&
    typeof value.outputNext === 'number' &&
    'inputs' in value &&
    Array.isArray(value.inputs) &&
    value.inputs.every(isPosition)
  );
}

function isPosition(value: unknown): value is PartitionPosition {
  return typeof value === 'object' && value !== null && 'topic' in value && 'partition' in value && 'offset' in value;
}
