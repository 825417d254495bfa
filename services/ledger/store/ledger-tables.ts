import type { Database, Key, RootDatabase } from 'lmdb';
import { LEDGER_FOLD } from '../../../libs/adapters/lmdb/data-stores.ts';
import { type OnDiscarded, openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { openSealedText, sealText } from '../../../libs/adapters/lmdb/sealed-text.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';

export interface LedgerTablesOptions {
  readonly folder: string;
  /** A store of another ledger is refused (STORE_OF_ANOTHER_LEDGER). */
  readonly ledgerName: string;
}

/** 2: texts are sealed (sealed-text.ts). A store of format 1 is forgotten and folded again. */
const FORMAT = 2;

/** The tables of the ledger's fold on LMDB (docs/formats/stored-state.md#ledger). Texts are sealed with a checksum over their key. */
export class LedgerTables {
  readonly #options: LedgerTablesOptions;
  readonly #onDiscarded: OnDiscarded | undefined;
  readonly env: RootDatabase;
  readonly meta: Database<string, string>;
  readonly tails: Database<Buffer, string>;
  readonly tiles: Database<Buffer, number[]>;
  readonly blocks: Database<Buffer, number>;
  readonly chains: Database<string, number>;
  readonly heads: Database<string, number>;
  readonly pages: Database<string, number[]>;
  readonly accounts: Database<number, string>;
  readonly chainIds: Database<number, string>;
  readonly payerKeys: Database<string, number>;
  readonly acknowledged: Database<string, number>;
  readonly rejections: Database<string, [string, number]>;
  readonly rejectionCounts: Database<number, string>;
  readonly rejectionPositions: Database<string, number>;

  /** Begins the store anew where it is damaged or of a former format. Throws STORE_OF_ANOTHER_LEDGER. */
  constructor(options: LedgerTablesOptions, onDiscarded: OnDiscarded | undefined) {
    this.#options = options;
    this.#onDiscarded = onDiscarded;
    const env = { path: options.folder, maxDbs: 16, overlappingSync: false };
    this.env = openLmdb(LEDGER_FOLD, env, onDiscarded);
    const text = { encoding: 'string' } as const;
    const bytes = { encoding: 'binary' } as const;
    this.meta = this.env.openDB({ name: 'meta', ...text });
    this.tails = this.env.openDB({ name: 'tails', ...bytes });
    this.tiles = this.env.openDB({ name: 'tiles', ...bytes });
    this.blocks = this.env.openDB({ name: 'blocks', ...bytes });
    this.chains = this.env.openDB({ name: 'chains', ...text });
    this.heads = this.env.openDB({ name: 'heads', ...text });
    this.pages = this.env.openDB({ name: 'pages', ...text });
    this.accounts = this.env.openDB({ name: 'accounts', encoding: 'json' });
    this.chainIds = this.env.openDB({ name: 'chain-ids', encoding: 'json' });
    this.payerKeys = this.env.openDB({ name: 'payer-keys', ...text });
    this.acknowledged = this.env.openDB({ name: 'acknowledged', ...text });
    this.rejections = this.env.openDB({ name: 'rejections', ...text });
    this.rejectionCounts = this.env.openDB({ name: 'rejection-counts', encoding: 'json' });
    this.rejectionPositions = this.env.openDB({ name: 'rejection-positions', ...text });
    this.#claim();
  }

  /** Writes at once, within the transaction that is under way. */
  put<StoreKey extends Key, Value>(database: Database<Value, StoreKey>, key: StoreKey, value: Value): void {
    database.putSync(key, value);
  }

  /** As put, sealed with a checksum over key and text. */
  putText<StoreKey extends Key>(database: Database<string, StoreKey>, key: StoreKey, text: string): void {
    this.put(database, key, sealText(String(key), text));
  }

  /** Throws STORE_DAMAGED where the text is not what was written under the key: the stage then folds everything again. */
  text<StoreKey extends Key>(database: Database<string, StoreKey>, key: StoreKey): string | undefined {
    const sealed = database.get(key);
    if (sealed === undefined) return undefined;
    const text = openSealedText(String(key), sealed);
    if (text === null) throw this.notAsWritten(this.#nameOf(database), key);
    return text;
  }

  #nameOf(database: unknown): string {
    for (const [name, one] of this.all()) if (one === database) return name;
    return '';
  }

  /** The error for a value that another value contradicts. */
  notAsWritten(table: string, key: Key): TallyError {
    const { folder } = this.#options;
    const message = `a value of table ${table} in the ledger's fold in ${folder} is not what was written: it is folded again from the log`;
    return new TallyError('STORE_DAMAGED', message, {
      folder,
      table,
      ...(typeof key === 'number' ? { number: key } : {}),
    });
  }

  /** Forgets everything that is stored. */
  async clear(): Promise<void> {
    await Promise.all([...this.all().values()].map((database) => database.clearAsync()));
    this.#claim();
  }

  #claim(): void {
    const identityOf = (format: number) => JSON.stringify({ format, ledger: this.#options.ledgerName });
    const identity = identityOf(FORMAT);
    const isFormer = this.meta.get('identity') === identityOf(1);
    const damage = isFormer ? null : this.#damageOfMeta();
    if (damage !== null) this.#onDiscarded?.(damage);
    if (damage !== null || isFormer) {
      for (const database of this.all().values()) database.clearSync();
    }
    const found = this.meta.get('identity');
    if (found === undefined) {
      this.meta.putSync('identity', identity);
    } else if (found !== identity) {
      const facts = { folder: this.#options.folder, found, expected: identity };
      throw new TallyError('STORE_OF_ANOTHER_LEDGER', 'this ledger store belongs to another ledger or format', facts);
    }
  }

  /** What is wrong with where the fold stands, which is asked for before anything else; null where it is sound. */
  #damageOfMeta(): TallyError | null {
    try {
      for (const key of ['stage', 'served']) this.text(this.meta, key);
      return null;
    } catch (error) {
      if (!hasCode(error, 'STORE_DAMAGED')) throw error;
      return error;
    }
  }

  /** Every table by its name in the file. */
  all(): ReadonlyMap<string, Database> {
    const named: readonly (readonly [string, unknown])[] = [
      ['meta', this.meta],
      ['tails', this.tails],
      ['tiles', this.tiles],
      ['blocks', this.blocks],
      ['chains', this.chains],
      ['heads', this.heads],
      ['pages', this.pages],
      ['accounts', this.accounts],
      ['chain-ids', this.chainIds],
      ['payer-keys', this.payerKeys],
      ['acknowledged', this.acknowledged],
      ['rejections', this.rejections],
      ['rejection-counts', this.rejectionCounts],
      ['rejection-positions', this.rejectionPositions],
    ];
    return new Map(named as readonly (readonly [string, Database])[]);
  }
}
