import { latin1TreeHasher } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { LedgerClient } from '../../../libs/adapters/http/ledger-client.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { acknowledge, signAcknowledgement } from '../../../libs/core/ledger/note/acknowledgement.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import type { VerifiedCheckpoint } from '../../../libs/core/ledger/verify/verify-checkpoint.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

export interface AcknowledgeDependencies {
  readonly store: PayerStore;
  readonly ledger: LedgerClient;
  readonly signer: NoteSigner;
  readonly onFault: (fault: TallyError) => void;
}

/** Heads under one signature at most. */
const HEADS_MAX = 5_000;

/**
 * Countersigns every head that is stored and not yet acknowledged: "received and stored", one signature for all chains, each with a
 * path of its own. Whatever does not arrive is countersigned again with the next pull; the ledger takes a repeat as the same.
 */
export async function acknowledgeHeads(
  over: { readonly ledgerName: string; readonly checkpoint: VerifiedCheckpoint },
  dependencies: AcknowledgeDependencies,
): Promise<void> {
  const pending = pendingAccounts(dependencies.store);
  if (pending.size === 0) return;
  const heads = [...pending.values()].flatMap(({ chain, head }) =>
    chain === null || head === null ? [] : [{ chain, seq: head.seq, blockHash: head.blockHash }],
  );
  const { text, proofs } = acknowledge(over.ledgerName, over.checkpoint, heads, latin1TreeHasher);
  const note = signAcknowledgement(text, dependencies.signer);
  try {
    await dependencies.ledger.acknowledge({
      note,
      heads: proofs.map(({ head }) => ({ ...head, blockHash: Buffer.from(head.blockHash, 'hex') })),
    });
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    dependencies.onFault(error);
    return;
  }
  const { store } = dependencies;
  await store.commit(() => {
    for (const { head, index, path } of proofs) {
      const owner = pending.get(head.chain)?.account;
      const followed = owner === undefined ? undefined : store.account(owner);
      if (followed === undefined) continue;
      store.putAcknowledgement(followed, { seq: head.seq, note, index, path });
    }
  });
}

function pendingAccounts(store: PayerStore): ReadonlyMap<string, FollowedAccount> {
  const pending = new Map<string, FollowedAccount>();
  for (const followed of store.uncountersigned()) {
    if (followed.chain === null) continue;
    pending.set(followed.chain, followed);
    if (pending.size === HEADS_MAX) break;
  }
  return pending;
}
