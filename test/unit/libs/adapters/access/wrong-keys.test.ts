import { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { requireClient } from '../../../../../libs/adapters/access/bearer.ts';
import { clientRegistry, digestOfKey } from '../../../../../libs/adapters/access/clients.ts';
import { WrongKeys } from '../../../../../libs/adapters/access/wrong-keys.ts';
import { WRONG_KEY_HOLDERS_MAX, WRONG_KEYS_PER_WINDOW_MAX } from '../../../../../libs/adapters/http/limits.ts';
import { createHttpApp } from '../../../../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../../../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../../../../libs/adapters/time/clock.ts';

let server: HttpServer | null = null;
afterEach(() => server?.stop(100));

const lines: string[] = [];
const logger = createLogger({ service: 'test', level: 'info' }, { write: (line) => void lines.push(line) });
const SILENT = createLogger({ service: 'test', level: 'silent' });

async function serve() {
  lines.length = 0;
  const metrics = createMetrics();
  const made = (id: string, expiresAt: string | null) =>
    ({ id, keySha256: digestOfKey(`key-of-${id}`), accounts: '*', roles: ['payer'], expiresAt }) as const;
  const clients = clientRegistry([made('right', null), made('late', '2020-01-01T00:00:00Z')]);
  const router = Router();
  router.get('/door', requireClient({ clients, clock: systemClock }, 'payer'), (_request, response) => {
    response.json({});
  });
  const app = createHttpApp({ routers: [router] }, { logger, metrics });
  server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  const { url } = server;
  const ask = (key: string) => fetch(`${url}/door`, { headers: { authorization: `Bearer ${key}` } });
  return { ask, metrics };
}

describe('wrong keys over HTTP', () => {
  it('are told to wait after some in a minute, all 3,000 of them, while the right key from the same address passes', async () => {
    const { ask, metrics } = await serve();
    const statuses = new Map<number, number>();
    for (let n = 0; n < 3_000; n += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, k) => ask(`guess-${n + k}`)));
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await Promise.all(answers.map((answer) => answer.text()));
      expect((await ask('key-of-right')).status).toBe(200);
    }
    expect([...statuses].sort()).toEqual([
      [401, WRONG_KEYS_PER_WINDOW_MAX],
      [429, 3_000 - WRONG_KEYS_PER_WINDOW_MAX],
    ]);
    const slowed = await ask('guess-again');
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(slowed.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(slowed.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await slowed.json()).toMatchObject({ status: 429, code: 'TOO_MANY_WRONG_KEYS' });
    const counted = await metrics.registry.getSingleMetric('tally_http_wrong_keys_total')?.get();
    expect(counted?.values.map(({ labels, value }) => [labels['answer'], value])).toEqual([
      ['refused', WRONG_KEYS_PER_WINDOW_MAX],
      ['slowed', 3_001 - WRONG_KEYS_PER_WINDOW_MAX],
    ]);
    const told = lines.filter((line) => line.includes('TOO_MANY_WRONG_KEYS'));
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain('guess');
  }, 60_000);

  it('that have expired are counted, and say nothing of whose they were', async () => {
    const { ask } = await serve();
    const first = await ask('key-of-late');
    expect(first.status).toBe(401);
    expect(await first.text()).not.toMatch(/"late"|client late/);
    for (let n = 1; n < WRONG_KEYS_PER_WINDOW_MAX; n += 1) expect((await ask('key-of-late')).status).toBe(401);
    expect((await ask('key-of-late')).status).toBe(429);
  });
});

describe('the count of wrong keys', () => {
  function counting() {
    lines.length = 0;
    const clock = { ms: 0 };
    const counts = new WrongKeys({ logger, clock: { elapsedMs: () => clock.ms } });
    const codeOf = (address: string, client: string | null = null): string => {
      try {
        counts.count(address, client);
        return 'refused';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const burst = (address: string, client: string | null = null) =>
      Array.from({ length: WRONG_KEYS_PER_WINDOW_MAX + 1 }, () => codeOf(address, client)).at(-1);
    return { clock, counts, codeOf, burst };
  }

  it('ends with its minute, and a burst that goes on is told once', () => {
    const { clock, codeOf, burst } = counting();
    expect(burst('10.0.0.1')).toBe('TOO_MANY_WRONG_KEYS');
    clock.ms += 59_999;
    expect(codeOf('10.0.0.1')).toBe('TOO_MANY_WRONG_KEYS');
    clock.ms += 1;
    expect(codeOf('10.0.0.1')).toBe('refused');
    expect(burst('10.0.0.1')).toBe('TOO_MANY_WRONG_KEYS');
    expect(lines).toHaveLength(1);
    clock.ms += 200_000;
    expect(burst('10.0.0.1')).toBe('TOO_MANY_WRONG_KEYS');
    expect(lines).toHaveLength(2);
  });

  it('is of one address: another is not slowed by it, but one network of IPv6 counts as one', () => {
    const { codeOf, burst } = counting();
    expect(burst('10.0.0.1')).toBe('TOO_MANY_WRONG_KEYS');
    expect(codeOf('10.0.0.2')).toBe('refused');
    expect(burst('2001:db8:0:1::1')).toBe('TOO_MANY_WRONG_KEYS');
    expect(codeOf('2001:db8:0:1:ffff::7')).toBe('TOO_MANY_WRONG_KEYS');
    expect(codeOf('2001:db8:1:1::1')).toBe('refused');
  });

  it('is of one client too, whose expired key comes from ever other addresses', () => {
    const { codeOf } = counting();
    for (let n = 0; n < WRONG_KEYS_PER_WINDOW_MAX; n += 1) expect(codeOf(`10.0.0.${n}`, 'late')).toBe('refused');
    expect(codeOf('10.0.1.0', 'late')).toBe('TOO_MANY_WRONG_KEYS');
  });

  it('takes no more memory however many addresses there are', () => {
    const counts = new WrongKeys({ logger: SILENT, clock: { elapsedMs: () => 0 } });
    for (let n = 0; n < 3 * WRONG_KEY_HOLDERS_MAX; n += 1)
      counts.count(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, null);
    expect(counts.size).toBe(WRONG_KEY_HOLDERS_MAX);
  });
});
