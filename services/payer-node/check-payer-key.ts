import { keyNotOfData } from '../../libs/adapters/access/key-files.ts';
import { nodeEd25519Verify } from '../../libs/adapters/crypto/node-crypto.ts';
import { openNote } from '../../libs/core/ledger/note/signed-note.ts';
import type { VerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import type { PayerStore } from './store/payer-store.ts';

/**
 * Holds the key that countersigns, and its name, against the store: against what stands beside the copy, or, in a store from before that, against
 * the countersignatures in it. A chain's first key stands (ledger.md section 5), so the ledger would refuse another one for ever. Puts the key beside
 * the copy where it is not yet. Throws KEY_NOT_OF_THIS_DATA.
 */
export async function checkPayerKey(store: PayerStore, key: VerifierKey): Promise<void> {
  const data = "the store of the payer's node";
  const found = printVerifierKey(key);
  const expected = store.node('signer');
  if (expected !== undefined) {
    if (expected !== found) throw keyNotOfData('payer-ed25519', { data, expected, found });
    return;
  }
  for (const { number } of store.accounts()) {
    const signed = store.acknowledgement(number);
    if (signed === undefined) continue;
    if (!isSignedBy(signed.note, key)) throw keyNotOfData('payer-ed25519', { data, expected: 'another', found });
    break;
  }
  await store.commit(() => store.putNode('signer', found));
}

function isSignedBy(note: string, key: VerifierKey): boolean {
  try {
    openNote(note, [key], nodeEd25519Verify);
    return true;
  } catch {
    return false;
  }
}
