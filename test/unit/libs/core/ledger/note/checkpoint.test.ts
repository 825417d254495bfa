import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import {
  openCheckpoint,
  originOf,
  parseCheckpoint,
  printCheckpoint,
  signCheckpoint,
} from '../../../../../../libs/core/ledger/note/checkpoint.ts';
import { signNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { LEDGER_SIGNER, ORIGIN, seededBytes } from '../../../../../support/ledger-chain.ts';

const CHECKPOINT = { origin: ORIGIN, size: 109482, root: seededBytes('root', 32) };
const TEXT = printCheckpoint(CHECKPOINT);
const expected = { origin: ORIGIN, keys: [LEDGER_SIGNER.key] };

describe('checkpoints', () => {
  it('are three lines: origin, size, root', () => {
    const root = Buffer.from(CHECKPOINT.root).toString('base64');
    expect(TEXT).toBe(`ledger-4f1d/2026\n109482\n${root}\n`);
    expect(parseCheckpoint(TEXT)).toEqual(CHECKPOINT);
    expect(originOf('ledger-4f1d', 2026)).toBe(ORIGIN);
  });

  it('open as they were signed', () => {
    expect(openCheckpoint(signCheckpoint(CHECKPOINT, LEDGER_SIGNER), expected, nodeEd25519Verify)).toEqual(CHECKPOINT);
  });

  it.each([
    ['an extension line', `${TEXT}more\n`],
    ['a leading zero', TEXT.replace('109482', '0109482')],
    ['a plus', TEXT.replace('109482', '+109482')],
    ['a negative size', TEXT.replace('109482', '-1')],
    ['a size beyond 2^53', TEXT.replace('109482', '9007199254740993')],
    ['no origin', TEXT.replace(ORIGIN, '')],
    ['a blank behind the origin', TEXT.replace(ORIGIN, `${ORIGIN} `)],
    ['a short root', TEXT.replace(/.{4}\n$/, '\n')],
    ['no newline', TEXT.slice(0, -1)],
  ])('%s: not a checkpoint, though well signed', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(expect.objectContaining({ code: 'CHECKPOINT_MALFORMED' }));
    const note = () => openCheckpoint(signNote(text, [LEDGER_SIGNER]), expected, nodeEd25519Verify);
    expect(note).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(CHECKPOINT|NOTE)_MALFORMED$/) }));
  });

  it('of another log is refused', () => {
    const note = signCheckpoint({ ...CHECKPOINT, origin: originOf('ledger-4f1d', 2027) }, LEDGER_SIGNER);
    expect(() => openCheckpoint(note, expected, nodeEd25519Verify)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_ORIGIN_DIFFERS' }),
    );
  });
});
