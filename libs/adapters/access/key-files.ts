import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { NoteSigner } from '../../core/ledger/note/signed-note.ts';
import { noteSignerOfSeed, randomEd25519Seed } from '../crypto/node-crypto.ts';
import { keyFingerprint } from './key-fingerprint.ts';

/**
 * Secrets in `<dataDir>/keys`, one file each (mode 0600, made once, synced before it is used), so that a service in a container of its
 * own is given its own files and no others. Each function makes what is missing, but never where there is data that was made with it: in the
 * data folder, or in the event log, where its caller says so. A key is never written over. All throw KEY_FILE_INVALID (wrong content, or
 * readable by others) and KEY_MISSING_FOR_HISTORY, naming the file.
 */
interface KeyPurpose {
  readonly is: string;
  /** What would become of the data under another one. */
  readonly otherwise: string;
  /** Files of the data folder that exist only once the key was used. */
  readonly madeWith: readonly string[];
}

const LEDGER_STORE = join('ledger', 'store', 'data.mdb');
const GATEWAY_STORE = join('gateway', 'data.mdb');
const PAYER_STORE = join('payer-node', 'data.mdb');

const PURPOSES: Readonly<Record<string, KeyPurpose>> = {
  'ledger-name': {
    is: 'the name of the ledger',
    otherwise: 'stores and copies of two ledgers would mix',
    madeWith: [GATEWAY_STORE, LEDGER_STORE],
  },
  'ledger-ed25519': {
    is: 'the key that signs checkpoints',
    otherwise: 'no checkpoint could be signed that anyone accepts',
    madeWith: [LEDGER_STORE],
  },
  'ledger-master': {
    is: 'the secret from which every chain has its id and keys',
    otherwise: 'new accounts would begin chains that no rebuild can follow',
    madeWith: [LEDGER_STORE],
  },
  'ledger-log-year': {
    is: 'the year in the name of the public log',
    otherwise: 'checkpoints would be of another log',
    madeWith: [],
  },
  'gateway-ed25519': {
    is: 'the key that signs receipts',
    otherwise: 'no copy would verify and no payer would take a receipt',
    madeWith: [GATEWAY_STORE],
  },
  'person-token-key': {
    is: 'the key that makes the tokens of persons',
    otherwise: 'the same people would be new employments, and their tax wrong',
    madeWith: [GATEWAY_STORE],
  },
  'vault-key': {
    is: 'the key that the vault of persons is encrypted under',
    otherwise: 'the vault would never open again',
    madeWith: [GATEWAY_STORE],
  },
  'payer-ed25519': {
    is: "the key with which the payer's node countersigns",
    otherwise: 'the ledger would refuse every countersignature',
    madeWith: [PAYER_STORE],
  },
};

/** A client's key derives nothing; a changed one shuts out the client that calls with it. */
const CLIENT_KEY_PURPOSE: KeyPurpose = {
  is: 'the key that a client calls with',
  otherwise: 'whoever calls with it would be refused. Where nobody does, put 43 new characters of base64url there',
  madeWith: [GATEWAY_STORE],
};

/** `tallystick-<8 random hex>`: kept with the keys, so that stores of two ledgers never mix. Not a secret. */
export function ledgerNameOf(dataDir: string, logHistory: string | null = null): string {
  const make = () => `tallystick-${randomBytes(4).toString('hex')}\n`;
  const name = readOrMake(dataDir, 'ledger-name', make, logHistory).trim();
  if (!/^tallystick-[0-9a-f]{8}$/.test(name)) throw invalid(dataDir, 'ledger-name', 'it is not tallystick-<8 hex>');
  return name;
}

export interface LedgerKeys {
  readonly ledgerName: string;
  /** Signs checkpoints and rejections, under the ledger's own name. */
  readonly signer: NoteSigner;
  /** 32 bytes: ids and keys of chains are derived from it. */
  readonly master: Uint8Array;
}

/**
 * What the ledger service alone holds.
 *
 * @param logHistory what the event log holds that was made with these keys (recordsIn), null for nothing.
 */
export function loadLedgerKeys(dataDir: string, logHistory: string | null = null): LedgerKeys {
  const ledgerName = ledgerNameOf(dataDir, logHistory);
  return {
    ledgerName,
    signer: noteSignerOfSeed(ledgerName, seedOf(dataDir, 'ledger-ed25519', logHistory)),
    master: secretOf(dataDir, 'ledger-master', logHistory),
  };
}

/**
 * The year in the origin of the public log, `<ledger name>/<year>`: the one in which the ledger began, kept with its keys, for the log
 * goes on under one origin whatever the clock says.
 *
 * @param year to be written where there is none yet: the one that the log says, or this year.
 */
export function ledgerLogYearOf(dataDir: string, year: number): number {
  const text = readOrMake(dataDir, 'ledger-log-year', () => `${year}\n`, null).trim();
  if (!/^\d{4}$/.test(text)) throw invalid(dataDir, 'ledger-log-year', 'it does not hold a year');
  return Number(text);
}

export interface GatewayKeys {
  readonly ledgerName: string;
  /** Signs receipts, under `<ledger name>/gateway`. */
  readonly signer: NoteSigner;
  /** 32 bytes: person tokens are HMACs under it. */
  readonly personTokenKey: Uint8Array;
  /** 32 bytes: the vault of tokens is encrypted under it. */
  readonly vaultKey: Uint8Array;
  /** Fingerprints of the three keys, by the name of the key's file (key-fingerprint.ts). */
  readonly fingerprints: Readonly<Record<GatewayKeyName, string>>;
}

export type GatewayKeyName = 'gateway-ed25519' | 'person-token-key' | 'vault-key';

/**
 * What the gateway alone holds.
 *
 * @param logHistory what the event log holds that was made with these keys (recordsIn), null for nothing. The vault is not in the log.
 */
export function loadGatewayKeys(dataDir: string, logHistory: string | null = null): GatewayKeys {
  const ledgerName = ledgerNameOf(dataDir, logHistory);
  const seed = seedOf(dataDir, 'gateway-ed25519', logHistory);
  const personTokenKey = secretOf(dataDir, 'person-token-key', logHistory);
  const vaultKey = secretOf(dataDir, 'vault-key', null);
  return {
    ledgerName,
    signer: noteSignerOfSeed(`${ledgerName}/gateway`, seed),
    personTokenKey,
    vaultKey,
    fingerprints: {
      'gateway-ed25519': keyFingerprint('gateway-ed25519', seed),
      'person-token-key': keyFingerprint('person-token-key', personTokenKey),
      'vault-key': keyFingerprint('vault-key', vaultKey),
    },
  };
}

/** The key with which a payer's node countersigns, under its own name. */
export function loadPayerSigner(dataDir: string, nodeName: string): NoteSigner {
  return noteSignerOfSeed(nodeName, seedOf(dataDir, 'payer-ed25519', null));
}

/** A random bearer key of this name, made once: for the clients that the embedded way gives itself. 43 base64url characters. */
export function loadClientKey(dataDir: string, name: string): string {
  const file = `client-${name}`;
  const key = readOrMake(dataDir, file, () => `${randomBytes(32).toString('base64url')}\n`, null).trim();
  if (!/^[A-Za-z0-9_-]{43}$/.test(key)) throw invalid(dataDir, file, 'it is not a client key');
  return key;
}

/** A key is gone and what was made with it is not: it is for a person to find it again. */
export function keyMissing(dataDir: string, file: string, history: string): TallyError {
  const path = join(dataDir, 'keys', file);
  const { is, otherwise } = PURPOSES[file] ?? CLIENT_KEY_PURPOSE;
  const message = `${path} is missing, ${is}, though ${history} was made with it: restore it from the backup of the keys. With a new one ${otherwise}`;
  return new TallyError('KEY_MISSING_FOR_HISTORY', message, { file: path, history });
}

/** A key is not the one that some data was made with. The two fingerprints, or what stands for them, are no secrets. */
export function keyNotOfData(
  file: string,
  of: { readonly data: string; readonly expected: string; readonly found: string },
): TallyError {
  const { is } = PURPOSES[file] ?? CLIENT_KEY_PURPOSE;
  const message = `keys/${file}, ${is}, is not the one that ${of.data} was made with (expected ${of.expected}, found ${of.found}): put back that one from the backup of the keys, or correct DATA_DIR`;
  return new TallyError('KEY_NOT_OF_THIS_DATA', message, { file, ...of });
}

function seedOf(dataDir: string, file: string, logHistory: string | null): Uint8Array {
  return bytesOf(dataDir, file, () => Buffer.from(randomEd25519Seed()), logHistory);
}

function secretOf(dataDir: string, file: string, logHistory: string | null): Uint8Array {
  return bytesOf(dataDir, file, () => randomBytes(32), logHistory);
}

function bytesOf(dataDir: string, file: string, make: () => Buffer, logHistory: string | null): Uint8Array {
  const hex = readOrMake(dataDir, file, () => `${make().toString('hex')}\n`, logHistory).trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) throw invalid(dataDir, file, 'it is not 64 hex digits');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function readOrMake(dataDir: string, file: string, make: () => string, logHistory: string | null): string {
  const folder = join(dataDir, 'keys');
  const path = join(folder, file);
  const history = existsSync(path) ? null : (madeHere(dataDir, file) ?? logHistory);
  if (history !== null) throw keyMissing(dataDir, file, history);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  makeOnce(folder, path, make);
  if ((statSync(path).mode & 0o077) !== 0) throw invalid(dataDir, file, 'others may read it: chmod 600');
  const text = readFileSync(path, 'utf8');
  if (text === '') throw invalid(dataDir, file, 'it is empty');
  return text;
}

/** The first file of the data folder that was made with a key, null where there is none. */
function madeHere(dataDir: string, file: string): string | null {
  const { madeWith } = PURPOSES[file] ?? CLIENT_KEY_PURPOSE;
  return madeWith.map((made) => join(dataDir, made)).find((path) => existsSync(path)) ?? null;
}

/**
 * Written whole under another name, synced, then linked to its own: whoever comes second finds the first one's, and a crash leaves a
 * whole file or none. Its folder entry is on the disk before anything is encrypted or signed with it.
 */
function makeOnce(folder: string, path: string, make: () => string): void {
  if (existsSync(path)) return;
  const written = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(written, 'wx', 0o600);
  try {
    writeSync(file, make());
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(written, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(written);
  }
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function invalid(dataDir: string, file: string, why: string): TallyError {
  const path = join(dataDir, 'keys', file);
  return new TallyError(
    'KEY_FILE_INVALID',
    `${path} cannot be used: ${why}. It is never written over: mend it, or restore it from the backup of the keys`,
    { file: path },
  );
}
