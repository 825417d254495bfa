import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../libs/adapters/codec/schema/project-root.ts';
import { capability } from '../support/capabilities.ts';
import { pidsOf } from '../support/kafka-whole.ts';
import { eventually } from '../support/service-process.ts';

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

/** However busy the machine is: six cases on Kafka took 280 s where eight others worked. */
const TIMEOUT_MS = 900_000;

function startBench(...args: string[]) {
  const command = ['test/bench/run-bench.ts', '--source', '--json', '--events', String(EVENTS)];
  return promisify(execFile)(process.execPath, [...command, ...args], {
    cwd: projectRoot(),
    maxBuffer: 10_000_000,
    timeout: TIMEOUT_MS - 20_000,
  });
}

async function bench(...args: string[]): Promise<BenchOutput> {
  return JSON.parse((await startBench(...args)).stdout) as BenchOutput;
}

describe.skipIf(!canRun)('npm run bench -- --kafka', () => {
  it(
    'measures copying, the pipeline and each stage on one broker, each process for itself, and holds them against the goals',
    async () => {
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
    },
    TIMEOUT_MS,
  );

  it(
    'measures tax alone in several processes that share its partitions',
    async () => {
      const { runs } = await bench('--kafka', '--spread', 'busy', '--case', 'tax', '--tax-processes', '2');

      expect(runs.map(({ name }) => name)).toEqual(['tax']);
      expect(runs[0]?.processes.map(({ process }) => process)).toEqual(['tax', 'tax 2', 'broker', 'Redis']);
    },
    TIMEOUT_MS,
  );

  it(
    'brings as many employments into the state as asked for, and says what each service takes',
    async () => {
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
    },
    TIMEOUT_MS,
  );

  it(
    'replays events at a pace and says whether what waits stays bounded',
    async () => {
      const pace = ['--replay-pace', '100', '--replay-seconds', '6'];
      const { runs, goals } = await bench('--kafka', '--spread', 'busy', '--case', 'replay', ...pace);

      expect(runs.map(({ name, events }) => [name, events])).toEqual([['replay', 600]]);
      expect(goals[0]).toEqual({
        title: 'busy: replay',
        verdict: expect.stringMatching(/events behind .* p99 [\d,]+ ms: (bounded, met|grows, MISSED)$/),
      });
    },
    TIMEOUT_MS,
  );

  it(
    'of a case that fails says how every process stood and ended, and keeps their logs',
    async () => {
      const running = startBench('--kafka', '--spread', 'busy', '--case', 'tax');
      const failed = running.then(
        () => '',
        (error: { readonly stderr: string }) => error.stderr,
      );
      const gateway = await eventually(
        async () => pidsOf(running.child.pid ?? 0).get('gateway'),
        (pid) => pid !== undefined || running.child.exitCode !== null,
        TIMEOUT_MS / 2,
      );
      process.kill(gateway ?? 0, 'SIGKILL');
      const said = await failed;
      const [, folder = ''] = /all of it is kept in (\S+)/.exec(said) ?? [];
      try {
        expect(said).toContain('gateway has ended');
        for (const name of ['gateway', 'ledger', 'payer-node', 'kafka', 'redis']) {
          expect(said).toContain(`--- ${name}, the end of its log:`);
        }
        const states = ['gateway-state.log', 'ledger-state.log', 'payer-node-state.log'];
        const logs = ['gateway.log', 'kafka.log', 'ledger.log', 'payer-node.log', 'redis.log'];
        expect(readdirSync(folder).sort()).toEqual([...states, ...logs].sort());
        expect(readFileSync(join(folder, 'redis.log'), 'utf8')).toContain('Ready to accept connections');
        expect(readFileSync(join(folder, 'gateway-state.log'), 'utf8')).toContain('GET /metrics\nno answer: ');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
