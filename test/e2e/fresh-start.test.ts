import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import type { Summary } from '../../services/reconciliation/report/summary.ts';
import { capability } from '../support/capabilities.ts';
import { endWhole, summaryOf } from '../support/operate-service.ts';
import { eventually, ServiceProcess } from '../support/service-process.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const service = new ServiceProcess({ args: ['--rate', '50', '--seed', '7'] });
const quiet = new ServiceProcess({ dataDir: service.dataDir });
const browsers = capability('chromium');

afterAll(async () => {
  await quiet.kill();
  await service.dispose();
});

const TAXES = ['paye', 'vat'] as const;
const isMoving = ({ taxes }: Summary): boolean =>
  TAXES.every((tax) => taxes[tax].hmrcCopy.events > 0 && taxes[tax].payerCopy.events > 0);
const entriesIn = ({ taxes }: Summary): number => taxes.paye.payerCopy.events + taxes.vat.payerCopy.events;

function isSound(summary: Summary): void {
  expect(summary.state).toBe('agreed');
  expect(summary.tillGaps).toBe(0);
  // What employers state is off now and then, on purpose: a finding, no fault of the pipeline.
  // Of flags, those of a till's chain are asked for below.
  expect(summary.exceptions.filter(({ code }) => code !== 'stated' && code !== 'flagged')).toEqual([]);
  expect(summary.blocks.divergentCopies).toBe(0);
  for (const tax of TAXES) {
    const { rejected, unreadable, repeats, flags, differences } = summary.taxes[tax];
    expect({ tax, rejected, unreadable, repeats }).toEqual({ tax, rejected: 0, unreadable: 0, repeats: 0 });
    // Refunds without a sale and the like are part of a shop's day; gaps, forks and broken chains of a till (E_…) are not.
    expect(flags.filter(({ code }) => code.startsWith('E_'))).toEqual([]);
    expect(differences.map(({ overdue, differs }) => overdue.events + differs)).toEqual([0, 0, 0]);
  }
}

it('within 30 s of a first start both taxes stand in both copies with nothing overdue; Ctrl-C drains, and the next start goes on', {
  timeout: 540_000,
}, async () => {
  const startedMs = performance.now();
  await service.start();
  const first = await eventually(() => summaryOf(service), isMoving, promisedMs() - (performance.now() - startedMs));
  isSound(first);

  expect(await service.stop()).toBe(0);
  expect(service.output).toContain('stopped: the next start goes on from here');
  expect(service.output).not.toMatch(/"level":"(error|fatal)"/);

  await service.start();
  const again = await eventually(
    () => summaryOf(service),
    (summary) => entriesIn(summary) >= entriesIn(first) + 200,
  );
  isSound(again);
  if (browsers.available) await pageMoves();

  expect(await service.stop()).toBe(0);
  // What was drained is whole already, and a third start, without the feed, finds nothing left to do.
  const drained = await checkDataFolder(service.dataDir, { complete: true });
  await quiet.start();
  const { summary, ledger } = await endWhole(quiet);
  isSound(summary);
  expect(ledger.entries).toBe(drained.entries);
  expect(ledger.entries).toBe(entriesIn(summary));
});

/** The promise is of a machine that has nothing else to do: where several processes want each core, it takes so many times as long. */
function promisedMs(): number {
  const [load = 0] = loadavg();
  return 30_000 * Math.max(1, load / availableParallelism());
}

/** The Treasury page of the running process, in a real browser: its figures grow without a reload. */
async function pageMoves(): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'tallystick-chromium-'));
  const browser = await chromium.launch({
    executablePath: browsers.path,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(service.url);
    await page.getByText('Differences: zero').waitFor();
    const totalOf = async (): Promise<number> =>
      Number((await page.locator('#total-today').textContent())?.replace(/[£,.]/g, ''));
    const before = await totalOf();
    expect(before).toBeGreaterThan(0);
    await eventually(totalOf, (now) => now !== before && Number.isSafeInteger(now));
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
