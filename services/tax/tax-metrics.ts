import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { OutcomeCounts } from './assess-events.ts';
import type { RulesStep } from './quarantine.ts';

/** What the tax service counts; labels are closed lists, never payers. */
export interface TaxMetrics {
  observeDecisions(counts: OutcomeCounts): void;
  countRulesFailure(step: RulesStep): void;
  setLag(records: number): void;
}

export function createTaxMetrics(metrics: Metrics): TaxMetrics {
  const decided = metrics.counter({
    name: 'tally_tax_decisions_total',
    help: 'Decisions folded by this process, by outcome.',
    labels: ['outcome'],
  });
  const rulesFailed = metrics.counter<'step'>({
    name: 'tally_tax_rules_failed_total',
    help: 'Records on which the rules threw, each rejected as RULES_FAILED: faults of ours, by where they threw.',
    labels: ['step'],
  });
  const lag = metrics.gauge({
    name: 'tally_tax_lag_records',
    help: 'Input records known and not yet decided.',
    labels: [],
  });
  return {
    observeDecisions(counts) {
      for (const [outcome, count] of Object.entries(counts)) if (count > 0) decided.add({ outcome }, count);
    },
    countRulesFailure: (step) => rulesFailed.add({ step }),
    setLag: (records) => lag.set({}, records),
  };
}
