import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../services/cli/client/service-client.ts';
import { canRunKafkaWhole } from '../support/kafka-whole.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';

const SERVICES = ['gateway', 'tax', 'ledger', 'payer', 'reconciliation', 'dashboard'];
let service: ServiceProcess;

beforeAll(async () => {
  if (!canRunKafkaWhole) return;
  service = new ServiceProcess({ args: ['--empty', '--kafka'] });
  await service.start();
}, 400_000);

afterAll(async () => {
  if (canRunKafkaWhole) await service.dispose();
}, 120_000);

function running(): RunningService {
  return JSON.parse(readFileSync(join(service.dataDir, 'running.json'), 'utf8')) as RunningService;
}

async function doctor(): Promise<{
  readonly code: number | null;
  readonly failed: readonly string[];
  readonly checks: readonly string[];
}> {
  const { code, stdout } = await tally(['doctor', '--json', '--data-dir', service.dataDir]);
  const findings = JSON.parse(stdout) as readonly { readonly check: string; readonly ok: boolean }[];
  return {
    code,
    failed: findings.filter(({ ok }) => !ok).map(({ check }) => check),
    checks: findings.map(({ check }) => check),
  };
}

describe.skipIf(!canRunKafkaWhole)('tally start --kafka', () => {
  it('is looked at by doctor service by service', { timeout: 60_000 }, async () => {
    const { code, failed, checks } = await doctor();
    expect(failed).toEqual([]);
    expect(code).toBe(0);
    expect(checks).toEqual(expect.arrayContaining([...SERVICES, 'held accounts', 'differences', 'outbox']));
  });

  it('starts a Redis again that was killed, and tax goes on', { timeout: 120_000 }, async () => {
    const pid = Number(readFileSync(join(service.dataDir, 'redis', 'server.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await eventually(
      async () => service.output,
      (output) => output.includes('Redis is back'),
      60_000,
    );
    expect(service.output).toMatch(/Redis ended by itself \(SIGKILL\); .*; it is started again in 1 s/);
    await eventually(doctor, ({ failed }) => failed.length === 0, 60_000);
  });

  it('has the same addresses at the next start', { timeout: 400_000 }, async () => {
    const { urls, backends } = running();
    expect(await service.stop()).toBe(0);
    await service.start();
    expect(running().urls).toEqual(urls);
    expect(running().backends).toEqual(backends);
  });
});
