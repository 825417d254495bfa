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
import type { NoteSigner } from '../../core/ledger/signed-note.ts';
import { noteSignerOfSeed, randomEd25519Seed } from './node-crypto.ts';

/**
 * Secrets in `<dataDir>/keys`, one file each (mode 0600, made once, synced before it is used), so that a service in a container of its
 * own is given its own files and no others. Each function makes what is missing. A key is never written over.
 * All throw KEY_FILE_INVALID (wrong content, or readable by others) naming the file.
 */

/** `tallystick-<8 random hex>`: kept with the keys, so that stores of two ledgers never mix. Not a secret. */
export function ledgerNameOf(dataDir: string): string {
  const name = readOrMake(dataDir, 'ledger-name', () => `tallystick-${randomBytes(4).toString('hex')}\n`).trim();
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

/** What the ledger service alone holds. */
export function loadLedgerKeys(dataDir: string): LedgerKeys {
  const ledgerName = ledgerNameOf(dataDir);
  return {
    ledgerName,
    signer: noteSignerOfSeed(ledgerName, seedOf(dataDir, 'ledger-ed25519')),
    master: secretOf(dataDir, 'ledger-master'),
  };
}

export interface GatewayKeys {
  readonly ledgerName: string;
  /** Signs receipts, under `<ledger name>/gateway`. */
  readonly signer: NoteSigner;
  /** 32 bytes: person tokens are HMACs under it. */
  readonly personTokenKey: Uint8Array;
  /** 32 bytes: the vault of tokens is encrypted under it. */
  readonly vaultKey: Uint8Array;
}

/** What the gateway alone holds. */
export function loadGatewayKeys(dataDir: string): GatewayKeys {
  const ledgerName = ledgerNameOf(dataDir);
  return {
    ledgerName,
    signer: noteSignerOfSeed(`${ledgerName}/gateway`, seedOf(dataDir, 'gateway-ed25519')),
    personTokenKey: secretOf(dataDir, 'person-token-key'),
    vaultKey: secretOf(dataDir, 'vault-key'),
  };
}

/** The key with which a payer's node countersigns, under its own name. */
export function loadPayerSigner(dataDir: string, nodeName: string): NoteSigner {
  return noteSignerOfSeed(nodeName, seedOf(dataDir, 'payer-ed25519'));
}

/** A random bearer key of this name, made once: for the clients that the embedded way gives itself. 43 base64url characters. */
export function loadClientKey(dataDir: string, name: string): string {
  const file = `client-${name}`;
  const key = readOrMake(dataDir, file, () => `${randomBytes(32).toString('base64url')}\n`).trim();
  if (!/^[A-Za-z0-9_-]{43}$/.test(key)) throw invalid(dataDir, file, 'it is not a client key');
  return key;
}

function seedOf(dataDir: string, file: string): Uint8Array {
  return bytesOf(dataDir, file, () => Buffer.from(randomEd25519Seed()));
}

function secretOf(dataDir: string, file: string): Uint8Array {
  return bytesOf(dataDir, file, () => randomBytes(32));
}

function bytesOf(dataDir: string, file: string, make: () => Buffer): Uint8Array {
  const hex = readOrMake(dataDir, file, () => `${make().toString('hex')}\n`).trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) throw invalid(dataDir, file, 'it is not 64 hex digits');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function readOrMake(dataDir: string, file: string, make: () => string): string {
  const folder = join(dataDir, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  makeOnce(folder, path, make);
  if ((statSync(path).mode & 0o077) !== 0) throw invalid(dataDir, file, 'others may read it: chmod 600');
  const text = readFileSync(path, 'utf8');
  if (text === '') throw invalid(dataDir, file, 'it is empty');
  return text;
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
  return new TallyError('KEY_FILE_INVALID', `${path} cannot be used: ${why}`, { file: path });
}
