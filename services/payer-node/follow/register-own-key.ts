import type { ChainRegistrations, LedgerClient } from '../../../libs/adapters/http/ledger-client.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { proveKey } from '../../../libs/core/ledger/entry/key-registration.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';

/**
 * Asks the ledger for the chains of these accounts, then registers our key for each with a proof that it is ours, which names ledger and
 * chain. `meet` is told the ledger before anything is signed for it, and may throw. Throws what the ledger client throws.
 */
export async function registerOwnKey(
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
