import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { TallyError } from '../../core/errors/tally-error.ts';

/** `tally_`, words, and a unit or `_total` at the end for what counts or measures (house style, Names). */
const METRIC_NAME = /^tally_[a-z0-9]+(_[a-z0-9]+)*$/;

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** A number that only grows. */
export interface CountMetric<Label extends string> {
  add(labels: Labels<Label>, amount?: number): void;
}

/** A number that stands for how things are now. */
export interface GaugeMetric<Label extends string> {
  set(labels: Labels<Label>, value: number): void;
  /** Forgets every series: for a gauge that is written anew at each scrape. */
  clear(): void;
}

/** A distribution, in seconds. */
export interface SecondsMetric<Label extends string> {
  observe(labels: Labels<Label>, seconds: number): void;
}

interface MetricSpec<Label extends string> {
  readonly name: string;
  /** One sentence for people. */
  readonly help: string;
  readonly labels: readonly Label[];
}

/**
 * Makes the metrics of one service, typed by their labels: a wrong label does not compile. A service keeps all of its metrics in one
 * file, made by one function that takes this. Labels are never payers (dependencies.md, pain 9).
 */
export interface Metrics {
  readonly registry: Registry;
  /** Throws METRIC_NAME_INVALID unless `tally_…_total` with a help sentence. */
  counter<Label extends string = never>(spec: MetricSpec<Label>): CountMetric<Label>;
  /** `collect` runs before each scrape. */
  gauge<Label extends string = never>(spec: MetricSpec<Label>, collect?: () => void): GaugeMetric<Label>;
  histogram<Label extends string = never>(
    spec: MetricSpec<Label> & { readonly bucketsSeconds: readonly number[] },
  ): SecondsMetric<Label>;
}

/** Typed metrics on a registry of their own, or on the one that a process shares between its services. */
export function createMetrics(registry: Registry = new Registry()): Metrics {
  return {
    registry,
    counter: (spec) => {
      assertNamed(spec, /_total$/);
      const counter = new Counter({
        name: spec.name,
        help: spec.help,
        labelNames: [...spec.labels],
        registers: [registry],
      });
      return { add: (labels, amount = 1) => counter.inc(labels, amount) };
    },
    gauge: (spec, collect) => {
      assertNamed(spec, /(?<!_total)$/);
      const gauge = new Gauge({
        name: spec.name,
        help: spec.help,
        labelNames: [...spec.labels],
        registers: [registry],
        ...(collect === undefined ? {} : { collect }),
      });
      return { set: (labels, value) => gauge.set(labels, value), clear: () => gauge.reset() };
    },
    histogram: (spec) => {
      assertNamed(spec, /_seconds$/);
      const histogram = new Histogram({
        name: spec.name,
        help: spec.help,
        labelNames: [...spec.labels],
        buckets: [...spec.bucketsSeconds],
        registers: [registry],
      });
      return { observe: (labels, seconds) => histogram.observe(labels, seconds) };
    },
  };
}

/** prom-client's gauges that end in `_total`, which promtool's lint refuses. */
const MISNAMED_DEFAULTS = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Adds what a process says of itself (CPU, memory, event loop): once a process, whatever number of services it runs. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED_DEFAULTS) registry.removeSingleMetric(name);
}

function assertNamed(spec: MetricSpec<string>, ending: RegExp): void {
  const { name, help } = spec;
  if (METRIC_NAME.test(name) && ending.test(name) && /^[A-Z].*\.$/.test(help)) return;
  throw new TallyError('METRIC_NAME_INVALID', `metric ${name} needs a name tally_… ${ending} and a help sentence`, {
    name,
    help,
  });
}
