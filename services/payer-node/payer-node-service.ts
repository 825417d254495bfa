import { join } from 'node:path';
import { loadPayerSigner } from '../../libs/adapters/access/key-files.ts';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import type { ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { account } from '../../libs/core/identity/account.ts';
import { createPayerNode, PAYER_NODE_DEFAULTS, type PayerNode } from './payer-node.ts';

const CALL_TIMEOUT_MS = 30_000;

/**
 * The payer's node, at the payer's: GATEWAY_URL, LEDGER_URL, CLIENT_KEY (ours with both), GATEWAY_VERIFIER_KEY (whose receipts count),
 * NODE_NAME (of the key that countersigns), ACCOUNTS (comma-separated); CLIENTS_FILE says who may use this node.
 */
export const payerNodeService: ServiceDefinition<PayerNode> = {
  name: 'payer-node',
  port: 8083,
  async open(context) {
    const { dataDir, env, setting } = context;
    const reach = { clientKey: setting('CLIENT_KEY'), timeoutMs: CALL_TIMEOUT_MS };
    const { rules, cards } = context.rules();
    const node = await createPayerNode(
      {
        ...PAYER_NODE_DEFAULTS,
        folder: join(dataDir, 'payer-node'),
        accounts: (env['ACCOUNTS'] ?? '').split(',').filter(Boolean).map(account),
        gatewayKeys: [setting('GATEWAY_VERIFIER_KEY')],
      },
      {
        ...context,
        gateway: createGatewayClient({ url: setting('GATEWAY_URL'), ...reach }, { fetch }),
        ledger: createLedgerClient({ url: setting('LEDGER_URL'), ...reach }, { fetch }),
        signer: loadPayerSigner(dataDir, env['NODE_NAME'] ?? 'payer-node'),
        rules,
        rateCards: cards,
        clients: context.clients(),
        random: Math.random,
      },
    );
    node.start();
    return node;
  },
};
