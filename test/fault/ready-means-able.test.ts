import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Readiness, RunningService } from '../../services/cli/client/service-client.ts';
import { canRunKafkaWhole, type KafkaWhole, openKafkaWhole, pidsOf } from '../support/kafka-whole.ts';

/** How long a service may call itself ready after what it needs is gone. */
const SAID_WITHIN_MS = 5_000;
const BACK_WITHIN_MS = 120_000;
const LOOK_MS = 100;
const SERVICES = ['gateway', 'tax', 'ledger', 'payer', 'reconciliation', 'dashboard'] as const;
type Service = (typeof SERVICES)[number];
/** The services that read or write the log, and what each says of it. */
const ON_THE_LOG: readonly Service[] = ['gateway', 'tax', 'ledger', 'reconciliation'];

let whole: KafkaWhole;

beforeAll(async () => {
  if (!canRunKafkaWhole) return;
  whole = await openKafkaWhole();
  await whole.service.start();
  await allReady();
}, 400_000);

afterAll(async () => {
  if (canRunKafkaWhole) await whole.dispose();
}, 120_000);

async function readinessOf(service: Service): Promise<Readiness & { readonly status: number }> {
  const { urls = {} } = JSON.parse(readFileSync(join(whole.service.dataDir, 'running.json'), 'utf8')) as RunningService;
  const response = await fetch(`${urls[service]}/health/ready`, { signal: AbortSignal.timeout(SAID_WITHIN_MS) });
  return { ...((await response.json()) as Readiness), status: response.status };
}

async function allReady(): Promise<void> {
  const untilMs = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    const all = await Promise.all(SERVICES.map((service) => readinessOf(service).catch(() => null)));
    if (all.every((one) => one?.ready === true)) return;
    if (performance.now() > untilMs) throw new Error(`not ready again: ${JSON.stringify(all)}`);
    await sleep(LOOK_MS);
  }
}

/** The code that a check gave, and after how long from the beginning of the fault; asked as an orchestrator asks. */
async function unreadyOf(service: Service, check: string, sinceMs: number): Promise<{ code: string; afterMs: number }> {
  for (;;) {
    const { ready, status, checks } = await readinessOf(service);
    const afterMs = performance.now() - sinceMs;
    const found = checks.find(({ name, code }) => name === check && code !== null);
    if (found !== undefined) {
      expect({ ready, status }).toEqual({ ready: false, status: 503 });
      expect(found.message).toMatch(/\w+ \w+ \w+/);
      return { code: found.code ?? '', afterMs };
    }
    if (afterMs > 2 * SAID_WITHIN_MS) throw new Error(`${service} is ready ${Math.round(afterMs)} ms after: ${check}`);
    await sleep(LOOK_MS);
  }
}

async function expectUnready(
  services: readonly Service[],
  check: string,
  code: string,
  sinceMs: number,
): Promise<void> {
  const found = await Promise.all(services.map((service) => unreadyOf(service, check, sinceMs)));
  expect(found.map((one) => one.code)).toEqual(services.map(() => code));
  for (const [index, { afterMs }] of found.entries()) expect(afterMs, services[index]).toBeLessThan(SAID_WITHIN_MS);
}

/** Those that do not need what is gone go on being ready. */
async function expectReady(services: readonly Service[]): Promise<void> {
  for (const service of services)
    expect(await readinessOf(service), service).toMatchObject({ ready: true, status: 200 });
}

describe.skipIf(!canRunKafkaWhole)('a service whose backend is gone says so within 5 s, with the reason', () => {
  it.each(['SIGSTOP', 'SIGKILL'] as const)('Redis (%s): tax alone', { timeout: 300_000 }, async (signal) => {
    const sinceMs = performance.now();
    if (signal === 'SIGKILL') await whole.redis.kill();
    else whole.redis.signal(signal);
    await expectUnready(['tax'], 'state store', 'STORE_UNAVAILABLE', sinceMs);
    await expectReady(['gateway', 'ledger', 'payer', 'reconciliation', 'dashboard']);
    if (signal === 'SIGKILL') await whole.redis.startAgain();
    else whole.redis.signal('SIGCONT');
    await allReady();
  });

  it.each(['SIGSTOP', 'SIGKILL'] as const)(
    'the broker (%s): each that uses the log',
    { timeout: 600_000 },
    async (signal) => {
      const sinceMs = performance.now();
      if (signal === 'SIGKILL') await whole.kafka.kill();
      else whole.kafka.signal(signal);
      await expectUnready(ON_THE_LOG, 'event log', 'LOG_UNAVAILABLE', sinceMs);
      await expectReady(['payer']);
      if (signal === 'SIGKILL') await whole.kafka.startAgain();
      else whole.kafka.signal('SIGCONT');
      await allReady();
    },
  );

  it('the reconciliation: the Treasury page', { timeout: 300_000 }, async () => {
    const pid = pidsOf(whole.service.pid).get('reconciliation') ?? 0;
    expect(pid).toBeGreaterThan(0);
    const sinceMs = performance.now();
    process.kill(pid, 'SIGSTOP');
    await expectUnready(['dashboard'], 'dashboard', 'SUMMARY_STALE', sinceMs);
    await expectReady(['gateway', 'tax', 'ledger', 'payer']);
    process.kill(pid, 'SIGCONT');
    await allReady();
  });
});
