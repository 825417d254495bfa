import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadGatewayKeys, loadLedgerKeys, loadPayerSigner } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { KEYED_PARTITIONS_DEFAULT, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { loadRules } from '../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { ownClients } from '../../services/cli/start/own-clients.ts';
import { openGateway } from '../../services/gateway/gateway.ts';
import { type Ledger, openLedger } from '../../services/ledger/create-ledger.ts';
import { createPayerNode, PAYER_NODE_DEFAULTS, type PayerNode } from '../../services/payer-node/payer-node.ts';
import { openReconciliation } from '../../services/reconciliation/create-reconciliation.ts';
import { openTax, type TaxService } from '../../services/tax/create-tax.ts';

export type Part = 'gateway' | 'tax' | 'ledger' | 'payer' | 'reconciliation';

export interface WorldOptions {
  readonly folder: string;
  readonly parts: readonly Part[];
  /** Time of receipt of each event whose entry was stored in the payer's copy just now. */
  readonly onStored?: (receivedAtMs: readonly number[]) => void;
  readonly onFailed: (error: unknown) => void;
}

/** The services' own code on an embedded log, as `tally start` wires it, but only the parts that a case measures. */
export interface BenchWorld {
  readonly url: string;
  readonly payerUrl: string;
  readonly payerKey: string;
  readonly tax: TaxService | null;
  readonly ledger: Ledger | null;
  readonly payer: PayerNode | null;
  /** Value of a counter over all its labels. */
  counter(name: string): Promise<number>;
  stop(): Promise<void>;
}

const DEADLINE_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** As the embedded way closes blocks (services/cli/start/start.ts). */
const BLOCK_AGE_MS = 2_000;

type Closer = () => Promise<unknown> | unknown;

export async function openBenchWorld(options: WorldOptions): Promise<BenchWorld> {
  const { folder, parts, onFailed } = options;
  mkdirSync(folder, { recursive: true });
  const has = (part: Part): boolean => parts.includes(part);
  const closers: Closer[] = [];
  const logger = createLogger({ service: 'bench', level: 'error' });
  const metrics = createMetrics();
  const { keys, clients } = ownClients(folder);
  const rules = loadRules();
  const log = await openEmbeddedLog({ folder: join(folder, 'log') }, { onBroken: onFailed });
  closers.push(() => log.close());
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions === 'one' ? 1 : KEYED_PARTITIONS_DEFAULT,
    })),
  );
  const common = {
    log,
    register: await openLogRegister(log),
    clients,
    metrics,
    logger,
    clock: systemClock,
    rules: rules.rules,
  };
  const ledger = has('ledger')
    ? await openLedger(
        { dataDir: folder, sealLimits: { payeAgeMs: BLOCK_AGE_MS, vatAgeMs: BLOCK_AGE_MS } },
        { ...common, keys: loadLedgerKeys(folder) },
      )
    : null;
  if (ledger !== null) closers.push(() => ledger.stop(DEADLINE_MS));
  const gatewayKeys = loadGatewayKeys(folder);
  const gateway = has('gateway') ? await openGateway({ dataDir: folder, keys: gatewayKeys }, common) : null;
  if (gateway !== null) closers.push(() => gateway.stop(DEADLINE_MS));
  if (has('reconciliation')) {
    const reconciliation = await openReconciliation({ folder: join(folder, 'reconciliation') }, common);
    void reconciliation.failed.then(onFailed);
    closers.push(() => reconciliation.stop());
  }
  const routers = [gateway?.router, ledger?.router].filter((router) => router !== undefined);
  const server = await listen(routers, logger);
  closers.push(
    () => server.stop(DEADLINE_MS),
    () => ledger?.endStreams(),
  );
  const payer = has('payer')
    ? await createPayerNode(
        {
          ...PAYER_NODE_DEFAULTS,
          // The record may be minutes older than the blocks: what waits so long is not withheld.
          withheldAfterMs: 3_600_000,
          withheldWholeAfterMs: 36_000_000,
          folder: join(folder, 'payer-node'),
          accounts: [],
          gatewayKeys: [printVerifierKey(gatewayKeys.signer.key)],
        },
        {
          gateway: createGatewayClient(reach(server.url, keys.payer), { fetch }),
          ledger: createLedgerClient(reach(server.url, keys.payer), { fetch }),
          signer: loadPayerSigner(folder, 'payer-node'),
          rules: rules.rules,
          rateCards: rules.cards,
          clients,
          clock: systemClock,
          random: Math.random,
          logger,
          metrics,
          ...(options.onStored === undefined ? {} : { onStored: options.onStored }),
        },
      )
    : null;
  payer?.start();
  void payer?.failed.then(onFailed);
  if (payer !== null) closers.push(() => payer.stop());
  const payerServer = payer === null ? null : await listen([payer.router], logger);
  if (payerServer !== null) closers.push(() => payerServer.stop(DEADLINE_MS));
  // Last: where its input stands ready, its work begins at once.
  const tax = has('tax') ? await startTax(folder, common, closers) : null;
  for (const part of [tax, ledger]) void part?.failed.then(onFailed);
  return {
    url: server.url,
    payerUrl: payerServer?.url ?? '',
    payerKey: keys.payer,
    tax,
    ledger,
    payer,
    counter: (name) => counterOf(metrics, name),
    stop: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

async function startTax(
  folder: string,
  common: Omit<Parameters<typeof openTax>[1], 'store'>,
  closers: Closer[],
): Promise<TaxService> {
  const store = await openEmbeddedStore({ folder: join(folder, 'store'), stage: 'tax' });
  closers.push(() => store.close());
  const tax = await openTax({}, { ...common, store });
  closers.push(() => tax.stop(DEADLINE_MS));
  return tax;
}

function listen(
  routers: Parameters<typeof createHttpApp>[0]['routers'],
  logger: Parameters<typeof createHttpApp>[1]['logger'],
) {
  return startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, createHttpApp({ routers }, { logger }));
}

function reach(url: string, clientKey: string) {
  return { url, clientKey, timeoutMs: REQUEST_TIMEOUT_MS };
}

async function counterOf(metrics: Metrics, name: string): Promise<number> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}
