import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import { loadClients } from '../access/clients.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { HttpProblem } from '../http/problem.ts';
import { loadRules } from '../rules/load-rules.ts';
import { createHttpApp } from '../server/create-app.ts';
import { type CheckResult, createHealth, type Health, LOOK_EVERY_MS } from '../server/health.ts';
import { type HttpServer, startHttpServer } from '../server/http-server.ts';
import { metricsRouter } from '../server/metrics-router.ts';
import { watchClock } from '../server/watch-clock.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { addProcessMetrics, createMetrics, type Metrics } from '../telemetry/metrics-registry.ts';
import { systemClock } from '../time/clock.ts';
import { onEndSignals } from './end-signals.ts';
import { nodeTooOld } from './node-version.ts';
import { openLog, openStore } from './open-backends.ts';
import { checkOpenFiles } from './open-files.ts';
import type { Service, ServiceContext, ServiceDefinition } from './service.ts';

type Closer = () => Promise<unknown> | unknown;

const HTTP_STOP_MS = 10_000;
const SERVICE_STOP_MS = 10_000;
const CHECK_TIMEOUT_MS = 3_000;
/** How often what waits for a person is looked at again. */
const WAIT_LOOK_MS = 3_000;
/** Whatever still hangs then is left: nothing acknowledged is lost by it. */
const STOP_MS_MAX = 30_000;

/**
 * A service alone in a process: logs, metrics, health, HTTP (HOST, PORT, LOG_LEVEL), ordered shutdown on SIGINT, SIGTERM and SIGHUP (at once
 * on the second), exit code 1 where it could not start or had to end. An orchestrator starts it again.
 */
export async function runService(definition: ServiceDefinition): Promise<void> {
  const tooOld = nodeTooOld(process.versions.node);
  if (tooOld !== null) {
    process.stderr.write(`${tooOld}\n`);
    process.exitCode = 2;
    return;
  }
  const { name } = definition;
  const logger = createLogger({ service: name, level: (process.env['LOG_LEVEL'] ?? 'info') as LogLevel });
  const service = new ServiceHost(definition, logger);
  onEndSignals({
    end: (signal) => {
      logger.info({ signal }, `${name} stops: a second signal ends it at once`);
      void service.stop();
    },
    again: (signal) => logger.warn({ signal }, `${name} ends at once: nothing acknowledged is lost by it`),
  });
  try {
    const fewFiles = checkOpenFiles();
    if (fewFiles !== null) logger.warn({ code: 'OPEN_FILES_FEW' }, fewFiles);
    await service.run();
  } catch (error) {
    if (!service.isStopping) {
      logger.fatal({ err: error }, `${name} did not start`);
      process.exitCode = 1;
    }
    await service.stop();
  }
}

/** The process of one service: health answers from before it is opened until everything is closed. */
class ServiceHost {
  readonly #definition: ServiceDefinition;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #health: Health;
  readonly #closers: Closer[] = [];
  readonly #ending = new AbortController();
  #server: HttpServer | null = null;
  #service: Service | null = null;
  #stopping: Promise<void> | null = null;

  constructor(definition: ServiceDefinition, logger: Logger) {
    this.#definition = definition;
    this.#logger = logger;
    this.#metrics = createMetrics();
    addProcessMetrics(this.#metrics.registry);
    this.#health = createHealth({ checkTimeoutMs: CHECK_TIMEOUT_MS, onChange: (result) => tellChange(result, logger) });
  }

  get isStopping(): boolean {
    return this.#stopping !== null;
  }

  async run(): Promise<void> {
    const { name } = this.#definition;
    this.#health.check('start', () => {
      if (!this.#isOpen) throw new TallyError('NOT_READY', `${name} is starting`, {}, { retriable: true });
    });
    const url = await this.#listen();
    const service = await this.#definition.open(this.#context());
    this.#service = service;
    this.#closers.push(() => service.stop(SERVICE_STOP_MS));
    // Where the end was asked for meanwhile, what asked for it has closed the rest already.
    if (this.isStopping) {
      service.endStreams?.();
      await closeAll(this.#closers, this.#logger);
      return;
    }
    void service.failed.then((error) => this.#fail(error));
    this.#health.check(name, () => service.assertReady());
    this.#door.use(service.router);
    this.#isOpen = true;
    this.#logger.info({ url }, `${name} serves`);
  }

  /** In order, once: not ready any more, streams, HTTP, then the service and what it was opened with. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
      this.#ending.abort();
      this.#health.drain();
      this.#service?.endStreams?.();
      await this.#server?.stop(HTTP_STOP_MS);
      await closeAll(this.#closers, this.#logger);
      this.#logger.info('stopped');
      // A pipe that is read keeps the process up for as long as the other end is there.
      process.stdin.destroy();
    })();
    return this.#stopping;
  }

  #isOpen = false;

  /** Filled once the service is open. */
  readonly #door = Router();

  /** Until the service is open nothing is known of any path: it is to be asked again. */
  readonly #notYet = Router().use((_request: Request, _response: Response, next: NextFunction) => {
    if (this.#isOpen) return next();
    next(
      new HttpProblem(503, 'NOT_READY', `${this.#definition.name} is starting: ask again`, { retryAfterSeconds: 1 }),
    );
  });

  async #listen(): Promise<string> {
    const app = createHttpApp(
      { routers: [this.#health.router, metricsRouter(this.#metrics.registry), this.#door, this.#notYet] },
      { logger: this.#logger, metrics: this.#metrics },
    );
    const host = process.env['HOST'] ?? '127.0.0.1';
    const port = Number(process.env['PORT'] ?? this.#definition.port);
    this.#server = await startHttpServer({ host, port, furtherPorts: 0 }, app);
    const stopWatching = this.#health.watch(LOOK_EVERY_MS);
    const watched = { clock: systemClock, logger: this.#logger, metrics: this.#metrics };
    this.#closers.push(stopWatching, watchClock(watched));
    // Started by another process that holds the other end: when that is gone, this service ends too.
    if (process.env['STOP_WITH_STDIN'] === '1') process.stdin.resume().once('close', () => void this.stop());
    return this.#server.url;
  }

  #fail(error: unknown): void {
    this.#logger.fatal({ err: error }, `${this.#definition.name} ended`);
    process.exitCode = 1;
    void this.stop();
  }

  #context(): ServiceContext {
    const dataDir = process.env['DATA_DIR'] ?? 'data';
    const clientsFile = process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json');
    let log: Promise<EventLog> | undefined;
    const context: ServiceContext = {
      dataDir,
      logger: this.#logger,
      metrics: this.#metrics,
      fail: (error) => this.#fail(error),
      clock: systemClock,
      clientsFile,
      clients: () => loadClients(clientsFile),
      rules: () => loadRules(),
      log: () => (log ??= openLog(this.#definition.name, context)),
      store: (stage) => openStore(stage, context),
      env: process.env,
      setting: (name) => settingOf(process.env, name),
      onStop: (close) => void this.#closers.push(close),
      check: (name, ready) => this.#health.check(name, ready),
      waitFor: (name, work, waits) => this.#waitFor(name, work, waits),
    };
    return context;
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

/** A setting by its name, or by NAME_FILE, the file that holds it. Throws SETTING_MISSING. */
export function settingOf(env: NodeJS.ProcessEnv, name: string): string {
  const file = env[`${name}_FILE`];
  const value = env[name] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
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
