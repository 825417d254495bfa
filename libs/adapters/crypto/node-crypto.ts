import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes as nodeRandomBytes,
  sign,
  verify,
} from 'node:crypto';
import { type HkdfSha256, type HmacSha256, SHA256_BYTES, type Sha256 } from '../../core/encoding/sha256.ts';
import { assert } from '../../core/errors/assert.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { LedgerHashes } from '../../core/ledger/block/seal-block.ts';
import type { Ed25519Sign, Ed25519Verify, RandomBytes } from '../../core/ledger/note/ed25519.ts';
import { ED25519_PUBLIC_KEY_BYTES, ED25519_SIGNATURE_BYTES } from '../../core/ledger/note/ed25519.ts';
import type { NoteSigner } from '../../core/ledger/note/signed-note.ts';
import { type SignatureType, verifierKeyOf } from '../../core/ledger/note/verifier-key.ts';
import { bytesTreeHasher, type TreeHasher } from '../../core/ledger/tree/tree-hash.ts';

/** node:crypto behind the function types that core declares; a test holds them equal to noble's. */
/** Through a latin1 string into a pooled buffer: half the cost of asking for a Buffer, which has memory of its own each time. */
export const nodeSha256: Sha256 = (data) => Buffer.from(hash('sha256', data, 'binary'), 'latin1');

const HMAC_BLOCK_BYTES = 64;
const HMAC_MESSAGE_BYTES_MAX = 4 * 1024;
const HMAC_INNER = Buffer.alloc(HMAC_BLOCK_BYTES + HMAC_MESSAGE_BYTES_MAX);
const HMAC_OUTER = Buffer.alloc(HMAC_BLOCK_BYTES + SHA256_BYTES);

/** RFC 2104 by two one-shot hashes, a third of the cost of createHmac; synchronous, so its buffers serve all. */
export const nodeHmacSha256: HmacSha256 = (key, message) => {
  if (key.length > HMAC_BLOCK_BYTES || message.length > HMAC_MESSAGE_BYTES_MAX) {
    return createHmac('sha256', key).update(message).digest();
  }
  for (let index = 0; index < HMAC_BLOCK_BYTES; index += 1) {
    const byte = key[index] ?? 0;
    HMAC_INNER[index] = byte ^ 0x36;
    HMAC_OUTER[index] = byte ^ 0x5c;
  }
  HMAC_INNER.set(message, HMAC_BLOCK_BYTES);
  const inner = hash('sha256', HMAC_INNER.subarray(0, HMAC_BLOCK_BYTES + message.length), 'binary');
  HMAC_OUTER.write(inner, HMAC_BLOCK_BYTES, SHA256_BYTES, 'latin1');
  return Buffer.from(hash('sha256', HMAC_OUTER, 'binary'), 'latin1');
};

const NO_SALT = new Uint8Array(0);

/** RFC 5869; a key of one hash (all of the ledger's) is two HMACs, far cheaper than node's own. */
export const nodeHkdfSha256: HkdfSha256 = (secret, info, bytes) => {
  if (bytes > SHA256_BYTES) return new Uint8Array(hkdfSync('sha256', secret, NO_SALT, info, bytes));
  const extracted = nodeHmacSha256(NO_SALT, secret);
  const expanded = nodeHmacSha256(extracted, Buffer.concat([info, FIRST_BLOCK]));
  return new Uint8Array(expanded.subarray(0, bytes));
};

const FIRST_BLOCK = Buffer.of(1);

const RANDOM_POOL_BYTES = 16 * 1024;
const RANDOM_FROM_POOL_MAX = 64;
let randomPool = Buffer.alloc(0);

/** Few bytes come out of a pool, each once: a call to the source costs as much for twelve bytes as for thousands. What was given is not kept. */
export const nodeRandom: RandomBytes = (bytes) => {
  if (bytes > RANDOM_FROM_POOL_MAX) return nodeRandomBytes(bytes);
  if (randomPool.length < bytes) randomPool = nodeRandomBytes(RANDOM_POOL_BYTES);
  const given = Buffer.from(randomPool.subarray(0, bytes));
  randomPool.fill(0, 0, bytes);
  randomPool = randomPool.subarray(bytes);
  return given;
};

const NODE_MESSAGE = Buffer.alloc(1 + 2 * SHA256_BYTES, 0x01);
const LEAF_MESSAGE = Buffer.alloc(16 * 1024);

/**
 * Tree hashes as latin1 strings of 32 characters: the cheapest form there is on a server (performance.md: 0.52 µs a hash against 1.05 µs
 * to a Buffer; `binary` is node's older name of latin1). Synchronous, so one buffer serves all.
 */
export const latin1TreeHasher: TreeHasher<string> = {
  leaf: (data) => hash('sha256', leafMessage(data), 'binary'),
  node: (left, right) => {
    NODE_MESSAGE.write(left, 1, SHA256_BYTES, 'latin1');
    NODE_MESSAGE.write(right, 1 + SHA256_BYTES, SHA256_BYTES, 'latin1');
    return hash('sha256', NODE_MESSAGE, 'binary');
  },
  empty: hash('sha256', '', 'binary'),
  equal: (a, b) => a === b,
  toBytes: (text) => Buffer.from(text, 'latin1'),
  fromBytes: (bytes) => {
    assert(bytes.length === SHA256_BYTES, 'a tree hash is 32 bytes', { bytes: bytes.length });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  },
};

/** For sealing and checking many blocks on a server. */
export const NODE_HASHES: LedgerHashes<string> = { sha256: nodeSha256, tree: latin1TreeHasher };

const BYTES_HASHER = bytesTreeHasher(nodeSha256);

/**
 * Tree hashes as bytes by node's SHA-256, for the public log's tree and the small trees of receipts and acknowledgements. Nodes are put
 * together in one buffer that serves all; a hash of another length, which only a hostile proof has, makes a message of its own.
 */
export const nodeTreeHasher: TreeHasher<Uint8Array> = {
  ...BYTES_HASHER,
  leaf: (data) => nodeSha256(leafMessage(data)),
  node: (left, right) => {
    if (left.length !== SHA256_BYTES || right.length !== SHA256_BYTES) return BYTES_HASHER.node(left, right);
    NODE_MESSAGE.set(left, 1);
    NODE_MESSAGE.set(right, 1 + SHA256_BYTES);
    return nodeSha256(NODE_MESSAGE);
  },
};

/** What the hash of a leaf is over: in one buffer that serves all, where the data is no longer than that. */
function leafMessage(data: Uint8Array): Buffer {
  const message = data.length < LEAF_MESSAGE.length ? LEAF_MESSAGE : Buffer.alloc(1 + data.length);
  message[0] = 0x00;
  message.set(data, 1);
  return message.subarray(0, 1 + data.length);
}

/** DER of an Ed25519 key before its 32 bytes (RFC 8410). */
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_SEED_BYTES = 32;
const PUBLIC_KEYS_CACHED_MAX = 10_000;
const PUBLIC_KEYS = new Map<string, KeyObject>();

/** True where the signature is good; false for keys and signatures that OpenSSL refuses. */
export const nodeEd25519Verify: Ed25519Verify = (publicKey, message, signature) => {
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES || signature.length !== ED25519_SIGNATURE_BYTES) return false;
  try {
    return verify(null, message, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
};

/** An Ed25519 key pair of a 32-byte seed. Throws SEED_INVALID. */
export function ed25519OfSeed(seed: Uint8Array): { readonly publicKey: Uint8Array; readonly sign: Ed25519Sign } {
  if (seed.length !== ED25519_SEED_BYTES) throw new TallyError('SEED_INVALID', 'an Ed25519 seed is 32 bytes', {});
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_KEY_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(publicKey.subarray(PUBLIC_KEY_PREFIX.length)),
    sign: (message) => sign(null, message, privateKey),
  };
}

/** A signer of notes of a seed, under a key name (no spaces, no +). Throws SEED_INVALID, KEY_NAME_INVALID. */
export function noteSignerOfSeed(name: string, seed: Uint8Array, type?: SignatureType): NoteSigner {
  const { publicKey, sign: signMessage } = ed25519OfSeed(seed);
  return { key: verifierKeyOf(name, publicKey, type), sign: signMessage };
}

/** 32 random bytes that make a key pair. */
export function randomEd25519Seed(): Uint8Array {
  const { privateKey } = generateKeyPairSync('ed25519');
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  return new Uint8Array(der.subarray(PRIVATE_KEY_PREFIX.length));
}

/** Making a key object costs as much as a check with it: the newest are kept. */
function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const id = Buffer.from(publicKey).toString('latin1');
  const cached = PUBLIC_KEYS.get(id);
  if (cached !== undefined) return cached;
  const made = createPublicKey({ key: Buffer.concat([PUBLIC_KEY_PREFIX, publicKey]), format: 'der', type: 'spki' });
  if (PUBLIC_KEYS.size >= PUBLIC_KEYS_CACHED_MAX) PUBLIC_KEYS.clear();
  PUBLIC_KEYS.set(id, made);
  return made;
}
