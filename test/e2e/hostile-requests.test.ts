import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOfKey } from '../../libs/adapters/access/clients.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { until } from '../support/payer-node-fixture.ts';
import { ROUTE_RULES, type RouteRule, type RouteWorld } from '../support/route-rules.ts';
import { paymentJson, saleJson } from '../support/submissions.ts';

/** One that may do everything: nothing of a request is turned away before it is read. */
const KEY = 'key-of-one-who-may-do-everything';
const dataDir = mkdtempSync(join(tmpdir(), 'tally-hostile-'));
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const logged: string[] = [];
let running: RunningTallystick;
let world: RouteWorld;

const LONG = 'a'.repeat(3_000);
/** In the place of any part of a path. */
const SEGMENTS = [
  '%ff',
  '%',
  '%c3%28',
  '%2f',
  '%2e%2e%2f',
  '%00',
  '%0d%0a',
  '%20',
  '__proto__',
  'constructor',
  'toString',
  '-1',
  '0',
  '1e309',
  'NaN',
  '9007199254740993',
  '9'.repeat(400),
  '%F0%9F%92%A9',
  '2026-13-45',
  '0000-00-00',
  '9999-12-31',
  '2026-27-M99',
  '99A9',
  'paye:123-AB456',
  'vat:',
  'vat:000000000',
  '0-0-0',
  '99999999999999999999-1',
  LONG,
  '%41'.repeat(1_500),
] as const;
const QUERY_NAMES = [
  'limit',
  'before',
  'from',
  'to',
  'account',
  'taxYear',
  'paths',
  'status',
  'month',
  'events',
  'dateFrom',
  'dateTo',
  'aoReference',
];
const QUERY_VALUES = [
  '',
  '-1',
  '0',
  '1e309',
  'NaN',
  '9007199254740993',
  '9'.repeat(400),
  '%ff',
  '%00',
  '__proto__',
  '2026-13-45',
  '9999-12-31',
  '[]',
  LONG,
];
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e308,
  Number.MAX_VALUE,
  2 ** 53,
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  '9999-12-31',
  '2026-11-31T99:99:99Z',
  'x'.repeat(100_000),
  [],
  {},
  [[]],
  { length: 1e9 },
];
const BODIES: readonly (string | Buffer)[] = [
  '',
  'null',
  '1',
  '"x"',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
  '{',
  '\ufeff{}',
  '{"a":1e999}',
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  `{"a":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
  `[${'{},'.repeat(500_000)}{}]`,
  Buffer.from([0x7b, 0xff, 0xfe]),
  Buffer.alloc(1_000),
];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { authorization: 'Bearer' },
  { authorization: `Bearer ${LONG}` },
  { authorization: 'Bearer \u00ff\u00fe' },
  { authorization: 'Basic eDp5' },
  { 'x-correlation-id': LONG },
  { 'last-event-id': '-1' },
  { 'last-event-id': 'NaN' },
  { 'last-event-id': '9'.repeat(400) },
  { accept: '' },
  { accept: LONG },
  { 'content-type': 'application/json; charset=utf-7' },
  { 'content-type': 'application/json; charset=\u00ff' },
  { 'content-type': ';' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'nonsense' },
  { 'content-encoding': 'br' },
  { 'content-encoding': 'deflate' },
  { range: 'bytes=9-1' },
  { 'if-modified-since': 'never' },
  { 'x-http-method-override': 'DELETE' },
  { expect: 'nonsense' },
  { 'accept-encoding': '%ff' },
  { host: ' ' },
];

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

beforeAll(async () => {
  const clientsFile = join(dataDir, 'more-clients.json');
  const roles = ['payer', 'bank', 'analyst', 'operator'];
  writeFileSync(
    clientsFile,
    JSON.stringify({ clients: [{ id: 'all', keySha256: digestOfKey(KEY), roles, accounts: '*', expiresAt: null }] }),
  );
  process.env['CLIENTS_FILE'] = clientsFile;
  const logger = createLogger({ service: 'test', level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const onFailed = (error: unknown): void => void logged.push(`failed: ${String(error)}`);
  running = await startTallystick(
    { dataDir, port: 0, furtherPorts: 0, partitions: 2 },
    { logger, clock: systemClock, onFailed },
  );
  delete process.env['CLIENTS_FILE'];
  const [payment, sale] = [paymentJson(), saleJson()];
  for (const [tax, event] of [['paye', payment] as const, ['vat', sale] as const]) {
    expect((await running.payerNode.submit(tax, [event])).refused).toEqual([]);
  }
  await until(() => running.payerNode.accounts().filter((one) => (one.head?.entriesSince0 ?? 0) > 2).length === 2);
  const chain = running.payerNode.accounts().find((one) => one.account.startsWith('paye:'))?.chain ?? '';
  world = { chain, eventId: String(payment['eventId']), saleId: String(sale['eventId']) };
}, 60_000);

afterAll(async () => {
  agent.destroy();
  await running.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The status; 400 where Node itself will not send or read it. */
function ask({ method, path, headers = {}, body }: Sent): Promise<number> {
  const { hostname, port } = new URL(running.url);
  const given = {
    authorization: `Bearer ${KEY}`,
    accept: 'application/vnd.hmrc.1.0+json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const asking = request({ hostname, port, path, method, headers: given, agent }, (response) => {
      const status = response.statusCode ?? 0;
      resolve(status);
      if (response.headers['content-type']?.startsWith('text/event-stream') === true) asking.destroy();
      else response.resume();
    });
    // A body that is refused before its end: the connection may be cut while it is still being sent.
    asking.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve(400) : reject(error),
    );
    asking.end(body);
  });
}

/** Rebuilds fold everything again: they are asked little, with what is broken alone. */
const isHeavy = ({ route }: RouteRule): boolean => route.endsWith('/rebuild');

function pathsOf(rule: RouteRule): readonly string[] {
  const [, template = ''] = rule.route.split(' ');
  const path = rule.path?.(world) ?? template;
  const parts = path.split('/');
  const replaced = parts.flatMap((part, at) =>
    part === '' ? [] : SEGMENTS.map((segment) => parts.with(at, segment).join('/')),
  );
  const queries = QUERY_VALUES.flatMap((value) => [
    `${path}?${QUERY_NAMES.map((name) => `${name}=${value}`).join('&')}`,
    ...(rule.route.startsWith('GET') ? QUERY_NAMES.map((name) => `${path}?${name}=${value}`) : []),
  ]);
  const odd = [
    '?',
    '?&&==',
    '?%ff',
    '?__proto__=1&__proto__=2',
    '?limit=1&limit=2',
    '?limit[]=1',
    '?limit[a][b]=1',
    `?${'a=1&'.repeat(2_000)}`,
    '//',
    '/..%2f..',
  ];
  return [...replaced, ...queries, ...odd.map((more) => `${path}${more}`)];
}

/** The body that the route takes, with each of its fields made hostile in turn, two deep. */
function bodiesOf(rule: RouteRule): readonly (string | Buffer)[] {
  const sound = rule.body?.(world);
  if (sound === undefined) return BODIES;
  const text = JSON.stringify(sound);
  const one = (Array.isArray(sound) ? sound[0] : sound) as Record<string, unknown>;
  const fields = Object.keys(one).flatMap((name) => VALUES.map((value) => JSON.stringify({ ...one, [name]: value })));
  const inner = Object.entries(one).flatMap(([name, value]) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first !== 'object' || first === null) return [];
    return Object.keys(first).flatMap((key) =>
      VALUES.map((hostile) => {
        const changed = { ...first, [key]: hostile };
        return JSON.stringify({ ...one, [name]: Array.isArray(value) ? [changed] : changed });
      }),
    );
  });
  return [...BODIES, text.slice(0, -1), `${text}${text}`, gzipSync(text).subarray(0, 10), ...fields, ...inner];
}

function requestsOf(rule: RouteRule): readonly Sent[] {
  const [method = '', template = ''] = rule.route.split(' ');
  const path = rule.path?.(world) ?? template;
  const sound = rule.body === undefined ? undefined : JSON.stringify(rule.body(world));
  const withBody = sound === undefined ? {} : { body: sound };
  if (isHeavy(rule)) return HEADERS.slice(0, 4).map((headers) => ({ method, path, headers }));
  return [
    ...pathsOf(rule).map((one) => ({ method, path: one, ...withBody })),
    ...HEADERS.map((headers) => ({ method, path, headers, ...withBody })),
    ...(method === 'POST' ? bodiesOf(rule).map((body) => ({ method, path, body })) : []),
    ...['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'].map((other) => ({ method: other, path })),
  ];
}

describe('no request whatever makes a fault of ours', () => {
  it.each(ROUTE_RULES.map((rule) => [rule.route, rule] as const))('%s', async (_route, rule) => {
    const sent = requestsOf(rule);
    const before = logged.length;
    const bad: string[] = [];
    // 503 says "again later", of our own accord; a stack in the log would tell one that is not.
    await inTurns(sent, async (one) => {
      const status = await ask(one);
      if (status >= 500 && status !== 503) {
        bad.push(
          `${status} ${one.method} ${one.path.slice(0, 120)} ${JSON.stringify(one.headers ?? {}).slice(0, 80)} ${String(one.body ?? '').slice(0, 160)}`,
        );
      }
    });
    expect(bad).toEqual([]);
    const stacks = logged
      .slice(before)
      .filter((line) => line.includes('"stack"') || line.includes('"level":"error"') || line.startsWith('failed'));
    expect(stacks.map((line) => line.slice(0, 600))).toEqual([]);
  });

  it('a path that is no UTF-8 is 400 with a problem, and the log says nothing of it', async () => {
    const before = logged.length;
    const response = await fetch(`${running.url}/v1/receipts/%ff/%`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'PATH_INVALID', status: 400 });
    expect(logged.length).toBe(before);
  });

  it('a body that cannot be unpacked is 400 with a problem', async () => {
    const response = await fetch(`${running.url}/v1/vat/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: 'no gzip',
    });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'NOT_JSON' }]);
  });
});

/** Sixteen at a time, each after the one before it. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) await work(items[at] as Item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
