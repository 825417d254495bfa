import { describe, expect, it } from 'vitest';
import {
  latin1TreeHasher,
  nodeEd25519Verify,
  noteSignerOfSeed,
} from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { signCheckpoint } from '../../../../../../libs/core/ledger/note/checkpoint.ts';
import {
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../../../../../../libs/core/ledger/verify/verify-checkpoint.ts';
import { LEDGER_NAME, LEDGER_SIGNER, MemoryLog, ORIGIN, seededBytes } from '../../../../../support/ledger-chain.ts';

const LOG = { origin: ORIGIN, keys: [LEDGER_SIGNER.key] };
const DEPENDENCIES = { verify: nodeEd25519Verify, tree: latin1TreeHasher };
const log = new MemoryLog();
log.appendStrangers(20);

function verified(size: number): VerifiedCheckpoint {
  const verdict = verifyCheckpoint({ note: log.checkpoint(size), consistency: [] }, null, LOG, DEPENDENCIES);
  if (!verdict.ok) throw new Error('a good checkpoint');
  return verdict.checkpoint;
}

const codeOf = (note: string, consistency: readonly Uint8Array[], previous: VerifiedCheckpoint | null) => {
  const verdict = verifyCheckpoint({ note, consistency }, previous, LOG, DEPENDENCIES);
  return verdict.ok ? 'ok' : verdict.finding.code;
};

describe('a checkpoint after another', () => {
  it('is taken with its proof, from any size to any', () => {
    for (let from = 0; from <= 20; from++) {
      for (let to = from; to <= 20; to++) {
        expect(codeOf(log.checkpoint(to), log.consistency(from, to), verified(from)), `${from} to ${to}`).toBe('ok');
      }
    }
  });

  it('without its proof, or with that of another size, is not consistent', () => {
    expect(codeOf(log.checkpoint(20), [], verified(13))).toBe('CHECKPOINT_NOT_CONSISTENT');
    expect(codeOf(log.checkpoint(20), log.consistency(12, 20), verified(13))).toBe('CHECKPOINT_NOT_CONSISTENT');
    expect(codeOf(log.checkpoint(20), [new Uint8Array(5)], verified(13))).toBe('CHECKPOINT_NOT_CONSISTENT');
  });

  it('that is smaller is behind', () => {
    expect(codeOf(log.checkpoint(12), [], verified(13))).toBe('CHECKPOINT_BEHIND');
  });

  it('of the same size with another root splits the log', () => {
    const note = signCheckpoint({ origin: ORIGIN, size: 13, root: seededBytes('another root', 32) }, LEDGER_SIGNER);
    expect(codeOf(note, [], verified(13))).toBe('CHECKPOINT_SPLIT');
  });

  it('by another key, of another log, or broken is refused', () => {
    const checkpoint = { origin: ORIGIN, size: 13, root: seededBytes('root', 32) };
    const impostor = noteSignerOfSeed(LEDGER_NAME, seededBytes('impostor', 32));
    expect(codeOf(signCheckpoint(checkpoint, impostor), [], null)).toBe('CHECKPOINT_REFUSED');
    expect(codeOf(signCheckpoint({ ...checkpoint, origin: 'other/2026' }, LEDGER_SIGNER), [], null)).toBe(
      'CHECKPOINT_REFUSED',
    );
    expect(codeOf('not a note', [], null)).toBe('CHECKPOINT_REFUSED');
  });
});
