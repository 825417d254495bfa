import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify, noteSignerOfSeed } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { openCheckpoint, printCheckpoint, signCheckpoint } from '../../../../../../libs/core/ledger/note/checkpoint.ts';
import { addSignature, cosign, openCosignatures } from '../../../../../../libs/core/ledger/note/cosignature.ts';
import { parseNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { COSIGNATURE } from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import { LEDGER_SIGNER, ORIGIN, seededBytes } from '../../../../../support/ledger-chain.ts';

const WITNESS = noteSignerOfSeed('witness.example', seededBytes('witness', 32), COSIGNATURE);
const CHECKPOINT = { origin: ORIGIN, size: 7, root: seededBytes('root', 32) };
const NOTE = signCheckpoint(CHECKPOINT, LEDGER_SIGNER);
const COSIGNED = addSignature(NOTE, cosign(printCheckpoint(CHECKPOINT), 1_679_315_147, WITNESS));

describe('cosignatures', () => {
  it('tell who saw a checkpoint and when', () => {
    expect(openCosignatures(COSIGNED, [WITNESS.key], nodeEd25519Verify)).toEqual([
      { key: WITNESS.key, timeSeconds: 1_679_315_147 },
    ]);
  });

  it('hold key id, 8 bytes of time and 64 of signature', () => {
    const line = parseNote(COSIGNED).signatures[1];
    expect(line?.signature).toHaveLength(72);
    expect(Buffer.from(line?.signature ?? []).readBigUInt64BE(0)).toBe(1_679_315_147n);
  });

  it('leave the log key able to open its checkpoint, and count for nothing as a signature of the text', () => {
    const expected = { origin: ORIGIN, keys: [LEDGER_SIGNER.key] };
    expect(openCheckpoint(COSIGNED, expected, nodeEd25519Verify)).toEqual(CHECKPOINT);
    expect(() => openCheckpoint(COSIGNED, { origin: ORIGIN, keys: [WITNESS.key] }, nodeEd25519Verify)).toThrow(
      expect.objectContaining({ code: 'NOTE_UNSIGNED' }),
    );
  });

  it('are signed with their time: another time is bad', () => {
    const line = cosign(printCheckpoint(CHECKPOINT), 1_679_315_147, WITNESS);
    const later = line.signature.slice();
    later[7] = (later[7] ?? 0) + 1;
    expect(() =>
      openCosignatures(addSignature(NOTE, { ...line, signature: later }), [WITNESS.key], nodeEd25519Verify),
    ).toThrow(expect.objectContaining({ code: 'COSIGNATURE_INVALID' }));
    const short = { ...line, signature: line.signature.slice(1) };
    expect(() => openCosignatures(addSignature(NOTE, short), [WITNESS.key], nodeEd25519Verify)).toThrow(
      expect.objectContaining({ code: 'COSIGNATURE_INVALID' }),
    );
  });

  it('by an unknown witness are ignored', () => {
    expect(openCosignatures(COSIGNED, [], nodeEd25519Verify)).toEqual([]);
  });
});
