import Table from 'cli-table3';
import { SPREADS } from './bench-case.ts';
import { GATES, KAFKA_CASE_TITLES, KAFKA_CASES, type KafkaMeasured, ratioOf } from './kafka-case.ts';
import type { PrintOptions } from './print-bench.ts';
import type { MeasuredProcess } from './process-use.ts';

const MIB = 1024 ** 2;
const SERVICE_BYTES_MAX = 512 * MIB;
/** Not services of ours: their memory is not bounded by us. */
const OTHERS: ReadonlySet<string> = new Set(['broker', 'Redis', 'copy', 'Streams', 'all in one']);
const MEMORY_GOALS: readonly { readonly title: string; readonly bytesOf: (used: MeasuredProcess) => number }[] = [
  { title: 'memory of a service, its own', bytesOf: ({ ownPeakBytes }) => ownPeakBytes },
  { title: 'memory of a service with mapped files', bytesOf: ({ rssPeakBytes }) => rssPeakBytes },
];

/** Tables of the median runs with each process of theirs, the goals with what was measured, or everything as JSON. */
export function printKafkaBench(rows: readonly KafkaMeasured[], { json, machine }: PrintOptions): void {
  const goals = goalsOf(rows);
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine, goals, runs: rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, ${machine.date}\n`);
  for (const spread of SPREADS) printSpread(rows.filter((row) => row.spread === spread));
  for (const { title, verdict } of goals) process.stdout.write(`${title}: ${verdict}\n`);
}

function printSpread(rows: readonly KafkaMeasured[]): void {
  const spread = rows[0]?.spread;
  if (spread === undefined) return;
  const table = new Table({
    head: [
      spread,
      'events',
      'events/s',
      '/ raw',
      'CPU µs/event',
      'RSS MiB',
      'own MiB',
      'p50 ms',
      'p99 ms',
      'entries/block',
      'load',
    ],
    colAligns: ['left', ...Array<'right'>(10).fill('right')],
    style: { head: [], border: [] },
  });
  for (const name of KAFKA_CASES) {
    const row = medianRun(rows.filter((one) => one.name === name));
    if (row === undefined) continue;
    const raw = name === 'raw' ? null : ratioOf(spread, name, 'raw', rows);
    const cpuMicros = row.processes.reduce((sum, one) => sum + one.cpuMicros, 0);
    const each = (value: (one: MeasuredProcess) => string): string => ['', ...row.processes.map(value)].join('\n');
    table.push([
      [KAFKA_CASE_TITLES[name], ...row.processes.map(({ process }) => `    ${process}`)].join('\n'),
      whole(row.events),
      whole(row.eventsPerSecond),
      raw === null ? '' : raw.toFixed(2),
      `${(cpuMicros / row.events).toFixed(1)}${each((one) => (one.cpuMicros / row.events).toFixed(1))}`,
      each((one) => whole(one.rssPeakBytes / MIB)),
      each((one) => (one.ownPeakBytes === 0 ? '' : whole(one.ownPeakBytes / MIB))),
      row.latencyP50Ms === null ? '' : whole(row.latencyP50Ms),
      row.latencyP99Ms === null ? '' : whole(row.latencyP99Ms),
      row.entriesPerBlock === null ? '' : row.entriesPerBlock.toFixed(1),
      row.load.toFixed(1),
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

/** The run of the median rate. */
function medianRun(rows: readonly KafkaMeasured[]): KafkaMeasured | undefined {
  const sorted = [...rows].sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

interface Goal {
  readonly title: string;
  readonly verdict: string;
}

function goalsOf(rows: readonly KafkaMeasured[]): readonly Goal[] {
  const goals: Goal[] = GATES.flatMap(({ title, unit, gate, stretch, measured }) => {
    const value = measured(rows);
    if (value === null) return [];
    const said = value >= gate ? (value >= stretch ? 'met, and the stretch' : 'met') : 'MISSED';
    return [
      { title, verdict: `${shown(value)}${unit} of ${shown(gate)}${unit} (stretch ${shown(stretch)}${unit}): ${said}` },
    ];
  });
  for (const { spread, lag, latencyP99Ms } of rows) {
    if (lag === null) continue;
    const grew = `${whole(lag.secondThirdEvents)} events behind in the second third, ${whole(lag.lastThirdEvents)} in the last`;
    const verdict = `${grew}, p99 ${whole(latencyP99Ms ?? 0)} ms: ${lag.isBounded ? 'bounded, met' : 'grows, MISSED'}`;
    goals.push({ title: `${spread}: replay`, verdict });
  }
  const services = rows.flatMap(({ processes }) => processes).filter(({ process }) => !OTHERS.has(process));
  for (const { title, bytesOf } of MEMORY_GOALS) {
    const most = [...services].sort((a, b) => bytesOf(b) - bytesOf(a))[0];
    if (most === undefined) continue;
    const said = bytesOf(most) < SERVICE_BYTES_MAX ? 'met' : 'MISSED';
    goals.push({ title, verdict: `${most.process} had most, ${whole(bytesOf(most) / MIB)} MiB of 512 MiB: ${said}` });
  }
  return goals;
}

function shown(value: number): string {
  return value < 10 ? value.toFixed(2) : whole(value);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}
