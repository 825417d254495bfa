import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientRegistry, clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { noteSignerOfSeed } from '../../libs/adapters/crypto/node-crypto.ts';
import type { GatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import type { LedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { type LoadedRules, loadRules } from '../../libs/adapters/rules/load-rules.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { type Clock, systemClock } from '../../libs/adapters/time/clock.ts';
import {
  createPayerNode,
  PAYER_NODE_DEFAULTS,
  type PayerNode,
  type PayerNodeOptions,
} from '../../services/payer-node/payer-node.ts';
import { seededBytes } from './ledger-chain.ts';

export const PAYER_CLIENT_KEY = 'payer-client-key-of-the-test-0123456789abcdef';

const ANY_ACCOUNT = clientRegistry([
  { id: 'payer', keySha256: digestOfKey(PAYER_CLIENT_KEY), accounts: '*', roles: ['payer'], expiresAt: null },
]);

export interface NodeUnderTest {
  readonly node: PayerNode;
  readonly folder: string;
  readonly fatal: unknown[];
  /** How often it reported a fault of this code. */
  faults(code: string): Promise<number>;
}

/** A payer node upon these clients, in a folder of its own unless one is given. */
export async function openPayerNode(
  clients: { readonly gateway: GatewayClient; readonly ledger: LedgerClient; readonly gatewayKey: string },
  other: Partial<PayerNodeOptions> & {
    readonly clock?: Clock;
    readonly loaded?: LoadedRules;
    readonly registry?: ClientRegistry;
  } = {},
): Promise<NodeUnderTest> {
  const folder = other.folder ?? (await mkdtemp(join(tmpdir(), 'payer-node-')));
  const fatal: unknown[] = [];
  const metrics = createMetrics();
  const { clock, loaded = loadRules(), registry = ANY_ACCOUNT, ...options } = other;
  const node = await createPayerNode(
    { accounts: [], gatewayKeys: [clients.gatewayKey], ...PAYER_NODE_DEFAULTS, ...options, folder },
    {
      gateway: clients.gateway,
      ledger: clients.ledger,
      signer: noteSignerOfSeed('payer-of-the-test', seededBytes('payer', 32)),
      rules: loaded.rules,
      rateCards: loaded.cards,
      clients: registry,
      clock: clock ?? systemClock,
      random: () => 0.5,
      logger: createLogger({ service: 'payer-node', level: 'silent' }),
      metrics,
    },
  );
  void node.failed.then((error) => fatal.push(error));
  const faults = async (code: string): Promise<number> => {
    const counted = await metrics.registry.getSingleMetric('tally_payer_faults_total')?.get();
    return counted?.values.find(({ labels }) => labels['code'] === code)?.value ?? 0;
  };
  return { node, folder, fatal, faults };
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Waits until `done` holds. Throws after timeoutMs. */
export async function until(done: () => boolean, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!done()) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
