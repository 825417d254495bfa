import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import {
  type Checkpoint,
  parseCheckpoint,
  printCheckpoint,
  signCheckpoint,
} from '../../../libs/core/ledger/note/checkpoint.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';
import { verifyConsistency } from '../../../libs/core/ledger/tree/tree-proof.ts';
import type { LogTree } from '../store/log-tree.ts';

export interface CheckpointSignerOptions {
  /** `<ledger name>/<year>`. */
  readonly origin: string;
  /** The signer's own memory of what it signed last: no cache, kept apart from the store, one for each process that signs. */
  readonly memoryFile: string;
  /** Where a release before this one kept it: taken along once, the larger of the two where there are both. */
  readonly formerMemoryFile?: string;
}

export interface CheckpointSignerDependencies {
  readonly signer: NoteSigner;
  readonly hasher: TreeHasher<Uint8Array>;
}

/**
 * Signs the log's tree, one history only: it remembers the last (size, root) that it signed or saw signed, on disk, and signs nothing
 * that does not begin with it. It stores before it answers (ledger.md section 4).
 */
export class CheckpointSigner {
  readonly #options: CheckpointSignerOptions;
  readonly #signer: NoteSigner;
  readonly #hasher: TreeHasher<Uint8Array>;
  #last: Checkpoint | null;

  /** Throws SIGNER_MEMORY_UNREADABLE, and SIGNER_OF_ANOTHER_LOG for the memory of another origin. */
  constructor(options: CheckpointSignerOptions, dependencies: CheckpointSignerDependencies) {
    this.#options = options;
    this.#signer = dependencies.signer;
    this.#hasher = dependencies.hasher;
    const { memoryFile, formerMemoryFile } = options;
    this.#last = readMemory(options, memoryFile);
    const former = formerMemoryFile === undefined ? null : readMemory(options, formerMemoryFile);
    if (former === null || formerMemoryFile === undefined) return;
    // At once: the folder that it was in may be deleted from now on.
    if (former.size > this.lastSize) this.#remember(former);
    rmSync(formerMemoryFile);
  }

  /** Leaves of the tree that was signed last; 0 before the first. */
  get lastSize(): number {
    return this.#last?.size ?? 0;
  }

  /**
   * That the tree still begins with what was signed last. Throws SIGNER_AHEAD_OF_LOG where the log holds less (it was rolled back or
   * restored), SIGNER_HISTORY_DIFFERS where it holds something else.
   */
  assertExtends(tree: LogTree): void {
    const last = this.#last;
    if (last === null) return;
    if (tree.size < last.size) {
      const facts = { signedSize: last.size, treeSize: tree.size };
      throw new TallyError('SIGNER_AHEAD_OF_LOG', `${last.size} leaves were signed, the log holds ${tree.size}`, facts);
    }
    const claim = { from: last.size, to: tree.size, fromRoot: last.root, toRoot: tree.root() };
    if (!verifyConsistency(claim, tree.consistencyPath(last.size, tree.size), this.#hasher)) {
      const facts = { signedSize: last.size, treeSize: tree.size };
      throw new TallyError('SIGNER_HISTORY_DIFFERS', 'the log does not begin with the tree that was signed', facts);
    }
  }

  /** The signed note of the tree as it stands. Throws as assertExtends does, and SIGNER_MEMORY_UNWRITABLE (retriable: nothing was signed, and the next try writes a new file). */
  sign(tree: LogTree): string {
    this.assertExtends(tree);
    const checkpoint = { origin: this.#options.origin, size: tree.size, root: tree.root() };
    if (tree.size > this.lastSize) this.#remember(checkpoint);
    return signCheckpoint(checkpoint, this.#signer);
  }

  #remember(checkpoint: Checkpoint): void {
    const { memoryFile } = this.#options;
    try {
      writeDurably(memoryFile, printCheckpoint(checkpoint));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const what = `the signer's memory ${memoryFile} could not be written (${why}): nothing is signed until it can; make room or mend the disk, and it goes on by itself`;
      throw new TallyError('SIGNER_MEMORY_UNWRITABLE', what, { file: memoryFile }, { retriable: true, cause });
    }
    this.#last = checkpoint;
  }
}

function readMemory(options: CheckpointSignerOptions, memoryFile: string): Checkpoint | null {
  let text: string;
  try {
    text = readFileSync(memoryFile, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw unreadable(memoryFile, error);
  }
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(text);
  } catch (error) {
    throw unreadable(memoryFile, error);
  }
  if (checkpoint.origin !== options.origin) {
    const facts = { file: memoryFile, found: checkpoint.origin, expected: options.origin };
    throw new TallyError('SIGNER_OF_ANOTHER_LOG', `the signer remembers ${checkpoint.origin}`, facts);
  }
  return checkpoint;
}

function unreadable(memoryFile: string, cause: unknown): TallyError {
  const facts = { file: memoryFile };
  const message =
    `the signer's memory ${memoryFile} is unreadable: restore it from the newest backup; without one make sure that the log ` +
    'was not restored from an older state, remove the file and start again: the log as it then stands is taken for what was signed';
  return new TallyError('SIGNER_MEMORY_UNREADABLE', message, facts, { cause });
}

/** Whole or not at all, and on the disk when it returns: file, rename, folder. */
function writeDurably(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.next`;
  // Always a new file: what an earlier try could not sync is not synced again as if it had been written.
  rmSync(next, { force: true });
  const handle = openSync(next, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
