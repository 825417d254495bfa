import type {
  CountMetric,
  GaugeMetric,
  Metrics,
  SecondsMetric,
} from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { OutboxCounts } from './outbox/outbox.ts';

/** About a quarter apart from a tenth of a second to ten, then wider: a copy is some seconds old, and one of an hour is one too many. */
const COPY_AGE_BUCKETS_SECONDS = [
  0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7.5, 10, 15, 20, 30, 60, 300, 3_600,
];

/** Metrics of a payer's node: never by payer. */
export interface PayerMetrics {
  readonly entries: CountMetric<never>;
  readonly blocks: CountMetric<never>;
  readonly faults: CountMetric<'code'>;
  readonly copyAge: SecondsMetric<never>;
  readonly events: GaugeMetric<'state'>;
  readonly fetched: CountMetric<never>;
}

export interface PayerFigures {
  readonly counts: () => OutboxCounts;
  readonly openDivergences: () => number;
  readonly waitingEvents: () => number;
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
  const waiting: GaugeMetric<never> = metrics.gauge(
    {
      name: 'tally_payer_waiting_events',
      help: 'Events receipted a minute ago or longer that HMRC has not decided, and that nothing shows to be withheld.',
      labels: [],
    },
    () => waiting.set({}, figures.waitingEvents()),
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
    fetched: metrics.counter({
      name: 'tally_payer_events_fetched_total',
      help: 'Events of other senders, or of a lost record, that came from the gateway with their receipts.',
      labels: [],
    }),
    copyAge: metrics.histogram({
      name: 'tally_payer_copy_age_seconds',
      help: "From the gateway's receipt of an event of ours to its entry checked and stored in this copy.",
      labels: [],
      bucketsSeconds: COPY_AGE_BUCKETS_SECONDS,
    }),
    faults: metrics.counter({
      name: 'tally_payer_faults_total',
      help: 'What went wrong in following the ledger or reaching the gateway, by code.',
      labels: ['code'],
    }),
  };
}
