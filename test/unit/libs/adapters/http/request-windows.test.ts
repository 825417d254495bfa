import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { expect, it } from 'vitest';
import { RequestWindows } from '../../../../../libs/adapters/http/request-windows.ts';
import { startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { SetClock } from '../../../../support/set-clock.ts';

it('a client that asks too often is turned away for the rest of its second, and no longer where the clock is set back', async () => {
  const clock = new SetClock(Date.UTC(2026, 10, 30));
  const app = express();
  app.use(rateLimit({ windowMs: 1_000, limit: 3, keyGenerator: () => 'one', store: new RequestWindows(1_000, clock) }));
  app.get('/', (_request, response) => void response.send('in'));
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  const statuses = async (count: number): Promise<number[]> => {
    const found: number[] = [];
    for (let asked = 0; asked < count; asked += 1) found.push((await fetch(server.url)).status);
    return found;
  };
  expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
  clock.set(-3 * 3_600_000);
  expect(await statuses(1)).toEqual([429]);
  clock.pass(1_000);
  expect(await statuses(4)).toEqual([200, 200, 200, 429]);
  await server.stop(100);
});

it('counts each client by itself, takes one back and forgets one', () => {
  const windows = new RequestWindows(1_000, new SetClock(0));
  expect([windows.increment('a'), windows.increment('a'), windows.increment('b')]).toMatchObject([
    { totalHits: 1 },
    { totalHits: 2 },
    { totalHits: 1 },
  ]);
  windows.decrement('a');
  expect(windows.increment('a').totalHits).toBe(2);
  windows.resetKey('a');
  windows.decrement('nobody');
  expect(windows.increment('a').totalHits).toBe(1);
});
