import type { CountMetric, GaugeMetric, Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { OutboxCounts } from './outbox.ts';

/** Metrics of a payer's node: never by payer. */
export interface PayerMetrics {
  readonly entries: CountMetric<never>;
  readonly blocks: CountMetric<never>;
  readonly faults: CountMetric<'code'>;
  readonly events: GaugeMetric<'state'>;
}

export interface PayerFigures {
  readonly counts: () => OutboxCounts;
  readonly openDivergences: () => number;
  readonly haltedChains: () => number;
}

export function payerMetrics(metrics: Metrics, figures: PayerFigures): PayerMetrics {
  const events: GaugeMetric<'state'> = metrics.gauge(
    { name: 'tally_payer_events', help: "Events of the payer's own record by state.", labels: ['state'] },
    () => {
      for (const [state, count] of Object.entries(figures.counts())) events.set({ state }, count);
    },
  );
  const open: GaugeMetric<never> = metrics.gauge(
    { name: 'tally_payer_divergences_open', help: 'Divergence reports that stand open.', labels: [] },
    () => open.set({}, figures.openDivergences()),
  );
  const halted: GaugeMetric<never> = metrics.gauge(
    { name: 'tally_payer_chains_halted', help: 'Chains that a failed check stopped.', labels: [] },
    () => halted.set({}, figures.haltedChains()),
  );
  return {
    events,
    entries: metrics.counter({
      name: 'tally_payer_entries_verified_total',
      help: 'Entries that were worked out again, checked and stored.',
      labels: [],
    }),
    blocks: metrics.counter({
      name: 'tally_payer_blocks_verified_total',
      help: 'Blocks that passed every check and were stored.',
      labels: [],
    }),
    faults: metrics.counter({
      name: 'tally_payer_faults_total',
      help: 'What went wrong in following the ledger or reaching the gateway, by code.',
      labels: ['code'],
    }),
  };
}
