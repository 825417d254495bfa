import { describe, expect, it } from 'vitest';
import { NODE_HASHES } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { parseBlockHeader } from '../../../../../../libs/core/ledger/block/block-header.ts';
import { parseBlockTotals } from '../../../../../../libs/core/ledger/block/block-totals.ts';
import { openEntryOf, type SealOptions, sealBlock } from '../../../../../../libs/core/ledger/block/seal-block.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import {
  ACCOUNT,
  CLOSED_AT_MS,
  entry,
  FOLLOWED,
  firstEntry,
  LEDGER_NAME,
  NOBLE_HASHES,
  sealChain,
  seededBytes,
} from '../../../../../support/ledger-chain.ts';

const CHAIN = sealChain([[entry(1), entry(2)]]);
const RULES = 'ab'.repeat(32);
const OPTIONS: SealOptions = {
  ledgerName: LEDGER_NAME,
  account: ACCOUNT,
  chain: FOLLOWED.chain,
  previous: CHAIN.heads[1] ?? null,
  entries: [entry(3), entry(4, { kind: 'payment', amounts: [{ head: 'payment', pence: pence(10_000) }] })].map(
    openEntryOf,
  ),
  closedAtMs: CLOSED_AT_MS + 999,
  reason: 'demand',
  rulesHash: RULES,
  blind: seededBytes('blind', 32),
};

describe('sealing', () => {
  it('block 0 holds the key, no decisions and no rules', () => {
    const header = parseBlockHeader(CHAIN.blocks[0]?.header ?? '');
    const totals = parseBlockTotals(CHAIN.blocks[0]?.totals ?? '');
    expect(header).toMatchObject({ seq: 0, entryCount: 1, prev: new Uint8Array(32), rules: new Uint8Array(32) });
    expect(totals).toMatchObject({ entries: 1, entriesSince0: 1, balancePence: 0, decisions: null });
  });

  it('sums charges and payments upon the head before', () => {
    // Two charges of 40,656 before; here one more charge, and 10,000 received.
    const { head, block } = sealBlock(OPTIONS, NODE_HASHES);
    expect(parseBlockTotals(block.totals)).toMatchObject({
      entries: 2,
      entriesSince0: 5,
      chargesPence: 40_656,
      chargesSince0Pence: 3 * 40_656,
      paymentsPence: 10_000,
      paymentsSince0Pence: 10_000,
      balancePence: 3 * 40_656 - 10_000,
      decisions: { first: 3, last: 4 },
    });
    expect(head).toMatchObject({ seq: 2, lastDecision: 4, balancePence: 3 * 40_656 - 10_000 });
  });

  it('closes at whole seconds, cut', () => {
    expect(parseBlockHeader(sealBlock(OPTIONS, NODE_HASHES).block.header).closedAtMs).toBe(CLOSED_AT_MS);
  });

  it('gives the same bytes by noble as by node', () => {
    const [node, noble] = [sealBlock(OPTIONS, NODE_HASHES), sealBlock(OPTIONS, NOBLE_HASHES)];
    expect(noble.block).toEqual(node.block);
    expect(Buffer.from(noble.blockHash)).toEqual(Buffer.from(node.blockHash));
  });

  it.each([
    ['no entries', { entries: [] }],
    ['a gap in the decisions', { entries: [openEntryOf(entry(4))] }],
    ['a decision again', { entries: [openEntryOf(entry(2))] }],
    ['assessed entries without a rule set', { rulesHash: null }],
    ['a short blind', { blind: new Uint8Array(31) }],
    ['the head of another chain', { chain: 'f'.repeat(32) }],
  ])('%s cannot be sealed', (_, change) => {
    expect(() => sealBlock({ ...OPTIONS, ...change }, NODE_HASHES)).toThrow(
      expect.objectContaining({ code: 'ASSERTION_FAILED' }),
    );
  });

  it('key entries need no rule set, whatever it is given', () => {
    const { block } = sealBlock({ ...OPTIONS, entries: [openEntryOf(firstEntry())], reason: 'key' }, NODE_HASHES);
    expect(parseBlockHeader(block.header).rules).toEqual(new Uint8Array(32));
  });
});
