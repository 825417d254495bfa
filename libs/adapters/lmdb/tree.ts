import { type LmdbMeta, type LmdbTree, PAGE_HEAD_BYTES, pageNumber, readTree, TREE_BYTES } from './meta.ts';

/** Reads `bytes.length` bytes of the file from `at`; gives how many there were. */
export type ReadAt = (bytes: Buffer, at: number) => number;

/** What is wrong with a page: where in the file, and what was found. */
export interface PageFault {
  readonly page: number;
  readonly what: string;
}

/** Told each value of each table; what it gives is what is wrong with the value, or null. The buffers are valid during the call alone. */
export type LookAtValue = (table: string, key: Buffer, value: Buffer) => string | null;

const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const BIG_DATA = 0x01;
const SUB_DATA = 0x02;
const INTEGER_KEY = 0x08;
const NODE_HEAD_BYTES = 8;
/** LMDB's own trees are never deeper (CURSOR_STACK). */
const DEPTH_MAX = 32;
const FREE_TABLE = '(free pages)';
const MAIN_TABLE = '(tables)';

/**
 * Walks every page that a transaction of an LMDB file can reach, as liblmdb lays it out: each page has its own number and kind, stands within
 * the file and in one place alone, its nodes lie within it, keys ascend, the counts of each tree are what was found, and no page in use is
 * listed as free. Native code that follows the file's pointers afterwards stays within the file. Gives the first fault, or null.
 * It reads every page of keys once, and of long values the first bytes, or, for `look`, all.
 */
export function faultInTrees(meta: LmdbMeta, read: ReadAt, look?: LookAtValue): PageFault | null {
  const walk = new TreeWalk(meta, read, look);
  try {
    walk.tree(FREE_TABLE, meta.free);
    walk.tree(MAIN_TABLE, meta.main);
    walk.assertFreePagesUnused();
    return null;
  } catch (error) {
    if (error instanceof FaultFound) return error.fault;
    throw error;
  }
}

class FaultFound extends Error {
  readonly fault: PageFault;

  constructor(page: number, what: string) {
    super(what);
    this.fault = { page, what };
  }
}

interface Counts {
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

interface TreeState {
  readonly table: string;
  readonly isIntegerKey: boolean;
  readonly depth: number;
  readonly counts: Counts;
  lastKey: Buffer | null;
  /** The last key is a separator: the next may equal it. */
  isSeparator: boolean;
}

class TreeWalk {
  readonly #meta: LmdbMeta;
  readonly #read: ReadAt;
  readonly #look: LookAtValue | undefined;
  readonly #reached: Uint8Array;
  readonly #free: [number, number][] = [];
  readonly #spare: Buffer[] = [];
  readonly #overflowHead = Buffer.alloc(PAGE_HEAD_BYTES);

  constructor(meta: LmdbMeta, read: ReadAt, look: LookAtValue | undefined) {
    this.#meta = meta;
    this.#read = read;
    this.#look = look;
    this.#reached = new Uint8Array(Math.ceil((meta.lastPage + 1) / 8));
  }

  tree(table: string, tree: LmdbTree): void {
    const counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    const isIntegerKey = (tree.flags & INTEGER_KEY) !== 0;
    const state = { table, isIntegerKey, depth: tree.depth, counts, lastKey: null, isSeparator: false };
    if (tree.depth > DEPTH_MAX) throw new FaultFound(0, `${table} claims a depth of ${tree.depth}`);
    if (tree.root !== null) this.#page(state, tree.root, 1);
    for (const name of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
      if (counts[name] !== tree[name]) {
        throw new FaultFound(tree.root ?? 0, `${table} counts ${tree[name]} ${name}, found ${counts[name]}`);
      }
    }
  }

  assertFreePagesUnused(): void {
    for (const [first, count] of this.#free) {
      if (first < 2 || first + count - 1 > this.#meta.lastPage) {
        throw new FaultFound(first, 'a free page is listed that the file does not have');
      }
      for (let page = first; page < first + count; page += 1) {
        if (this.#isReached(page)) throw new FaultFound(page, 'a page in use is listed as free');
      }
    }
  }

  #page(state: TreeState, number: number, level: number): void {
    if (level > state.depth) throw new FaultFound(number, `${state.table} is deeper than it says`);
    this.#reach(number);
    const page = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#meta.pageBytes);
    this.#readPage(page, number);
    const flags = page.readUInt16LE(18);
    const isLeaf = level === state.depth;
    if (flags !== (isLeaf ? LEAF : BRANCH)) {
      throw new FaultFound(
        number,
        `a ${isLeaf ? 'leaf' : 'branch'} of ${state.table} is expected, kind ${flags} found`,
      );
    }
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    if (lower > upper || upper > page.length - PAGE_HEAD_BYTES || (lower & 1) === 1) {
      throw new FaultFound(number, 'its bounds are none');
    }
    if (isLeaf) {
      state.counts.leafPages += 1;
      this.#leaf(state, page, number, lower >> 1);
    } else {
      state.counts.branchPages += 1;
      this.#branch(state, page, { number, level, nodes: lower >> 1 });
    }
    this.#spare.push(page);
  }

  #branch(
    state: TreeState,
    page: Buffer,
    { number, level, nodes }: { readonly number: number; readonly level: number; readonly nodes: number },
  ): void {
    if (nodes === 0) throw new FaultFound(number, 'a branch without children');
    for (let index = 0; index < nodes; index += 1) {
      const node = this.#nodeAt(page, number, index);
      const child =
        page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 2 ** 16 + page.readUInt16LE(node + 4) * 2 ** 32;
      const key = this.#keyAt(page, number, node);
      // The first separator of a branch stands for everything before the second.
      if (index > 0) this.#ascend(state, key, number, true);
      this.#page(state, child, level + 1);
    }
  }

  #leaf(state: TreeState, page: Buffer, number: number, nodes: number): void {
    for (let index = 0; index < nodes; index += 1) {
      const node = this.#nodeAt(page, number, index);
      const key = this.#keyAt(page, number, node);
      this.#ascend(state, key, number, false);
      state.counts.entries += 1;
      const bytes = page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 2 ** 16;
      const flags = page.readUInt16LE(node + 4);
      const at = node + NODE_HEAD_BYTES + key.length;
      if (flags !== 0 && flags !== BIG_DATA && flags !== SUB_DATA) {
        throw new FaultFound(number, `a node of ${state.table} is of kind ${flags}`);
      }
      const inPage = flags === BIG_DATA ? PAGE_HEAD_BYTES : bytes;
      if (at + inPage > page.length) throw new FaultFound(number, 'a value reaches beyond its page');
      if (flags === SUB_DATA) this.#subTree(state, page, number, { key, at, bytes });
      else if (flags === BIG_DATA) this.#longValue(state, key, { page, number, at, bytes });
      else this.#value(state.table, key, page.subarray(at, at + bytes), number);
    }
    if (nodes > 0) state.lastKey = Buffer.from(state.lastKey ?? []);
  }

  #subTree(
    state: TreeState,
    page: Buffer,
    number: number,
    { key, at, bytes }: { readonly key: Buffer; readonly at: number; readonly bytes: number },
  ): void {
    if (state.table !== MAIN_TABLE || bytes !== TREE_BYTES) throw new FaultFound(number, 'a table where none can be');
    const tree = readTree(page, at);
    const name = key.toString('latin1').replaceAll('\0', '');
    if (tree === null) throw new FaultFound(number, `the record of table ${name} is damaged`);
    this.tree(name, tree);
  }

  /** A value on pages of its own: a head, then its bytes. */
  #longValue(
    state: TreeState,
    key: Buffer,
    node: { readonly page: Buffer; readonly number: number; readonly at: number; readonly bytes: number },
  ): void {
    const { pageBytes } = this.#meta;
    const first = pageNumber(node.page, node.at);
    const count = pageNumber(node.page, node.at + 16);
    const needed = Math.floor((PAGE_HEAD_BYTES - 1 + node.bytes) / pageBytes) + 1;
    // A shorter value that took the place of a longer one keeps its pages.
    if (first === null || count === null || count < needed || count > this.#meta.lastPage) {
      throw new FaultFound(node.number, `the pages of a long value of ${state.table} do not fit its length`);
    }
    for (let page = first; page < first + count; page += 1) this.#reach(page);
    state.counts.overflowPages += count;
    this.#readPage(this.#overflowHead, first);
    if (this.#overflowHead.readUInt16LE(18) !== OVERFLOW || this.#overflowHead.readUInt32LE(20) !== count) {
      throw new FaultFound(first, `a long value of ${state.table} is expected`);
    }
    const isNeeded = this.#look !== undefined || state.table === FREE_TABLE;
    // The last page must be there, though nobody looks at it now.
    const value = isNeeded ? Buffer.allocUnsafe(node.bytes) : Buffer.allocUnsafe(Math.min(node.bytes, 1));
    const at = first * pageBytes + PAGE_HEAD_BYTES + (isNeeded ? 0 : node.bytes - value.length);
    if (this.#read(value, at) !== value.length) throw cut(first + needed - 1);
    if (isNeeded) this.#value(state.table, key, value, first);
  }

  #value(table: string, key: Buffer, value: Buffer, number: number): void {
    if (table === FREE_TABLE) {
      this.#takeFree(value, number);
    } else if (table !== MAIN_TABLE && this.#look !== undefined) {
      const wrong = this.#look(table, key, value);
      if (wrong !== null) throw new FaultFound(number, wrong);
    }
  }

  /** A count, then numbers of pages; a negative number is the length of a block that begins at the next one, 0 is nothing. */
  #takeFree(value: Buffer, number: number): void {
    const count = value.length < 8 ? null : pageNumber(value, 0);
    if (count === null || 8 * (count + 1) > value.length) throw new FaultFound(number, 'a list of free pages is cut');
    for (let index = 1; index <= count; index += 1) {
      const entry = value.readBigInt64LE(8 * index);
      if (entry > 0n) {
        this.#free.push([Number(entry), 1]);
      } else if (entry < 0n) {
        index += 1;
        if (index > count) throw new FaultFound(number, 'a list of free pages is cut');
        this.#free.push([Number(value.readBigInt64LE(8 * index)), Number(-entry)]);
      }
    }
  }

  #nodeAt(page: Buffer, number: number, index: number): number {
    const node = PAGE_HEAD_BYTES + page.readUInt16LE(PAGE_HEAD_BYTES + 2 * index);
    if (node + NODE_HEAD_BYTES > page.length) throw new FaultFound(number, 'a node reaches beyond its page');
    return node;
  }

  #keyAt(page: Buffer, number: number, node: number): Buffer {
    const start = node + NODE_HEAD_BYTES;
    const end = start + page.readUInt16LE(node + 6);
    if (end > page.length) throw new FaultFound(number, 'a key reaches beyond its page');
    return page.subarray(start, end);
  }

  #ascend(state: TreeState, key: Buffer, number: number, isSeparator: boolean): void {
    const { lastKey } = state;
    if (lastKey !== null) {
      const order = state.isIntegerKey ? compareIntegers(lastKey, key) : Buffer.compare(lastKey, key);
      if (order > 0 || (order === 0 && !state.isSeparator)) {
        throw new FaultFound(number, `the keys of ${state.table} do not ascend`);
      }
    }
    // A view of a page is good until that page is given back: a leaf keeps its last one as a copy.
    state.lastKey = isSeparator ? Buffer.from(key) : key;
    state.isSeparator = isSeparator;
  }

  #readPage(bytes: Buffer, number: number): void {
    if (this.#read(bytes, number * this.#meta.pageBytes) !== bytes.length) throw cut(number);
    if (pageNumber(bytes, 0) !== number) throw new FaultFound(number, 'it does not have its own number');
  }

  #reach(number: number): void {
    if (number < 2 || number > this.#meta.lastPage) {
      throw new FaultFound(number, `it is none of the ${this.#meta.lastPage + 1} pages of the file`);
    }
    if (this.#isReached(number)) throw new FaultFound(number, 'it stands in two places');
    this.#reached[number >> 3] = (this.#reached[number >> 3] ?? 0) | (1 << (number & 7));
  }

  #isReached(number: number): boolean {
    return ((this.#reached[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }
}

function cut(number: number): FaultFound {
  return new FaultFound(number, 'the file ends before it');
}

function compareIntegers(a: Buffer, b: Buffer): number {
  if (a.length !== 8 || b.length !== 8) return 1;
  const [one, other] = [a.readBigUInt64LE(0), b.readBigUInt64LE(0)];
  return one < other ? -1 : one > other ? 1 : 0;
}
