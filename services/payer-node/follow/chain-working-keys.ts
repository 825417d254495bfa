import { nodeHkdfSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import { personKeyOf, tagKeyOf, type WorkingKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';

/** The working keys of a chain, each made when it is first asked for: a VAT chain names no person. */
export class ChainWorkingKeys implements WorkingKeys {
  readonly #chainKey: Uint8Array;
  #tagKey: Uint8Array | null = null;
  #personKey: Uint8Array | null = null;

  /** @param chainKey 32 bytes, as the ledger gave it. */
  constructor(chainKey: Uint8Array) {
    this.#chainKey = chainKey;
  }

  get tagKey(): Uint8Array {
    this.#tagKey ??= tagKeyOf(this.#chainKey, nodeHkdfSha256);
    return this.#tagKey;
  }

  get personKey(): Uint8Array {
    this.#personKey ??= personKeyOf(this.#chainKey, nodeHkdfSha256);
    return this.#personKey;
  }
}
