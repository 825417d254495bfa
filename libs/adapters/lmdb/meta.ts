/**
 * The meta pages at the head of an LMDB file, as lmdb-js writes them on a 64-bit little-endian machine (its liblmdb/mdb.c: MDB_page_header,
 * MDB_meta, MDB_db). A file has two, written in turn, and, where commits and syncs overlap, a third in the second half of page 0, which
 * names the last transaction that is known to be on the disk.
 */

/** One tree of pages: MDB_db. */
export interface LmdbTree {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** Page number, or null for an empty tree. */
  readonly root: number | null;
  /** Size of a page for the tree of free pages; not used otherwise. */
  readonly pad: number;
}

/** Where a committed transaction stands: MDB_meta. */
export interface LmdbMeta {
  readonly pageBytes: number;
  /** Lists pages that are free. */
  readonly free: LmdbTree;
  /** Names the tables, each with a tree of its own. */
  readonly main: LmdbTree;
  readonly lastPage: number;
  readonly transaction: bigint;
  /** First 32 bits of the id of the boot under which it was written; 0 where the system has none. */
  readonly boot: bigint;
}

export const PAGE_HEAD_BYTES = 24;
export const TREE_BYTES = 48;
/** Bytes from the start of a meta page to the end of what is read of it. */
export const META_BYTES = PAGE_HEAD_BYTES + 144;
const META_FLAG = 0x08;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const OVERLAPPING_SYNC = 0x1000;
const PAGE_BYTES_MIN = 256;
const PAGE_BYTES_MAX = 65_536;

/** The meta page that begins at `at`; null where the bytes are no meta page of this version: wrong magic, version, page size or flags. */
export function readMeta(bytes: Buffer, at: number): LmdbMeta | null {
  if (bytes.length < at + META_BYTES) return null;
  const meta = at + PAGE_HEAD_BYTES;
  if (bytes.readUInt32LE(meta) !== MAGIC || (bytes.readUInt32LE(meta + 4) & 0xffff) !== VERSION) return null;
  if ((bytes.readUInt16LE(at + 18) & META_FLAG) === 0) return null;
  return metaFrom(bytes, meta);
}

/** The third meta, which has no head of its own but the fields alone. */
function readSyncedMeta(bytes: Buffer, pageBytes: number): LmdbMeta | null {
  const meta = (pageBytes >> 1) + PAGE_HEAD_BYTES;
  return bytes.length < meta + META_BYTES ? null : metaFrom(bytes, meta, pageBytes);
}

function metaFrom(bytes: Buffer, meta: number, knownPageBytes?: number): LmdbMeta | null {
  const free = readTree(bytes, meta + 24);
  const main = readTree(bytes, meta + 72);
  const lastPage = pageNumber(bytes, meta + 120);
  const pageBytes = free?.pad ?? 0;
  if (free === null || main === null || lastPage === null) return null;
  const isPowerOfTwo = (pageBytes & (pageBytes - 1)) === 0;
  if (!isPowerOfTwo || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) return null;
  if (knownPageBytes !== undefined && knownPageBytes !== pageBytes) return null;
  const transaction = bytes.readBigUInt64LE(meta + 128);
  return { pageBytes, free, main, lastPage, transaction, boot: bytes.readBigInt64LE(meta + 136) };
}

/** A tree's record; null where a number in it is none that a file can have. */
export function readTree(bytes: Buffer, at: number): LmdbTree | null {
  const [branchPages, leafPages, overflowPages, entries] = [8, 16, 24, 32].map((offset) =>
    pageNumber(bytes, at + offset),
  );
  const isEmpty = bytes.readBigUInt64LE(at + 40) === 0xffff_ffff_ffff_ffffn;
  const root = isEmpty ? null : pageNumber(bytes, at + 40);
  if (branchPages == null || leafPages == null || overflowPages == null || entries == null) return null;
  if (root === null && !isEmpty) return null;
  return {
    pad: bytes.readUInt32LE(at),
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages,
    leafPages,
    overflowPages,
    entries,
    root,
  };
}

/** A 64-bit number that is below 2^53; null for another. */
export function pageNumber(bytes: Buffer, at: number): number | null {
  const high = bytes.readUInt32LE(at + 4);
  return high >= 2 ** 21 ? null : high * 2 ** 32 + bytes.readUInt32LE(at);
}

/**
 * The transaction that lmdb-js goes on from when it opens the file: the newest; but after another boot, where commits and syncs overlap,
 * the newest that is known to be on the disk. `boot` is the first 32 bits of this boot's id. Null where neither meta page is readable or one is
 * damaged: LMDB looks at both.
 */
export function chosenMeta(head: Buffer, secondPage: Buffer, boot: bigint): LmdbMeta | null {
  const first = readMeta(head, 0);
  const second = readMeta(secondPage, 0);
  if (first === null || second === null || first.pageBytes !== second.pageBytes) return null;
  const newest = first.transaction >= second.transaction ? first : second;
  const overlaps = (newest.free.flags & OVERLAPPING_SYNC) !== 0;
  if (!overlaps || (newest.boot !== 0n && newest.boot === boot)) return newest;
  const synced = readSyncedMeta(head, first.pageBytes);
  return synced === null || synced.transaction === 0n || synced.transaction > newest.transaction ? newest : synced;
}
