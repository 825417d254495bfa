import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { AcknowledgedHead } from '../../../libs/core/ledger/block/blocks-message.ts';
import { openAcknowledgement } from '../../../libs/core/ledger/note/acknowledgement.ts';
import { parseVerifierKey, type VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { LedgerIdentity } from '../store/ledger-identity.ts';
import type { StoredChain } from '../store/ledger-records.ts';
import { blockHashAt, type ReadBlockDependencies } from '../store/read-block.ts';

export interface CheckAcknowledgementDependencies extends ReadBlockDependencies {
  readonly identity: LedgerIdentity;
  /** The chain of the head at a place of the list, as the caller sees it: folded (the stage) or committed (the door). */
  readonly chainOf: (head: AcknowledgedHead, index: number) => StoredChain | undefined;
  readonly payerKeyOf: (chain: StoredChain) => string | undefined;
}

/**
 * Checks that each head is a block of its chain, and that the key which that chain's payer registered signed these heads.
 * Throws ACKNOWLEDGEMENT_INVALID, ACKNOWLEDGEMENT_MALFORMED, NOTE_*, HEAD_UNKNOWN, PAYER_KEY_UNKNOWN, PAYER_KEY_DIFFERS, BLOCK_DAMAGED.
 */
export function checkAcknowledgement(
  note: string,
  heads: readonly AcknowledgedHead[],
  dependencies: CheckAcknowledgementDependencies,
): void {
  const { identity, crypto } = dependencies;
  const keyTexts = heads.map((head, index) => keyOfHead(head, index, dependencies));
  const keys = new Map<string, VerifierKey>();
  for (const text of new Set(keyTexts)) keys.set(text, parseVerifierKey(text));
  const expected = { ledgerName: identity.name, keys: [...keys.values()], heads };
  const { signedBy } = openAcknowledgement(note, expected, crypto.verify, crypto.hashes.tree);
  heads.forEach((head, index) => {
    const key = keys.get(keyTexts[index] ?? '');
    if (key === undefined || !signedBy.includes(key)) throw refused('PAYER_KEY_DIFFERS', head);
  });
}

function keyOfHead(head: AcknowledgedHead, index: number, dependencies: CheckAcknowledgementDependencies): string {
  const chain = dependencies.chainOf(head, index);
  if (chain === undefined || chain.keys.chain !== head.chain) throw refused('HEAD_UNKNOWN', head);
  if (blockHashAt(chain, head.seq, dependencies) !== head.blockHash) throw refused('HEAD_UNKNOWN', head);
  const key = dependencies.payerKeyOf(chain);
  if (key === undefined) throw refused('PAYER_KEY_UNKNOWN', head);
  return key;
}

function refused(code: 'HEAD_UNKNOWN' | 'PAYER_KEY_UNKNOWN' | 'PAYER_KEY_DIFFERS', head: AcknowledgedHead): TallyError {
  const why = {
    HEAD_UNKNOWN: 'the ledger has no such block in the chain',
    PAYER_KEY_UNKNOWN: 'no verifier key is registered for the chain',
    PAYER_KEY_DIFFERS: 'the note is not signed by the key that is registered for the chain',
  }[code];
  return new TallyError(code, `head ${head.seq} of chain ${head.chain}: ${why}`, { chain: head.chain, seq: head.seq });
}
