import type { ClientRegistry } from '../../libs/adapters/access/clients.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { account } from '../../libs/core/identity/account.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import type { PayerNode } from '../../services/payer-node/payer-node.ts';
import { PaperHmrc } from './paper-hmrc.ts';
import { openPayerNode, removeFolder, until } from './payer-node-fixture.ts';
import { SetClock } from './set-clock.ts';

export interface ServedTrader {
  readonly hmrc: PaperHmrc;
  readonly node: PayerNode;
  /** Address without a path. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A trader's node before HMRC on paper, which decided on the trader's events and received its money, served over HTTP. */
export async function serveTrader(of: {
  readonly vrn: string;
  readonly events: readonly object[];
  readonly paidPence: number;
  readonly nowMs: number;
  readonly registry: ClientRegistry;
}): Promise<ServedTrader> {
  const clock = new SetClock(of.nowMs);
  const hmrc = new PaperHmrc({ clock: clock.civilMs });
  const gatewayKey = printVerifierKey(hmrc.gatewaySigner.key);
  const clients = { gateway: hmrc.gateway, ledger: hmrc.ledger, gatewayKey };
  const { node, folder } = await openPayerNode(clients, { pullEveryMs: 20, clock, registry: of.registry });
  node.start();
  const { queued, refused } = await node.submit('vat', of.events);
  if (queued !== of.events.length) throw new Error(`not all events were queued: ${JSON.stringify(refused)}`);
  await until(() => node.counts().unsent === 0);
  hmrc.pay(account(`vat:${of.vrn}`), of.paidPence);
  hmrc.seal();
  await until(() => node.counts().decided === of.events.length);
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers: [node.router] }, { logger }),
  );
  return {
    hmrc,
    node,
    url: server.url,
    async stop() {
      await server.stop(1_000);
      await node.stop();
      await removeFolder(folder);
    },
  };
}
