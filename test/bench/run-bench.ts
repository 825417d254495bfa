import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { projectRoot } from '../../libs/adapters/runtime/project-root.ts';
import {
  CASES,
  type CaseMessage,
  type CaseName,
  type CaseRequest,
  type Measured,
  SPREADS,
  type SpreadName,
} from './bench-case.ts';
import { generateEvents } from './generate-events.ts';
import { type BenchRow, printBench } from './print-bench.ts';

const EVENTS_DEFAULT = 100_000;
const USAGE = `npm run bench -- [options]: measures the embedded way of running on two spreads of payers.

  --spread busy|nation   one spread alone
  --case NAME            only up to and with this case (may stand more than once): ${CASES.join(', ')}
  --events N             events of each case but the paced one (default ${EVENTS_DEFAULT})
  --accounts N           accounts of nation (default 2000000)
  --pace N               events a second of the paced case (default 2000)
  --paced-seconds N      how long the paced case sends (default 10)
  --runs N               runs of each spread; the table shows the median (default 1)
  --json                 the figures as JSON
  --cpu-prof FOLDER      a CPU profile of each case
  --source               run the source through tsx instead of the compiled build
`;

const BUSY_ACCOUNTS = 1_000;
const NATION_ACCOUNTS = 2_000_000;

interface BenchOptions {
  readonly spreads: readonly SpreadName[];
  readonly cases: ReadonlySet<CaseName>;
  readonly events: number;
  readonly nationAccounts: number;
  readonly pace: number;
  readonly pacedSeconds: number;
  readonly runs: number;
  readonly json: boolean;
  readonly profileFolder: string | null;
  readonly source: boolean;
}

/** The case's process under way: ended with the bench, whatever ends it (and by itself where the bench is killed). */
const underWay = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of underWay) child.kill('SIGKILL');
};

const options = readOptions();
const folder = await mkdtemp(join(tmpdir(), 'tally-bench-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    endAll();
    rm(folder, { recursive: true, force: true }).finally(() => process.exit(1));
  });
}
try {
  const entry = entryOf(options);
  const rows: BenchRow[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    for (const spread of options.spreads) {
      const world = join(folder, `${spread}-${run}`);
      rows.push(...(await runSpread(spread, world, entry)));
      await rm(world, { recursive: true, force: true });
    }
  }
  printBench(rows, { json: options.json, machine: machineOf() });
} finally {
  endAll();
  await rm(folder, { recursive: true, force: true });
}

/**
 * The cases of one spread build on one another's folders: what the gateway put in the log is what tax alone reads, and so on; what the
 * outbox put in the log and in the payer's record is what the pipeline reads, and the payer node alone starts from the record as it was.
 */
async function runSpread(spread: SpreadName, world: string, entry: Entry): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const stages = join(world, 'stages');
  const whole = join(world, 'whole');
  const law = spread === 'busy' ? 'even' : 'zipf';
  const accounts = spread === 'busy' ? BUSY_ACCOUNTS : options.nationAccounts;
  const generated = async (name: string, events: number, mix: 'both' | 'payroll') => {
    const file = `${world}-${name}.jsonl`;
    return { eventsFile: file, events, ...(await generateEvents({ file, events, accounts, law, mix, seed: 1 })) };
  };
  const measure = async (name: CaseName, of: Omit<CaseRequest, 'name' | 'paceEventsPerSecond'>): Promise<void> => {
    const load = loadavg()[0] ?? 0;
    const result = await runCase({ name, paceEventsPerSecond: options.pace, ...of }, `${spread} ${name}`, entry);
    if (options.cases.has(name)) rows.push({ spread, name, load, ...result });
  };
  const needed = neededCases(options.cases);
  const both = await generated('both', options.events, 'both');
  for (const name of ['gateway', 'tax', 'ledger'] as const) {
    if (needed.has(name)) await measure(name, { folder: stages, ...both });
  }
  await rm(stages, { recursive: true, force: true });
  if (needed.has('outbox')) await measure('outbox', { folder: whole, ...both });
  if (needed.has('payer')) await cp(join(whole, 'payer-node'), join(world, 'record'), { recursive: true });
  if (needed.has('pipeline')) await measure('pipeline', { folder: whole, ...both });
  if (needed.has('payer')) {
    await rm(join(whole, 'payer-node'), { recursive: true });
    await cp(join(world, 'record'), join(whole, 'payer-node'), { recursive: true });
    await measure('payer', { folder: whole, ...both });
  }
  await rm(whole, { recursive: true, force: true });
  if (needed.has('paced')) {
    const paced = await generated('paced', options.pace * options.pacedSeconds, 'both');
    await measure('paced', { folder: join(world, 'paced'), ...paced });
  }
  if (needed.has('import') && spread === 'busy') {
    const payroll = await generated('payroll', options.events, 'payroll');
    await measure('import', { folder: join(world, 'import'), ...payroll });
  }
  return rows;
}

/** What a case is built on comes with it. */
function neededCases(wanted: ReadonlySet<CaseName>): ReadonlySet<CaseName> {
  const needs: Readonly<Partial<Record<CaseName, readonly CaseName[]>>> = {
    tax: ['gateway'],
    ledger: ['gateway', 'tax'],
    pipeline: ['outbox'],
    payer: ['outbox', 'pipeline'],
  };
  return new Set([...wanted].flatMap((name) => [name, ...(needs[name] ?? [])]));
}

interface Entry {
  readonly file: string;
  readonly nodeArguments: readonly string[];
}

function entryOf({ source, profileFolder }: BenchOptions): Entry {
  const root = projectRoot();
  const flags = ['--max-semi-space-size=64', '--expose-gc'];
  if (profileFolder !== null) flags.push('--cpu-prof', `--cpu-prof-dir=${profileFolder}`);
  if (source) return { file: join(root, 'test/bench/run-case.ts'), nodeArguments: ['--import', 'tsx', ...flags] };
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'pipe' });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new Error(`npm run build fails; --source measures the source:\n${said}`);
  }
  const file = join(root, 'dist/test/bench/run-case.js');
  if (!existsSync(file)) throw new Error(`the build has no ${file}`);
  return { file, nodeArguments: flags };
}

async function runCase(request: CaseRequest, title: string, entry: Entry): Promise<Measured> {
  const bar = process.stderr.isTTY
    ? new SingleBar(
        { format: '{title} {bar} {percentage}% {value}/{total} events, {duration_formatted}', stream: process.stderr },
        Presets.shades_grey,
      )
    : null;
  bar?.start(request.events, 0, { title: title.padEnd(16) });
  const child = fork(entry.file, [JSON.stringify(request)], {
    execArgv: [...entry.nodeArguments],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  underWay.add(child);
  try {
    return await new Promise<Measured>((resolve, reject) => {
      let result: Measured | null = null;
      child.on('message', (message: CaseMessage) => {
        if (message.type === 'progress') bar?.update(Math.min(message.done, request.events));
        else result = message.result;
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0 && result !== null) resolve(result);
        else reject(new Error(`the case ${title} ended with ${signal ?? `exit code ${code}`}`));
      });
    });
  } finally {
    underWay.delete(child);
    bar?.stop();
  }
}

function machineOf() {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

function readOptions(): BenchOptions {
  const { values } = parseArgs({
    options: {
      spread: { type: 'string', multiple: true },
      case: { type: 'string', multiple: true },
      events: { type: 'string' },
      accounts: { type: 'string' },
      pace: { type: 'string' },
      'paced-seconds': { type: 'string' },
      runs: { type: 'string' },
      json: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
      source: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  return {
    spreads: SPREADS.filter((name) => values.spread?.includes(name) ?? true),
    cases: new Set(CASES.filter((name) => values.case?.includes(name) ?? true)),
    events: numberOf('events', values.events, EVENTS_DEFAULT),
    nationAccounts: numberOf('accounts', values.accounts, NATION_ACCOUNTS),
    pace: numberOf('pace', values.pace, 2_000),
    pacedSeconds: numberOf('paced-seconds', values['paced-seconds'], 10),
    runs: numberOf('runs', values.runs, 1),
    json: values.json,
    profileFolder: values['cpu-prof'] ?? null,
    source: values.source,
  };
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1\n${USAGE}`);
  return value;
}
