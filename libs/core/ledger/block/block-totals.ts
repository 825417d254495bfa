import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { type PenceSum, parsePenceSum } from '../../money/pence-sum.ts';
import { linesOfText } from '../note/signed-note.ts';
import { isKeyName } from '../note/verifier-key.ts';

/**
 * The totals of a block, a text for HMRC and the payer only (ledger.md section 3):
 *
 *     <ledger name>/totals/v1
 *     entries <n in this block> <n since block 0>
 *     charges <pence> <pence since block 0>
 *     payments <pence> <pence since block 0>
 *     balance <pence>
 *     decisions <first>-<last>
 *     blind <base64>
 *
 * The running sums make any two blocks prove the sum between them. Sums are exact however large they grow (PenceSum).
 */
export interface BlockTotals {
  readonly ledgerName: string;
  readonly entries: number;
  readonly entriesSince0: number;
  /** All amounts that are not payments. */
  readonly chargesPence: PenceSum;
  readonly chargesSince0Pence: PenceSum;
  /** Received less paid back, positive. */
  readonly paymentsPence: PenceSum;
  readonly paymentsSince0Pence: PenceSum;
  /** Previous balance + charges - payments. */
  readonly balancePence: PenceSum;
  /** First and last number of the account's decisions in this block; null (`-`) where nothing applies. */
  readonly decisions: DecisionRange | null;
  /** 32 random bytes. */
  readonly blind: Uint8Array;
}

export interface DecisionRange {
  readonly first: number;
  readonly last: number;
}

export const BLIND_BYTES = 32;
const TITLE = '/totals/v1';
const LABELS = ['entries', 'charges', 'payments', 'balance', 'decisions', 'blind'] as const;

export function printBlockTotals(totals: BlockTotals): string {
  const decisions = totals.decisions === null ? '-' : `${totals.decisions.first}-${totals.decisions.last}`;
  return (
    `${totals.ledgerName}${TITLE}\n` +
    `entries ${totals.entries} ${totals.entriesSince0}\n` +
    `charges ${totals.chargesPence} ${totals.chargesSince0Pence}\n` +
    `payments ${totals.paymentsPence} ${totals.paymentsSince0Pence}\n` +
    `balance ${totals.balancePence}\n` +
    `decisions ${decisions}\n` +
    `blind ${toBase64(totals.blind)}\n`
  );
}

/** Throws TOTALS_MALFORMED for anything that printBlockTotals would not print. */
export function parseBlockTotals(text: string): BlockTotals {
  try {
    const [title = '', ...lines] = linesOfText(text, LABELS.length + 1);
    const [entries = [], charges = [], payments = [], balance = [], decisions = [], blind = []] =
      lines.map(valuesOfLine);
    const ledgerName = title.slice(0, -TITLE.length);
    if (title !== ledgerName + TITLE || !isKeyName(ledgerName)) throw malformed('its title');
    return {
      ledgerName,
      entries: parseCount(entries[0] ?? ''),
      entriesSince0: parseCount(entries[1] ?? ''),
      chargesPence: parsePenceSum(charges[0] ?? ''),
      chargesSince0Pence: parsePenceSum(charges[1] ?? ''),
      paymentsPence: parsePenceSum(payments[0] ?? ''),
      paymentsSince0Pence: parsePenceSum(payments[1] ?? ''),
      balancePence: parsePenceSum(balance[0] ?? ''),
      decisions: parseRange(decisions[0] ?? ''),
      blind: fromBase64(blind[0] ?? '', BLIND_BYTES),
    };
  } catch (cause) {
    throw malformed('a line of it', cause);
  }
}

/** SHA-256 of the totals text: what the header names. */
export function totalsHashOf(totalsText: string, hash: Sha256 = sha256): Uint8Array {
  return hash(totalsText);
}

const VALUES_OF_LINE = [2, 2, 2, 1, 1, 1] as const;

function valuesOfLine(line: string, index: number): readonly string[] {
  const [label, ...values] = line.split(' ');
  if (label !== LABELS[index] || values.length !== VALUES_OF_LINE[index]) throw malformed(`line ${index + 2}`);
  return values;
}

function parseRange(text: string): DecisionRange | null {
  if (text === '-') return null;
  const [first = '', last = '', ...more] = text.split('-');
  const range = { first: parseCount(first), last: parseCount(last) };
  if (more.length > 0 || range.first < 1 || range.last < range.first) throw malformed('its decisions');
  return range;
}

function malformed(what: string, cause?: unknown): TallyError {
  return new TallyError('TOTALS_MALFORMED', `not the totals of a block: ${what}`, { what }, { cause });
}
