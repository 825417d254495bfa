import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { account } from '../../libs/core/identity/account.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { otherHandlersOf, routesOf } from '../support/list-routes.ts';
import { until } from '../support/payer-node-fixture.ts';
import { ROUTE_RULES, type RouteRule, type RouteWorld, UNFOLLOWED } from '../support/route-rules.ts';
import { paymentJson, saleJson } from '../support/submissions.ts';

const KINDS = ['none', 'wrong', 'expired', 'stranger', 'bank', 'analyst', 'operator', 'payer'] as const;
type Kind = (typeof KINDS)[number];

const OWN = [account('paye:123/AB456'), account('vat:101747696'), ...UNFOLLOWED];
const ROLE_OF = {
  stranger: 'payer',
  expired: 'payer',
  payer: 'payer',
  bank: 'bank',
  analyst: 'analyst',
  operator: 'operator',
} as const;

/** A client with one role alone; an expired one for each route, for expired keys are counted by client. */
function clients(): Client[] {
  const made = (id: string, kind: keyof typeof ROLE_OF): Client => ({
    id: `door-${id}`,
    keySha256: digestOfKey(`key-of-${id}`),
    roles: [ROLE_OF[kind]],
    accounts: kind === 'payer' ? OWN : kind === 'stranger' ? [account('paye:999/ZZ1')] : '*',
    expiresAt: kind === 'expired' ? '2020-01-01T00:00:00Z' : null,
  });
  const kinds = ['stranger', 'payer', 'bank', 'analyst', 'operator'] as const;
  return [...kinds.map((kind) => made(kind, kind)), ...ROUTE_RULES.map((_, n) => made(`expired-${n}`, 'expired'))];
}

const dataDir = mkdtempSync(join(tmpdir(), 'tally-doors-'));
let running: RunningTallystick;
let world: RouteWorld;

beforeAll(async () => {
  const clientsFile = join(dataDir, 'more-clients.json');
  writeFileSync(clientsFile, JSON.stringify({ clients: clients() }));
  process.env['CLIENTS_FILE'] = clientsFile;
  const logger = createLogger({ service: 'test', level: 'silent' });
  const onFailed = (error: unknown): void => {
    throw error;
  };
  running = await startTallystick({ dataDir, port: 0, furtherPorts: 0 }, { logger, clock: systemClock, onFailed });
  delete process.env['CLIENTS_FILE'];
  const [payment, sale] = [paymentJson(), saleJson()];
  for (const [tax, event] of [['paye', payment] as const, ['vat', sale] as const]) {
    expect((await running.payerNode.submit(tax, [event])).refused).toEqual([]);
  }
  await until(() => running.payerNode.accounts().filter((one) => (one.head?.entriesSince0 ?? 0) > 2).length === 2);
  const chain = running.payerNode.accounts().find((one) => one.account === OWN[0])?.chain ?? '';
  world = { chain, eventId: String(payment['eventId']), saleId: String(sale['eventId']) };
}, 60_000);

afterAll(async () => {
  await running.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** From an address of its own for each route: wrong keys are counted by address. */
function ask(rule: RouteRule, kind: Kind, at: number): Promise<Answer> {
  const [method = '', ownPath = ''] = rule.route.split(' ');
  const key = kind === 'expired' ? `key-of-expired-${at}` : `key-of-${kind}`;
  const body = rule.body === undefined ? undefined : JSON.stringify(rule.body(world));
  const headers = {
    ...(kind === 'none' ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(rule.isMtd === true ? { accept: 'application/vnd.hmrc.1.0+json' } : {}),
  };
  const url = new URL(rule.path?.(world) ?? ownPath, running.url);
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, localAddress: `127.0.1.${at + 1}`, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
      if (isStream) asking.destroy();
      if (isStream) return resolve({ status, body: '' });
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status, body: Buffer.concat(parts).toString() }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** The status that the table says, and the code where it is a refusal of the client. */
function expected(rule: RouteRule, kind: Kind): readonly [number, string | null] {
  const looksAtKey = rule.roles !== 'everybody' || (rule.keyIsOptional === true && kind !== 'none');
  if (!looksAtKey) return [rule.status, null];
  if (kind === 'none') return [401, rule.isMtd === true ? 'INVALID_CREDENTIALS' : 'KEY_MISSING'];
  if (kind === 'wrong') return [401, rule.isMtd === true ? 'INVALID_CREDENTIALS' : 'KEY_UNKNOWN'];
  if (kind === 'expired') return [401, rule.isMtd === true ? 'INVALID_CREDENTIALS' : 'KEY_EXPIRED'];
  if (rule.roles === 'everybody') return [rule.status, null];
  if (!rule.roles.includes(ROLE_OF[kind]))
    return [403, rule.isMtd === true ? 'CLIENT_OR_AGENT_NOT_AUTHORISED' : 'ROLE_MISSING'];
  if (kind === 'stranger') return rule.stranger ?? [rule.status, null];
  return [rule.status, null];
}

/** What no refusal may hold: anything of the account, its chain, its events, or of another client. */
function assertTellsNothing(body: string): void {
  const accounts = ['AB456', '101747696', world.chain, world.eventId, world.saleId, 'door-', 'W-1001'];
  for (const secret of accounts) expect(body, secret).not.toContain(secret);
  expect(body).not.toMatch(/chainKey|"chains"|"blocks"|"receipts"|at .*\.ts:\d/);
}

describe('who may use which route', () => {
  it('is said of every route of every service, once, and of no other', () => {
    const listed = routesOf(running.routers);
    expect(listed.length).toBeGreaterThan(50);
    expect(listed.filter(({ access }) => access.length !== 1)).toEqual([]);
    const said = listed.map(({ route, access: [roles] }) => ({ route, roles })).sort(byRoute);
    const ruled = ROUTE_RULES.map(({ route, roles }) => ({ route, roles })).sort(byRoute);
    expect(said).toEqual(ruled);
  });

  it('is under no handler that is no route, but for those that say that nothing is there', () => {
    expect(otherHandlersOf(running.routers).sort()).toEqual([
      '/organisations/vat/:vrn',
      '/v1/paye/events',
      '/v1/payments',
      '/v1/vat/events',
    ]);
  });

  const cases = ROUTE_RULES.map((rule, at) => [rule.route, rule, at] as const);
  it.each(cases)(
    '%s answers each kind of client as the table says, and tells a refused one nothing',
    async (_route, rule, at) => {
      for (const kind of KINDS) {
        const { status, body } = await ask(rule, kind, at);
        const [wantedStatus, wantedCode] = expected(rule, kind);
        expect([kind, status, body.slice(0, 300)]).toEqual([kind, wantedStatus, body.slice(0, 300)]);
        if (wantedCode !== null)
          expect([kind, (JSON.parse(body) as { code: string }).code]).toEqual([kind, wantedCode]);
        const isStranger = kind === 'stranger' && rule.account !== 'none';
        if (wantedCode !== null && !isStranger) assertTellsNothing(body);
        if (isStranger && rule.roles !== 'everybody') assertTellsNothingOfOthers(body, rule);
      }
    },
  );
});

/** A client with the role and another account gets no answer of an account, or one in which nothing of it stands. */
function assertTellsNothingOfOthers(body: string, rule: RouteRule): void {
  const secrets = [world.chain, world.saleId, 'door-', 'chainKey', '"receipts"', 'W-1001'];
  // What it named itself may come back to it.
  if (!rule.route.startsWith('POST')) secrets.push('AB456', '101747696');
  for (const secret of secrets) expect(body, secret).not.toContain(secret);
}

function byRoute(a: { readonly route: string }, b: { readonly route: string }): number {
  return a.route < b.route ? -1 : a.route > b.route ? 1 : 0;
}

describe('docs/http-api.md', () => {
  it('says of every route who may use it and how the account is asked for, and names no other route', () => {
    const text = readFileSync('docs/http-api.md', 'utf8');
    const rows = [...text.matchAll(/^\| `((?:GET|POST) [^`]+)` \| ([^|]+) \| ([^|]+) \|/gm)];
    const said = rows.map(([, route = '', roles = '', owner = '']) => ({
      route,
      roles: roles.trim(),
      account: owner.trim(),
    }));
    const ruled = ROUTE_RULES.map(({ route, roles, account: owner }) => ({
      route,
      roles: typeof roles === 'string' ? roles : roles.join(', '),
      account: owner,
    }));
    expect(said.sort(byRoute)).toEqual(ruled.sort(byRoute));
  });
});
