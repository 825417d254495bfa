import { hashInput } from '../../encoding/hash-input.ts';
import { fromHex, hexOf16, toHex } from '../../encoding/hex.ts';
import { type HkdfSha256, type HmacSha256, hkdfSha256, hmacSha256 } from '../../encoding/sha256.ts';
import type { Account } from '../../identity/account.ts';
import type { PersonToken } from '../../identity/event-id.ts';
import type { Pseudonym } from './ledger-entry.ts';

export const LEDGER_MASTER_BYTES = 32;
const CHAIN_KEY_BYTES = 32;
const CHAIN_ID_BYTES = 16;
const PSEUDONYM_BYTES = 16;

/** The working keys of a chain. HKDF is slow (12 µs): make them once and store them. */
export interface WorkingKeys {
  /** Makes slot tags. */
  readonly tagKey: Uint8Array;
  /** Makes pseudonyms. */
  readonly personKey: Uint8Array;
}

/** Id and keys of an account's chain: what the ledger holds, and what the payer gets when it registers. */
export interface ChainKeys extends WorkingKeys {
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly chainKey: Uint8Array;
}

/** Everything that the ledger derives for an account from its master secret (ledger.md section 3, keys of a chain). */
export function chainKeysOf(
  master: Uint8Array,
  account: Account,
  hmac: HmacSha256 = hmacSha256,
  hkdf: HkdfSha256 = hkdfSha256,
): ChainKeys {
  const chainKey = hkdf(master, hashInput('tallystick/chain-key/v1', account), CHAIN_KEY_BYTES);
  return { chain: chainIdOf(master, account, hmac), chainKey, ...workingKeysOf(chainKey, hkdf) };
}

/** `HMAC(ledger master, "chain-id" ‖ account)[0..16]` as 32 lower-case hex. */
function chainIdOf(master: Uint8Array, account: Account, hmac: HmacSha256 = hmacSha256): string {
  return toHex(hmac(master, hashInput('chain-id', account)).subarray(0, CHAIN_ID_BYTES));
}

/** Derives the working keys from a chain key by HKDF with info `tag` and `person`, as the payer's node does with its chain key. */
export function workingKeysOf(chainKey: Uint8Array, hkdf: HkdfSha256 = hkdfSha256): WorkingKeys {
  return { tagKey: tagKeyOf(chainKey, hkdf), personKey: personKeyOf(chainKey, hkdf) };
}

const TAG_INFO = hashInput('tag');
const PERSON_INFO = hashInput('person');

/** The half of workingKeysOf that every block needs. */
export function tagKeyOf(chainKey: Uint8Array, hkdf: HkdfSha256 = hkdfSha256): Uint8Array {
  return hkdf(chainKey, TAG_INFO, CHAIN_KEY_BYTES);
}

/** The half of workingKeysOf that only entries about a person need. */
export function personKeyOf(chainKey: Uint8Array, hkdf: HkdfSha256 = hkdfSha256): Uint8Array {
  return hkdf(chainKey, PERSON_INFO, CHAIN_KEY_BYTES);
}

/** `HMAC(personKey of the chain, token)[0..16]`: the same person in two chains has two pseudonyms. */
export function pseudonymOf(personKey: Uint8Array, token: PersonToken, hmac: HmacSha256 = hmacSha256): Pseudonym {
  return hexOf16(hmac(personKey, fromHex(token, PSEUDONYM_BYTES)), 0) as Pseudonym;
}
