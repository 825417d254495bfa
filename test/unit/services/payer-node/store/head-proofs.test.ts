import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, describe, expect, it } from 'vitest';
import { account } from '../../../../../libs/core/identity/account.ts';
import { readHeadProof, seqOfHeadProof, writeHeadProof } from '../../../../../services/payer-node/store/head-proofs.ts';
import { accountKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { readBlock, writeBlock } from '../../../../../services/payer-node/store/payer-values.ts';

const OWNER = account('vat:101747696');
const hash = (fill: number): Buffer => Buffer.alloc(32, fill);
const CHECKPOINT = 'tallystick.test/log\n12\nroot=\n\n— tallystick.test £signature\n';
const folder = mkdtempSync(join(tmpdir(), 'tally-head-proofs-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the proof of a head', () => {
  it.each([0, 1, 40])('is read as it was written, with a path of %i hashes', (length) => {
    const proof = {
      seq: 2 ** 40,
      index: 2 ** 41 + 1,
      path: Array.from({ length }, (_, at) => hash(at)),
      note: CHECKPOINT,
    };
    expect(readHeadProof(writeHeadProof(proof))).toEqual(proof);
    expect(seqOfHeadProof(writeHeadProof(proof))).toBe(2 ** 40);
  });

  it('is taken out of the record of its account, where an earlier release had written it there', async () => {
    const head = { account: OWNER, chain: 'ab'.repeat(16), seq: 7, blockHash: 'cd'.repeat(32), balancePence: 1_200 };
    const record = {
      number: 1,
      account: OWNER,
      head: { ...head, proof: { index: 9, path: [hash(1).toString('base64')], checkpoint: CHECKPOINT } },
      acknowledged: { seq: 6, note: 'a note', index: 3, path: [hash(2).toString('base64')] },
    };
    const root = open({ path: folder, maxDbs: 24, noSubdir: false });
    const accounts = root.openDB({ name: 'accounts', keyEncoding: 'binary', encoding: 'string' });
    await accounts.put(accountKey(1), JSON.stringify(record));
    await root.close();
    for (const opening of ['first', 'second']) {
      const store = new PayerStore({ folder });
      const moved = { number: 1, account: OWNER, head, acknowledgedSeq: 6 };
      expect(store.account(OWNER), opening).toEqual(moved);
      expect(store.headProof(1)).toEqual({ seq: 7, index: 9, path: [hash(1)], note: CHECKPOINT });
      expect(store.acknowledgement(1)).toEqual({ seq: 6, index: 3, path: [hash(2)], note: 'a note' });
      await store.close();
    }
  });
});

describe('a stored block', () => {
  it('is read as it was written: texts beyond ASCII, entries of any length, none', () => {
    for (const entries of [[], [Buffer.of(0)], [Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('é')]]) {
      const block = { header: 'tallystick.test/block/v1\nfür\n', totals: '£12\n', entries };
      const stored = writeBlock(block);
      expect(readBlock(stored)).toEqual(block);
      // 4 bytes of length before each: 30 and 5 bytes of texts, and the entries.
      expect(stored.length).toBe(4 + 30 + 4 + 5 + entries.reduce((sum, one) => sum + 4 + one.length, 0));
    }
  });
});
