import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Router } from 'express';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { dashboardOn } from '../../dashboard/dashboard-service.ts';
import { gatewayService } from '../../gateway/gateway-service.ts';
import { ledgerService } from '../../ledger/ledger-service.ts';
import type { PayerNode } from '../../payer-node/payer-node.ts';
import { payerNodeService } from '../../payer-node/payer-node-service.ts';
import type { Reconciliation } from '../../reconciliation/create-reconciliation.ts';
import { reconciliationService } from '../../reconciliation/reconciliation-service.ts';
import { taxService } from '../../tax/tax-service.ts';
import { RUNNING_FILE, type RunningService } from '../client/service-client.ts';
import { postPayments } from '../demo/run-feed.ts';
import { ownClients } from './own-clients.ts';
import type { Running } from './running.ts';
import { ServicesTogether, type StartDependencies, type StartOptions } from './services-together.ts';

/** Every service in this process, on the embedded log and store (design section 8). */
export interface RunningTallystick extends Running {
  readonly url: string;
  /** What answers there, the payer's node too: every route can be read off them. */
  readonly routers: readonly Router[];
  readonly payerNode: PayerNode;
  readonly reconciliation: Reconciliation;
}

const DRAIN_LOOK_MS = 200;

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

async function startParts(
  options: StartOptions,
  dependencies: StartDependencies,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<RunningTallystick> {
  const { dataDir } = options;
  await mkdir(dataDir, { recursive: true });
  const { keys, clients } = ownClients(dataDir, process.env['CLIENTS_FILE']);
  const together = new ServicesTogether(options, dependencies, clients, closers);
  const { context, health } = together;
  await together.add(taxService);
  const ledger = await together.add(ledgerService);
  const gateway = await together.add(gatewayService);
  const reconciliation = await together.add(reconciliationService);
  const summaries = { latest: () => reconciliation.summary(), subscribe: reconciliation.subscribe };
  await together.add(dashboardOn(summaries));
  const url = await together.listen();
  Object.assign(context.env, {
    GATEWAY_URL: url,
    LEDGER_URL: url,
    ACCOUNTS: process.env['ACCOUNTS'] ?? '',
    CLIENT_KEY: keys.payer,
    GATEWAY_VERIFIER_KEY: printVerifierKey(gateway.verifierKey),
  });
  const payerNode = await together.add(payerNodeService);
  closers.push(announce(dataDir, { url, pid: process.pid, key: keys.operator }), () => health.drain());
  const { clock } = dependencies;
  return {
    url,
    routers: together.routers,
    payerNode,
    reconciliation,
    rules: context.rules(),
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

function placesOf(url: string, dataDir: string): string[] {
  return [
    `Treasury page   ${url}/`,
    `metrics         ${url}/metrics`,
    `gateway         ${url}/v1/paye/events  /v1/vat/events  /v1/payments`,
    `payer node      ${url}/payer/v1/events/paye  /payer/v1/events/vat`,
    `keys            ${dataDir}/keys/client-payer, client-bank, client-analyst, client-operator`,
  ];
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
