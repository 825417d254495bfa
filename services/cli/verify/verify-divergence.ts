import { open, readFile } from 'node:fs/promises';
import { NODE_HASHES, nodeEd25519Verify } from '../../../libs/adapters/crypto/node-crypto.ts';
import { checkDivergence, type ReportVerdict } from '../../../libs/core/ledger/verify/check-divergence.ts';
import { type Divergence, describeDivergence } from '../../../libs/core/ledger/verify/divergence.ts';
import {
  type DivergenceReport,
  parseDivergenceReport,
  REPORT_CHARACTERS_MAX,
  REPORT_FORMAT,
} from '../../../libs/core/ledger/verify/divergence-report.ts';
import { assertFile } from '../input/open-input.ts';

/** What a divergence report comes to for a reader who trusts neither party. */
export interface DivergenceVerdict extends ReportVerdict {
  readonly report: Pick<DivergenceReport, 'madeAt' | 'ledgerName' | 'account' | 'chain'>;
  /** What the payer's node found when it made the report. */
  readonly findings: readonly Divergence[];
  /** The ledger's verifier key that the signatures were held against. */
  readonly ledgerKey: string;
  /** True where that key is the report's own: then it says nothing of whose ledger it is. */
  readonly isOwnKey: boolean;
}

/** A payer's copy begins so, and nothing else does. */
const COPY_BEGINS = '{"kind":';

/**
 * Judges a divergence report offline (docs/formats/payers-copy.md): the report itself, or the answer of `GET /payer/v1/divergences/{number}` that
 * holds it. Null where the file is neither. Without `ledgerKey` the report's own key is taken. Throws DIVERGENCE_REPORT_MALFORMED,
 * VERIFIER_KEY_INVALID, and FILE_UNREADABLE where the file cannot be read.
 */
export async function verifyDivergence(file: string, ledgerKey?: string): Promise<DivergenceVerdict | null> {
  const text = await reportText(file);
  if (text === null) return null;
  const report = parseDivergenceReport(text);
  const key = ledgerKey ?? report.ledgerVerifierKey;
  const { madeAt, ledgerName, account, chain, findings } = report;
  const verdict = checkDivergence(report, key, { verify: nodeEd25519Verify, hashes: NODE_HASHES });
  const isOwnKey = ledgerKey === undefined;
  return { ...verdict, report: { madeAt, ledgerName, account, chain }, findings, ledgerKey: key, isOwnKey };
}

/** The report's JSON, or null where the file is something else. A copy may be large: it is told by its first bytes. */
async function reportText(file: string): Promise<string | null> {
  await assertFile(file);
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(COPY_BEGINS.length), 0, COPY_BEGINS.length, 0);
    if (buffer.toString('latin1', 0, bytesRead) === COPY_BEGINS) return null;
    if ((await handle.stat()).size > REPORT_CHARACTERS_MAX) return null;
  } finally {
    await handle.close();
  }
  const whole = parsed(await readFile(file, 'utf8'));
  for (const candidate of [whole, memberOf(whole, 'report')]) {
    if (memberOf(candidate, 'format') === REPORT_FORMAT) return JSON.stringify(candidate);
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** Prints a verdict for people. */
export function printVerdict(verdict: DivergenceVerdict): void {
  const { report, findings } = verdict;
  console.log(
    `report     of ${report.madeAt}, on ${report.account ?? 'the public log'} of ledger ${report.ledgerName}`,
  );
  console.log(`ledger     ${verdict.ledgerKey}`);
  if (verdict.isOwnKey)
    console.log('note: that key stands in the report itself; give --ledger-key the one that you know from elsewhere');
  for (const finding of findings) console.log(`FOUND: ${describeDivergence(finding)}`);
  console.log(`${HEADLINES[verdict.verdict]}: ${verdict.why}`);
}

const HEADLINES: Readonly<Record<ReportVerdict['verdict'], string>> = {
  proven: 'PROVEN against the ledger',
  unanswered: 'UNANSWERED by the ledger',
  claimed: 'NOT PROVEN',
};
