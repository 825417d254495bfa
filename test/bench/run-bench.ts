import { cp, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CASES,
  type CaseMessage,
  type CaseName,
  type CaseRequest,
  type Measured,
  SPREADS,
  type SpreadName,
} from './bench-case.ts';
import { type BenchBuild, buildForBench, endChildren, forkModule } from './bench-children.ts';
import { type GeneratedEvents, generateEvents } from './generate-events.ts';
import { KAFKA_CASES, KAFKA_CASES_DEFAULT, type KafkaCaseName } from './kafka-case.ts';
import { type BenchRow, printBench } from './print-bench.ts';
import { printKafkaBench } from './print-kafka-bench.ts';
import { progressLine } from './progress-line.ts';
import { runKafkaBench } from './run-kafka-bench.ts';

const EVENTS_DEFAULT = 100_000;
const USAGE = `npm run bench -- [options]: measures the embedded way of running, or with --kafka the one on Kafka, on two spreads of payers.

  --spread busy|nation   one spread alone
  --case NAME            only up to and with this case (may stand more than once): ${CASES.join(', ')}
  --events N             events of each case but the paced ones (default ${EVENTS_DEFAULT})
  --accounts N           accounts of nation (default 2000000)
  --pace N               events a second of the paced case (default 2000, on Kafka 500)
  --paced-seconds N      how long the paced case sends (default 10, on Kafka 20)
  --runs N               runs of each spread; the table shows the median (default 1)
  --json                 the figures as JSON
  --cpu-prof FOLDER      a CPU profile of each case, on Kafka of each service
  --source               run the source instead of the compiled build

On Kafka (a broker and a Redis are started; needs what \`tally start --kafka\` needs):
  --kafka                raw copying, the pipeline in three processes, the embedded one, and each stage, one after another on one broker
  --case NAME            only these: ${KAFKA_CASES.join(', ')} (default: all but the last three)
  --replay-pace N        events a second of replay, straight into the topics (default 8000)
  --replay-seconds N     how long replay sends (default 60)
  --tax-processes N      of tax alone: so many processes share its partitions (default 1)
  --employments N        how many employments that case brings into the state, through every door (default 1000000)
`;

const BUSY_ACCOUNTS = 1_000;
const NATION_ACCOUNTS = 2_000_000;
const EMPLOYMENTS = 1_000_000;

type Options = ReturnType<typeof readOptions>;

const options = readOptions();
const folder = await mkdtemp(join(tmpdir(), 'tally-bench-'));
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopping = true;
    endChildren();
    void rmFolder().finally(() => process.exit(1));
  });
}
try {
  const build = buildForBench({ source: options.source, flags: flagsOf(options) });
  if (options.kafka) await benchKafka(build);
  else await benchEmbedded(build);
} catch (error) {
  // A case whose processes were ended under it has nothing to say.
  if (!isStopping) throw error;
} finally {
  endChildren();
  await rmFolder();
}

function flagsOf({ kafka, profileFolder }: Options): string[] {
  const flags = ['--max-semi-space-size=64', '--expose-gc'];
  // On Kafka it is the services whose profiles are wanted.
  if (profileFolder !== null && !kafka) flags.push('--cpu-prof', `--cpu-prof-dir=${profileFolder}`);
  return flags;
}

/** Children that are ended write for a moment yet. */
function rmFolder(): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

async function benchEmbedded(build: BenchBuild): Promise<void> {
  const rows: BenchRow[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    for (const spread of options.spreads) {
      const world = join(folder, `${spread}-${run}`);
      rows.push(...(await runSpread(spread, world, build)));
      await rm(world, { recursive: true, force: true });
    }
  }
  printBench(rows, { json: options.json, machine: machineOf() });
}

async function benchKafka(build: BenchBuild): Promise<void> {
  const rows = await runKafkaBench(
    { ...options, folder, cases: options.kafkaCases },
    {
      build,
      generate: (spread, file, events) => generateOf(spread, { file, events, mix: 'both' }),
      generateEmployments: (file, events) => generateOf('busy', { file, events, mix: 'employments' }),
      runEmbedded: (request, title) => runCase(request, title, build),
    },
  );
  printKafkaBench(rows, { json: options.json, machine: machineOf() });
}

function generateOf(
  spread: SpreadName,
  of: { readonly file: string; readonly events: number; readonly mix: 'both' | 'payroll' | 'employments' },
): Promise<GeneratedEvents> {
  const isBusy = spread === 'busy';
  const accounts = isBusy ? BUSY_ACCOUNTS : options.nationAccounts;
  return generateEvents({ ...of, accounts, law: isBusy ? 'even' : 'zipf', seed: 1 });
}

/**
 * The cases of one spread build on one another's folders: what the gateway put in the log is what tax alone reads, and so on; what the
 * outbox put in the log and in the payer's record is what the pipeline reads, and the payer node alone starts from the record as it was.
 */
async function runSpread(spread: SpreadName, world: string, build: BenchBuild): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const stages = join(world, 'stages');
  const whole = join(world, 'whole');
  const generated = async (name: string, events: number, mix: 'both' | 'payroll') => {
    const { file, lines } = await generateOf(spread, { file: `${world}-${name}.jsonl`, events, mix });
    return { eventsFile: file, events, lines };
  };
  const measure = async (name: CaseName, of: Omit<CaseRequest, 'name' | 'paceEventsPerSecond'>): Promise<void> => {
    const load = loadavg()[0] ?? 0;
    const result = await runCase({ name, paceEventsPerSecond: options.pace, ...of }, `${spread} ${name}`, build);
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

async function runCase(request: CaseRequest, title: string, build: BenchBuild): Promise<Measured> {
  const line = progressLine(title, request.events);
  const child = forkModule('test/bench/run-case', request, build);
  try {
    return await new Promise<Measured>((resolve, reject) => {
      let result: Measured | null = null;
      child.on('message', (message: CaseMessage) => {
        if (message.type === 'progress') line.update(message.done);
        else result = message.result;
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0 && result !== null) resolve(result);
        else reject(new Error(`the case ${title} ended with ${signal ?? `exit code ${code}`}`));
      });
    });
  } finally {
    line.stop();
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

function readOptions() {
  const { values } = parseArgs({
    options: {
      kafka: { type: 'boolean', default: false },
      spread: { type: 'string', multiple: true },
      case: { type: 'string', multiple: true },
      events: { type: 'string' },
      accounts: { type: 'string' },
      pace: { type: 'string' },
      'paced-seconds': { type: 'string' },
      'replay-pace': { type: 'string' },
      'replay-seconds': { type: 'string' },
      employments: { type: 'string' },
      'tax-processes': { type: 'string' },
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
  const { kafka } = values;
  return {
    kafka,
    spreads: namesOf('spread', values.spread, SPREADS, SPREADS),
    cases: new Set<CaseName>(kafka ? [] : namesOf('case', values.case, CASES, CASES)),
    kafkaCases: new Set<KafkaCaseName>(kafka ? namesOf('case', values.case, KAFKA_CASES, KAFKA_CASES_DEFAULT) : []),
    events: numberOf('events', values.events, EVENTS_DEFAULT),
    nationAccounts: numberOf('accounts', values.accounts, NATION_ACCOUNTS),
    pace: numberOf('pace', values.pace, kafka ? 500 : 2_000),
    pacedSeconds: numberOf('paced-seconds', values['paced-seconds'], kafka ? 20 : 10),
    replayPace: numberOf('replay-pace', values['replay-pace'], 8_000),
    replaySeconds: numberOf('replay-seconds', values['replay-seconds'], 60),
    employments: numberOf('employments', values.employments, EMPLOYMENTS),
    taxProcesses: numberOf('tax-processes', values['tax-processes'], 1),
    runs: numberOf('runs', values.runs, 1),
    json: values.json,
    profileFolder: values['cpu-prof'] ?? null,
    source: values.source,
  };
}

function namesOf<Name extends string>(
  option: string,
  given: readonly string[] | undefined,
  known: readonly Name[],
  otherwise: readonly Name[],
): readonly Name[] {
  if (given === undefined) return otherwise;
  const names = given.map((one) => known.find((name) => name === one));
  if (names.includes(undefined)) throw new Error(`--${option} is one of ${known.join(', ')}\n${USAGE}`);
  return known.filter((name) => names.includes(name));
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1\n${USAGE}`);
  return value;
}
