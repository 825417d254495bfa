import { toBase64 } from '../../encoding/base64.ts';
import { sameBytes } from '../../encoding/compare-bytes.ts';
import { toHex } from '../../encoding/hex.ts';
import { hasCode, TallyError } from '../../errors/tally-error.ts';
import type { Account } from '../../identity/account.ts';
import { addSums, type PenceSum, subtractSums, totalOf } from '../../money/pence-sum.ts';
import { type BlockHeader, blockHashOf, parseBlockHeader, ZERO_HASH_HEX } from '../block/block-header.ts';
import { type BlockTotals, parseBlockTotals, totalsHashOf } from '../block/block-totals.ts';
import type { SealedBlock } from '../block/blocks-message.ts';
import { type ChainHead, headOf, nextSeqOf, prevHashOf, sumsOf } from '../block/chain-head.ts';
import type { LedgerHashes } from '../block/seal-block.ts';
import { decodeEntry } from '../entry/entry-codec.ts';
import { chargesOf, type LedgerEntry, paymentsOf, restsOnRules } from '../entry/ledger-entry.ts';
import { rootOfLeaves } from '../tree/compact-range.ts';
import type { Divergence, DivergenceCode } from './divergence.ts';

/** What a chain is known by before any of its blocks is read. */
export interface ChainIdentity {
  readonly ledgerName: string;
  /** The verifier key string that block 0 must hold; left out where the caller checks key events itself. */
  readonly ledgerVerifierKey?: string;
  readonly account: Account;
  /** 32 lower-case hex. */
  readonly chain: string;
}

/** The exact texts and entry bytes of a block, as they travel and are stored. */
export type BlockTexts = Pick<SealedBlock, 'header' | 'totals' | 'entries'>;

export interface VerifiedBlock {
  readonly block: BlockTexts;
  readonly header: BlockHeader;
  readonly totals: BlockTotals;
  readonly head: ChainHead;
  readonly entries: readonly LedgerEntry[];
}

export type BlockVerdict =
  | { readonly ok: true; readonly verified: VerifiedBlock }
  | { readonly ok: false; readonly findings: readonly Divergence[] };

/**
 * Checks one block against the head before it (ledger.md section 5): header lines → seq and prev → entries root → entries canonical →
 * totals, running sums and decision numbers. Pure; never throws on hostile input. Whether it is in the public log is verify-chain.ts.
 */
export function examineBlock<Hash>(
  previous: ChainHead | null,
  block: BlockTexts,
  identity: ChainIdentity,
  hashes: LedgerHashes<Hash>,
): BlockVerdict {
  const findings: Divergence[] = [];
  const report = reporter(findings, identity, nextSeqOf(previous));
  const header = parsed(() => parseBlockHeader(block.header), report, 'HEADER_MALFORMED', 'header');
  if (header === null) return { ok: false, findings };
  checkHeader(header, previous, block, identity, report);
  const root = hashes.tree.toBytes(rootOfLeaves(block.entries, hashes.tree));
  expectBytes(report, 'ENTRIES_ROOT_DIFFERS', 'entries', header.entriesRoot, root);
  expectBytes(report, 'TOTALS_HASH_DIFFERS', 'totals', header.totalsHash, totalsHashOf(block.totals, hashes.sha256));
  const totals = parsed(() => parseBlockTotals(block.totals), report, 'TOTALS_MALFORMED', 'totals');
  const entries = decodeEntries(block.entries, report);
  if (totals === null || entries === null) return { ok: false, findings };
  const lastDecision = checkDecisions(entries, totals, previous, report);
  checkTotals(entries, totals, previous, identity, report);
  checkRules(entries, header, report);
  if (previous === null) checkFirstEntry(entries, identity, report);
  if (findings.length > 0) return { ok: false, findings };
  const blockHash = toHex(blockHashOf(block.header, hashes.sha256));
  const head = headOf(identity.account, header, totals, blockHash, lastDecision);
  return { ok: true, verified: { block, header, totals, head, entries } };
}

interface Place {
  readonly entryIndex?: number;
  readonly eventId?: LedgerEntry['eventId'];
}
type Report = (code: DivergenceCode, field: string, expected: string, found: string, place?: Place) => void;

function reporter(findings: Divergence[], identity: ChainIdentity, seq: number): Report {
  const { account, chain } = identity;
  return (code, field, expected, found, place = {}) => {
    const { entryIndex = null, eventId = null } = place;
    findings.push({ code, account, chain, seq, entryIndex, eventId, field, expected, found });
  };
}

function checkHeader(
  header: BlockHeader,
  previous: ChainHead | null,
  block: BlockTexts,
  identity: ChainIdentity,
  report: Report,
): void {
  expectText(report, 'LEDGER_DIFFERS', 'ledger', identity.ledgerName, header.ledgerName);
  expectText(report, 'CHAIN_DIFFERS', 'chain', identity.chain, header.chain);
  expectText(report, 'SEQ_NOT_NEXT', 'seq', String(nextSeqOf(previous)), String(header.seq));
  expectText(report, 'PREV_DIFFERS', 'prev', prevHashOf(previous), toHex(header.prev));
  expectText(report, 'ENTRY_COUNT_DIFFERS', 'entries', String(header.entryCount), String(block.entries.length));
  if (block.entries.length === 0) report('ENTRY_COUNT_DIFFERS', 'entries', 'at least one', '0');
}

function decodeEntries(stored: readonly Uint8Array[], report: Report): readonly LedgerEntry[] | null {
  const entries: LedgerEntry[] = [];
  stored.forEach((bytes, entryIndex) => {
    try {
      entries.push(decodeEntry(bytes));
    } catch (error) {
      if (!hasCode(error, 'ENTRY_NOT_CANONICAL')) throw error;
      report('ENTRY_NOT_CANONICAL', 'entry', 'a canonical entry', error.message, { entryIndex });
    }
  });
  return entries.length === stored.length ? entries : null;
}

/** Numbers run on from the last decision without gap; the range in the totals is what the entries say. */
function checkDecisions(
  entries: readonly LedgerEntry[],
  totals: BlockTotals,
  previous: ChainHead | null,
  report: Report,
): number {
  const before = sumsOf(previous).lastDecision;
  let last = before;
  entries.forEach(({ number, eventId }, entryIndex) => {
    if (number === 0) return;
    if (number !== last + 1) {
      report('DECISION_NOT_NEXT', 'number', String(last + 1), String(number), { entryIndex, eventId });
    }
    last = number;
  });
  const named = last > before && entries.some((entry) => restsOnRules(entry.kind));
  const found = totals.decisions === null ? '-' : `${totals.decisions.first}-${totals.decisions.last}`;
  expectText(report, 'TOTALS_DIFFER', 'decisions', named ? `${before + 1}-${last}` : '-', found);
  return last;
}

function checkTotals(
  entries: readonly LedgerEntry[],
  totals: BlockTotals,
  previous: ChainHead | null,
  identity: ChainIdentity,
  report: Report,
): void {
  const before = sumsOf(previous);
  expectText(report, 'LEDGER_DIFFERS', 'ledger of the totals', identity.ledgerName, totals.ledgerName);
  const charges = totalOf(entries.map(chargesOf));
  const payments = totalOf(entries.map(paymentsOf));
  const expected: readonly (readonly [string, PenceSum, PenceSum])[] = [
    ['entries', entries.length, totals.entries],
    ['entries since block 0', before.entriesSince0 + entries.length, totals.entriesSince0],
    ['charges', charges, totals.chargesPence],
    ['charges since block 0', addSums(before.chargesSince0Pence, charges), totals.chargesSince0Pence],
    ['payments', payments, totals.paymentsPence],
    ['payments since block 0', addSums(before.paymentsSince0Pence, payments), totals.paymentsSince0Pence],
    ['balance', subtractSums(addSums(before.balancePence, charges), payments), totals.balancePence],
  ];
  for (const [field, sum, stated] of expected) {
    if (sum !== stated) report('TOTALS_DIFFER', field, String(sum), String(stated));
  }
}

function checkRules(entries: readonly LedgerEntry[], header: BlockHeader, report: Report): void {
  const named = toHex(header.rules) !== ZERO_HASH_HEX;
  const needed = entries.some((entry) => restsOnRules(entry.kind));
  if (named && !needed) report('RULES_DIFFER', 'rules', ZERO_HASH_HEX, toHex(header.rules));
  if (!named && needed) report('RULES_DIFFER', 'rules', 'the hash of a rule set', ZERO_HASH_HEX);
}

/** Block 0 holds one key event entry with the ledger's verifier key. */
function checkFirstEntry(entries: readonly LedgerEntry[], identity: ChainIdentity, report: Report): void {
  const [first] = entries;
  expectText(report, 'ENTRY_COUNT_DIFFERS', 'entries of block 0', '1', String(entries.length));
  if (first === undefined) return;
  const place = { entryIndex: 0, eventId: first.eventId };
  if (first.kind !== 'key event') report('LEDGER_KEY_DIFFERS', 'kind', 'key event', first.kind, place);
  const { ledgerVerifierKey } = identity;
  if (ledgerVerifierKey !== undefined && first.detail !== ledgerVerifierKey) {
    report('LEDGER_KEY_DIFFERS', 'verifier key', ledgerVerifierKey, first.detail, place);
  }
}

function expectText(report: Report, code: DivergenceCode, field: string, expected: string, found: string): void {
  if (expected !== found) report(code, field, expected, found);
}

function expectBytes(report: Report, code: DivergenceCode, field: string, stated: Uint8Array, made: Uint8Array): void {
  if (!sameBytes(stated, made)) report(code, field, toBase64(stated), toBase64(made));
}

function parsed<T>(parse: () => T, report: Report, code: DivergenceCode, field: string): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    report(code, field, `a ${field} of these lines`, error.message);
    return null;
  }
}
