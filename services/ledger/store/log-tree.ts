import type { Sha256 } from '../../../libs/core/encoding/sha256.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';
import {
  consistencyPath,
  type EdgeRoots,
  inclusionPath,
  type NodeReader,
  nodeMissing,
  rootAt,
} from '../../../libs/core/ledger/tree/tree-proof.ts';

/** Height of a tile: 256 hashes at its foot and every node above them to its root, 511 in all. */
const TILE_HEIGHT = 8;
const TILE_WIDTH = 256;
const HASH_BYTES = 32;
export const TILE_BYTES = (2 * TILE_WIDTH - 1) * HASH_BYTES;
/** Tiles of leaves kept in memory for proofs, and as many of the levels above them, of which there are few: 4 MiB each. */
const TILES_CACHED_MAX = 256;
/** Fingerprints of tiles kept in memory, some 100 bytes for 256 leaves. */
const FINGERPRINTS_MAX = 400_000;
/** Places of a level's tiles in the keys of the caches. */
const LEVEL_SPAN = 2 ** 40;

/** Reads a sealed tile: `level` counts tiles (0 holds leaves), `index` within the level. Undefined where there is none. */
export type ReadTile = (level: number, index: number) => Buffer | undefined;

export interface SealedTile {
  readonly level: number;
  readonly index: number;
  readonly bytes: Buffer;
}

export interface LogTreeDependencies {
  readonly hasher: TreeHasher<Uint8Array>;
  readonly sha256: Sha256;
  readonly readTile: ReadTile;
}

interface Tail {
  readonly bytes: Buffer;
  /** Hashes at the foot of this unfinished tile. */
  count: number;
  /** Index of this tile within its level. */
  index: number;
}

/**
 * The Merkle tree of the public log (RFC 6962, section 2.1), kept for appending and for proofs at any size up to its own: sealed
 * tiles of 256 hashes with all nodes above them, which never change again, and one unfinished tile a level, held in memory.
 * Hashing is one node a leaf, amortised. Order is everything: leaves are added in the order of `blocks.v1`.
 */
export class LogTree {
  readonly #hasher: TreeHasher<Uint8Array>;
  readonly #sha256: Sha256;
  readonly #readTile: ReadTile;
  readonly #read: NodeReader<Uint8Array> = (level, index) => this.#nodeAt(level, index);
  readonly #leafTiles = new Map<number, Buffer>();
  readonly #upperTiles = new Map<number, Buffer>();
  /** Hash of each tile's bytes that was sealed here or verified node by node: one hash tells whether it is the same when it is read again. */
  readonly #fingerprints = new Map<number, string>();
  #tails: Tail[] = [];
  #size = 0;
  /** By their keys. */
  #sealed = new Map<number, SealedTile>();
  /** Of the tree of one size: a pull asks for the paths of many leaves in it. */
  #edges: { readonly size: number; readonly roots: EdgeRoots<Uint8Array> } = { size: 0, roots: new Map() };

  constructor(dependencies: LogTreeDependencies) {
    this.#hasher = dependencies.hasher;
    this.#sha256 = dependencies.sha256;
    this.#readTile = dependencies.readTile;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf hash (`H(0x00 ‖ data)`, 32 bytes) and gives its index. */
  append(leafHash: Uint8Array): number {
    assert(leafHash.length === HASH_BYTES, 'a leaf hash has 32 bytes');
    this.#push(0, leafHash);
    this.#size += 1;
    return this.#size - 1;
  }

  /** The sealed tiles that the store has not taken yet. */
  sealedTiles(): readonly SealedTile[] {
    return [...this.#sealed.values()];
  }

  /** The store has taken these. */
  forgetSealed(tiles: readonly SealedTile[]): void {
    for (const tile of tiles) {
      const key = tileKey(tile.level, tile.index);
      if (this.#sealed.get(key) === tile) this.#sealed.delete(key);
      this.#setFingerprint(key, this.#fingerprintOf(tile.bytes));
      this.#remember(tile.level, key, tile.bytes);
    }
  }

  /** The unfinished tiles as bytes for the store: 8 bytes of size, then for each level its foot. */
  saveTails(): Buffer {
    const feet = this.#tails.map((tail) => tail.bytes.subarray(0, tail.count * HASH_BYTES));
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(this.#size));
    return Buffer.concat([size, ...feet]);
  }

  /** Goes back to what `saveTails` gave (an empty tree for undefined); tiles sealed since and not taken are forgotten. */
  loadTails(saved: Buffer | undefined): void {
    this.#tails = [];
    this.#sealed = new Map();
    this.#leafTiles.clear();
    this.#upperTiles.clear();
    this.#fingerprints.clear();
    this.#edges = { size: 0, roots: new Map() };
    this.#size = saved === undefined ? 0 : Number(saved.readBigUInt64BE(0));
    let offset = 8;
    for (let level = 0, count = this.#size; count > 0 && saved !== undefined; level += 1) {
      const tail = { bytes: Buffer.alloc(TILE_BYTES), count: 0, index: Math.floor(count / TILE_WIDTH) };
      this.#tails.push(tail);
      const feet = count % TILE_WIDTH;
      for (let i = 0; i < feet; i += 1) {
        const hash = saved.subarray(offset, offset + HASH_BYTES);
        assert(hash.length === HASH_BYTES, 'the saved tails of the tree are whole', { level });
        this.#place(tail, hash);
        offset += HASH_BYTES;
      }
      count = tail.index;
    }
  }

  /**
   * Root at any size from 0 to the tree's own: what a checkpoint of that size must say. As every proof, throws TREE_NODE_MISSING or
   * TREE_DAMAGED where the store lost a tile that it needs or holds a rotten one.
   */
  root(size: number = this.#size): Uint8Array {
    this.#assertWithin(size);
    return rootAt(size, this.#read, this.#hasher);
  }

  /** Inclusion path of a leaf in the tree of a size, from the leaf upward. */
  inclusionPath(index: number, size: number): readonly Uint8Array[] {
    this.#assertWithin(size);
    if (this.#edges.size !== size) this.#edges = { size, roots: new Map() };
    return inclusionPath(index, size, this.#read, this.#hasher, this.#edges.roots);
  }

  /** Consistency proof between two sizes; empty from 0 or between equal sizes. */
  consistencyPath(from: number, to: number): readonly Uint8Array[] {
    this.#assertWithin(to);
    return consistencyPath(from, to, this.#read, this.#hasher);
  }

  /** The hash of a leaf that the tree holds. */
  leafHash(index: number): Uint8Array {
    return this.#nodeAt(0, index);
  }

  #push(level: number, hash: Uint8Array): void {
    let tail = this.#tails[level];
    if (tail === undefined) {
      tail = { bytes: Buffer.alloc(TILE_BYTES), count: 0, index: 0 };
      this.#tails.push(tail);
    }
    this.#place(tail, hash);
    if (tail.count < TILE_WIDTH) return;
    this.#sealed.set(tileKey(level, tail.index), { level, index: tail.index, bytes: tail.bytes });
    this.#tails[level] = { bytes: Buffer.alloc(TILE_BYTES), count: 0, index: tail.index + 1 };
    this.#push(level + 1, tail.bytes.subarray(TILE_BYTES - HASH_BYTES));
  }

  /** Writes a hash at the foot of a tile and every node that it completes. */
  #place(tail: Tail, hash: Uint8Array): void {
    let position = tail.count;
    tail.bytes.set(hash, position * HASH_BYTES);
    tail.count += 1;
    for (let height = 1; height <= TILE_HEIGHT && (position & 1) === 1; height += 1) {
      const right = tileOffset(height - 1, position);
      const [leftHash, rightHash] = [
        tail.bytes.subarray(right - HASH_BYTES, right),
        tail.bytes.subarray(right, right + HASH_BYTES),
      ];
      position >>= 1;
      tail.bytes.set(this.#hasher.node(leftHash, rightHash), tileOffset(height, position));
    }
  }

  #assertWithin(size: number): void {
    assert(
      Number.isSafeInteger(size) && size >= 0 && size <= this.#size,
      'a proof is asked of a size that the tree has',
      {
        size,
        treeSize: this.#size,
      },
    );
  }

  #nodeAt(height: number, index: number): Uint8Array {
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const span = TILE_WIDTH >> within;
    const tileIndex = Math.floor(index / span);
    const offset = tileOffset(within, index % span);
    // A view: a node never changes once it is there.
    return this.#tile(level, tileIndex).subarray(offset, offset + HASH_BYTES);
  }

  #tile(level: number, index: number): Buffer {
    const tail = this.#tails[level];
    if (tail !== undefined && tail.index === index) return tail.bytes;
    const key = tileKey(level, index);
    const cached = (level === 0 ? this.#leafTiles : this.#upperTiles).get(key) ?? this.#sealed.get(key)?.bytes;
    if (cached !== undefined) return cached;
    const read = this.#readTile(level, index);
    if (read === undefined || read.length !== TILE_BYTES) throw nodeMissing(level * TILE_HEIGHT, index * TILE_WIDTH);
    this.#verify(level, index, read);
    this.#remember(level, key, read);
    return read;
  }

  /**
   * Rot in a tile that comes from the disk is found here: its nodes are hashed again, its root is the one that the tile above it has. Of
   * one that was found good before, the whole is hashed at once instead.
   */
  #verify(level: number, index: number, read: Buffer): void {
    const key = tileKey(level, index);
    const found = this.#fingerprintOf(read);
    if (this.#fingerprints.get(key) === found) return;
    const again: Tail = { bytes: Buffer.alloc(TILE_BYTES), count: 0, index };
    for (let position = 0; position < TILE_WIDTH; position += 1) {
      this.#place(again, read.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES));
    }
    const root = again.bytes.subarray(TILE_BYTES - HASH_BYTES);
    if (again.bytes.equals(read) && root.equals(this.#nodeAt((level + 1) * TILE_HEIGHT, index))) {
      this.#setFingerprint(key, found);
      return;
    }
    const what = `tile ${index} of level ${level} of the log's tree is damaged`;
    throw new TallyError('TREE_DAMAGED', what, { level, index }, { retriable: true });
  }

  #setFingerprint(key: number, fingerprint: string): void {
    if (this.#fingerprints.size >= FINGERPRINTS_MAX) this.#fingerprints.clear();
    this.#fingerprints.set(key, fingerprint);
  }

  #fingerprintOf(tile: Buffer): string {
    return Buffer.from(this.#sha256(tile)).toString('latin1');
  }

  #remember(level: number, key: number, tile: Buffer): void {
    const cache = level === 0 ? this.#leafTiles : this.#upperTiles;
    cache.set(key, tile);
    if (cache.size <= TILES_CACHED_MAX) return;
    const oldest = cache.keys().next();
    if (!oldest.done) cache.delete(oldest.value);
  }
}

function tileKey(level: number, index: number): number {
  return level * LEVEL_SPAN + index;
}

function tileOffset(height: number, position: number): number {
  return (2 * TILE_WIDTH - ((2 * TILE_WIDTH) >> height) + position) * HASH_BYTES;
}
