import { describeDivergence } from '../../../libs/core/ledger/verify/divergence.ts';
import { formatPenceSum } from '../../../libs/core/money/pence-sum.ts';
import type { CopyReport } from '../verify/copy-report.ts';
import { assertReadable } from '../verify/file-form.ts';
import { verifyCopy } from '../verify/verify.ts';
import { printVerdict, verifyDivergence } from '../verify/verify-divergence.ts';

export interface VerifyCommandOptions {
  readonly json?: boolean;
  readonly ledgerKey?: string;
}

const FINDINGS_SHOWN_MAX = 50;

/**
 * `tally verify FILE`: exit code 1 where anything in the copy is not what it should be, or where a divergence report shows a fault of the
 * ledger that is proven, or for it to answer. Throws FILE_UNREADABLE, COPY_REWRITTEN, NOT_A_COPY: such a file says nothing of the ledger.
 */
export async function verify(file: string, options: VerifyCommandOptions): Promise<void> {
  await assertReadable(file);
  const verdict = await verifyDivergence(file, options.ledgerKey);
  if (verdict !== null) {
    if (verdict.verdict !== 'claimed') process.exitCode = 1;
    if (options.json === true) console.log(JSON.stringify(verdict));
    else printVerdict(verdict);
    return;
  }
  const report = await verifyCopy(file, options.ledgerKey === undefined ? {} : { ledgerKey: options.ledgerKey });
  if (!report.ok) process.exitCode = 1;
  if (options.json === true) console.log(JSON.stringify(report));
  else print(report);
}

function print(report: CopyReport): void {
  const { checked, totals } = report;
  console.log(`account    ${report.account ?? 'unknown'}`);
  console.log(`ledger     ${report.ledger?.verifierKey ?? 'unknown'}`);
  console.log(`blocks     ${checked.blocks}, linked and in the public log${sizeOf(report)}`);
  console.log(
    `entries    ${checked.entries}, of which ${checked.recomputed} worked out again from the payer's own events`,
  );
  console.log(
    `receipts   ${checked.receipts}; rejections ${checked.rejections}; awaiting a decision ${checked.awaiting}`,
  );
  if (checked.unconfirmed > 0)
    console.log(`${checked.unconfirmed} payments at HMRC's bank, of which the payer has no record`);
  for (const [head, amount] of Object.entries(totals.heads))
    console.log(`  ${head.padEnd(24)} ${formatPenceSum(amount).padStart(18)}`);
  console.log(`  ${'balance owed'.padEnd(24)} ${formatPenceSum(totals.balancePence).padStart(18)}`);
  for (const hash of report.rulesOfCopyAlone)
    console.log(`note: rule set ${hash} is known from the copy alone, not from this release`);
  if (report.ok) {
    console.log('VERIFIED: nothing in this copy differs from what it should be');
    return;
  }
  for (const finding of report.findings.slice(0, FINDINGS_SHOWN_MAX))
    console.log(`DIFFERS: ${describeDivergence(finding)}`);
  console.log(`NOT VERIFIED: ${report.findings.length} finding${report.findings.length === 1 ? '' : 's'}`);
}

function sizeOf(report: CopyReport): string {
  return report.checkpoint === null ? '' : ` under a checkpoint of size ${report.checkpoint.size}`;
}
