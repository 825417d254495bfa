import { join } from 'node:path';
import { Router } from 'express';
import type { ClientRegistry } from '../../../libs/adapters/access/clients.ts';
import type { EventLog } from '../../../libs/adapters/event-log/event-log.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import { loadRules } from '../../../libs/adapters/rules/load-rules.ts';
import { openLog, openStore } from '../../../libs/adapters/runtime/open-backends.ts';
import { settingOf } from '../../../libs/adapters/runtime/run-service.ts';
import type { Service, ServiceContext, ServiceDefinition } from '../../../libs/adapters/runtime/service.ts';
import { createHttpApp } from '../../../libs/adapters/server/create-app.ts';
import { createHealth, type Health } from '../../../libs/adapters/server/health.ts';
import { startHttpServer } from '../../../libs/adapters/server/http-server.ts';
import { metricsRouter } from '../../../libs/adapters/server/metrics-router.ts';
import { watchClock } from '../../../libs/adapters/server/watch-clock.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../../libs/adapters/telemetry/metrics-registry.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';

/** Where a Tallystick in one process keeps its data and listens. */
export interface StartOptions {
  readonly dataDir: string;
  readonly port: number;
  /** How many ports after it may be tried. */
  readonly furtherPorts: number;
  readonly partitions?: number;
  readonly ratesDir?: string;
}

/** What its parts share. */
export interface StartDependencies {
  readonly logger: Logger;
  readonly clock: Clock;
  /** A part ended that cannot be mended from within. */
  readonly onFailed: (error: unknown) => void;
}

const STOP_DEADLINE_MS = 10_000;
const HTTP_DEADLINE_MS = 3_000;
/** A person who looks at the embedded way sees blocks at once. */
const BLOCK_AGE_MS = '2000';

type Closer = () => Promise<unknown> | unknown;

/** Services in one process, on one log, one store, one HTTP server and one readiness; what ends them is put into `closers`. */
export class ServicesTogether {
  readonly context: ServiceContext;
  readonly health: Health = createHealth();
  readonly #options: StartOptions;
  readonly #closers: Closer[];
  readonly #services: Service[] = [];
  readonly #own: readonly Router[];
  /** Services that are added while the server listens answer from then on. */
  readonly #late = Router();
  #isListening = false;

  constructor(options: StartOptions, dependencies: StartDependencies, clients: ClientRegistry, closers: Closer[]) {
    this.#options = options;
    this.#closers = closers;
    const metrics = createMetrics();
    addProcessMetrics(metrics.registry);
    this.#own = [this.health.router, metricsRouter(metrics.registry)];
    const { dataDir, partitions, ratesDir } = options;
    const { logger, clock, onFailed: fail } = dependencies;
    closers.push(watchClock({ clock, logger, metrics }));
    const keyed = partitions === undefined ? {} : { TOPIC_PARTITIONS: String(partitions) };
    const env = {
      EVENT_LOG: 'embedded',
      LEDGER_PAYE_AGE_MS: BLOCK_AGE_MS,
      LEDGER_VAT_AGE_MS: BLOCK_AGE_MS,
      ...keyed,
    };
    const rules = loadRules(ratesDir);
    let log: Promise<EventLog> | undefined;
    this.context = {
      dataDir,
      logger,
      metrics,
      clock,
      env,
      fail,
      clientsFile: join(dataDir, 'clients.json'),
      clients: () => clients,
      rules: () => rules,
      log: () => (log ??= openLog('tallystick', this.context)),
      store: (stage) => openStore(stage, this.context),
      setting: (name) => settingOf(env, name),
      check: (name, ready) => this.health.check(name, ready),
      waitFor: (_name, work) => work(),
      onStop: (close) => void closers.push(close),
    };
  }

  /** Everything that answers, the services' routers too: every route can be read off them. */
  get routers(): readonly Router[] {
    return [...this.#own, ...this.#services.map(({ router }) => router)];
  }

  /** Opens a service: whatever ends it ends the process, and whatever hinders it is named in readiness. */
  async add<Opened extends Service>(definition: ServiceDefinition<Opened>): Promise<Opened> {
    const service = await definition.open(this.context);
    this.#closers.push(() => service.stop(STOP_DEADLINE_MS));
    this.health.check(definition.name, () => service.assertReady());
    void service.failed.then(this.context.fail);
    this.#services.push(service);
    if (this.#isListening) this.#late.use(service.router);
    return service;
  }

  /** Serves what was added so far, and 503 NOT_READY for the paths of the payer's node, which is added once the address is known. */
  async listen(): Promise<string> {
    const { logger, metrics } = this.context;
    const starting = Router().use('/payer', (_request, _response, next) => {
      next(new HttpProblem(503, 'NOT_READY', 'the payer node is starting', { retryAfterSeconds: 1 }));
    });
    const app = createHttpApp({ routers: [...this.routers, this.#late, starting] }, { logger, metrics });
    const { port, furtherPorts } = this.#options;
    const server = await startHttpServer({ host: '127.0.0.1', port, furtherPorts }, app);
    this.#isListening = true;
    this.#closers.push(
      () => server.stop(HTTP_DEADLINE_MS),
      () => {
        for (const service of this.#services) service.endStreams?.();
      },
    );
    return server.url;
  }
}
