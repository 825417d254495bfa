import { describe, expect, it } from 'vitest';
import { signCheckpoint } from '../../../../../../libs/core/ledger/note/checkpoint.ts';
import { parseTlogProof, printTlogProof, type TlogProof } from '../../../../../../libs/core/ledger/note/tlog-proof.ts';
import { LEDGER_SIGNER, ORIGIN, seededBytes } from '../../../../../support/ledger-chain.ts';

const CHECKPOINT = signCheckpoint({ origin: ORIGIN, size: 5, root: seededBytes('root', 32) }, LEDGER_SIGNER);
const PROOF: TlogProof = {
  extra: seededBytes('tag', 32),
  index: 3,
  path: [seededBytes('a', 32), seededBytes('b', 32), seededBytes('c', 32)],
  checkpoint: CHECKPOINT,
};
const TEXT = printTlogProof(PROOF);

describe('proof files', () => {
  it('are lines that anyone can read', () => {
    const base64 = (label: string) => Buffer.from(seededBytes(label, 32)).toString('base64');
    expect(TEXT).toBe(
      `c2sp.org/tlog-proof@v1\nextra ${base64('tag')}\nindex 3\n${base64('a')}\n${base64('b')}\n${base64('c')}\n\n${CHECKPOINT}`,
    );
  });

  it('come back as they were, with extra data and hashes or without', () => {
    for (const proof of [
      PROOF,
      { ...PROOF, extra: null },
      { ...PROOF, path: [] },
      { ...PROOF, extra: null, path: [] },
    ]) {
      expect(parseTlogProof(printTlogProof(proof))).toEqual(proof);
    }
  });

  it.each([
    ['another version', TEXT.replace('@v1', '@v2')],
    ['no index', TEXT.replace('index 3\n', '')],
    ['a leading zero', TEXT.replace('index 3', 'index 03')],
    [
      'a hash of 31 bytes',
      TEXT.replace(Buffer.from(seededBytes('a', 32)).toString('base64'), Buffer.alloc(31).toString('base64')),
    ],
    ['no checkpoint', TEXT.slice(0, TEXT.indexOf('\n\n') + 2)],
    ['no blank line', TEXT.replace('\n\n', '\n')],
    ['extra behind the index', TEXT.replace(/(extra .*\n)(index .*\n)/, '$2$1')],
    ['more hashes than a tree has levels', printTlogProof({ ...PROOF, path: Array(65).fill(seededBytes('a', 32)) })],
  ])('%s: not a proof', (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(expect.objectContaining({ code: 'TLOG_PROOF_MALFORMED' }));
  });
});
