import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../libs/adapters/runtime/project-root.ts';
import { capability } from '../support/capabilities.ts';

const canRun = capability('java').available && capability('maven').available && capability('redis').available;
const EVENTS = 600;

interface BenchRun {
  readonly name: string;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly entriesPerBlock: number | null;
  readonly processes: readonly {
    readonly process: string;
    readonly cpuMicros: number;
    readonly ownPeakBytes: number;
  }[];
}

interface BenchOutput {
  readonly goals: readonly { readonly title: string; readonly verdict: string }[];
  readonly runs: readonly BenchRun[];
}

async function bench(...args: string[]): Promise<BenchOutput> {
  const command = ['--import', 'tsx', 'test/bench/run-bench.ts', '--source', '--json', '--events', String(EVENTS)];
  const { stdout } = await promisify(execFile)(process.execPath, [...command, ...args], {
    cwd: projectRoot(),
    maxBuffer: 10_000_000,
    timeout: 280_000,
  });
  return JSON.parse(stdout) as BenchOutput;
}

describe.skipIf(!canRun)('npm run bench -- --kafka', () => {
  it('measures copying, the pipeline and each stage on one broker, each process for itself, and holds them against the goals', async () => {
    const cases = ['raw', 'pipeline', 'embedded', 'tax', 'ledger', 'payer'].flatMap((name) => ['--case', name]);
    const { runs, goals } = await bench('--kafka', '--spread', 'busy', ...cases);
    const byName = new Map(runs.map((run) => [run.name, run]));
    const processesOf = (name: string): readonly string[] =>
      byName.get(name)?.processes.map(({ process }) => process) ?? [];

    expect([...byName.keys()]).toEqual(['raw', 'pipeline', 'embedded', 'tax', 'ledger', 'payer']);
    expect(runs.every(({ eventsPerSecond }) => eventsPerSecond > 0)).toBe(true);
    expect(byName.get('pipeline')?.events).toBe(EVENTS);
    expect(byName.get('pipeline')?.entriesPerBlock).toBeGreaterThan(1);
    expect(processesOf('raw')).toEqual(['copy', 'broker']);
    expect(processesOf('pipeline')).toEqual(['ledger', 'payer-node', 'tax', 'broker', 'Redis']);
    expect(processesOf('tax')).toEqual(['tax', 'broker', 'Redis']);
    expect(processesOf('payer')).toEqual(['ledger', 'payer-node', 'broker', 'Redis']);
    const payerNode = byName.get('pipeline')?.processes.find(({ process }) => process === 'payer-node');
    expect(payerNode?.cpuMicros).toBeGreaterThan(0);
    expect(payerNode?.ownPeakBytes).toBeGreaterThan(10_000_000);
    expect(goals.map(({ title }) => title)).toEqual([
      'busy: pipeline / raw copy',
      'busy: tax alone',
      'busy: embedded',
      'memory of a service, its own',
      'memory of a service with mapped files',
    ]);
    expect(goals[0]?.verdict).toMatch(/of 0\.80 \(stretch 1\.20\): (met|MISSED)/);
  }, 300_000);

  it('brings as many employments into the state as asked for, and says what each service takes', async () => {
    const { runs, goals } = await bench('--kafka', '--case', 'employments', '--employments', '1500');

    expect(runs.map(({ name, events }) => [name, events])).toEqual([['employments', 1_500]]);
    const services = ['gateway', 'tax', 'ledger', 'payer-node', 'reconciliation', 'dashboard'];
    const processes = runs[0]?.processes ?? [];
    expect(processes.map(({ process }) => process)).toEqual([...services, 'broker', 'Redis']);
    for (const { process, ownPeakBytes } of processes) expect(ownPeakBytes, process).toBeGreaterThan(1_000_000);
    expect(goals.map(({ title }) => title)).toEqual([
      'memory of a service, its own',
      'memory of a service with mapped files',
    ]);
    expect(goals[0]?.verdict).toMatch(/^[a-z-]+ had most, \d+ MiB of 512 MiB: (met|MISSED)$/);
  }, 300_000);

  it('replays events at a pace and says whether what waits stays bounded', async () => {
    const pace = ['--replay-pace', '100', '--replay-seconds', '6'];
    const { runs, goals } = await bench('--kafka', '--spread', 'busy', '--case', 'replay', ...pace);

    expect(runs.map(({ name, events }) => [name, events])).toEqual([['replay', 600]]);
    expect(goals[0]).toEqual({
      title: 'busy: replay',
      verdict: expect.stringMatching(/events behind .* p99 [\d,]+ ms: (bounded, met|grows, MISSED)$/),
    });
  }, 300_000);
});
