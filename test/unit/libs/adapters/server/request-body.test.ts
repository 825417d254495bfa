import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Router } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { requireClient } from '../../../../../libs/adapters/access/bearer.ts';
import { clientRegistry, digestOfKey } from '../../../../../libs/adapters/access/clients.ts';
import { Admission } from '../../../../../libs/adapters/http/admission.ts';
import {
  BODIES_IN_WORK_BYTES_MAX,
  BODIES_WAITING_MAX,
  BODY_BYTES_MAX,
  REQUESTS_IN_WORK_MAX,
} from '../../../../../libs/adapters/http/limits.ts';
import { createHttpApp } from '../../../../../libs/adapters/server/create-app.ts';
import { createHealth } from '../../../../../libs/adapters/server/health.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { jsonBody } from '../../../../../libs/adapters/server/request-body.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../../../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../../../../libs/adapters/time/clock.ts';

const MEBIBYTE = 1024 * 1024;
let server: HttpServer | null = null;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await server?.stop(100);
  server = null;
});

/** A door that takes JSON of two clients, and answers with how many elements it has, or once `held` lets it. */
async function serve(held: () => Promise<void> | null = () => null) {
  const made = (id: string) =>
    ({ id, keySha256: digestOfKey(`key-of-${id}`), accounts: '*', roles: ['payer'], expiresAt: null }) as const;
  const clients = clientRegistry([made('one'), made('two')]);
  const router = Router();
  router.post(
    '/door',
    requireClient({ clients, clock: systemClock }, 'payer'),
    ...jsonBody,
    async (asked, response) => {
      await held();
      response.json({ elements: Array.isArray(asked.body) ? asked.body.length : 1 });
    },
  );
  const logger = createLogger({ service: 'test', level: 'silent' });
  const metrics = createMetrics();
  const app = createHttpApp({ routers: [createHealth().router, router] }, { logger, metrics });
  server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  return { url: server.url, metrics };
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

/** One request on a connection of its own. */
function post(url: string, body: Buffer, headers: Record<string, string> = {}, client = 'one'): Promise<Answer> {
  const own = { authorization: `Bearer key-of-${client}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request(
      `${url}/door`,
      { method: 'POST', headers: { ...own, ...headers }, agent: false },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => {
          const json = JSON.parse(Buffer.concat(parts).toString()) as { code?: string };
          const { statusCode: status = 0 } = answer;
          resolve({ status, code: json.code, retryAfter: answer.headers['retry-after'], body: json });
        });
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

describe('the body of a request', () => {
  const text = Buffer.from(JSON.stringify([{ a: 'ü£' }, 2]));

  it.each([
    ['plain', text, {}],
    ['gzip', gzipSync(text), { 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(text), { 'content-encoding': 'deflate' }],
    ['br', brotliCompressSync(text), { 'content-encoding': 'br' }],
    ['with a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text]), {}],
    ['in chunks', text, { 'transfer-encoding': 'chunked' }],
  ])('is taken %s', async (_what, body, headers) => {
    const { url } = await serve();
    expect(await post(url, body, headers)).toMatchObject({ status: 200, body: { elements: 2 } });
  });

  it.each([
    ['empty', Buffer.alloc(0), { 'content-length': '0' }, 400, 'NOT_JSON'],
    ['no JSON', Buffer.from('{'), {}, 400, 'NOT_JSON'],
    ['in UTF-16', text, { 'content-type': 'application/json; charset=utf-16' }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
    ['of an unknown encoding', text, { 'content-encoding': 'zstd' }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
    ['not what its encoding says', text, { 'content-encoding': 'gzip' }, 400, 'NOT_JSON'],
    ['cut short in its gzip', gzipSync(text).subarray(0, -9), { 'content-encoding': 'gzip' }, 400, 'NOT_JSON'],
    ['too large', Buffer.alloc(BODY_BYTES_MAX + 1, 0x20), {}, 413, 'BODY_TOO_LARGE'],
    [
      'too large in chunks',
      Buffer.alloc(BODY_BYTES_MAX + 1, 0x20),
      { 'transfer-encoding': 'chunked' },
      413,
      'BODY_TOO_LARGE',
    ],
    ['one of a million values', Buffer.from(`[${'{},'.repeat(1_000_000)}{}]`), {}, 413, 'BODY_TOO_LARGE'],
    [
      'one that inflates a thousand times',
      gzipSync(Buffer.alloc(4 * MEBIBYTE, 0x20)),
      { 'content-encoding': 'gzip' },
      413,
      'BODY_INFLATES_TOO_FAR',
    ],
    [
      'a bomb of 200 MiB',
      gzipSync(Buffer.alloc(200 * MEBIBYTE, 0x20)),
      { 'content-encoding': 'gzip' },
      413,
      'BODY_INFLATES_TOO_FAR',
    ],
  ])('is refused where it is %s', async (_what, body, headers, status, code) => {
    const { url } = await serve();
    expect(await post(url, body, headers)).toMatchObject({ status, code });
    expect((await post(url, text)).status, 'the next one is taken').toBe(200);
  });

  it('of a stranger is not read', async () => {
    const { url } = await serve();
    expect((await post(url, Buffer.alloc(64 * 1024), { authorization: 'Bearer wrong' })).status).toBe(401);
  });

  it('that never comes whole gives its room back when its connection ends', async () => {
    const { url, metrics } = await serve();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /door HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-one\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[`,
    );
    const inWork = async () =>
      (await metrics.registry.getSingleMetric('tally_http_body_bytes')?.get())?.values[0]?.value;
    await expect.poll(inWork).toBe(1_000);
    socket.destroy();
    await expect.poll(inWork).toBe(0);
  });

  it('behind a path that is no UTF-8 is a fault of the sender', async () => {
    const router = Router();
    router.get('/named/:name', (_request, response) => void response.json({}));
    const logger = createLogger({ service: 'test', level: 'silent' });
    const app = createHttpApp({ routers: [router] }, { logger });
    server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
    const response = await fetch(`${server.url}/named/%ff`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'PATH_INVALID' });
  });
});

describe('many bodies at once', () => {
  /**
   * A server in a process of its own while the work goes on: its slowest answer of /health/live in milliseconds, and the most memory that it
   * held beyond what it held at its start, in MiB.
   */
  async function watched(work: (url: string) => Promise<unknown>): Promise<{ healthMs: number; grownMib: number }> {
    const script = join(import.meta.dirname, '../../../../support/serve-bodies.ts');
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    closers.push(() => child.stdin.end());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const said = async (): Promise<string> => String((await lines.next()).value);
    const heldMib = async (): Promise<number> => {
      child.stdin.write('memory\n');
      return Number(await said()) / 1024;
    };
    const url = await said();
    const before = await heldMib();
    let healthMs = 0;
    let isDone = false;
    const looking = (async () => {
      while (!isDone) {
        const startedMs = performance.now();
        expect((await fetch(`${url}/health/live`)).status).toBe(200);
        healthMs = Math.max(healthMs, performance.now() - startedMs);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await work(url);
    isDone = true;
    await looking;
    return { healthMs, grownMib: (await heldMib()) - before };
  }

  const empties = Buffer.from(`[${'{},'.repeat((BODY_BYTES_MAX - 10) / 3)}{}]`);
  /** As large as a body may be, with values as small as those of events are. */
  const events = Buffer.from(`[${Array(130_000).fill('{"name":"value-of-it","n":1}').join(',')}]`);

  it('that are small and inflate to 4 MiB each leave health answered within a second, and memory bounded', async () => {
    const bomb = gzipSync(empties);
    expect(bomb.length).toBeLessThan(6_000);
    const statuses = new Set<number>();
    const { healthMs, grownMib } = await watched(async (url) => {
      const answers = await Promise.all(
        Array.from({ length: 400 }, () => post(url, bomb, { 'content-encoding': 'gzip' })),
      );
      for (const { status } of answers) statuses.add(status);
    });
    expect([...statuses].filter((status) => status !== 413 && status !== 429)).toEqual([]);
    console.log(
      `400 bodies of ${bomb.length} B: health within ${Math.round(healthMs)} ms, ${Math.round(grownMib)} MiB`,
    );
    expect(healthMs).toBeLessThan(1_000);
    expect(grownMib).toBeLessThan(300);
  }, 60_000);

  it('that are large leave health answered within a second, and whoever waits too long or in too large a crowd comes again', async () => {
    const statuses: number[] = [];
    const { healthMs, grownMib } = await watched(async (url) => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => post(url, events)));
      for (const { status, retryAfter } of answers) {
        statuses.push(status);
        if (status !== 200) expect(Number(retryAfter)).toBeGreaterThan(0);
      }
    });
    console.log(`30 bodies of 4 MiB: health within ${Math.round(healthMs)} ms, ${Math.round(grownMib)} MiB`);
    expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
    expect(statuses).toContain(200);
    expect(healthMs).toBeLessThan(1_000);
    expect(grownMib).toBeLessThan(400);
  }, 120_000);

  it('of one client leave room for another', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let asked = 0;
    const { url } = await serve(() => {
      asked += 1;
      return asked <= 4 ? gate : null;
    });
    const large = Buffer.from(`"${'x'.repeat(BODY_BYTES_MAX - 2)}"`);
    const first = Array.from({ length: 8 }, () => post(url, large));
    await expect.poll(() => asked).toBe(4);
    expect((await post(url, large, {}, 'two')).status).toBe(200);
    expect(asked, 'half of the room is the share of one client').toBe(5);
    open();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  }, 60_000);
});

describe('admission', () => {
  it('lets in what fits, in order, and no more than its bounds', async () => {
    const admission = new Admission();
    const quarter = BODIES_IN_WORK_BYTES_MAX / 4;
    const [a, b] = [await admission.admit('one', quarter), await admission.admit('one', quarter)];
    const order: string[] = [];
    const waiting = ['first', 'second'].map((name) =>
      admission.admit('one', quarter).then((go) => {
        order.push(name);
        return go;
      }),
    );
    const other = await admission.admit('two', quarter);
    expect([admission.bytesInWork, admission.bodiesWaiting]).toEqual([3 * quarter, 2]);
    a();
    a();
    await new Promise(setImmediate);
    expect([order, admission.bytesInWork, admission.bodiesWaiting]).toEqual([['first'], 3 * quarter, 1]);
    b();
    for (const go of await Promise.all(waiting)) go();
    other();
    expect([order, admission.bytesInWork, admission.bodiesWaiting]).toEqual([['first', 'second'], 0, 0]);
  });

  it('sends a crowd away: that of one client with 429, that of all with 503', async () => {
    const admission = new Admission();
    await admission.admit('one', BODIES_IN_WORK_BYTES_MAX / 2);
    await admission.admit('two', BODIES_IN_WORK_BYTES_MAX / 2);
    const crowd = (client: string, count: number) => {
      for (let n = 0; n < count; n += 1) admission.admit(client, 1).catch(() => undefined);
    };
    crowd('one', BODIES_WAITING_MAX / 2);
    await expect(admission.admit('one', 1)).rejects.toMatchObject({
      status: 429,
      code: 'TOO_MANY_REQUESTS',
      retryAfterSeconds: 1,
    });
    crowd('two', BODIES_WAITING_MAX / 2);
    await expect(admission.admit('three', 1)).rejects.toMatchObject({
      status: 503,
      code: 'SERVICE_BUSY',
      retryAfterSeconds: 2,
    });
  });

  it('counts requests, and sends those away that are too many', () => {
    const admission = new Admission();
    const leave = Array.from({ length: REQUESTS_IN_WORK_MAX }, () => admission.enter());
    expect(() => admission.enter()).toThrow(expect.objectContaining({ status: 503, code: 'SERVICE_BUSY' }));
    leave[0]?.();
    leave[0]?.();
    expect(admission.requestsInWork).toBe(REQUESTS_IN_WORK_MAX - 1);
    expect(() => admission.enter()).not.toThrow();
  });
});
