import type {
  CountMetric,
  GaugeMetric,
  Metrics,
  SecondsMetric,
} from '../../../libs/adapters/telemetry/metrics-registry.ts';
import { taxOf } from '../../../libs/core/identity/account.ts';
import type { PreparedEvent } from './prepared-event.ts';

/** Every metric of the gateway. Labels are closed lists: taxes, types of event, codes. */
export interface GatewayMetrics {
  readonly eventsAccepted: CountMetric<'tax' | 'type'>;
  readonly eventsRepeated: CountMetric<'tax'>;
  readonly requestsRefused: CountMetric<'code'>;
  readonly faults: CountMetric<'code'>;
  readonly acceptSeconds: SecondsMetric<never>;
  readonly eventsWaiting: GaugeMetric<never>;
  readonly receiptsPending: GaugeMetric<never>;
  readonly ingressRecords: CountMetric<'outcome'>;
  readonly ingressWaiting: GaugeMetric<never>;
}

export function gatewayMetrics(metrics: Metrics): GatewayMetrics {
  return {
    eventsAccepted: metrics.counter({
      name: 'tally_gateway_events_accepted_total',
      help: 'Events made durable in the log and receipted, repeats apart.',
      labels: ['tax', 'type'],
    }),
    eventsRepeated: metrics.counter({
      name: 'tally_gateway_events_repeated_total',
      help: 'Events that were known and got the receipt that they had.',
      labels: ['tax'],
    }),
    requestsRefused: metrics.counter({
      name: 'tally_gateway_requests_refused_total',
      help: 'Requests refused whole, by the code of the problem.',
      labels: ['code'],
    }),
    faults: metrics.counter({
      name: 'tally_gateway_faults_total',
      help: 'Faults found in the events of refused requests.',
      labels: ['code'],
    }),
    acceptSeconds: metrics.histogram({
      name: 'tally_gateway_accept_seconds',
      help: 'Time from a request that was read to its events durable in the log.',
      labels: [],
      bucketsSeconds: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    }),
    eventsWaiting: metrics.gauge({
      name: 'tally_gateway_waiting_events',
      help: 'Events that were read and wait to be appended.',
      labels: [],
    }),
    receiptsPending: metrics.gauge({
      name: 'tally_gateway_pending_receipts',
      help: 'Receipts reserved whose events are not all known to be in the log.',
      labels: [],
    }),
    ingressRecords: metrics.counter({
      name: 'tally_gateway_ingress_records_total',
      help: 'Records of the ingress topics: forwarded, repeated (known already) or refused (a dead letter).',
      labels: ['outcome'],
    }),
    ingressWaiting: metrics.gauge({
      name: 'tally_gateway_ingress_waiting_records',
      help: 'Records of the ingress topics that are not forwarded yet.',
      labels: [],
    }),
  };
}

/** Counts the events of a request that was taken: the new ones by type, the others as repeats. */
export function countTaken(
  metrics: GatewayMetrics,
  all: readonly PreparedEvent[],
  fresh: readonly PreparedEvent[],
): void {
  const counts = new Map<string, number>();
  for (const { draft } of fresh) {
    const series = `${taxOf(draft.event.account)} ${draft.event.type}`;
    counts.set(series, (counts.get(series) ?? 0) + 1);
  }
  for (const [series, count] of counts) {
    const [tax = '', type = ''] = series.split(' ');
    metrics.eventsAccepted.add({ tax, type }, count);
  }
  const repeats = all.length - fresh.length;
  const first = all[0];
  if (repeats > 0 && first !== undefined)
    metrics.eventsRepeated.add({ tax: taxOf(first.draft.event.account) }, repeats);
}
