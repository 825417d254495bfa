import { describe, expect, it } from 'vitest';
import { NODE_HASHES, nodeEd25519Verify, nodeHmacSha256 } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { hmacSha256 } from '../../../../../../libs/core/encoding/sha256.ts';
import { verifyPage } from '../../../../../../libs/core/ledger/verify/verify-chain.ts';
import { type CopyToVerify, verifyChain } from '../../../../../oracles/verify-chain.ts';
import { entry, FOLLOWED, MemoryLog, NOBLE_HASHES, sealChain, wholeCopy } from '../../../../../support/ledger-chain.ts';

const DEPENDENCIES = { hashes: NODE_HASHES, hmac: nodeHmacSha256, verify: nodeEd25519Verify };
const CHAIN = sealChain([[entry(1), entry(2)], [entry(3)], [entry(4), entry(5)]]);
const codesOf = (copy: CopyToVerify) => verifyChain(copy, DEPENDENCIES).findings.map((finding) => finding.code);

describe('a whole copy', () => {
  const { copy } = wholeCopy(CHAIN);

  it('that is right verifies to its newest head and its checkpoint', () => {
    const verdict = verifyChain(copy, DEPENDENCIES);
    expect(verdict).toMatchObject({ ok: true, findings: [], head: CHAIN.heads[3], checkpoint: { size: 18 } });
    expect(verdict.blocks.flatMap((block) => block.entries).slice(1)).toEqual(
      [1, 2, 3, 4, 5].map((number) => entry(number)),
    );
  });

  it('verifies the same with noble alone, as a browser would', () => {
    const noble = { hashes: NOBLE_HASHES, hmac: hmacSha256, verify: nodeEd25519Verify };
    expect(verifyChain(copy, noble)).toEqual(verifyChain(copy, DEPENDENCIES));
  });

  it('without its newest block is not in the log: the place is that of another', () => {
    expect(codesOf({ ...copy, page: { ...copy.page, blocks: copy.page.blocks.slice(0, -1) } })).toEqual([
      'BLOCK_NOT_IN_LOG',
    ]);
  });

  it('without a proof for its newest block is not taken', () => {
    expect(codesOf({ ...copy, page: { ...copy.page, place: null } })).toEqual(['BLOCK_NOT_IN_LOG']);
  });

  it('with a path of hashes of a wrong length is not taken, and is no error', () => {
    const place = { index: copy.page.place?.index ?? 0, path: [new Uint8Array(31)] };
    expect(codesOf({ ...copy, page: { ...copy.page, place } })).toEqual(['BLOCK_NOT_IN_LOG']);
    expect(codesOf({ ...copy, page: { ...copy.page, place: { index: -1, path: [] } } })).toEqual(['BLOCK_NOT_IN_LOG']);
  });

  it('under another tag key is not in the log', () => {
    const followed = { ...FOLLOWED, tagKey: new Uint8Array(32) };
    expect(codesOf({ ...copy, followed })).toEqual(['BLOCK_NOT_IN_LOG']);
  });

  it('with a block left out stops there, at the last good head', () => {
    const blocks = copy.page.blocks.filter((_, seq) => seq !== 2);
    const verdict = verifyChain({ ...copy, page: { ...copy.page, blocks } }, DEPENDENCIES);
    expect(verdict.head).toEqual(CHAIN.heads[1]);
    expect(verdict.blocks).toHaveLength(2);
    expect(verdict.findings.map((finding) => finding.code)).toContain('SEQ_NOT_NEXT');
  });

  it('with the same event in two entries says which', () => {
    const repeated = sealChain([[entry(1)], [entry(2, { eventId: entry(1).eventId })]]);
    const [finding] = verifyChain(wholeCopy(repeated).copy, DEPENDENCIES).findings;
    expect(finding).toMatchObject({ code: 'EVENT_REPEATED', seq: 2, entryIndex: 0, eventId: entry(1).eventId });
  });
});

describe('a copy that is followed', () => {
  it('takes new blocks upon its last verified head, page by page', () => {
    const log = new MemoryLog();
    let state: CopyToVerify['state'] = { head: null, checkpoint: null };
    for (const [seq, block] of CHAIN.blocks.entries()) {
      const from = log.leaves.length;
      log.appendStrangers(seq);
      const head = CHAIN.heads[seq];
      if (head === undefined) throw new Error('a head per block');
      const index = log.appendHead(head);
      const { copy } = wholeCopy(CHAIN);
      const verdict = verifyChain(
        {
          ...copy,
          state,
          page: { blocks: [block], place: log.place(index) },
          checkpoint: { note: log.checkpoint(), consistency: log.consistency(from) },
        },
        DEPENDENCIES,
      );
      expect(verdict.findings).toEqual([]);
      state = { head: verdict.head, checkpoint: verdict.checkpoint };
    }
    expect(state.head).toEqual(CHAIN.heads[3]);
  });

  it('an empty page leaves the head where it was, and is good', () => {
    const { copy, log } = wholeCopy(CHAIN);
    const whole = verifyChain(copy, DEPENDENCIES);
    const from = log.leaves.length;
    log.appendStrangers(5);
    const verdict = verifyChain(
      {
        ...copy,
        state: { head: whole.head, checkpoint: whole.checkpoint },
        page: { blocks: [], place: null },
        checkpoint: { note: log.checkpoint(), consistency: log.consistency(from) },
      },
      DEPENDENCIES,
    );
    expect(verdict).toMatchObject({ ok: true, head: CHAIN.heads[3], checkpoint: { size: from + 5 } });
  });

  it('a page of another history upon our head differs at its first block', () => {
    const other = sealChain([[entry(1), entry(2)], [entry(3, { taxPeriod: '2026-27/M09' })], [entry(4)]]);
    const { copy } = wholeCopy(other);
    const checkpoint = verifyChain(copy, DEPENDENCIES).checkpoint;
    if (checkpoint === null) throw new Error('the checkpoint is good');
    const page = { blocks: other.blocks.slice(3), place: copy.page.place };
    const verdict = verifyPage(FOLLOWED, CHAIN.heads[2] ?? null, page, checkpoint, DEPENDENCIES);
    expect(verdict).toMatchObject({ ok: false, findings: [{ code: 'PREV_DIFFERS', seq: 3 }], head: CHAIN.heads[2] });
  });
});
