import {
  type ChainRegistration,
  type ChainRegistrations,
  type LedgerClient,
  REGISTRATIONS_MAX,
} from '../../../libs/adapters/http/ledger-client.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { proveKey } from '../../../libs/core/ledger/entry/key-registration.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { MetLedger } from './met-ledger.ts';

export interface ChainRegistrarDependencies {
  readonly store: PayerStore;
  readonly ledger: LedgerClient;
  readonly signer: NoteSigner;
  readonly met: MetLedger;
  readonly steadyMs: () => number;
  readonly onFault: (fault: TallyError) => void;
}

const REGISTER_AGAIN_MS = 2_000;

/** Registers the node's key for the chain of each account that has none yet. */
export class ChainRegistrar {
  readonly #dependencies: ChainRegistrarDependencies;
  /** By the number of an account that the ledger refused: when it is tried again. */
  readonly #againMs = new Map<number, number>();

  constructor(dependencies: ChainRegistrarDependencies) {
    this.#dependencies = dependencies;
  }

  /** Tries every account that is due. A refusal is reported and stops no other account. Throws LEDGER_DIFFERS. */
  async register(): Promise<void> {
    const { store, steadyMs } = this.#dependencies;
    const startedAtMs = steadyMs();
    const due = [...store.unregistered()].filter((one) => (this.#againMs.get(one.number) ?? 0) <= startedAtMs);
    for (let from = 0; from < due.length; from += REGISTRATIONS_MAX) {
      await this.#save(await this.#tryToRegister(due.slice(from, from + REGISTRATIONS_MAX)));
    }
  }

  /** Gives the registrations of those accounts that the ledger lets us follow. */
  async #tryToRegister(group: readonly FollowedAccount[]): Promise<readonly ChainRegistration[]> {
    const { onFault, met } = this.#dependencies;
    const again = new Map(group.map(({ account, number }) => [account, number]));
    try {
      const answer = await registerOwnKey([...again.keys()], this.#dependencies, (ledger) => met.check(ledger));
      for (const { account } of answer.registered) again.delete(account);
      for (const { account, code, detail } of answer.refused) {
        onFault(new TallyError('LEDGER_REFUSED', detail, { code, account }));
      }
      return answer.registered;
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      onFault(error);
      return [];
    } finally {
      const atMs = this.#dependencies.steadyMs() + REGISTER_AGAIN_MS;
      for (const { number } of group) this.#againMs.delete(number);
      for (const number of again.values()) this.#againMs.set(number, atMs);
    }
  }

  async #save(registered: readonly ChainRegistration[]): Promise<void> {
    const { store, met } = this.#dependencies;
    if (registered.length === 0) return;
    const { ledger } = met.known();
    await store.commit(() => {
      if (store.node('ledger') === undefined) store.putNode('ledger', ledger);
      for (const { account, chain, chainKey } of registered) {
        const followed = store.account(account);
        assert(followed !== undefined, 'an account is in the store before it is registered', { account });
        store.putAccount({ ...followed, chain, chainKey: Buffer.from(chainKey).toString('base64') });
      }
    });
  }
}

/**
 * Asks the ledger for the chains of these accounts, then registers our key for each with a proof that it is ours, which names ledger and
 * chain. `meet` is told the ledger before anything is signed for it, and may throw. Throws what the ledger client throws.
 */
async function registerOwnKey(
  accounts: readonly Account[],
  { ledger, signer }: { readonly ledger: LedgerClient; readonly signer: NoteSigner },
  meet: (ledger: ChainRegistrations['ledger']) => void,
): Promise<ChainRegistrations> {
  const known = await ledger.registerChains({ accounts });
  meet(known.ledger);
  if (known.registered.length === 0) return known;
  const proofs = known.registered.map(({ account, chain }) =>
    proveKey({ ledgerName: known.ledger.name, chain, account }, signer),
  );
  const answer = await ledger.registerChains({
    accounts: known.registered.map(({ account }) => account),
    verifierKey: printVerifierKey(signer.key),
    proofs,
  });
  meet(answer.ledger);
  return { ...answer, refused: [...known.refused, ...answer.refused] };
}
