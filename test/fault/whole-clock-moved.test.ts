import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import type { Clock } from '../../libs/adapters/time/clock.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { saleJsons } from '../support/own-events.ts';
import { until } from '../support/payer-node-fixture.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SALES = 20;

/** Civil time stands as far from the machine's as it is told; elapsed time is the machine's own. */
class MovedClock implements Clock {
  aheadMs = 0;
  readonly civilMs = (): number => Date.now() + this.aheadMs;
  readonly elapsedMs = (): number => performance.now();
}

function counted(service: RunningTallystick) {
  const { taxes, blocks, state } = service.reconciliation.summary();
  const { received, payerCopy, differences } = taxes.vat;
  const overdue = differences.reduce((sum, one) => sum + one.overdue.events, 0) + blocks.unacknowledgedOverdue;
  const inFlight = differences.reduce((sum, one) => sum + one.inFlight.events, 0);
  return { state, received: received.events, inPayerCopy: payerCopy.events, inFlight, overdue };
}

/** Twenty sales of a till; resolves when each is in a block of both copies. */
async function sell(service: RunningTallystick, tillId: string): Promise<void> {
  const before = counted(service).received;
  const taken = await service.payerNode.submit('vat', saleJsons(SALES, tillId));
  expect(taken).toMatchObject({ queued: SALES, refused: [] });
  await until(() => counted(service).inPayerCopy === before + SALES, 20_000);
}

describe.each([
  ['3 hours forward', 3 * HOUR_MS],
  ['40 days forward', 40 * DAY_MS],
  ['a year back', -365 * DAY_MS],
])('the house in one process whose clock is set %s and is put right again', (_how, byMs) => {
  it('puts every event into a block at once, calls none overdue, and ends with both copies whole', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tally-clock-'));
    const clock = new MovedClock();
    const failed: unknown[] = [];
    const lines: string[] = [];
    const service = await startTallystick(
      { dataDir, port: 0, furtherPorts: 0, partitions: 2 },
      {
        clock,
        logger: createLogger({ service: 'test', level: 'warn' }, { write: (line) => void lines.push(line) }),
        onFailed: (error) => failed.push(error),
      },
    );
    try {
      await sell(service, 'T1');
      clock.aheadMs = byMs;
      await sell(service, 'T2');
      // Some are under way while the clock is put right.
      await service.payerNode.submit('vat', saleJsons(SALES, 'T3'));
      await until(() => counted(service).received === 3 * SALES, 20_000);
      clock.aheadMs = 0;
      await sell(service, 'T4');
      await sleep(2_500);
      expect(counted(service)).toMatchObject({ received: 4 * SALES, inPayerCopy: 4 * SALES, inFlight: 0, overdue: 0 });
      expect(counted(service).state).toBe('agreed');
      expect(failed).toEqual([]);
      const seconds = Math.round(byMs / 1_000);
      const jumps = lines
        .map((line) => JSON.parse(line) as { code?: string; seconds: number })
        .filter(({ code }) => code === 'CLOCK_JUMPED');
      expect(jumps).toHaveLength(2);
      expect(Math.abs((jumps[0]?.seconds ?? 0) - seconds)).toBeLessThanOrEqual(2);
      expect(Math.abs((jumps[1]?.seconds ?? 0) + seconds)).toBeLessThanOrEqual(2);
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      expect(Math.abs(Number(/^tally_clock_ahead_seconds (\S+)$/m.exec(metrics)?.[1]))).toBeLessThanOrEqual(2);
    } finally {
      await service.stop();
    }
    await checkDataFolder(dataDir, { complete: true });
    rmSync(dataDir, { recursive: true, force: true });
  });
});
