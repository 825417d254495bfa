import type { GaugeMetric, Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { SealEvent } from './seal/seal-events.ts';

/** What the gauges show, asked at each scrape. */
export interface LedgerGauges {
  readonly openBlocks: number;
  readonly leaves: number;
  readonly signedLeaves: number;
  readonly lagRecords: number;
  readonly halted: boolean;
  readonly heldAccounts: number;
}

export interface LedgerMetrics {
  observe(event: SealEvent): void;
  blockDamaged(): void;
}

/** The ledger's metrics, all of them. No label is a payer's. */
export function createLedgerMetrics(metrics: Metrics, gauges: () => LedgerGauges): LedgerMetrics {
  const blocks = metrics.counter<'tax' | 'reason'>({
    name: 'tally_ledger_blocks_total',
    help: 'Blocks sealed, by tax and by why they were closed.',
    labels: ['tax', 'reason'],
  });
  const entries = metrics.counter<'tax'>({
    name: 'tally_ledger_entries_total',
    help: 'Entries in sealed blocks, key events included.',
    labels: ['tax'],
  });
  const checkpoints = metrics.counter({
    name: 'tally_ledger_checkpoints_total',
    help: 'Checkpoints signed.',
    labels: [],
  });
  const acknowledged = metrics.counter({
    name: 'tally_ledger_acknowledged_heads_total',
    help: 'Heads that payers countersigned and the ledger recorded.',
    labels: [],
  });
  const refused = metrics.counter<'code'>({
    name: 'tally_ledger_acknowledgements_refused_total',
    help: 'Records of acknowledgements.v1 that were not taken, by code.',
    labels: ['code'],
  });
  const heldTotal = metrics.counter<'code'>({
    name: 'tally_ledger_accounts_held_total',
    help: 'Times that an account was held alone, by code.',
    labels: ['code'],
  });
  const damaged = metrics.counter<'code'>({
    name: 'tally_ledger_damage_total',
    help: 'Times that rot was found in the ledger store, by code.',
    labels: ['code'],
  });
  registerGauges(metrics, gauges);
  return {
    blockDamaged: () => damaged.add({ code: 'BLOCK_DAMAGED' }),
    observe(event) {
      switch (event.type) {
        case 'blockSealed':
          blocks.add({ tax: event.tax, reason: event.reason });
          entries.add({ tax: event.tax }, event.entries);
          return;
        case 'checkpointSigned':
          checkpoints.add({});
          return;
        case 'acknowledgementTaken':
          acknowledged.add({}, event.heads);
          return;
        case 'acknowledgementRefused':
          refused.add({ code: event.code });
          return;
        case 'accountHeld':
          heldTotal.add({ code: event.held.code });
          return;
        case 'storeRotten':
          damaged.add({ code: event.code });
          return;
      }
    },
  };
}

function registerGauges(metrics: Metrics, gauges: () => LedgerGauges): void {
  const shown: readonly (readonly [string, string, (now: LedgerGauges) => number])[] = [
    ['tally_ledger_open_blocks', 'Blocks that wait for their entries or their age.', (now) => now.openBlocks],
    ['tally_ledger_leaves', 'Blocks in the public log, read back.', (now) => now.leaves],
    ['tally_ledger_signed_leaves', 'Blocks under the newest served checkpoint.', (now) => now.signedLeaves],
    ['tally_ledger_lag_records', 'Records of the inputs that were not read yet.', (now) => now.lagRecords],
    ['tally_ledger_held_accounts', 'Accounts that are held alone while all others go on.', (now) => now.heldAccounts],
    ['tally_ledger_halted', 'One where the ledger has halted and somebody must act.', (now) => (now.halted ? 1 : 0)],
  ];
  for (const [name, help, value] of shown) {
    const gauge: GaugeMetric<never> = metrics.gauge({ name, help, labels: [] }, () => gauge.set({}, value(gauges())));
  }
}
