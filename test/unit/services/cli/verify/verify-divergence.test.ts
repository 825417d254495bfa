import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { noteSignerOfSeed } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { printVerifierKey } from '../../../../../libs/core/ledger/note/verifier-key.ts';
import {
  type DivergenceReport,
  printDivergenceReport,
} from '../../../../../libs/core/ledger/verify/divergence-report.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { verifyDivergence } from '../../../../../services/cli/verify/verify-divergence.ts';
import {
  ACCOUNT,
  entry,
  FOLLOWED,
  LEDGER_KEY,
  LEDGER_NAME,
  MemoryLog,
  ORIGIN,
  sealChain,
  seededBytes,
} from '../../../../support/ledger-chain.ts';

const folder = mkdtempSync(join(tmpdir(), 'divergence-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [mine, theirs] = [
  sealChain([[entry(1)], [entry(2)]]),
  sealChain([[entry(1)], [entry(2, { basePence: pence(1) })]]),
].map((chain) => {
  const log = new MemoryLog();
  for (const head of chain.heads) log.appendHead(head);
  return { checkpoint: log.checkpoint(), blocks: [] };
});
if (mine === undefined || theirs === undefined) throw new Error('two versions');
const REPORT: DivergenceReport = {
  madeAt: '2026-11-21T09:45:00.000Z',
  ledgerName: LEDGER_NAME,
  origin: ORIGIN,
  ledgerVerifierKey: LEDGER_KEY,
  account: ACCOUNT,
  chain: FOLLOWED.chain,
  findings: [],
  held: mine,
  came: theirs,
  consistency: [],
};

function saved(text: string): string {
  const file = join(folder, 'report.json');
  writeFileSync(file, text);
  return file;
}

/** `tally verify`, as a person runs it. */
function tally(text: string, ...more: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['services/cli/tally.js', 'verify', saved(text), ...more],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('a divergence report as a file', () => {
  it('in which the ledger signed two roots of one size is proven: exit code 1', () => {
    const { status, stdout } = tally(printDivergenceReport(REPORT), '--ledger-key', LEDGER_KEY);
    expect({ status, stdout }).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('PROVEN against the ledger: the ledger signed two roots of its log of 3'),
    });
    expect(stdout).not.toContain('stands in the report itself');
  });

  it('in which nothing contradicts is not proven: exit code 0, and it says whose key was taken', () => {
    const { status, stdout } = tally(printDivergenceReport({ ...REPORT, came: mine }));
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('NOT PROVEN') });
    expect(stdout).toContain('stands in the report itself');
  });

  it('may be the whole answer of the payer node', async () => {
    const answer = { number: 1, findings: [], own: {}, report: JSON.parse(printDivergenceReport(REPORT)) as unknown };
    const verdict = await verifyDivergence(saved(JSON.stringify(answer)), LEDGER_KEY);
    expect(verdict).toMatchObject({ verdict: 'proven', case: 'split log', isOwnKey: false });
  });

  it('proves nothing against a ledger whose key did not sign', async () => {
    const other = printVerifierKey(noteSignerOfSeed(LEDGER_NAME, seededBytes('another ledger', 32)).key);
    expect(await verifyDivergence(saved(printDivergenceReport(REPORT)), other)).toMatchObject({ verdict: 'claimed' });
  });

  it('is not judged by a key that is none', async () => {
    await expect(verifyDivergence(saved(printDivergenceReport(REPORT)), 'no key')).rejects.toMatchObject({
      code: 'VERIFIER_KEY_INVALID',
    });
  });

  it('that is damaged cannot be judged: exit code 2, with what is wrong', () => {
    const { status, stderr } = tally(printDivergenceReport(REPORT).replace(`"${LEDGER_NAME}"`, '7'));
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('DIVERGENCE_REPORT_MALFORMED'),
    });
  });

  it('is told from a copy, which is checked as one, and from anything else', async () => {
    for (const text of ['', '{}', 'no JSON', '{"kind":"copy","format":"tallystick/divergence/v1"}']) {
      expect(await verifyDivergence(saved(text)), text).toBeNull();
    }
    expect(tally('{"kind":"copy","format":"tallystick/divergence/v1"}').stdout).toContain('COPY_MALFORMED');
    const { status, stderr } = tally('{}');
    expect(status).toBe(2);
    expect(stderr).toContain('NOT_A_COPY');
  });
});
