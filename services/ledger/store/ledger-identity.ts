import type { HkdfSha256, HmacSha256 } from '../../../libs/core/encoding/sha256.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { LedgerHashes } from '../../../libs/core/ledger/block/seal-block.ts';
import { type ChainKeys, chainKeysOf, LEDGER_MASTER_BYTES } from '../../../libs/core/ledger/entry/chain-keys.ts';
import { originOf } from '../../../libs/core/ledger/note/checkpoint.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';

/** Who a ledger is: the name in all of its texts, the key that signs, the secret from which every chain's id and keys come. */
export interface LedgerIdentity {
  /** With its random suffix, `hmrc-ledger-4f1d`; also the name of its key. */
  readonly name: string;
  /** `<name>/<year>`: the first line of its checkpoints. */
  readonly origin: string;
  readonly verifierKey: string;
  readonly signer: NoteSigner;
  readonly master: Uint8Array;
}

/** Throws LEDGER_KEYS_INVALID for a master secret of another length or a key of another name. */
export function ledgerIdentity(options: {
  readonly name: string;
  readonly year: number;
  readonly signer: NoteSigner;
  readonly master: Uint8Array;
}): LedgerIdentity {
  const { name, year, signer, master } = options;
  if (master.length !== LEDGER_MASTER_BYTES || signer.key.name !== name) {
    throw new TallyError('LEDGER_KEYS_INVALID', `the keys given are not those of the ledger ${name}`, { name });
  }
  return { name, origin: originOf(name, year), verifierKey: printVerifierKey(signer.key), signer, master };
}

/** The hash functions of a server that the ledger works with. */
export interface LedgerCrypto {
  readonly hashes: LedgerHashes<string>;
  /** For the public log's own tree, which is stored as bytes. */
  readonly treeHasher: TreeHasher<Uint8Array>;
  readonly hmac: HmacSha256;
  readonly hkdf: HkdfSha256;
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  readonly randomBytes: (bytes: number) => Uint8Array;
}

/** Derives an account's chain id and keys: some 40 µs, so whoever needs them again keeps them. */
export function chainKeysFor(identity: LedgerIdentity, crypto: LedgerCrypto, account: Account): ChainKeys {
  return chainKeysOf(identity.master, account, crypto.hmac, crypto.hkdf);
}
