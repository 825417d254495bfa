import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startGateway } from '../support/gateway-fixture.ts';
import { paymentJson } from '../support/own-events.ts';
import { SetClock } from '../support/set-clock.ts';

it('a gateway whose clock is behind what the log holds says so at its start, with how far', async () => {
  const first = await startGateway();
  const { dataDir } = first;
  expect((await first.post('/v1/paye/events', [paymentJson(1)])).status).toBe(202);
  expect(first.lines.join('')).not.toContain('CLOCK_BEHIND_LOG');
  await first.stop();
  const right = await startGateway({ dataDir });
  expect(right.lines.join('')).not.toContain('CLOCK_BEHIND_LOG');
  await right.stop();
  const yearMs = 365 * 86_400_000;
  const behind = await startGateway({ dataDir, clock: new SetClock(Date.now() - yearMs) });
  const said = behind.lines.map((line) => JSON.parse(line) as { code?: string; seconds: number; level: string });
  const [line] = said.filter(({ code }) => code === 'CLOCK_BEHIND_LOG');
  expect(line?.level).toBe('warn');
  expect(Math.abs((line?.seconds ?? 0) - yearMs / 1_000)).toBeLessThan(60);
  await behind.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
