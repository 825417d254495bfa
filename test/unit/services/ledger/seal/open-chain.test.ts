import { describe, expect, it } from 'vitest';
import { NODE_HASHES } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import type { Account } from '../../../../../libs/core/identity/account.ts';
import { parseBlockHeader } from '../../../../../libs/core/ledger/block/block-header.ts';
import { parseBlockTotals } from '../../../../../libs/core/ledger/block/block-totals.ts';
import { type OpenEntry, openEntryOf } from '../../../../../libs/core/ledger/block/seal-block.ts';
import { chainKeysOf } from '../../../../../libs/core/ledger/entry/chain-keys.ts';
import { InputProgress } from '../../../../../services/ledger/seal/input-progress.ts';
import { BLOCK_LIMITS, type EntryContext, OpenChain } from '../../../../../services/ledger/seal/open-chain.ts';
import { ACCOUNT, assessment, entry, seededBytes } from '../../../../support/ledger-chain.ts';

const RULES = 'a1'.repeat(32);
const track = new InputProgress('liabilities.v1', 0, 0);
const context = (change: Partial<EntryContext> = {}): EntryContext => ({
  taxPeriod: '2026-27/M08',
  rulesHash: RULES,
  source: track.read(0),
  now: { civilMs: 1_000, elapsedMs: 1_000 },
  ...change,
});
const chain = (account: Account = ACCOUNT): OpenChain =>
  new OpenChain(account, chainKeysOf(seededBytes('master', 32), account), null);
const openEntry = (number: number, change: Parameters<typeof entry>[1] = {}): OpenEntry =>
  openEntryOf(entry(number, change));
const seal = (open: OpenChain, reason: 'age' | 'size' = 'age', civilMs = 5_000) =>
  open.seal({ ledgerName: 'ledger-4f1d', reason, civilMs, blind: seededBytes('blind', 32), hashes: NODE_HASHES });

describe('OpenChain', () => {
  it('closes nothing before its first entry', () => {
    expect(chain().closesBefore(openEntry(1), context(), BLOCK_LIMITS)).toBeNull();
  });

  it('closes before an entry that rests on other rules, and not before a payment', () => {
    const open = chain();
    open.take(openEntry(1), context());
    const other = context({ rulesHash: 'cc'.repeat(32) });
    expect(open.closesBefore(openEntry(2), other, BLOCK_LIMITS)).toBe('rules');
    expect(open.closesBefore(openEntry(2, { kind: 'payment' }), other, BLOCK_LIMITS)).toBeNull();
  });

  it('takes the rules of the first entry that rests on any', () => {
    const open = chain();
    open.take(openEntry(1, { kind: 'payment', taxPeriod: '' }), context({ taxPeriod: '', rulesHash: 'cc'.repeat(32) }));
    expect(open.closesBefore(openEntry(2), context(), BLOCK_LIMITS)).toBeNull();
    open.take(openEntry(2), context());
    expect(Buffer.from(parseBlockHeader(seal(open).block.header).rules).toString('hex')).toBe(RULES);
  });

  it('closes before a later period and before a later year, and takes a late entry of an earlier period', () => {
    const open = chain();
    open.take(openEntry(1), context());
    const period = (taxPeriod: string) => open.closesBefore(openEntry(2), context({ taxPeriod }), BLOCK_LIMITS);
    expect(period('2026-27/M09')).toBe('period');
    expect(period('2027-28/M01')).toBe('year');
    expect(period('2026-27/M07')).toBeNull();
    expect(period('2025-26/M12')).toBeNull();
    expect(period('')).toBeNull();
  });

  it('knows the years of VAT periods', () => {
    const open = chain('vat:123456727');
    open.take(openEntry(1), context({ taxPeriod: '2026-07-01/2026-09-30' }));
    const period = (taxPeriod: string) => open.closesBefore(openEntry(2), context({ taxPeriod }), BLOCK_LIMITS);
    expect(period('2026-10-01/2026-12-31')).toBe('period');
    expect(period('2027-01-01/2027-03-31')).toBe('year');
  });

  it('is full at 512 entries', () => {
    const open = chain();
    for (let number = 1; number <= 511; number += 1) open.take(openEntry(number), context());
    expect(open.isFull(BLOCK_LIMITS)).toBe(false);
    open.take(openEntry(512), context());
    expect(open.isFull(BLOCK_LIMITS)).toBe(true);
  });

  it('closes before an entry that would take it beyond its bytes', () => {
    const open = chain();
    const first = openEntry(1);
    open.take(first, context());
    const limits = { entriesMax: 512, bytesMax: first.bytes.length + 10 };
    expect(open.closesBefore(openEntry(2), context(), limits)).toBe('size');
  });

  it('refuses a decision out of its turn', () => {
    const open = chain();
    open.take(openEntry(1), context());
    expect(() => open.take(openEntry(3), context())).toThrow(expect.objectContaining({ code: 'ASSERTION_FAILED' }));
  });

  it('seals block upon block with running sums', () => {
    const open = chain();
    open.take(openEntry(1), context());
    const first = seal(open);
    open.take(openEntry(2), context());
    open.take(openEntry(3), context());
    const second = seal(open, 'size', 9_000);
    expect(parseBlockHeader(second.block.header)).toMatchObject({ seq: 1, reason: 'size', closedAtMs: 9_000 });
    expect(Buffer.from(parseBlockHeader(second.block.header).prev)).toEqual(Buffer.from(first.blockHash));
    const due = assessment(1).amounts.reduce((sum, amount) => sum + amount.pence, 0);
    expect(parseBlockTotals(second.block.totals)).toMatchObject({
      entriesSince0: 3,
      chargesSince0Pence: 3 * due,
      decisions: { first: 2, last: 3 },
    });
  });

  it('closes no block before the time of the block under it, though the clock went back', () => {
    const open = chain();
    open.take(openEntry(1), context());
    seal(open, 'age', 60_000);
    open.take(openEntry(2), context());
    expect(parseBlockHeader(seal(open, 'age', 1_000).block.header).closedAtMs).toBe(60_000);
  });

  it('pins the oldest message of an input once, and lets go when it seals', () => {
    const inputs = new InputProgress('liabilities.v1', 3, 0);
    const [early, late] = [inputs.read(4), inputs.read(9)];
    const open = chain();
    open.take(openEntry(1), context({ source: early }));
    open.take(openEntry(2), context({ source: late }));
    expect([early.pins, late.pins]).toEqual([1, 0]);
    expect(inputs.advance()).toBeNull();
    seal(open);
    expect(inputs.advance()).toEqual({ topic: 'liabilities.v1', partition: 3, next: 10 });
  });
});
