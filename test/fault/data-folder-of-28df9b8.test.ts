import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DATA_STORES } from '../../libs/adapters/lmdb/data-stores.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import type { Clock } from '../../libs/adapters/time/clock.ts';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import { verifiedCopies } from '../support/operate-service.ts';
import { uuidOfName } from '../support/own-events.ts';
import { eventually } from '../support/service-process.ts';
import { saleJson } from '../support/submissions.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

/**
 * A data folder as commit 28df9b8 left it on Node 20 when it was killed, and both accounts' copies as it exported them just before. Its
 * keys are test keys. A line of JSON lists [path, bytes], and the files follow it; the whole is compressed with Brotli.
 * PAYE account 123/AB456 has two months' pay of five employments with claims and a correction. VAT account 101747696 has a registration,
 * sales of two tills, refunds, a purchase and a rejected refund, and one refund that waits for the first sale of till T3. Money was
 * received for both.
 */
const ARCHIVE = new URL('data-folder-of-28df9b8.br', import.meta.url);
/** The folder's last minute. Its waiting refund would expire after 24 hours, so the services take this for the time at their start. */
const LEFT_AT_MS = Date.UTC(2026, 11, 1, 1, 30);
const LEFT = { paye: 11, vat: 12, decidedPaye: 11, decidedVat: 10 } as const;
/** The hashes that the next event of each till names. */
const LAST_OF_TILL_1 = '541395db542da51ede93663be0c42fd5cb950e27cffaa68dbc4b8ef07c53c880';

const startedMs = performance.now();
const clock: Clock = {
  civilMs: () => Math.floor(LEFT_AT_MS + performance.now() - startedMs),
  elapsedMs: () => performance.now(),
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-28df9b8-'));
  const archive = brotliDecompressSync(readFileSync(ARCHIVE));
  const headEnd = archive.indexOf('\n');
  let from = headEnd + 1;
  for (const [path, bytes] of JSON.parse(archive.subarray(0, headEnd).toString()) as [string, number][]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), archive.subarray(from, from + bytes), { mode: 0o600 });
    from += bytes;
  }
  expect(from).toBe(archive.length);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A data folder of its own for one test, without the folders named. */
function dataFolder(name: string, without: readonly string[] = []): string {
  const dataDir = join(folder, name);
  cpSync(join(folder, 'data'), dataDir, { recursive: true });
  // A cache that came later is not in the folder.
  for (const path of without) rmSync(join(dataDir, path), { recursive: true, force: true });
  return dataDir;
}

async function startOn(dataDir: string): Promise<{ readonly service: RunningTallystick; readonly failed: unknown[] }> {
  const failed: unknown[] = [];
  const logger = createLogger({ service: 'test', level: 'error' }, { write: (line) => void failed.push(line) });
  const options = { dataDir, port: 0, furtherPorts: 0 };
  const service = await startTallystick(options, { clock, logger, onFailed: (error) => failed.push(error) });
  return { service, failed };
}

function countsOf(service: RunningTallystick) {
  const { state, taxes, blocks } = service.reconciliation.summary();
  const { paye, vat } = taxes;
  return {
    state,
    paye: paye.received.events,
    vat: vat.received.events,
    decidedPaye: paye.payerCopy.events,
    decidedVat: vat.payerCopy.events,
    waiting: vat.waiting.events,
    unacknowledged: blocks.sealed - blocks.acknowledged,
    differs: [paye, vat].flatMap((tax) => tax.differences).reduce((sum, one) => sum + one.differs, 0),
  };
}

/** Resolves once the reconciliation counts exactly this. Throws what it counted last. */
async function seen(service: RunningTallystick, counts: ReturnType<typeof countsOf>): Promise<void> {
  await eventually(
    async () => countsOf(service),
    (found) => isDeepStrictEqual(found, counts),
    30_000,
  );
}

/** A next event of each kind of account, of a till that goes on, and the sale for which a refund has been waiting since 28df9b8. */
function furtherEvents() {
  const next = saleJson({ eventId: uuidOfName('till T1 6'), seq: 6, prevHash: LAST_OF_TILL_1 });
  const after = saleJson({ eventId: uuidOfName('till T1 7'), seq: 7, prevHash: hashOf(next) });
  const awaited = saleJson({ eventId: uuidOfName('till T3 1'), tillId: 'T3' });
  const pay = {
    type: 'PaymentMade',
    eventId: uuidOfName('ann 8 a third time'),
    payeReference: '123/AB456',
    worksNumber: 'ANN',
    nino: 'AA100001A',
    paymentDate: '2026-11-30',
    payFrequency: 'M1',
    period: 8,
    taxCode: '1257L',
    taxablePayPence: 10_000,
    nicableEarningsPence: 10_000,
    niCategory: 'A',
    studentLoanPlan: '02',
  };
  return { paye: [pay], vat: [next, after, awaited] };
}

function hashOf(event: object): string {
  return createHash('sha256').update(canonicalJson(event)).digest('hex');
}

async function goOn(dataDir: string): Promise<void> {
  const { service, failed } = await startOn(dataDir);
  try {
    await seen(service, { state: 'agreed', ...LEFT, waiting: 1, unacknowledged: 0, differs: 0 });
    const further = furtherEvents();
    expect(await service.payerNode.submit('paye', further.paye)).toMatchObject({ queued: 1, refused: [] });
    expect(await service.payerNode.submit('vat', further.vat)).toMatchObject({ queued: 3, refused: [] });
    const goal = { paye: 12, vat: 15, decidedPaye: 12, decidedVat: 14 };
    await seen(service, { state: 'agreed', ...goal, waiting: 0, unacknowledged: 0, differs: 0 });
    const { taxes } = service.reconciliation.summary();
    const flags = taxes.vat.flags.map(({ code }) => code);
    expect(flags).not.toContain('E_CHAIN_BROKEN');
    expect(taxes.vat.rejections).toEqual([{ code: 'E_REFUND_EXCEEDS', count: 1 }]);
    await verifyCopies(dataDir, service);
    expect(failed).toEqual([]);
  } finally {
    await service.stop();
  }
  const ledger = await checkDataFolder(dataDir, { complete: true });
  expect(ledger).toMatchObject({
    accounts: 2,
    entries: 12 + 14,
    inFlight: 0,
    ignoredMessages: 0,
    ignoredLiabilities: 0,
  });
}

/** Both accounts' copies, exported now: every block and liability from 28df9b8 on. */
async function verifyCopies(dataDir: string, service: RunningTallystick): Promise<void> {
  const key = (client: string) => readFileSync(join(dataDir, 'keys', `client-${client}`), 'utf8').trim();
  const copies = await verifiedCopies({
    key,
    urlOf: () => service.url,
    call: async (client, method, path) => {
      const headers = { authorization: `Bearer ${key(client)}` };
      const response = await fetch(`${service.url}${path}`, { method, headers });
      return { status: response.status, body: (await response.json()) as never };
    },
  });
  expect(copies).toMatchObject({ accounts: 2, entries: 26 });
}

describe('a data folder written by 28df9b8', { timeout: 120_000 }, () => {
  it('opens with every store as it was left, goes on and holds in both copies', () => goOn(dataFolder('whole')));

  it('is folded again from its log alone, goes on and holds in both copies', () =>
    goOn(
      dataFolder(
        'log',
        // The index of the gateway is younger than that commit.
        DATA_STORES.filter(({ isCache, path }) => isCache && path !== 'gateway-index').map(({ path }) => path),
      ),
    ));

  it.each([
    ['paye', 11, 0],
    ['vat', 10, 1],
  ])('has an exported copy of %s that verifies', async (name, entries, awaiting) => {
    const report = await verifyCopy(join(folder, `${name}.copy`));
    expect(report.findings).toEqual([]);
    expect([report.ok, report.checked.awaiting]).toEqual([true, awaiting]);
    expect(report.checked.recomputed + report.checked.unconfirmed).toBe(entries);
  });
});
