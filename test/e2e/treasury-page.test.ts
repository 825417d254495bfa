import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { createDashboard, type Dashboard } from '../../services/dashboard/create-dashboard.ts';
import type { Reconciliation } from '../../services/reconciliation/create-reconciliation.ts';
import { capability } from '../support/capabilities.ts';
import { accepted, assessed, ReconciliationWorld } from '../support/reconciliation-world.ts';
import { samplePayment, sampleSale } from '../support/sample-events.ts';

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SHOP = account('vat:101747696');

describe.skipIf(!capability('chromium').available)('the Treasury page in Chromium', () => {
  let browser: Browser;
  let profile: string;
  let world: ReconciliationWorld;
  let reconciliation: Reconciliation;
  let dashboard: Dashboard;
  let server: HttpServer;
  let timer: NodeJS.Timeout;

  beforeAll(async () => {
    profile = mkdtempSync(join(tmpdir(), 'tallystick-chromium-'));
    browser = await chromium.launch({ executablePath: capability('chromium').path, args: CHROMIUM_FLAGS });
  });

  afterAll(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  });

  beforeEach(async () => {
    world = new ReconciliationWorld(Date.now());
    timer = setInterval(() => {
      world.nowMs = Math.max(world.nowMs, Date.now());
    }, 50);
    await world.open();
    reconciliation = await world.reconcile({ liveEveryMs: 200 });
    const logger = createLogger({ service: 'dashboard', level: 'silent' });
    const source = { latest: () => reconciliation.summary(), subscribe: reconciliation.subscribe };
    dashboard = createDashboard({ source, logger, clock: world.clock });
    server = await startHttpServer(
      { host: '127.0.0.1', port: 0, furtherPorts: 0 },
      createHttpApp({ routers: [dashboard.router] }, { logger }),
    );
  });

  afterEach(async () => {
    dashboard.endStreams();
    await server.stop(1_000);
    await reconciliation.stop();
    clearInterval(timer);
    await world.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) complaints.push(request.url());
    });
    await page.goto(server.url);
    return { page, complaints };
  }

  async function tellStory(): Promise<void> {
    const sale = sampleSale('sale', { receivedAtMs: world.nowMs });
    const pay = samplePayment('pay', { receivedAtMs: world.nowMs });
    const ofSale = assessed(sale, 1, 123_456_792);
    const ofPay = assessed(pay, 1, 300_000, {
      taxPeriod: '2026-27/M01',
      amounts: [
        { head: 'incomeTax', pence: pence(39_033) },
        { head: 'employeeNics', pence: pence(15_616) },
        { head: 'employerNics', pence: pence(38_750) },
      ],
    });
    const lines = sale.lines.map((line) => ({ ...line, paidPence: pence(123_456_792) }));
    await world.receive({ ...sale, lines }).then((place) => world.decide([place, accepted(ofSale)]));
    await world.receive(pay).then((place) => world.decide([place, accepted(ofPay)]));
    await world.acknowledge(await world.seal(SHOP, ofSale));
    await world.acknowledge(await world.seal(pay.account, ofPay));
  }

  async function isAccessible(page: Page): Promise<void> {
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
      .analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }

  it('shows what happens as it happens: liability by head, both copies, and zero differences', async () => {
    const { page, complaints } = await open();
    await page.getByText('Differences: zero').waitFor();
    await tellStory();
    // 1,234,567.92 at a sixth: 205,761.32 of VAT; 390.33 + 156.16 + 387.50 = 933.99 of PAYE.
    await page.locator('#total-today', { hasText: '£206,695.31' }).waitFor();
    const cell = (name: string) => page.locator(`[data-cell="${name}"]`).first().textContent();
    expect(await cell('today.vat.outputVat')).toBe('£205,761.32');
    expect(await cell('today.paye.incomeTax')).toBe('£390.33');
    await page.locator('[data-cell="vat.events.payer"]', { hasText: '1' }).waitFor();
    expect(await cell('vat.outputVat.hmrc')).toBe('£205,761.32');
    expect(await cell('vat.outputVat.payer')).toBe('£205,761.32');
    await page.locator('[data-cell="paye.events.inFlight"]', { hasText: /^0$/ }).first().waitFor();
    expect(await page.getByText('gross until inputs are in').count()).toBeGreaterThan(0);
    expect(await page.locator('[data-row="paye.cisSuffered"]').isHidden()).toBe(true);
    await page.locator('#chart').waitFor();
    await isAccessible(page);
    await page.setViewportSize({ width: 1200, height: 3000 });
    if (process.env['SCREENSHOT_DIR'] !== undefined) {
      await page.screenshot({ path: join(process.env['SCREENSHOT_DIR'], 'treasury.png'), fullPage: true });
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says plainly what differs, and lists why events were rejected', async () => {
    const sale = sampleSale('sale', { receivedAtMs: world.nowMs });
    await world.receive(sale).then((place) => world.decide([place, accepted(assessed(sale, 1, 999))]));
    const refused = sampleSale('refused', { seq: 2, receivedAtMs: world.nowMs });
    const place = await world.receive(refused);
    const rejection = { account: SHOP, eventId: refused.eventId, code: 'E_VRN<b>', facts: {}, receivedAtMs: 0 };
    await world.decide([place, { outcome: 'rejected', results: [], rejections: [rejection], changes: [] }]);
    const { page, complaints } = await open();
    await page.getByText('Differences found').waitFor();
    expect(await page.locator('#banner').getAttribute('data-state')).toBe('differs');
    expect(await page.locator('#banner-text').textContent()).toBe('VAT, events not decided: 1 matched but not alike.');
    await page.getByRole('cell', { name: 'E_VRN<b>' }).waitFor();
    await isAccessible(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says that the figures have stopped when the stream falls silent', async () => {
    const { page } = await open();
    await page.getByText('Differences: zero').waitFor();
    dashboard.endStreams();
    await page.getByText('The figures have stopped').waitFor({ timeout: 15_000 });
    expect(await page.locator('#banner').getAttribute('data-state')).toBe('stale');
    await isAccessible(page);
    await page.context().close();
  });

  it('pauses and goes on when asked', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await tellStory();
    await page.waitForTimeout(800);
    expect(await page.locator('#total-today').textContent()).toBe('£0.00');
    await page.getByRole('button', { name: 'Go on with updates' }).click();
    await page.locator('#total-today', { hasText: '£206,695.31' }).waitFor();
    await page.context().close();
  });

  it('shows the last figures without scripts', async () => {
    await tellStory();
    await expect.poll(() => reconciliation.summary().taxes.vat.payerCopy.events).toBe(1);
    const { page, complaints } = await open({ javaScriptEnabled: false });
    expect(await page.locator('#total-today').textContent()).toBe('£206,695.31');
    expect(await page.locator('#banner-title').textContent()).toBe('Differences: zero');
    expect(await page.getByRole('button').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('fits a telephone without scrolling sideways', async () => {
    const { page } = await open({ viewport: { width: 360, height: 800 } });
    await page.getByText('Differences: zero').waitFor();
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(360);
    await isAccessible(page);
    if (process.env['SCREENSHOT_DIR'] !== undefined) {
      await page.screenshot({ path: join(process.env['SCREENSHOT_DIR'], 'telephone.png') });
    }
    await page.context().close();
  });
});
