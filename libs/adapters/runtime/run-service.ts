import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import { type ClientRegistry, loadClients } from '../access/clients.ts';
import { HttpProblem } from '../http/problem.ts';
import { createHttpApp } from '../server/create-app.ts';
import { type CheckResult, createHealth, type Health, LOOK_EVERY_MS, type ReadinessCheck } from '../server/health.ts';
import { type HttpServer, startHttpServer } from '../server/http-server.ts';
import { metricsRouter } from '../server/metrics-router.ts';
import { watchClock } from '../server/watch-clock.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { addProcessMetrics, createMetrics, type Metrics } from '../telemetry/metrics-registry.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { onEndSignals } from './end-signals.ts';
import { nodeTooOld } from './node-version.ts';
import { checkOpenFiles } from './open-files.ts';

/** What every service alone in a process is given. */
export interface ServiceContext {
  /** DATA_DIR, default `data`: its keys and what it keeps for itself. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Civil and elapsed time. */
  readonly clock: Clock;
  /** CLIENTS_FILE, default `<dataDir>/clients.json`. */
  readonly clientsFile: string;
  /** Reads that file. Throws CLIENTS_INVALID. */
  readonly clients: () => ClientRegistry;
  /** A setting that the service cannot do without: NAME, or the content of the file NAME_FILE, as secrets are given. Throws SETTING_MISSING. */
  readonly setting: (name: string) => string;
  /** A named part of readiness: looked at every second, and named with code and sentence in the answer of `/health/ready` while it fails. */
  readonly check: (name: string, ready: ReadinessCheck) => void;
  /**
   * Work of the start that may have to wait for a person: while it throws what `waits` is true of, the service stays up, live and not ready,
   * says why once, and tries again every few seconds.
   */
  readonly waitFor: <T>(name: string, work: () => Promise<T>, waits: (error: unknown) => boolean) => Promise<T>;
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

type Closer = () => Promise<unknown> | unknown;

const HTTP_STOP_MS = 10_000;
const CHECK_TIMEOUT_MS = 3_000;
/** How often what waits for a person is looked at again. */
const WAIT_LOOK_MS = 3_000;
/** Whatever still hangs then is left: nothing acknowledged is lost by it. */
const STOP_MS_MAX = 30_000;

/**
 * A service alone in a process: logs, metrics, health, HTTP (HOST, PORT, LOG_LEVEL), ordered shutdown on SIGINT, SIGTERM and SIGHUP (at once
 * on the second), exit code 1 where it could not start or had to end. An orchestrator starts it again.
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
  const service = new Service(options, logger);
  onEndSignals({
    end: (signal) => {
      logger.info({ signal }, `${options.name} stops: a second signal ends it at once`);
      void service.stop();
    },
    again: (signal) => logger.warn({ signal }, `${options.name} ends at once: nothing acknowledged is lost by it`),
  });
  try {
    const fewFiles = checkOpenFiles();
    if (fewFiles !== null) logger.warn({ code: 'OPEN_FILES_FEW' }, fewFiles);
    await service.run(build);
  } catch (error) {
    if (!service.isStopping) {
      logger.fatal({ err: error }, `${options.name} did not start`);
      process.exitCode = 1;
    }
    await service.stop();
  }
}

/** The process of one service: health answers from before its parts are built until they are closed. */
class Service {
  readonly #options: RunServiceOptions;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #health: Health;
  readonly #closers: Closer[] = [];
  readonly #ending = new AbortController();
  #server: HttpServer | null = null;
  #parts: ServiceParts | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: RunServiceOptions, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.#metrics = createMetrics();
    addProcessMetrics(this.#metrics.registry);
    this.#health = createHealth({ checkTimeoutMs: CHECK_TIMEOUT_MS, onChange: (result) => tellChange(result, logger) });
  }

  get isStopping(): boolean {
    return this.#stopping !== null;
  }

  async run(build: (context: ServiceContext) => Promise<ServiceParts>): Promise<void> {
    const { name } = this.#options;
    this.#health.check('start', () => {
      if (!this.#isBuilt) throw new TallyError('NOT_READY', `${name} is starting`, {}, { retriable: true });
    });
    const url = await this.#listen();
    const parts = await build(this.#context());
    // What was built while the service was asked to end, or failed, is closed by what ends it.
    this.#parts = parts;
    if (this.isStopping) {
      parts.endStreams?.();
      await closeAll(this.#closers, this.#logger);
      return;
    }
    if (parts.ready !== undefined) this.#health.check(name, parts.ready);
    for (const router of parts.routers) this.#door.use(router);
    await parts.begin?.(url);
    this.#isBuilt = true;
    this.#logger.info({ url }, `${name} serves`);
  }

  /** In order, once: not ready any more, streams, HTTP, parts in reverse. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
      this.#ending.abort();
      this.#health.drain();
      this.#parts?.endStreams?.();
      await this.#server?.stop(HTTP_STOP_MS);
      await closeAll(this.#closers, this.#logger);
      this.#logger.info('stopped');
      // A pipe that is read keeps the process up for as long as the other end is there.
      process.stdin.destroy();
    })();
    return this.#stopping;
  }

  #isBuilt = false;

  /** Filled once the parts are built. */
  readonly #door = Router();

  /** What the parts will answer is asked again: while they are built nothing is known of any path. */
  readonly #notYet = Router().use((_request: Request, _response: Response, next: NextFunction) => {
    if (this.#isBuilt) return next();
    next(new HttpProblem(503, 'NOT_READY', `${this.#options.name} is starting: ask again`, { retryAfterSeconds: 1 }));
  });

  async #listen(): Promise<string> {
    const app = createHttpApp(
      { routers: [this.#health.router, metricsRouter(this.#metrics.registry), this.#door, this.#notYet] },
      { logger: this.#logger, metrics: this.#metrics },
    );
    const host = process.env['HOST'] ?? '127.0.0.1';
    const port = Number(process.env['PORT'] ?? this.#options.port);
    this.#server = await startHttpServer({ host, port, furtherPorts: 0 }, app);
    const stopWatching = this.#health.watch(LOOK_EVERY_MS);
    const watched = { clock: systemClock, logger: this.#logger, metrics: this.#metrics };
    this.#closers.push(stopWatching, watchClock(watched));
    // Started by another process that holds the other end: when that is gone, this service ends too.
    if (process.env['STOP_WITH_STDIN'] === '1') process.stdin.resume().once('close', () => void this.stop());
    return this.#server.url;
  }

  #fail(error: unknown): void {
    this.#logger.fatal({ err: error }, `${this.#options.name} ended`);
    process.exitCode = 1;
    void this.stop();
  }

  #context(): ServiceContext {
    const dataDir = process.env['DATA_DIR'] ?? 'data';
    const clientsFile = process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json');
    return {
      dataDir,
      logger: this.#logger,
      metrics: this.#metrics,
      fail: (error) => this.#fail(error),
      clock: systemClock,
      clientsFile,
      clients: () => loadClients(clientsFile),
      setting,
      onStop: (close) => void this.#closers.push(close),
      check: (name, ready) => this.#health.check(name, ready),
      waitFor: (name, work, waits) => this.#waitFor(name, work, waits),
    };
  }

  async #waitFor<T>(name: string, work: () => Promise<T>, waits: (error: unknown) => boolean): Promise<T> {
    let fault: unknown = null;
    this.#health.check(name, () => {
      if (fault !== null) throw fault;
    });
    for (;;) {
      try {
        const result = await work();
        fault = null;
        return result;
      } catch (error) {
        if (!waits(error)) throw error;
        fault = error;
        await sleep(WAIT_LOOK_MS, undefined, { signal: this.#ending.signal });
      }
    }
  }
}

function setting(name: string): string {
  const file = process.env[`${name}_FILE`];
  const value = process.env[name] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
  if (value === undefined || value === '') {
    throw new TallyError('SETTING_MISSING', `set ${name}, or ${name}_FILE to the file that holds it`, { name });
  }
  return value;
}

/** A change of readiness is said once: what is missing, and that it is back. */
function tellChange({ name, code, message }: CheckResult, logger: Logger): void {
  // Whoever starts is not ready yet: that is no fault.
  if (code === 'NOT_READY') return;
  if (code === null) logger.info({ check: name }, `${name} is ready`);
  else logger.error({ check: name, code }, `not ready: ${message}`);
}

async function closeAll(closers: Closer[], logger: Logger): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      logger.error({ err: error }, 'something did not close');
    }
  }
}
