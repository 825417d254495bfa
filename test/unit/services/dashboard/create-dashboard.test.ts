import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientRegistry, digestOfKey } from '../../../../libs/adapters/access/clients.ts';
import { STREAM_CLIENTS_MAX, STREAM_HOLDER_SHARE } from '../../../../libs/adapters/http/limits.ts';
import { createHttpApp } from '../../../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../libs/adapters/telemetry/logger.ts';
import { createDashboard } from '../../../../services/dashboard/create-dashboard.ts';
import { followSummaries } from '../../../../services/dashboard/follow-summaries.ts';
import { ANALYST_KEY, ReconciliationWorld } from '../../../support/reconciliation-world.ts';
import { sampleSale } from '../../../support/sample-events.ts';

/** What is waited for comes within moments; this is for what hangs. */
const LATEST = { timeout: 60_000 };

const logger = createLogger({ service: 'test', level: 'silent' });
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(...routers: Parameters<typeof createHttpApp>[0]['routers'][number][]): Promise<HttpServer> {
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers }, { logger }),
  );
  closers.push(() => server.stop(200));
  return server;
}

describe('createDashboard', () => {
  it('serves the page and its files with a policy that lets nothing else in', async () => {
    const dashboard = createDashboard({ source: { latest: () => null, subscribe: () => () => undefined }, logger });
    const { url } = await serve(dashboard.router);
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/assets/treasury.js', 'text/javascript; charset=utf-8'],
      ['/assets/treasury.css', 'text/css; charset=utf-8'],
    ]) {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(type);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|https?:/);
    }
  });

  it('shows no figures rather than wrong ones when a summary is of another shape', async () => {
    const source = { latest: () => ({ state: 'agreed' }), subscribe: () => () => undefined };
    const { url } = await serve(createDashboard({ source, logger }).router);
    expect(await (await fetch(url)).text()).toContain('Waiting for figures');
  });
});

describe('followSummaries', () => {
  it('brings the figures of a reconciliation in another process to the page, and comes back after a break', async () => {
    const world = new ReconciliationWorld(Date.now());
    await world.open();
    closers.push(() => world.close());
    const reconciliation = await world.reconcile();
    closers.push(() => reconciliation.stop());
    let server = await serve(reconciliation.router);
    const { port } = server;
    const source = followSummaries({ url: server.url, key: ANALYST_KEY, retryMs: 20 }, { logger });
    closers.push(() => source.stop());
    const dashboard = createDashboard({ source, logger, clock: world.clock });
    closers.push(async () => dashboard.endStreams());
    const page = await serve(dashboard.router);
    const shown = async () => await (await fetch(page.url)).text();
    await vi.waitFor(async () => expect(await shown()).toContain('Differences: zero'), LATEST);

    await server.stop(10);
    server = await startHttpServer(
      { host: '127.0.0.1', port, furtherPorts: 0 },
      createHttpApp({ routers: [reconciliation.router] }, { logger }),
    );
    closers.push(() => server.stop(10));
    await world.receive(sampleSale('after the break', { receivedAtMs: world.nowMs }));
    await vi.waitFor(
      async () => expect(await shown()).toContain('<span data-cell="vat.events.received">1</span>'),
      LATEST,
    );
  });

  it('waits and tries again where its key is refused', async () => {
    let asked = 0;
    const refuse: typeof fetch = async () => {
      asked++;
      return new Response('', { status: 401 });
    };
    const source = followSummaries({ url: 'http://127.0.0.1:1', key: 'wrong', retryMs: 5 }, { logger, fetch: refuse });
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2), LATEST);
    await source.stop();
    expect(source.latest()).toBeNull();
  });
});

describe('a flood of watchers without a key', () => {
  it('takes neither the stream from a client with a key nor the figures from anybody', async () => {
    const world = new ReconciliationWorld(Date.now());
    await world.open();
    closers.push(() => world.close());
    const reconciliation = await world.reconcile();
    closers.push(() => reconciliation.stop());
    const source = { latest: () => reconciliation.summary(), subscribe: reconciliation.subscribe };
    const client = { id: 'wall', keySha256: digestOfKey('key-of-wall'), accounts: [], roles: [], expiresAt: null };
    const dashboard = createDashboard({ source, logger, clients: clientRegistry([client]) });
    closers.push(async () => dashboard.endStreams());
    const { url } = await serve(dashboard.router);
    const live = (headers: Record<string, string> = {}) => fetch(`${url}/treasury/v1/live`, { headers });
    const flood = await Promise.all(Array.from({ length: 500 }, () => live()));
    const statuses = flood.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(STREAM_CLIENTS_MAX * STREAM_HOLDER_SHARE);
    expect((await live({ authorization: 'Bearer key-of-wall' })).status).toBe(200);
    expect((await live({ authorization: 'Bearer wrong' })).status).toBe(401);
    const view = (await (await fetch(`${url}/treasury/v1/view`)).json()) as { cells: object; time: string };
    expect(Object.keys(view.cells).length).toBeGreaterThan(10);
    expect(await (await fetch(url)).text()).toContain('data-cell');
  });
});
