import { describe, expect, it } from 'vitest';
import { blocksCodec } from '../../../../../libs/adapters/codec/blocks-codec.ts';
import type { AcknowledgedHead, SealedBlock } from '../../../../../libs/core/ledger/block/blocks-message.ts';
import { packMessages } from '../../../../../services/ledger/seal/pack-messages.ts';
import { ACCOUNT } from '../../../../support/ledger-chain.ts';

const block = (entryBytes: number, seq: number): SealedBlock => ({
  account: ACCOUNT,
  chain: '0'.repeat(32),
  header: `header ${seq}\n`,
  totals: 'totals\n',
  entries: [new Uint8Array(entryBytes)],
});
const head = (seq: number): AcknowledgedHead => ({
  account: ACCOUNT,
  chain: '0'.repeat(32),
  seq,
  blockHash: '1'.repeat(64),
});

describe('packMessages', () => {
  it('makes no message of nothing', () => {
    expect(packMessages([], null, [])).toEqual([]);
  });

  it('keeps the order of blocks and stays within the bytes', () => {
    const blocks = Array.from({ length: 50 }, (_, seq) => block(20_000, seq));
    const bodies = packMessages(blocks, null, []);
    expect(bodies.flatMap((body) => body.blocks)).toEqual(blocks);
    expect(bodies.length).toBe(2);
    const link = { id: 'a'.repeat(32), previous: '0'.repeat(32) };
    for (const body of bodies) expect(blocksCodec.encode(link, [], body).length).toBeLessThan(512 * 1024 + 1_000);
  });

  it('gives a block that is larger than a message one of its own', () => {
    const bodies = packMessages([block(10, 0), block(600_000, 1), block(10, 2)], null, []);
    expect(bodies.map((body) => body.blocks.length)).toEqual([1, 1, 1]);
  });

  it('puts the checkpoint, which is over what came before, with the first message', () => {
    const bodies = packMessages([block(400_000, 0), block(400_000, 1)], 'note', []);
    expect(bodies.map((body) => body.checkpoint)).toEqual(['note', null]);
    expect(packMessages([], 'note', [])).toEqual([{ blocks: [], checkpoint: 'note', acknowledged: [] }]);
  });

  it('splits many countersigned heads', () => {
    const heads = Array.from({ length: 9_000 }, (_, seq) => head(seq));
    const bodies = packMessages([block(10, 0)], null, heads);
    expect(bodies.flatMap((body) => body.acknowledged)).toEqual(heads);
    expect(bodies.map((body) => body.acknowledged.length)).toEqual([0, 4_000, 4_000, 1_000]);
  });
});
