import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { utf8 } from '../../encoding/hash-input.ts';
import { toHex } from '../../encoding/hex.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { ED25519_PUBLIC_KEY_BYTES } from './ed25519.ts';

/** Signature types of C2SP signed-note: a note's own Ed25519 signature, and a witness's timestamped cosignature. */
export const NOTE_SIGNATURE = 0x01;
export const COSIGNATURE = 0x04;
export type SignatureType = typeof NOTE_SIGNATURE | typeof COSIGNATURE;

/** A public key under its name, as it verifies notes. */
export interface VerifierKey {
  readonly name: string;
  /** 8 lower-case hex digits: first 4 bytes of `H(name ‖ 0x0A ‖ type ‖ public key)`, no length prefixes (C2SP signed-note). */
  readonly keyId: string;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
}

const KEY_NAME_CHARACTERS_MAX = 200;
export const VERIFIER_KEY_CHARACTERS_MAX = 300;
/** Every Unicode space, also U+0085, which JavaScript's \s leaves out. */
const SPACE_OR_PLUS = /[\s+\u0085]/;
const CONTROL_BELOW = 0x20;

/** The key of a name and 32 bytes. Throws KEY_NAME_INVALID or VERIFIER_KEY_INVALID. */
export function verifierKeyOf(
  name: string,
  publicKey: Uint8Array,
  type: SignatureType = NOTE_SIGNATURE,
  hash: Sha256 = sha256,
): VerifierKey {
  if (!isKeyName(name) || name.length > KEY_NAME_CHARACTERS_MAX) {
    throw new TallyError(
      'KEY_NAME_INVALID',
      `a key name has no spaces, no + and at most ${KEY_NAME_CHARACTERS_MAX} characters`,
      {},
    );
  }
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES) throw invalid('the public key is not 32 bytes');
  const label = utf8(`${name}\n`);
  const message = new Uint8Array(label.length + 1 + publicKey.length);
  message.set(label, 0);
  message[label.length] = type;
  message.set(publicKey, label.length + 1);
  return { name, keyId: toHex(hash(message).subarray(0, 4)), type, publicKey };
}

/** `<name>+<8 hex of key id>+<base64(type ‖ public key)>`. */
export function printVerifierKey(key: VerifierKey): string {
  const encoded = new Uint8Array(1 + key.publicKey.length);
  encoded[0] = key.type;
  encoded.set(key.publicKey, 1);
  return `${key.name}+${key.keyId}+${toBase64(encoded)}`;
}

/** Exactly what printVerifierKey prints, its key id right. Throws VERIFIER_KEY_INVALID. Is the point safe? See ed25519-public-key.ts. */
export function parseVerifierKey(text: string, hash: Sha256 = sha256): VerifierKey {
  // Base64 may hold a `+`, names and key ids may not: split at the first two.
  const first = text.indexOf('+');
  const second = text.indexOf('+', first + 1);
  if (text.length > VERIFIER_KEY_CHARACTERS_MAX || first < 1 || second < 0) throw invalid('not <name>+<key id>+<key>');
  const name = text.slice(0, first);
  if (!isKeyName(name)) throw invalid('its name has a space');
  const encoded = decoded(text.slice(second + 1));
  const type = encoded[0];
  if (type !== NOTE_SIGNATURE && type !== COSIGNATURE) throw invalid('its signature type is not 0x01 or 0x04');
  const key = verifierKeyOf(name, encoded.slice(1), type, hash);
  if (text.slice(first + 1, second) !== key.keyId) throw invalid(`its key id is not ${key.keyId}`);
  return key;
}

/** What a name in a note may be, of whatever length: lines of unknown keys are ignored, not refused. */
export function isKeyName(name: string): boolean {
  if (name.length === 0 || SPACE_OR_PLUS.test(name)) return false;
  return [...name].every((character) => character.charCodeAt(0) >= CONTROL_BELOW);
}

function decoded(text: string): Uint8Array {
  try {
    return fromBase64(text, 1 + ED25519_PUBLIC_KEY_BYTES);
  } catch (cause) {
    throw invalid('its key is not 33 bytes of canonical base64', cause);
  }
}

function invalid(why: string, cause?: unknown): TallyError {
  return new TallyError('VERIFIER_KEY_INVALID', `not a verifier key: ${why}`, { why }, { cause });
}
