import type { CountMetric, Labels, Metrics } from '../../../libs/adapters/telemetry/metrics-registry.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import { approximately, type PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { TAXES } from '../count/figures.ts';
import type { Stage } from '../count/tables.ts';
import type { Counted, Summary } from './summary.ts';

export interface ReconciliationMetrics {
  observeCopied(tax: Tax, seconds: number): void;
}

/** Stages as labels name them. */
const STAGE_LABELS: Readonly<Record<Stage, string>> = {
  decision: 'decision',
  hmrcCopy: 'hmrc_copy',
  payerCopy: 'payer_copy',
};

const COPY_BUCKETS_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

/** How the pence of a tally's taxable base are labelled beside the heads. */
const BASE_HEAD = 'taxableBase';

type Write = (summary: Summary) => void;

/**
 * The metrics of the reconciliation: by tax, head and stage, never by payer. All are read from one summary at the time of the scrape, so that
 * they agree with one another and with the page.
 */
export function createReconciliationMetrics(metrics: Metrics, summary: () => Summary): ReconciliationMetrics {
  // The first metric to be collected writes all those that follow: one summary a scrape.
  const behind = metrics.gauge(
    {
      name: 'tally_reconciliation_behind',
      help: 'Whether the log is not read up to the last minute (1) or is (0).',
      labels: [],
    },
    () => {
      const current = summary();
      behind.set({}, current.state === 'behind' ? 1 : 0);
      for (const write of writers) write(current);
    },
  );
  const writers: readonly Write[] = [
    differenceGauges(metrics),
    oldestGauge(metrics),
    standingGauges(metrics),
    eventCounters(metrics),
    codeCounters(metrics),
    liabilityGauges(metrics),
  ];
  const toCopy = metrics.histogram({
    name: 'tally_reconciliation_receipt_to_copy_seconds',
    help: "Time from the receipt of an event to its entry in the payer's acknowledged copy.",
    labels: ['tax'],
    bucketsSeconds: COPY_BUCKETS_SECONDS,
  });
  return { observeCopied: (tax, seconds) => toCopy.observe({ tax }, seconds) };
}

function differenceGauges(metrics: Metrics): Write {
  const events = metrics.gauge({
    name: 'tally_reconciliation_difference_events',
    help: 'Events of a stage that the next does not show yet (in_flight) or after a minute (overdue).',
    labels: ['tax', 'stage', 'age'],
  });
  const pence = metrics.gauge({
    name: 'tally_reconciliation_difference_pence',
    help: 'What those events come to, by head and in taxable base.',
    labels: ['tax', 'head', 'stage', 'age'],
  });
  const differing = metrics.gauge({
    name: 'tally_reconciliation_differing_events',
    help: 'Events that two stages both show, but not alike.',
    labels: ['tax', 'stage'],
  });
  return ({ taxes }) => {
    // A head that is settled is gone from the summary, and so from the gauge.
    pence.clear();
    for (const tax of TAXES) {
      for (const { stage: name, inFlight, overdue, differs } of taxes[tax].differences) {
        const stage = STAGE_LABELS[name];
        differing.set({ tax, stage }, differs);
        for (const [age, unmatched] of [['in_flight', inFlight] as const, ['overdue', overdue] as const]) {
          events.set({ tax, stage, age }, unmatched.events);
          for (const { head, pence: value } of withBase(unmatched))
            pence.set({ tax, head, stage, age }, approximately(value));
        }
      }
    }
  };
}

function oldestGauge(metrics: Metrics): Write {
  const oldest = metrics.gauge({
    name: 'tally_reconciliation_oldest_unmatched_seconds',
    help: 'Age of the oldest event of a stage that the next does not show; 0 where there is none.',
    labels: ['tax', 'stage'],
  });
  return ({ taxes }) => {
    for (const tax of TAXES) {
      for (const { stage, oldestUnmatchedSeconds } of taxes[tax].differences) {
        oldest.set({ tax, stage: STAGE_LABELS[stage] }, oldestUnmatchedSeconds);
      }
    }
  };
}

function standingGauges(metrics: Metrics): Write {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `tally_reconciliation_${name}`, help, labels: [] });
  const divergent = gauge('divergent_copies', "Accounts whose payer's copy is not HMRC's.");
  const gaps = gauge('till_gaps', 'Ranges of till numbers that did not come.');
  const chains = gauge('chains', 'Chains that have at least one block.');
  const unacknowledged = metrics.gauge({
    name: 'tally_reconciliation_unacknowledged_blocks',
    help: 'Blocks that their payers have not countersigned yet (in_flight) or after a minute (overdue).',
    labels: ['age'],
  });
  const waiting = metrics.gauge({
    name: 'tally_reconciliation_waiting_events',
    help: 'Events that are held until another one comes.',
    labels: ['tax'],
  });
  const unread = metrics.gauge({
    name: 'tally_reconciliation_unread_records',
    help: 'Records known to be in the log that the reconciliation has not read.',
    labels: ['topic'],
  });
  return (summary) => {
    const { blocks, taxes } = summary;
    divergent.set({}, blocks.divergentCopies);
    gaps.set({}, summary.tillGaps);
    chains.set({}, blocks.chains);
    unacknowledged.set({ age: 'in_flight' }, blocks.unacknowledgedInFlight);
    unacknowledged.set({ age: 'overdue' }, blocks.unacknowledgedOverdue);
    for (const tax of TAXES) waiting.set({ tax }, taxes[tax].waiting.events);
    for (const [topic, records] of Object.entries(summary.unread)) unread.set({ topic }, records);
  };
}

function eventCounters(metrics: Metrics): Write {
  const counter = (name: string, help: string) =>
    grown(metrics.counter({ name: `tally_reconciliation_${name}_total`, help, labels: ['tax'] }));
  const received = counter('events', 'Events in the log, repeats included.');
  const repeats = counter('repeats', 'Events that came again.');
  const decisions = counter('decisions', 'Events that tax accepted.');
  const hmrc = counter('hmrc_entries', "Entries in HMRC's copy.");
  const payer = counter('payer_entries', "Entries in payers' acknowledged copies.");
  const stated = counter('stated_differences', 'Decisions on which the payer stated other amounts than were assessed.');
  const blocks = grown(
    metrics.counter({ name: 'tally_reconciliation_blocks_total', help: "Blocks in HMRC's copy.", labels: [] }),
  );
  return (summary) => {
    for (const tax of TAXES) {
      const figures = summary.taxes[tax];
      received({ tax }, figures.received.events);
      repeats({ tax }, figures.repeats);
      decisions({ tax }, figures.decided.events);
      hmrc({ tax }, figures.hmrcCopy.events);
      payer({ tax }, figures.payerCopy.events);
      stated({ tax }, figures.stated.events);
    }
    blocks({}, summary.blocks.sealed);
  };
}

function codeCounters(metrics: Metrics): Write {
  const rejections = grown(
    metrics.counter({
      name: 'tally_reconciliation_rejections_total',
      help: 'Events that tax rejected, by reason.',
      labels: ['tax', 'code'],
    }),
  );
  const flags = grown(
    metrics.counter({
      name: 'tally_reconciliation_flags_total',
      help: 'Accepted events with a flag, by flag.',
      labels: ['tax', 'flag'],
    }),
  );
  return ({ taxes }) => {
    for (const tax of TAXES) {
      for (const { code, count } of taxes[tax].rejections) rejections({ tax, code }, count);
      for (const { code, count } of taxes[tax].flags) flags({ tax, flag: code }, count);
    }
  };
}

function liabilityGauges(metrics: Metrics): Write {
  const today = metrics.gauge({
    name: 'tally_liability_today_pence',
    help: 'Assessed on events received today in London, by head, gross until inputs are in.',
    labels: ['tax', 'head'],
  });
  const balance = metrics.gauge({
    name: 'tally_balance_pence',
    help: "Charges less payments in HMRC's copy since the log began.",
    labels: ['tax'],
  });
  return ({ liabilityToday, taxes }) => {
    today.clear();
    for (const tax of TAXES) {
      for (const { head, pence } of liabilityToday.taxes[tax].amounts) today.set({ tax, head }, approximately(pence));
      balance.set({ tax }, approximately(taxes[tax].balancePence));
    }
  };
}

function withBase({ basePence, amounts }: Counted): readonly { readonly head: string; readonly pence: PenceSum }[] {
  return [{ head: BASE_HEAD, pence: basePence }, ...amounts];
}

/** A counter that is told where it stands: the figures are kept over restarts, the counter is not. */
function grown<Label extends string>(counter: CountMetric<Label>): (labels: Labels<Label>, standsAt: number) => void {
  const stood = new Map<string, number>();
  return (labels, standsAt) => {
    const key = JSON.stringify(labels);
    const growth = standsAt - (stood.get(key) ?? 0);
    if (growth < 0) return;
    counter.add(labels, growth);
    stood.set(key, standsAt);
  };
}
