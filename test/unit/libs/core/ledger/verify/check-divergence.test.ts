import { describe, expect, it } from 'vitest';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  noteSignerOfSeed,
} from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import {
  blockHashOf,
  parseBlockHeader,
  printBlockHeader,
} from '../../../../../../libs/core/ledger/block/block-header.ts';
import {
  parseBlockTotals,
  printBlockTotals,
  totalsHashOf,
} from '../../../../../../libs/core/ledger/block/block-totals.ts';
import type { ChainHead } from '../../../../../../libs/core/ledger/block/chain-head.ts';
import { slotTagOf } from '../../../../../../libs/core/ledger/block/log-leaf.ts';
import { signCheckpoint } from '../../../../../../libs/core/ledger/note/checkpoint.ts';
import { printTlogProof } from '../../../../../../libs/core/ledger/note/tlog-proof.ts';
import { printVerifierKey } from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import { checkDivergence } from '../../../../../../libs/core/ledger/verify/check-divergence.ts';
import type { BlockEvidence, DivergenceReport } from '../../../../../../libs/core/ledger/verify/divergence-report.ts';
import {
  parseDivergenceReport,
  printDivergenceReport,
} from '../../../../../../libs/core/ledger/verify/divergence-report.ts';
import type { BlockTexts } from '../../../../../../libs/core/ledger/verify/verify-block.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import {
  ACCOUNT,
  entry,
  FOLLOWED,
  LEDGER_KEY,
  LEDGER_NAME,
  LEDGER_SIGNER,
  MemoryLog,
  ORIGIN,
  sealChain,
  seededBytes,
} from '../../../../../support/ledger-chain.ts';

const CHAIN = sealChain([[entry(1), entry(2)], [entry(3)]]);
const OTHER = sealChain([[entry(1), entry(2)], [entry(3, { basePence: pence(1) })]]);
const DEPENDENCIES = { verify: nodeEd25519Verify, hashes: NODE_HASHES };
const judge = (report: DivergenceReport, key = LEDGER_KEY) =>
  checkDivergence(parseDivergenceReport(printDivergenceReport(report)), key, DEPENDENCIES);

/** A block with its proof file in a log that holds it. */
function sealed(log: MemoryLog, block: BlockTexts, head: Pick<ChainHead, 'seq' | 'blockHash'>): BlockEvidence {
  const index = log.appendHead(head as ChainHead);
  return { block, proof: proofOf(log, index, head.seq) };
}

function proofOf(log: MemoryLog, index: number, seq: number): string {
  const extra = slotTagOf(FOLLOWED.tagKey, seq);
  return printTlogProof({ extra, ...log.place(index), checkpoint: log.checkpoint() });
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

const NOTHING = { checkpoint: null, blocks: [] };
const REPORT: DivergenceReport = {
  madeAt: '2026-11-21T09:45:00.000Z',
  ledgerName: LEDGER_NAME,
  origin: ORIGIN,
  ledgerVerifierKey: LEDGER_KEY,
  account: ACCOUNT,
  chain: FOLLOWED.chain,
  findings: [],
  held: NOTHING,
  came: NOTHING,
  consistency: [],
};

describe('two blocks, one chain and seq', () => {
  const log = new MemoryLog();
  const held = sealed(log, at(CHAIN.blocks, 2), at(CHAIN.heads, 2));
  const came = sealed(log, at(OTHER.blocks, 2), at(OTHER.heads, 2));
  const report: DivergenceReport = {
    ...REPORT,
    held: { checkpoint: null, blocks: [held] },
    came: { checkpoint: null, blocks: [came] },
  };

  it('are proven by two headers, each with its proof under a signed checkpoint', () => {
    expect(judge(report)).toMatchObject({ verdict: 'proven', case: 'two blocks' });
    expect(judge(report).why).toContain('under one slot tag');
  });

  it('are not proven by one proof, by a block twice, or by a header that was changed', () => {
    const unproven = (blocks: readonly BlockEvidence[]) =>
      judge({ ...report, came: { checkpoint: null, blocks } }).verdict;
    expect(unproven([{ ...came, proof: null }])).toBe('claimed');
    expect(unproven([held])).toBe('claimed');
    const header = came.block.header.replace(/closed .*Z/, 'closed 2026-11-21T00:00:00Z');
    expect(unproven([{ ...came, block: { ...came.block, header } }])).toBe('claimed');
    expect(unproven([{ ...came, proof: 'no proof file' }])).toBe('claimed');
  });

  it('are not proven against a ledger whose key did not sign', () => {
    const other = printVerifierKey(noteSignerOfSeed(LEDGER_NAME, seededBytes('other', 32)).key);
    expect(judge(report, other).verdict).toBe('claimed');
    expect(judge({ ...report, origin: `${LEDGER_NAME}/2027` }).verdict).toBe('claimed');
  });
});

describe('a false block', () => {
  /** Block 2 with a balance that is not previous + charges - payments, sealed all the same. */
  function falseBlock(): { readonly block: BlockTexts; readonly head: Pick<ChainHead, 'seq' | 'blockHash'> } {
    const honest = at(CHAIN.blocks, 2);
    const totals = printBlockTotals({ ...parseBlockTotals(honest.totals), balancePence: pence(1) });
    const header = printBlockHeader({ ...parseBlockHeader(honest.header), totalsHash: totalsHashOf(totals) });
    const blockHash = Buffer.from(blockHashOf(header)).toString('hex');
    return { block: { ...honest, header, totals }, head: { seq: 2, blockHash } };
  }

  const log = new MemoryLog();
  const { block, head } = falseBlock();
  const came = { checkpoint: null, blocks: [sealed(log, block, head)] };
  const held = { checkpoint: null, blocks: [{ block: at(CHAIN.blocks, 1), proof: null }] };

  it('that was sealed is proven by its own bytes and the block before it', () => {
    const verdict = judge({ ...REPORT, held, came });
    expect(verdict).toMatchObject({ verdict: 'proven', case: 'false block' });
    expect(verdict.why).toContain('TOTALS_DIFFER balance');
  });

  it('is a claim without the block before it, or with that block changed', () => {
    expect(judge({ ...REPORT, came }).verdict).toBe('claimed');
    const before = at(CHAIN.blocks, 1);
    const changed = { block: { ...before, totals: before.totals.replace(/blind .{4}/, 'blind AAAA') }, proof: null };
    expect(judge({ ...REPORT, held: { checkpoint: null, blocks: [changed] }, came }).verdict).toBe('claimed');
  });

  it('cannot be made of a good one by whoever writes the report', () => {
    const good = new MemoryLog();
    const evidence = sealed(good, at(CHAIN.blocks, 2), at(CHAIN.heads, 2));
    const report = { ...REPORT, held, came: { checkpoint: null, blocks: [evidence] } };
    expect(judge(report).verdict).toBe('claimed');
    expect(judge({ ...report, ledgerName: 'another', chain: 'f'.repeat(32), ledgerVerifierKey: 'none' }).verdict).toBe(
      'claimed',
    );
    const entries = evidence.block.entries.map((bytes) => bytes.slice(1));
    const spoilt = { ...evidence, block: { ...evidence.block, entries } };
    expect(judge({ ...report, came: { checkpoint: null, blocks: [spoilt] } }).verdict).toBe('claimed');
    const totals = evidence.block.totals.replace('balance ', 'balance 1');
    const inflated = { ...evidence, block: { ...evidence.block, totals } };
    expect(judge({ ...report, came: { checkpoint: null, blocks: [inflated] } }).verdict).toBe('claimed');
  });
});

describe('two checkpoints', () => {
  const log = new MemoryLog();
  log.appendStrangers(9);
  const fork = signCheckpoint({ origin: ORIGIN, size: 9, root: seededBytes('fork', 32) }, LEDGER_SIGNER);
  const version = (checkpoint: string) => ({ checkpoint, blocks: [] });

  it('with two roots for one size are proof', () => {
    const report = { ...REPORT, account: null, chain: null, held: version(log.checkpoint()), came: version(fork) };
    expect(judge(report)).toMatchObject({ verdict: 'proven', case: 'split log' });
  });

  it('of two sizes without a proof between them are for the ledger to answer; with it they are nothing', () => {
    const report = { ...REPORT, held: version(log.checkpoint(5)), came: version(log.checkpoint(9)) };
    expect(judge(report)).toMatchObject({ verdict: 'unanswered', case: 'not consistent' });
    expect(judge({ ...report, consistency: log.consistency(5, 9) })).toMatchObject({
      verdict: 'claimed',
      case: 'claim',
    });
  });

  it('that are the same are nothing', () => {
    expect(judge({ ...REPORT, held: version(fork), came: version(fork) }).verdict).toBe('claimed');
  });
});
