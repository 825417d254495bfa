import { parseUtc, printUtc } from '../../calendar/utc-time.ts';
import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { SHA256_BYTES, type Sha256, sha256 } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { linesOfText } from '../note/signed-note.ts';
import { isKeyName } from '../note/verifier-key.ts';

/** Why a block was closed (ledger.md section 3): full, old, a period's or year's end, on demand, a key event, a change of rules. */
const CLOSE_REASONS = ['size', 'age', 'period', 'demand', 'key', 'rules', 'year'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/**
 * A block's header, a text of exactly these lines (ledger.md section 3):
 *
 *     <ledger name>/block/v1
 *     chain <32 lower-case hex>
 *     seq <n>
 *     prev <base64>
 *     entries <count> <base64>
 *     totals <base64>
 *     closed <RFC 3339 UTC, seconds> <reason>
 *     rules <base64>
 */
export interface BlockHeader {
  readonly ledgerName: string;
  readonly chain: string;
  /** From 0, no gaps. */
  readonly seq: number;
  /** Hash of the previous header; 32 zero bytes for block 0. */
  readonly prev: Uint8Array;
  readonly entryCount: number;
  /** Root of the RFC 6962 tree whose leaves are the entry byte strings. */
  readonly entriesRoot: Uint8Array;
  /** SHA-256 of the totals text. */
  readonly totalsHash: Uint8Array;
  /** Whole seconds, in milliseconds since 1970. */
  readonly closedAtMs: number;
  readonly reason: CloseReason;
  /** Hash of the rule set of all its entries; 32 zero bytes where no entry rests on rules. */
  readonly rules: Uint8Array;
}

export const ZERO_HASH: Uint8Array = new Uint8Array(SHA256_BYTES);
export const ZERO_HASH_HEX = '0'.repeat(2 * SHA256_BYTES);
const TITLE = '/block/v1';
const LABELS = ['chain', 'seq', 'prev', 'entries', 'totals', 'closed', 'rules'] as const;
const CHAIN = /^[0-9a-f]{32}$/;

export function printBlockHeader(header: BlockHeader): string {
  return (
    `${header.ledgerName}${TITLE}\n` +
    `chain ${header.chain}\n` +
    `seq ${header.seq}\n` +
    `prev ${toBase64(header.prev)}\n` +
    `entries ${header.entryCount} ${toBase64(header.entriesRoot)}\n` +
    `totals ${toBase64(header.totalsHash)}\n` +
    `closed ${printUtc(header.closedAtMs, 'seconds')} ${header.reason}\n` +
    `rules ${toBase64(header.rules)}\n`
  );
}

/** Throws HEADER_MALFORMED for anything that printBlockHeader would not print. */
export function parseBlockHeader(text: string): BlockHeader {
  try {
    const [title = '', ...lines] = linesOfText(text, LABELS.length + 1);
    const [chain = '', seq = '', prev = '', entries = '', totals = '', closed = '', rules = ''] =
      lines.map(valueOfLine);
    const [count = '', root = ''] = pairOf(entries);
    const [time = '', reason = ''] = pairOf(closed);
    const ledgerName = title.slice(0, -TITLE.length);
    const closeReason = CLOSE_REASONS.find((known) => known === reason);
    if (title !== ledgerName + TITLE || !isKeyName(ledgerName)) throw malformed('its title');
    if (!CHAIN.test(chain) || closeReason === undefined) throw malformed('its chain or reason');
    return {
      ledgerName,
      chain,
      seq: parseCount(seq),
      prev: fromBase64(prev, SHA256_BYTES),
      entryCount: parseCount(count),
      entriesRoot: fromBase64(root, SHA256_BYTES),
      totalsHash: fromBase64(totals, SHA256_BYTES),
      closedAtMs: parseUtc(time, 'seconds'),
      reason: closeReason,
      rules: fromBase64(rules, SHA256_BYTES),
    };
  } catch (cause) {
    throw malformed('a line of it', cause);
  }
}

/** True where a header that printBlockHeader printed names these: for one whose hash is known to be right, so that nothing else of it is in question. */
export function headerNames(
  headerText: string,
  named: Pick<BlockHeader, 'entryCount' | 'entriesRoot' | 'totalsHash'>,
): boolean {
  const { entryCount, entriesRoot, totalsHash } = named;
  return headerText.includes(
    `\nentries ${entryCount} ${toBase64(entriesRoot)}\ntotals ${toBase64(totalsHash)}\nclosed `,
  );
}

/** Block hash = SHA-256 of the header text. */
export function blockHashOf(headerText: string, hash: Sha256 = sha256): Uint8Array {
  return hash(headerText);
}

function valueOfLine(line: string, index: number): string {
  const label = `${LABELS[index]} `;
  if (!line.startsWith(label)) throw malformed(`line ${index + 2} does not begin with "${label}"`);
  return line.slice(label.length);
}

function pairOf(value: string): readonly string[] {
  const parts = value.split(' ');
  if (parts.length !== 2) throw malformed('a line has not two values');
  return parts;
}

function malformed(what: string, cause?: unknown): TallyError {
  return new TallyError('HEADER_MALFORMED', `not a block header: ${what}`, { what }, { cause });
}
