import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { accountForUrl, accountFromUrl } from '../../libs/core/identity/account.ts';
import { addSums, type PenceSum } from '../../libs/core/money/pence-sum.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import type { Summary } from '../../services/reconciliation/report/summary.ts';
import type { CheckedLedger } from './check-ledger.ts';
import { type CommandResult, eventually, type ServiceProcess, tally } from './service-process.ts';
import { checkDataFolder } from './whole-ledger.ts';

/** What the command line prints with --json at the end of an import. */
export interface ImportResult {
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly events: number;
  readonly rejections: readonly { readonly name: string; readonly code: string; readonly reason: string }[];
}

/** Whom a payer's node is asked through, alone or with everything else in one process. */
export type PayerDoor = Pick<ServiceProcess, 'urlOf' | 'key' | 'call'>;

const MAPPINGS = { sales: 'docs/mappings/online-retail.json', payroll: 'docs/mappings/payroll.json' } as const;
const TAXES = ['paye', 'vat'] as const;

/** `tally import sales|payroll FILE` on a running service. */
export function importFile(
  kind: 'sales' | 'payroll',
  file: string,
  service: ServiceProcess,
  more: readonly string[] = [],
): Promise<CommandResult> {
  const vrn = kind === 'sales' ? ['--vrn', '101747696'] : [];
  const reach = ['--data-dir', service.dataDir, '--json'];
  return tally(['import', kind, file, '--mapping', MAPPINGS[kind], ...vrn, ...reach, ...more]);
}

/** The reconciliation's figures as an analyst reads them. */
export async function summaryOf(service: ServiceProcess): Promise<Summary> {
  return (await service.call<Summary>('analyst', 'GET', '/reconciliation/v1/summary')).body;
}

/** Resolves with the figures once at least so many events of each tax were received and nothing is under way or in difference. */
export function settled(
  service: ServiceProcess,
  events: { readonly paye?: number; readonly vat?: number } = {},
  withinMs = 180_000,
): Promise<Summary> {
  const isSettled = ({ state, taxes, blocks }: Summary): boolean =>
    state === 'agreed' &&
    blocks.sealed === blocks.acknowledged &&
    TAXES.every(
      (tax) =>
        taxes[tax].received.events >= (events[tax] ?? 0) &&
        taxes[tax].differences.every(
          ({ inFlight, overdue, differs }) => inFlight.events + overdue.events + differs === 0,
        ),
    );
  return eventually(() => summaryOf(service), isSettled, withinMs);
}

export interface VerifiedCopies {
  readonly accounts: number;
  readonly blocks: number;
  /** Entries of decisions; key events are not counted. */
  readonly entries: number;
  readonly recomputed: number;
  readonly rejections: number;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  /** Pence by account and head. */
  readonly heads: ReadonlyMap<string, Readonly<Record<string, PenceSum>>>;
}

/** Every copy that the payer node holds, exported and verified offline. Throws what any copy is not as it should be in. */
export async function verifiedCopies(service: PayerDoor): Promise<VerifiedCopies> {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-copies-'));
  try {
    return await exportAndVerify(service, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function exportAndVerify(service: PayerDoor, folder: string): Promise<VerifiedCopies> {
  const { body } = await service.call<{ accounts: { account: string; seq: number | null }[] }>(
    'payer',
    'GET',
    '/payer/v1/accounts',
  );
  const heads = new Map<string, Readonly<Record<string, PenceSum>>>();
  let [blocks, entries, recomputed, rejections] = [0, 0, 0, 0];
  let chargesPence: PenceSum = 0;
  let paymentsPence: PenceSum = 0;
  for (const { account, seq } of body.accounts) {
    // Followed, but nothing was ever decided of it.
    if (seq === null) continue;
    const file = join(folder, 'copy.tally');
    await exportCopy(service, account, file);
    const report = await verifyCopy(file);
    if (!report.ok || report.checked.awaiting > 0) {
      throw new Error(`the copy of ${account} is not whole: ${JSON.stringify([report.findings, report.checked])}`);
    }
    blocks += report.checked.blocks;
    entries += report.checked.recomputed + report.checked.unconfirmed;
    recomputed += report.checked.recomputed;
    rejections += report.checked.rejections;
    chargesPence = addSums(chargesPence, report.totals.chargesPence);
    paymentsPence = addSums(paymentsPence, report.totals.paymentsPence);
    heads.set(account, report.totals.heads);
  }
  return { accounts: heads.size, blocks, entries, recomputed, rejections, chargesPence, paymentsPence, heads };
}

/** The payer's copy of one account (docs/formats/payers-copy.md), as the node gives it. */
export async function exportCopy(service: PayerDoor, account: string, file: string): Promise<void> {
  const path = `/payer/v1/accounts/${encodeURIComponent(accountForUrl(accountFromUrl(account)))}/copy`;
  const headers = { authorization: `Bearer ${service.key('payer')}` };
  const response = await fetch(`${service.urlOf(path)}${path}`, { headers });
  if (!response.ok || response.body === null) throw new Error(`${path} answered ${response.status}`);
  await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file));
}

interface EndOptions {
  readonly settleMs?: number;
  /** The whole-ledger check, where the log is not in the data folder. */
  readonly check?: () => Promise<CheckedLedger>;
}

/**
 * What every test of the whole process ends with: both copies settled, each of the payer's verified offline, the process drained, and
 * HMRC's checked from the log alone. The two hold the same number of blocks and entries, and the same pence.
 */
export async function endWhole(
  service: ServiceProcess,
  events: { readonly paye?: number; readonly vat?: number } = {},
  options: EndOptions = {},
): Promise<{ readonly summary: Summary; readonly copies: VerifiedCopies; readonly ledger: CheckedLedger }> {
  const summary = await settled(service, events, options.settleMs);
  const copies = await verifiedCopies(service);
  const code = await service.stop();
  if (code !== 0) throw new Error(`it ended with ${code}: ${service.output}`);
  const ledger = await (options.check ?? (() => checkDataFolder(service.dataDir, { complete: true })))();
  const of = ({ accounts, blocks, entries, chargesPence, paymentsPence }: VerifiedCopies | CheckedLedger) =>
    JSON.stringify({ accounts, blocks, entries, chargesPence, paymentsPence });
  if (of(copies) !== of(ledger)) throw new Error(`the copies differ: payer ${of(copies)}, HMRC ${of(ledger)}`);
  return { summary, copies, ledger };
}
