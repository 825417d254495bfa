import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Router } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import { type Clock, systemClock } from '../clock/clock.ts';
import { createHttpApp } from '../http/create-app.ts';
import { startHttpServer } from '../http/http-server.ts';
import { createHealth, type ReadinessCheck } from '../telemetry/health.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { addProcessMetrics, createMetrics, type Metrics } from '../telemetry/metrics-registry.ts';
import { metricsRouter } from '../telemetry/metrics-router.ts';
import { type ClientRegistry, loadClients } from './clients.ts';
import { nodeTooOld } from './node-version.ts';

/** What every service alone in a process is given. */
export interface ServiceContext {
  /** DATA_DIR, default `data`: its keys and what it keeps for itself. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Civil and elapsed time. */
  readonly clock: Clock;
  /** Reads CLIENTS_FILE, default `<dataDir>/clients.json`. Throws CLIENTS_INVALID. */
  readonly clients: () => ClientRegistry;
  /** A setting that the service cannot do without: NAME, or the content of the file NAME_FILE, as secrets are given. Throws SETTING_MISSING. */
  readonly setting: (name: string) => string;
  /** Ends the process in order, as failed: for what cannot be mended from within. */
  readonly fail: (error: unknown) => void;
  /** To be called in order of opening: closers run in reverse after the HTTP server has stopped. */
  readonly onStop: (close: () => Promise<unknown> | unknown) => void;
}

export interface ServiceParts {
  readonly routers: readonly Router[];
  readonly ready?: ReadinessCheck;
  /** Ends live streams, so that the HTTP server can stop. */
  readonly endStreams?: () => void;
  /** Called once the server listens. */
  readonly begin?: (url: string) => Promise<void> | void;
}

export interface RunServiceOptions {
  readonly name: string;
  /** Where PORT is not set. */
  readonly port: number;
}

const HTTP_STOP_MS = 10_000;
/** Whatever still hangs then is left: nothing acknowledged is lost by it. */
const STOP_MS_MAX = 30_000;

/**
 * A service alone in a process: logs, metrics, health, HTTP (HOST, PORT, LOG_LEVEL), ordered shutdown on SIGINT and SIGTERM, exit code 1
 * where it could not start or had to end. An orchestrator starts it again.
 */
export async function runService(
  options: RunServiceOptions,
  build: (context: ServiceContext) => Promise<ServiceParts>,
): Promise<void> {
  const tooOld = nodeTooOld(process.versions.node);
  if (tooOld !== null) {
    process.stderr.write(`${tooOld}\n`);
    process.exitCode = 2;
    return;
  }
  const logger = createLogger({ service: options.name, level: (process.env['LOG_LEVEL'] ?? 'info') as LogLevel });
  const closers: (() => Promise<unknown> | unknown)[] = [];
  let stop: () => Promise<void> = () => closeAll(closers, logger);
  let hasFailed = false;
  const fail = (error: unknown): void => {
    logger.fatal({ err: error }, `${options.name} ended`);
    process.exitCode = 1;
    hasFailed = true;
    void stop();
  };
  try {
    const context = contextOf(logger, closers, fail);
    stop = await serve(options, context, await build(context), closers);
    // What failed before it listened: without this it would serve on with all of its parts closed.
    if (hasFailed) await stop();
  } catch (error) {
    logger.fatal({ err: error }, `${options.name} did not start`);
    process.exitCode = 1;
    await stop();
  }
}

function contextOf(
  logger: Logger,
  closers: (() => Promise<unknown> | unknown)[],
  fail: (error: unknown) => void,
): ServiceContext {
  const dataDir = process.env['DATA_DIR'] ?? 'data';
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  return {
    dataDir,
    logger,
    metrics,
    fail,
    clock: systemClock,
    clients: () => loadClients(process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json')),
    setting: (name) => {
      const file = process.env[`${name}_FILE`];
      const value = process.env[name] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
      if (value === undefined || value === '') {
        throw new TallyError('SETTING_MISSING', `set ${name}, or ${name}_FILE to the file that holds it`, { name });
      }
      return value;
    },
    onStop: (close) => void closers.push(close),
  };
}

/** Listens and begins; gives the way to stop, which works once. */
async function serve(
  options: RunServiceOptions,
  { logger, metrics }: ServiceContext,
  parts: ServiceParts,
  closers: (() => Promise<unknown> | unknown)[],
): Promise<() => Promise<void>> {
  const health = createHealth();
  if (parts.ready !== undefined) health.check(options.name, parts.ready);
  const app = createHttpApp(
    { routers: [health.router, metricsRouter(metrics.registry), ...parts.routers] },
    { logger, metrics },
  );
  const host = process.env['HOST'] ?? '127.0.0.1';
  const port = Number(process.env['PORT'] ?? options.port);
  const server = await startHttpServer({ host, port, furtherPorts: 0 }, app);
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
      health.drain();
      parts.endStreams?.();
      await server.stop(HTTP_STOP_MS);
      await closeAll(closers, logger);
      logger.info('stopped');
      // A pipe that is read keeps the process up for as long as the other end is there.
      process.stdin.destroy();
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  // Started by another process that holds the other end: when that is gone, this service ends too.
  if (process.env['STOP_WITH_STDIN'] === '1') process.stdin.resume().once('close', () => void stop());
  await parts.begin?.(server.url);
  logger.info({ url: server.url }, `${options.name} serves`);
  return stop;
}

async function closeAll(closers: (() => Promise<unknown> | unknown)[], logger: Logger): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error }, 'something did not close');
    }
  }
}
