import { join } from 'node:path';
import { loadPayerSigner } from '../../libs/adapters/access/key-files.ts';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { loadRules } from '../../libs/adapters/rules/load-rules.ts';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { account } from '../../libs/core/identity/account.ts';
import { createPayerNode, PAYER_NODE_DEFAULTS } from './payer-node.ts';

const CALL_TIMEOUT_MS = 30_000;

/**
 * The payer's node alone in a process, at the payer's: GATEWAY_URL, LEDGER_URL, CLIENT_KEY (ours with both), GATEWAY_VERIFIER_KEY (whose
 * receipts count), NODE_NAME (of the key that countersigns), ACCOUNTS (comma-separated); CLIENTS_FILE says who may use this node.
 */
await runService({ name: 'payer-node', port: 8083 }, async (context) => {
  const { dataDir, logger, metrics, clock, setting } = context;
  const reach = { clientKey: setting('CLIENT_KEY'), timeoutMs: CALL_TIMEOUT_MS };
  const { rules, cards } = loadRules();
  const node = await createPayerNode(
    {
      ...PAYER_NODE_DEFAULTS,
      folder: join(dataDir, 'payer-node'),
      accounts: (process.env['ACCOUNTS'] ?? '').split(',').filter(Boolean).map(account),
      gatewayKeys: [setting('GATEWAY_VERIFIER_KEY')],
    },
    {
      gateway: createGatewayClient({ url: setting('GATEWAY_URL'), ...reach }, { fetch }),
      ledger: createLedgerClient({ url: setting('LEDGER_URL'), ...reach }, { fetch }),
      signer: loadPayerSigner(dataDir, process.env['NODE_NAME'] ?? 'payer-node'),
      rules,
      rateCards: cards,
      clients: context.clients(),
      clock,
      random: Math.random,
      logger,
      metrics,
      onFatal: context.fail,
    },
  );
  context.onStop(() => node.stop());
  return { routers: [node.router], ready: () => node.checkReady(), begin: () => node.start() };
});
