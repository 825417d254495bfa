import { isSealedValue } from './sealed-text.ts';
import type { LookAtValue } from './tree.ts';

/** A store of the data folder, as an operator knows it. */
export interface DataStore {
  /** Its folder below DATA_DIR. */
  readonly path: string;
  /** The folder that its process locks, where that is another. */
  readonly lockedAt?: string;
  readonly what: string;
  /** A cache is folded again from the log; anything else exists here alone. */
  readonly isCache: boolean;
  /** What is lost where it is damaged, and what to do: the parts of a sentence. */
  readonly lost: string;
  readonly remedy: string;
  /** Finds values that are not what was written, where they carry a checksum. */
  readonly look?: LookAtValue;
}

const REFOLDED = {
  isCache: true,
  lost: 'nothing is lost',
  remedy: 'it is folded again from the log by itself',
} as const;

/** Values of tables whose name begins so are sealed texts (sealed-text.ts); of others nothing is known. */
const SEALED_PREFIX = 'sealed-';

const lookAtSealed: LookAtValue = (table, key, value) =>
  table.startsWith(SEALED_PREFIX) && !isSealedValue(key, value) ? `a value of ${table} is not what was written` : null;

export const EVENT_LOG: DataStore = {
  path: 'log',
  what: 'the event log',
  isCache: false,
  lost: 'what was accepted since the last backup can be lost',
  remedy: 'stop every service and restore its folder from its newest backup (docs/operations.md, "Restoring the log")',
};

export const TAX_STATE: DataStore = {
  path: 'store/tax',
  what: "tax's state",
  ...REFOLDED,
  look: lookAtSealed,
};

export const LEDGER_FOLD: DataStore = {
  path: 'ledger/store',
  lockedAt: 'ledger',
  what: "the ledger's fold",
  ...REFOLDED,
};

export const RECONCILIATION: DataStore = {
  path: 'reconciliation',
  what: "the reconciliation's store",
  ...REFOLDED,
  look: lookAtSealed,
};

export const GATEWAY_STORE: DataStore = {
  path: 'gateway',
  what: "the gateway's store of reservations, receipts and the vault of persons",
  isCache: false,
  lost: 'receipts can be lost, and the vault of persons as far as no backup holds it',
  remedy:
    'restore its folder from its newest backup; without one move the folder away and start again: reservations are read from the log, the vault begins empty',
};

export const GATEWAY_INDEX: DataStore = {
  path: 'gateway-index',
  lockedAt: 'gateway',
  what: "the gateway's index of events by account",
  ...REFOLDED,
};

export const PAYER_STORE: DataStore = {
  path: 'payer-node',
  what: "the payer's store",
  isCache: false,
  lost: 'events that were not sent yet can be lost, and the copy as far as no backup holds it',
  remedy: 'restore its folder from its newest backup and start again',
};

/** Belongs to the one who imports: which lines of earlier files a credit note may give back. */
export const IMPORT_MEMORY: DataStore = {
  path: 'imports',
  what: 'what imports remember of earlier sales',
  isCache: false,
  lost: 'credit notes of later files do not find the sales of earlier ones, and become refunds without a sale',
  remedy:
    'restore its folder from its newest backup, or move it away and import the earlier files again: nothing is counted twice',
};

/** Every store of the data folder. */
export const DATA_STORES: readonly DataStore[] = [
  EVENT_LOG,
  GATEWAY_STORE,
  PAYER_STORE,
  TAX_STATE,
  LEDGER_FOLD,
  RECONCILIATION,
  GATEWAY_INDEX,
  IMPORT_MEMORY,
];
