import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Router } from 'express';
import type { ClientRegistry } from '../../../libs/adapters/access/clients.ts';
import { loadGatewayKeys, loadLedgerKeys, loadPayerSigner } from '../../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog, TopicToMake } from '../../../libs/adapters/event-log/event-log.ts';
import { type LogRegister, openLogRegister } from '../../../libs/adapters/event-log/log-register.ts';
import { recordsIn } from '../../../libs/adapters/event-log/records-in.ts';
import { TopicWatch } from '../../../libs/adapters/event-log/topic-watch.ts';
import { BLOCKS, KEYED_PARTITIONS_DEFAULT, TOPICS } from '../../../libs/adapters/event-log/topics.ts';
import { createGatewayClient } from '../../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../../libs/adapters/http/ledger-client.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import { type LoadedRules, loadRules } from '../../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../../libs/adapters/server/create-app.ts';
import { createHealth, type Health } from '../../../libs/adapters/server/health.ts';
import { type HttpServer, startHttpServer } from '../../../libs/adapters/server/http-server.ts';
import { metricsRouter } from '../../../libs/adapters/server/metrics-router.ts';
import { watchClock } from '../../../libs/adapters/server/watch-clock.ts';
import { openEmbeddedStore } from '../../../libs/adapters/state-store/embedded-store.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics, type Metrics } from '../../../libs/adapters/telemetry/metrics-registry.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { TaxRules } from '../../../libs/core/tax/decide-event.ts';
import { createDashboard } from '../../dashboard/create-dashboard.ts';
import { createGateway, EVENT_TOPICS, type Gateway } from '../../gateway/gateway.ts';
import { createLedger } from '../../ledger/create-ledger.ts';
import { createPayerNode, PAYER_NODE_DEFAULTS, type PayerNode } from '../../payer-node/payer-node.ts';
import { createReconciliation, type Reconciliation } from '../../reconciliation/create-reconciliation.ts';
import { createTax } from '../../tax/create-tax.ts';
import { RUNNING_FILE, type RunningService } from '../client/service-client.ts';
import { postPayments } from '../demo/run-feed.ts';
import { ownClients } from './own-clients.ts';
import type { Running } from './running.ts';

export interface StartOptions {
  readonly dataDir: string;
  readonly port: number;
  /** How many ports after it may be tried. */
  readonly furtherPorts: number;
  readonly partitions?: number;
  readonly ratesDir?: string;
}

export interface StartDependencies {
  readonly logger: Logger;
  readonly clock: Clock;
  /** A part ended that cannot be mended from within. */
  readonly onFailed: (error: unknown) => void;
}

/** Every service in this process, on the embedded log and store (design section 8). */
export interface RunningTallystick extends Running {
  readonly url: string;
  /** What answers there, the payer's node too: every route can be read off them. */
  readonly routers: readonly Router[];
  readonly payerNode: PayerNode;
  readonly reconciliation: Reconciliation;
}

const STAGE_DEADLINE_MS = 10_000;
const HTTP_DEADLINE_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;
const DRAIN_LOOK_MS = 200;
/** The embedded way closes blocks of both taxes after 2 s (ledger.md section 3). */
const EMBEDDED_BLOCK_AGE_MS = 2_000;

/** Something to be ended, in the reverse of the order in which it was begun. */
type Closer = () => Promise<unknown> | unknown;

/**
 * Starts everything on a data folder. Throws DATA_FOLDER_IN_USE where another process has it, and whatever a part cannot begin with; what was begun by then
 * is ended again.
 */
export async function startTallystick(
  options: StartOptions,
  dependencies: StartDependencies,
): Promise<RunningTallystick> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await startParts(options, dependencies, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Common {
  readonly log: EventLog;
  readonly register: LogRegister;
  readonly clients: ClientRegistry;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly rules: TaxRules;
}

async function startParts(
  options: StartOptions,
  { logger, clock, onFailed }: StartDependencies,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<RunningTallystick> {
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true });
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') }, { clock, onBroken: onFailed });
  closers.push(() => log.close());
  const watch = new TopicWatch({ topics: topicsOf(options) }, { log });
  await watch.open();
  const register = await openLogRegister(log);
  const rules = loadRules(options.ratesDir);
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  closers.push(watchClock({ clock, logger, metrics }));
  const health = createHealth();
  health.check('event log', () => watch.check());
  const { keys, clients } = ownClients(dataDir, process.env['CLIENTS_FILE']);
  const common = { log, register, clients, metrics, logger, clock, rules: rules.rules };
  const services = await startServices(dataDir, common, health, closers, onFailed);
  const { ledger, gateway, reconciliation, dashboard } = services;
  const payer = payerDoor();
  const metricsPage = metricsRouter(metrics.registry);
  const routers = [health.router, metricsPage, ...services.routers, payer.door];
  const server = await listen(options, createHttpApp({ routers }, { logger, metrics }));
  const { url } = server;
  closers.push(
    () => server.stop(HTTP_DEADLINE_MS),
    () => {
      for (const part of [ledger, reconciliation, dashboard]) part.endStreams();
    },
  );
  const payerNode = await startPayerNode(
    { dataDir, url, key: keys.payer, gateway },
    { rules, clients, logger, metrics, clock, onFailed },
  );
  payer.open(payerNode.router);
  health.check('payer node', () => payerNode.checkReady());
  const announced = announce(dataDir, { url, pid: process.pid, key: keys.operator });
  closers.push(
    () => payerNode.stop(),
    announced,
    () => health.drain(),
  );
  return {
    url,
    routers: [health.router, metricsPage, ...services.routers, payerNode.router],
    payerNode,
    reconciliation,
    rules,
    places: placesOf(url, dataDir),
    feedTarget: {
      follow: (accounts) => payerNode.follow(accounts),
      submit: async (tax, events) => (await payerNode.submit(tax, events)).refused.map((one) => one.faults),
      pay: (payments) => postPayments(url, keys.bank, payments),
    },
    drain: async (deadlineMs) => {
      const untilMs = clock.elapsedMs() + deadlineMs;
      while (clock.elapsedMs() < untilMs && !isSettled(reconciliation, payerNode)) {
        ledger.closeOpenBlocks();
        await sleep(DRAIN_LOOK_MS);
      }
    },
    stop,
  };
}

/** Everything but the payer's own node, in the order in which one reads what another writes. */
async function startServices(
  dataDir: string,
  common: Common,
  health: Health,
  closers: Closer[],
  onFailed: (error: unknown) => void,
) {
  const store = await openEmbeddedStore(
    { folder: join(dataDir, 'store'), stage: 'tax' },
    { onDiscarded: (error) => common.logger.error({ err: error }, error.message) },
  );
  health.check('state store', () => store.check());
  closers.push(() => store.close());
  const tax = await createTax({}, { ...common, store });
  closers.push(() => tax.stop(STAGE_DEADLINE_MS));
  const sealLimits = { payeAgeMs: EMBEDDED_BLOCK_AGE_MS, vatAgeMs: EMBEDDED_BLOCK_AGE_MS };
  const keys = loadLedgerKeys(dataDir, await recordsIn(common.log, [BLOCKS]));
  const ledger = await createLedger({ dataDir, sealLimits }, { ...common, keys });
  closers.push(() => ledger.stop(STAGE_DEADLINE_MS));
  const gatewayKeys = loadGatewayKeys(dataDir, await recordsIn(common.log, EVENT_TOPICS));
  const gateway = createGateway({ dataDir, keys: gatewayKeys }, { ...common, onBroken: onFailed });
  await gateway.start();
  closers.push(() => gateway.stop());
  const reconciliation = await createReconciliation({ folder: join(dataDir, 'reconciliation') }, common);
  closers.push(() => reconciliation.stop());
  const source = { latest: () => reconciliation.summary(), subscribe: reconciliation.subscribe };
  const dashboard = createDashboard({ source, logger: common.logger, clock: common.clock, clients: common.clients });
  health.check('tax', () => tax.ready());
  health.check('ledger', () => ledger.assertReady());
  health.check('gateway', () => gateway.checkReady());
  health.check('reconciliation', () => reconciliation.assertReady());
  for (const failed of [tax.failed, ledger.failed, reconciliation.failed]) void failed.then(onFailed);
  const routers = [tax, ledger, gateway, reconciliation, dashboard].map((part) => part.router);
  return { ledger, gateway, reconciliation, dashboard, routers };
}

function placesOf(url: string, dataDir: string): string[] {
  return [
    `Treasury page   ${url}/`,
    `metrics         ${url}/metrics`,
    `gateway         ${url}/v1/paye/events  /v1/vat/events  /v1/payments`,
    `payer node      ${url}/payer/v1/events/paye  /payer/v1/events/vat`,
    `keys            ${dataDir}/keys/client-payer, client-bank, client-analyst, client-operator`,
  ];
}

function topicsOf(options: StartOptions): TopicToMake[] {
  const keyed = options.partitions ?? KEYED_PARTITIONS_DEFAULT;
  return TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : keyed }));
}

function listen(options: StartOptions, app: RequestListener): Promise<HttpServer> {
  return startHttpServer({ host: '127.0.0.1', port: options.port, furtherPorts: options.furtherPorts }, app);
}

/** The payer node's place among the routes: it needs the address of this server, so the server is there before it. Until then, 503. */
function payerDoor(): { readonly door: Router; open(router: Router): void } {
  const door = Router();
  let inner: Router | null = null;
  door.use((request, response, next) => {
    if (inner !== null) inner(request, response, next);
    else if (request.path.startsWith('/payer/')) {
      next(new HttpProblem(503, 'NOT_READY', 'the payer node is starting', { retryAfterSeconds: 1 }));
    } else next();
  });
  return {
    door,
    open: (router) => {
      inner = router;
    },
  };
}

async function startPayerNode(
  at: { readonly dataDir: string; readonly url: string; readonly key: string; readonly gateway: Gateway },
  of: {
    readonly rules: LoadedRules;
    readonly clients: ClientRegistry;
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly clock: Clock;
    readonly onFailed: (error: unknown) => void;
  },
): Promise<PayerNode> {
  const reach = { url: at.url, clientKey: at.key, timeoutMs: REQUEST_TIMEOUT_MS };
  const node = await createPayerNode(
    {
      ...PAYER_NODE_DEFAULTS,
      folder: join(at.dataDir, 'payer-node'),
      accounts: [],
      gatewayKeys: [printVerifierKey(at.gateway.verifierKey)],
    },
    {
      gateway: createGatewayClient(reach, { fetch }),
      ledger: createLedgerClient(reach, { fetch }),
      signer: loadPayerSigner(at.dataDir, 'payer-node'),
      rules: of.rules.rules,
      rateCards: of.rules.cards,
      clients: of.clients,
      clock: of.clock,
      random: Math.random,
      logger: of.logger,
      metrics: of.metrics,
      onFatal: of.onFailed,
    },
  );
  node.start();
  return node;
}

function isSettled(reconciliation: Reconciliation, payerNode: PayerNode): boolean {
  const { taxes } = reconciliation.summary();
  const { unsent, receipted } = payerNode.counts();
  const stages = Object.values(taxes).flatMap((tax) => tax.differences);
  return unsent === 0 && receipted === 0 && stages.every((stage) => stage.inFlight.events === 0);
}

/** Tells the command line where the service is; gives the way to take that back. */
function announce(dataDir: string, running: RunningService): Closer {
  const file = join(dataDir, RUNNING_FILE);
  writeFileSync(file, `${JSON.stringify(running)}\n`, { mode: 0o600 });
  return () => rm(file, { force: true });
}
