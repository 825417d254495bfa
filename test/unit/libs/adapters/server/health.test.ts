import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { createHealth, type Health } from '../../../../../libs/adapters/server/health.ts';
import { metricsRouter } from '../../../../../libs/adapters/server/metrics-router.ts';
import { createMetrics } from '../../../../../libs/adapters/telemetry/metrics-registry.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';

const closers: (() => Promise<void>)[] = [];

async function serve(health: Health): Promise<string> {
  const metrics = createMetrics();
  metrics.counter({ name: 'tally_sample_total', help: 'A sample.', labels: [] }).add({});
  const server = createServer(express().use(health.router).use(metricsRouter(metrics.registry)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('createHealth', () => {
  it('is live and ready while every check holds', async () => {
    const health = createHealth();
    health.check('log', () => undefined);
    const base = await serve(health);
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    const ready = await fetch(`${base}/health/ready`);
    expect(ready.status).toBe(200);
    const checks = [{ name: 'log', code: null, message: null, since: expect.stringMatching(/Z$/) }];
    expect(await ready.json()).toEqual({ ready: true, draining: false, checks });
  });

  it('names the check that fails by code and sentence of our own errors, and never what another error says', async () => {
    const health = createHealth();
    health.check('log', () => {
      throw new TallyError('POSITION_GAP', 'a record is missing');
    });
    health.check('store', () => Promise.reject(new Error('secret')));
    const ready = await fetch(`${await serve(health)}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      checks: [
        { name: 'log', code: 'POSITION_GAP', message: 'a record is missing' },
        { name: 'store', code: 'CHECK_FAILED', message: expect.not.stringContaining('secret') },
      ],
    });
  });

  it('answers although a check hangs', async () => {
    const health = createHealth({ checkTimeoutMs: 20 });
    health.check('broker', () => new Promise(() => undefined));
    const ready = await fetch(`${await serve(health)}/health/ready`);
    expect(await ready.json()).toMatchObject({ checks: [{ name: 'broker', code: 'CHECK_TIMED_OUT' }] });
  });

  it('says once what changes though nobody asks, and since when it is so', async () => {
    const told: (string | null)[] = [];
    let nowMs = Date.UTC(2026, 10, 21, 9);
    let code: string | null = null;
    const onChange = (result: { readonly code: string | null }): void => void told.push(result.code);
    const health = createHealth({ checkTimeoutMs: 1_000, clock: { civilMs: () => nowMs }, onChange });
    health.check('log', () => {
      if (code !== null) throw new TallyError(code, 'gone');
    });
    const stop = health.watch(5);
    const base = await serve(health);
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
    code = 'LOG_UNAVAILABLE';
    await expect.poll(() => told).toEqual(['LOG_UNAVAILABLE']);
    nowMs += 60_000;
    const ready = await fetch(`${base}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      checks: [{ name: 'log', code: 'LOG_UNAVAILABLE', message: 'gone', since: '2026-11-21T09:00:00.000Z' }],
    });
    code = null;
    await expect.poll(() => told).toEqual(['LOG_UNAVAILABLE', null]);
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
    stop();
  });

  it('looks once however many ask at the same time', async () => {
    let looks = 0;
    const health = createHealth();
    health.check('log', async () => {
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const base = await serve(health);
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${base}/health/ready`)));
    expect(looks).toBeLessThan(5);
  });

  it('drains: not ready, still live', async () => {
    const health = createHealth();
    const base = await serve(health);
    health.drain();
    expect((await fetch(`${base}/health/ready`)).status).toBe(503);
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
  });

  it('keeps the first fatal code', async () => {
    const health = createHealth();
    const base = await serve(health);
    health.fail('CONSUMER_SILENT');
    health.fail('OTHER');
    const live = await fetch(`${base}/health/live`);
    expect(live.status).toBe(503);
    expect(await live.json()).toEqual({ live: false, code: 'CONSUMER_SILENT' });
    expect((await fetch(`${base}/health/ready`)).status).toBe(503);
  });
});

describe('metricsRouter', () => {
  it("serves the registry in Prometheus' text format", async () => {
    const response = await fetch(`${await serve(createHealth())}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('tally_sample_total 1');
  });
});
