import Table from 'cli-table3';
import { CASE_TITLES, CASES, type CaseName, type Measured, SPREADS, type SpreadName } from './bench-case.ts';

export interface BenchRow extends Measured {
  readonly spread: SpreadName;
  readonly name: CaseName;
  /** Load average of the machine when the case began: other work on it makes rates smaller, CPU time less so. */
  readonly load: number;
}

export interface PrintOptions {
  readonly json: boolean;
  readonly machine: { readonly cores: number; readonly cpu: string; readonly node: string; readonly date: string };
}

const MIB = 1024 ** 2;

/** A table of the medians over the runs, or everything as JSON. */
export function printBench(rows: readonly BenchRow[], { json, machine }: PrintOptions): void {
  const medians = mediansOf(rows);
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine, medians, runs: rows }, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, ${machine.date}\n`);
  for (const spread of SPREADS) {
    const of = medians.filter((row) => row.spread === spread);
    if (of.length === 0) continue;
    const table = new Table({
      head: [
        spread,
        'events',
        'events/s',
        'lines/s',
        'CPU µs/event',
        'RSS MiB',
        'heap MiB',
        'held MiB',
        'p50 ms',
        'p99 ms',
        'entries/block',
        'load',
      ],
      colAligns: ['left', ...Array<'right'>(11).fill('right')],
      style: { head: [], border: [] },
    });
    for (const row of of) table.push(cellsOf(row));
    process.stdout.write(`${table.toString()}\n`);
  }
}

function cellsOf(row: BenchRow): string[] {
  return [
    CASE_TITLES[row.name],
    whole(row.events),
    whole(row.eventsPerSecond),
    whole(row.linesPerSecond),
    row.cpuMicrosPerEvent.toFixed(1),
    whole(row.rssPeakBytes / MIB),
    whole(row.heapPeakBytes / MIB),
    whole(row.heapHeldBytes / MIB),
    row.latencyP50Ms === null ? '' : whole(row.latencyP50Ms),
    row.latencyP99Ms === null ? '' : whole(row.latencyP99Ms),
    row.entriesPerBlock === null ? '' : row.entriesPerBlock.toFixed(1),
    row.load.toFixed(1),
  ];
}

/** Of each case the run of the median rate. */
function mediansOf(rows: readonly BenchRow[]): readonly BenchRow[] {
  return SPREADS.flatMap((spread) =>
    CASES.flatMap((name) => {
      const runs = rows
        .filter((row) => row.spread === spread && row.name === name)
        .sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
      const median = runs[Math.floor((runs.length - 1) / 2)];
      return median === undefined ? [] : [median];
    }),
  );
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}
