import type { SpreadName } from './bench-case.ts';
import type { MeasuredProcess } from './process-use.ts';

/**
 * What is measured on Kafka, in the order of the table. The last three run where they are asked for: two take minutes, one needs a JDK and
 * the jars of Kafka Streams.
 */
export const KAFKA_CASES = [
  'raw',
  'pipeline',
  'embedded',
  'tax',
  'ledger',
  'payer',
  'paced',
  'streams',
  'replay',
  'employments',
] as const;
export type KafkaCaseName = (typeof KAFKA_CASES)[number];
export const KAFKA_CASES_DEFAULT: readonly KafkaCaseName[] = KAFKA_CASES.slice(0, -3);

export const KAFKA_CASE_TITLES: Readonly<Record<KafkaCaseName, string>> = {
  raw: 'kafkajs alone: topics copied to topics',
  pipeline: "tax, ledger, payer node: Kafka → entries in the payer's copy",
  embedded: 'the same, embedded in one process',
  tax: 'tax alone: events → liabilities',
  ledger: 'ledger alone: liabilities → blocks, signed checkpoint',
  payer: 'payer node alone: pull → checked, stored, countersigned',
  paced: 'everything, paced: HTTP → entry in the copy',
  streams: 'Kafka Streams alone: events → a sum for each key',
  replay: 'tax, ledger, payer node, paced: Kafka → entry in the copy',
  employments: 'every service, one payment of each employment: HTTP → entry in the copy',
};

export interface KafkaMeasured {
  readonly spread: SpreadName;
  readonly run: number;
  readonly name: KafkaCaseName;
  /** Done between the moment when all processes were ready and the end. */
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly processes: readonly MeasuredProcess[];
  /** From the gateway's receipt (paced), from the append (replay) to the entry in the payer's copy. */
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly entriesPerBlock: number | null;
  /** Of a replay: whether what waits stopped growing while events were sent. */
  readonly lag: ReplayLag | null;
  /** Load average of the machine when the case began. */
  readonly load: number;
}

export interface ReplayLag {
  readonly mostEvents: number;
  /** Means over the second and the last third of the time of sending. */
  readonly secondThirdEvents: number;
  readonly lastThirdEvents: number;
  readonly isBounded: boolean;
}

/** performance.md, "Goals". */
export interface Gate {
  readonly title: string;
  readonly unit: string;
  readonly gate: number;
  readonly stretch: number;
  readonly measured: (rows: readonly KafkaMeasured[]) => number | null;
}

const rateOf =
  (spread: SpreadName, name: KafkaCaseName) =>
  (rows: readonly KafkaMeasured[]): number | null =>
    medianOf(rows.filter((row) => row.spread === spread && row.name === name).map((row) => row.eventsPerSecond));

export const GATES: readonly Gate[] = [
  {
    title: 'busy: pipeline / raw copy',
    unit: '',
    gate: 0.8,
    stretch: 1.2,
    measured: (rows) => ratioOf('busy', 'pipeline', 'raw', rows),
  },
  { title: 'nation: pipeline', unit: '/s', gate: 10_000, stretch: 20_000, measured: rateOf('nation', 'pipeline') },
  { title: 'busy: tax alone', unit: '/s', gate: 100_000, stretch: 140_000, measured: rateOf('busy', 'tax') },
  {
    title: 'busy: tax alone / Kafka Streams',
    unit: '',
    gate: 1,
    stretch: 1.3,
    measured: (rows) => ratioOf('busy', 'tax', 'streams', rows),
  },
  { title: 'busy: embedded', unit: '/s', gate: 45_000, stretch: 65_000, measured: rateOf('busy', 'embedded') },
  { title: 'nation: embedded', unit: '/s', gate: 12_000, stretch: 18_000, measured: rateOf('nation', 'embedded') },
];

/** Median over the runs of the ratio within each run: what else the machine does weighs on both alike. */
export function ratioOf(
  spread: SpreadName,
  above: KafkaCaseName,
  below: KafkaCaseName,
  rows: readonly KafkaMeasured[],
): number | null {
  const ratios = rows
    .filter((row) => row.spread === spread && row.name === above)
    .flatMap((row) => {
      const other = rows.find((one) => one.spread === spread && one.run === row.run && one.name === below);
      return other === undefined ? [] : [row.eventsPerSecond / other.eventsPerSecond];
    });
  return medianOf(ratios);
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
