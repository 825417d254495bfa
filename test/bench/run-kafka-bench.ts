import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { FETCH_BYTES, FETCH_WAIT_MS } from '../../libs/adapters/event-log/kafka/log.ts';
import { FETCH_ANSWER_BYTES } from '../../libs/adapters/event-log/kafka/reader.ts';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';
import { CLUSTER_SERVICES } from '../../services/cli/start/start-cluster.ts';
import type { CaseName, CaseRequest, Measured, SpreadName } from './bench-case.ts';
import { type BenchBuild, forkModule } from './bench-children.ts';
import { BenchCluster, INPUTS } from './bench-cluster.ts';
import { BenchServers, ourTopics } from './bench-servers.ts';
import type { CopyMessage, CopyRequest } from './copy-topics.ts';
import type { GeneratedEvents } from './generate-events.ts';
import type { KafkaCaseName, KafkaMeasured } from './kafka-case.ts';
import { UseMeter } from './process-use.ts';
import { progressLine } from './progress-line.ts';
import { replayInput } from './replay-input.ts';
import { secondsHistogram } from './seconds-histogram.ts';
import { startStreams } from './streams-process.ts';

export interface KafkaBenchOptions {
  readonly folder: string;
  readonly spreads: readonly SpreadName[];
  readonly cases: ReadonlySet<KafkaCaseName>;
  readonly events: number;
  readonly runs: number;
  /** Of the paced case, through every door. */
  readonly pace: number;
  readonly pacedSeconds: number;
  /** Of the replay, straight into the event topics. */
  readonly replayPace: number;
  readonly replaySeconds: number;
  /** Of tax alone: they share its partitions. */
  readonly taxProcesses: number;
  /** In the state at the end of that case. */
  readonly employments: number;
  readonly profileFolder: string | null;
}

export interface KafkaBenchDependencies {
  readonly build: BenchBuild;
  readonly generate: (spread: SpreadName, file: string, events: number) => Promise<GeneratedEvents>;
  readonly generateEmployments: (file: string, employments: number) => Promise<GeneratedEvents>;
  readonly runEmbedded: (request: CaseRequest, title: string) => Promise<Measured>;
}

/** How often a service is asked how far it is: each answer costs it a millisecond. */
const LOOK_MS = 250;
/** The payer's node counts what it took once a pull is stored: of thousands of chains, on a machine where twenty others work, after a minute. */
const STALLED_MS = 240_000;
/** Payments of the employments that are sent and not yet in the payer's copy, at most. */
const IN_FLIGHT_MAX = 50_000;
const COPY_PREFIX = 'bench.copy.';
const STREAMS_PREFIX = 'bench.streams.';
const EMBEDDED_PROCESS = 'all in one';

/**
 * Measures raw copying, the pipeline and each stage on one broker, run by run: cases of one run stand next to one another in time, so that
 * their ratio tells more than their rates.
 */
export async function runKafkaBench(
  options: KafkaBenchOptions,
  dependencies: KafkaBenchDependencies,
): Promise<KafkaMeasured[]> {
  process.stderr.write('starting Kafka and Redis …\n');
  const servers = await BenchServers.open(join(options.folder, 'servers'), dependencies.build);
  try {
    const rows: KafkaMeasured[] = [];
    for (const spread of options.spreads) {
      rows.push(...(await new SpreadBench(spread, options, dependencies, servers).run()));
    }
    return rows;
  } finally {
    await servers.end();
  }
}

class SpreadBench {
  readonly #spread: SpreadName;
  readonly #options: KafkaBenchOptions;
  readonly #of: KafkaBenchDependencies;
  readonly #servers: BenchServers;
  readonly #cluster: BenchCluster;
  readonly #rows: KafkaMeasured[] = [];
  #run = 0;

  constructor(
    spread: SpreadName,
    options: KafkaBenchOptions,
    dependencies: KafkaBenchDependencies,
    servers: BenchServers,
  ) {
    this.#spread = spread;
    this.#options = options;
    this.#of = dependencies;
    this.#servers = servers;
    const { build } = dependencies;
    const folder = this.#folderOf('cluster');
    this.#cluster = new BenchCluster({ folder, profileFolder: options.profileFolder }, { servers, build });
  }

  async run(): Promise<readonly KafkaMeasured[]> {
    const { cases, events, runs } = this.#options;
    const has = (...names: KafkaCaseName[]): boolean => names.some((name) => cases.has(name));
    try {
      if (has('raw', 'pipeline', 'embedded', 'tax', 'ledger', 'payer', 'streams'))
        await this.#catchUp(events, runs, has);
      if (has('paced')) await this.#paced();
      if (has('replay')) await this.#replay();
      if (has('employments') && this.#spread === 'busy') await this.#employments();
    } catch (failure) {
      throw await this.#cluster.explained(failure);
    } finally {
      await this.#cluster.dispose();
    }
    return this.#rows;
  }

  async #catchUp(events: number, runs: number, has: (...names: KafkaCaseName[]) => boolean): Promise<void> {
    const generated = await this.#generated('both', events);
    const kafka = has('pipeline', 'tax', 'ledger', 'payer', 'streams', 'raw');
    if (kafka) await this.#prepare(generated);
    if (has('embedded')) await this.#embedded('outbox', generated, this.#folderOf('embedded-kept'));
    for (this.#run = 1; this.#run <= runs; this.#run += 1) {
      if (has('raw')) this.#add(await this.#copyInput(events));
      if (has('pipeline')) await this.#pipeline(events);
      if (has('embedded')) await this.#embeddedPipeline(generated);
      if (has('tax', 'ledger', 'payer')) await this.#stages(events, has);
      if (has('streams')) await this.#streams(events);
    }
    this.#run = 0;
    await rm(this.#folderOf('embedded-kept'), { recursive: true, force: true });
  }

  /** What the payer's systems sent stands in the event topics with receipts in the payer's record, and nothing is decided. */
  async #prepare(generated: GeneratedEvents): Promise<void> {
    const line = progressLine(`${this.#spread}: events through payer node and gateway`, generated.events);
    try {
      await this.#cluster.empty();
      await this.#cluster.start('gateway', 'ledger', 'payer-node');
      await this.#cluster.post(generated.file);
      await this.#cluster.registered(generated.events);
      await this.#cluster.keep();
    } finally {
      line.stop();
    }
  }

  /** Leaves the copies, which take their room on the disk until the next ones. */
  async #copyInput(events: number): Promise<KafkaMeasured> {
    const { build } = this.#of;
    const topics = INPUTS.map((from) => ({ from, to: `${COPY_PREFIX}${from}` }));
    await this.#servers.emptyTopics(topics.map(({ to }) => ({ topic: to, partitions: KEYED_PARTITIONS_DEFAULT })));
    const request: CopyRequest = {
      brokers: this.#servers.where.brokers,
      group: `bench-copy-${this.#spread}-${this.#run}`,
      topics,
      partitions: KEYED_PARTITIONS_DEFAULT,
      fetchBytes: FETCH_BYTES,
      fetchAllBytes: FETCH_ANSWER_BYTES,
      fetchWaitMs: FETCH_WAIT_MS,
    };
    const child = forkModule('test/bench/copy-topics', request, build);
    let done = 0;
    const ended = once(child, 'exit').then(() => {
      throw new Error('copying ended before its end');
    });
    ended.catch(() => undefined);
    const begun = new Promise<void>((resolve) => {
      child.on('message', (message: CopyMessage) => {
        if (message.type === 'begun') resolve();
        else done = message.done;
      });
    });
    try {
      await Promise.race([begun, ended]);
      const { brokerPid } = this.#servers.where;
      const pids = new Map([
        ['copy', child.pid ?? 0],
        ['broker', brokerPid],
      ]);
      return await Promise.race([this.#measure('raw', pids, events, async () => done), ended]);
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** Next to tax alone: the same events from the same topics, and a result of each written, by which it is counted. */
  async #streams(events: number): Promise<void> {
    await this.#cluster.stop();
    const topic = `${STREAMS_PREFIX}sums`;
    await this.#servers.emptyTopics([{ topic, partitions: KEYED_PARTITIONS_DEFAULT }]);
    const { brokers, brokerPid } = this.#servers.where;
    const streams = await startStreams({
      brokers,
      application: `${STREAMS_PREFIX}${this.#spread}-${this.#run}`,
      stateFolder: this.#folderOf(`streams-${this.#run}`),
      inputs: INPUTS,
      output: topic,
    });
    try {
      const pids = new Map([
        ['Streams', streams.pid],
        ['broker', brokerPid],
      ]);
      const measured = this.#servers.withLog((log) =>
        this.#measure('streams', pids, events, () => recordsOf(topic, KEYED_PARTITIONS_DEFAULT, log)),
      );
      this.#add(await Promise.race([measured, streams.ended]));
    } finally {
      await streams.end();
    }
  }

  /** Tax starts last: the others are ready when there is something for them. */
  async #pipeline(events: number): Promise<void> {
    const cluster = this.#cluster;
    await cluster.reset();
    await cluster.start('ledger', 'payer-node');
    const sealedBefore = await this.#sealed();
    await cluster.start('tax');
    const row = await this.#measure('pipeline', cluster.pids(), events, async () => (await cluster.counts()).decided);
    this.#add({ ...row, ...(await this.#entriesPerBlock(sealedBefore)) });
  }

  async #stages(events: number, has: (...names: KafkaCaseName[]) => boolean): Promise<void> {
    const cluster = this.#cluster;
    await cluster.reset();
    await cluster.startSeveral('tax', this.#options.taxProcesses);
    const decided = (): Promise<number> => cluster.metric('tax', 'tally_tax_decisions_total');
    this.#add(await this.#measure('tax', cluster.pids(), events, decided));
    if (!has('ledger', 'payer')) return;
    await cluster.stop();
    await cluster.start('ledger');
    const sealedBefore = await this.#sealed();
    const row = await this.#measure('ledger', cluster.pids(), events, () => this.#signedEntries(events));
    this.#add({ ...row, ...(await this.#entriesPerBlock(sealedBefore)) });
    if (!has('payer')) return;
    await cluster.start('payer-node');
    this.#add(await this.#measure('payer', cluster.pids(), events, async () => (await cluster.counts()).decided));
  }

  async #paced(): Promise<void> {
    const { pace, pacedSeconds } = this.#options;
    const events = pace * pacedSeconds;
    const generated = await this.#generated('paced', events);
    const cluster = this.#cluster;
    await cluster.empty();
    await cluster.start('gateway', 'tax', 'ledger', 'payer-node');
    const startedMs = performance.now();
    const isDue = (sent: number): boolean => sent <= ((performance.now() - startedMs) / 1_000) * pace;
    const sending = cluster.post(generated.file, isDue, Math.max(10, Math.round(pace / 20)));
    const row = await this.#measure('paced', cluster.pids(), events, async () => (await cluster.counts()).decided);
    await sending;
    const ages = secondsHistogram(await cluster.service('payer-node').metricLines(), 'tally_payer_copy_age_seconds');
    this.#add({ ...row, latencyP50Ms: ages.quantileMs(0.5), latencyP99Ms: ages.quantileMs(0.99) });
  }

  /** The event topics are filled again at a pace, from their copies: what a door in front of them would cost is not measured here. */
  async #replay(): Promise<void> {
    const { replayPace, replaySeconds } = this.#options;
    const events = replayPace * replaySeconds;
    await this.#prepare(await this.#generated('replay', events));
    await this.#copyInput(events);
    const cluster = this.#cluster;
    await cluster.reset();
    await this.#servers.emptyTopics(ourTopics(INPUTS));
    await cluster.start('ledger', 'payer-node', 'tax');
    const copies = INPUTS.map((topic) => ({ topic, copy: `${COPY_PREFIX}${topic}` }));
    const decided = async (): Promise<number> => (await cluster.counts()).decided;
    const replay = replayInput({ copies, pace: replayPace, events }, { servers: this.#servers, decided });
    const row = await this.#measure('replay', cluster.pids(), events, decided);
    this.#add({ ...row, ...(await replay) });
    await this.#servers.deleteTopics(copies.map(({ copy }) => copy));
  }

  /** What every service takes with so many employments in the state: of tax, and of the payer's own recomputation. */
  async #employments(): Promise<void> {
    const { employments } = this.#options;
    const { file } = await this.#of.generateEmployments(this.#folderOf('employments.jsonl'), employments);
    const cluster = this.#cluster;
    await cluster.empty();
    await cluster.start(...CLUSTER_SERVICES);
    let decided = 0;
    const sending = cluster.post(file, (sent) => sent - decided < IN_FLIGHT_MAX);
    const row = await this.#measure('employments', cluster.pids(), employments, async () => {
      decided = (await cluster.counts()).decided;
      return decided;
    });
    await sending;
    this.#add(row);
  }

  async #embeddedPipeline(generated: GeneratedEvents): Promise<void> {
    const folder = this.#folderOf('embedded');
    await cp(this.#folderOf('embedded-kept'), folder, { recursive: true });
    const load = loadavg()[0] ?? 0;
    const measured = await this.#embedded('pipeline', generated, folder);
    await rm(folder, { recursive: true });
    this.#add({
      spread: this.#spread,
      run: this.#run,
      name: 'embedded',
      events: measured.events,
      seconds: measured.seconds,
      eventsPerSecond: measured.eventsPerSecond,
      processes: [
        {
          process: EMBEDDED_PROCESS,
          cpuMicros: measured.cpuMicrosPerEvent * measured.events,
          rssPeakBytes: measured.rssPeakBytes,
          ownPeakBytes: 0,
        },
      ],
      latencyP50Ms: null,
      latencyP99Ms: null,
      entriesPerBlock: measured.entriesPerBlock,
      lag: null,
      load,
    });
  }

  #embedded(name: CaseName, { file, events, lines }: GeneratedEvents, folder: string): Promise<Measured> {
    const request = { name, folder, eventsFile: file, events, lines, paceEventsPerSecond: 0 };
    return this.#of.runEmbedded(request, `${this.#spread} embedded ${name}`);
  }

  /** Entries sealed, once all of them are signed. */
  async #signedEntries(events: number): Promise<number> {
    const metrics = await this.#cluster.service('ledger').metrics();
    const entries = metrics.get('tally_ledger_entries_total') ?? 0;
    const isSigned = metrics.get('tally_ledger_leaves') === metrics.get('tally_ledger_signed_leaves');
    return isSigned ? entries : Math.min(entries, events - 1);
  }

  async #sealed(): Promise<{ readonly entries: number; readonly blocks: number }> {
    const metrics = await this.#cluster.service('ledger').metrics();
    return {
      entries: metrics.get('tally_ledger_entries_total') ?? 0,
      blocks: metrics.get('tally_ledger_blocks_total') ?? 0,
    };
  }

  async #entriesPerBlock(before: { readonly entries: number; readonly blocks: number }) {
    const { entries, blocks } = await this.#sealed();
    return { entriesPerBlock: blocks > before.blocks ? (entries - before.entries) / (blocks - before.blocks) : null };
  }

  /** Looks until all events are done. Throws where nothing moves for a minute. */
  async #measure(
    name: KafkaCaseName,
    pids: ReadonlyMap<string, number>,
    events: number,
    count: () => Promise<number>,
  ): Promise<KafkaMeasured> {
    const line = progressLine(`${this.#spread} ${name}, run ${Math.max(this.#run, 1)}`, events);
    try {
      const load = loadavg()[0] ?? 0;
      const meter = new UseMeter(pids);
      meter.begin();
      const startedMs = performance.now();
      const before = await count();
      let done = before;
      for (let movedMs = startedMs; done < events; ) {
        await sleep(LOOK_MS);
        const now = await count();
        if (now !== done) movedMs = performance.now();
        done = now;
        meter.sample();
        line.update(done);
        if (performance.now() - movedMs > STALLED_MS) {
          throw new Error(`${this.#spread} ${name} stands still at ${done} of ${events} events`);
        }
      }
      const seconds = (performance.now() - startedMs) / 1_000;
      const measured = events - before;
      return {
        spread: this.#spread,
        run: Math.max(this.#run, 1),
        name,
        events: measured,
        seconds,
        eventsPerSecond: measured / seconds,
        processes: meter.end(),
        latencyP50Ms: null,
        latencyP99Ms: null,
        entriesPerBlock: null,
        lag: null,
        load,
      };
    } finally {
      line.stop();
    }
  }

  /** What a wanted case is built on is not shown. */
  #add(row: KafkaMeasured): void {
    if (this.#options.cases.has(row.name)) this.#rows.push(row);
  }

  #generated(name: string, events: number): Promise<GeneratedEvents> {
    return this.#of.generate(this.#spread, this.#folderOf(`${name}.jsonl`), events);
  }

  #folderOf(name: string): string {
    return join(this.#options.folder, `${this.#spread}-${name}`);
  }
}

async function recordsOf(topic: string, partitions: number, log: EventLog): Promise<number> {
  const bounds = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => log.bounds({ topic, partition })),
  );
  return bounds.reduce((sum, { high }) => sum + high, 0);
}
