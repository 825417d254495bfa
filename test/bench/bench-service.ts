import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNodeFlags } from '../../services/cli/start/child-service.ts';
import type { ServiceName } from '../../services/cli/start/start-cluster.ts';
import { type BenchBuild, watchChild } from './bench-children.ts';

export interface BenchServiceOptions {
  readonly service: ServiceName;
  readonly url: string;
  /** Of an operator: for what the metrics do not tell. */
  readonly key: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFolder: string;
  /** Folder of CPU profiles; null for none. */
  readonly profileFolder: string | null;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
const LOOK_MS = 50;
const LOG_TAIL_CHARACTERS = 3_000;
/** A service that answers nothing stands still. */
const ANSWER_MS_MAX = 60_000;
const STATE_MS_MAX = 5_000;
/** What tells more than the metrics. */
const STATE_PATHS: Readonly<Record<ServiceName, readonly string[]>> = {
  gateway: [],
  tax: ['/tax/v1/status'],
  ledger: [],
  'payer-node': ['/payer/v1/outbox'],
  reconciliation: [],
  dashboard: [],
};

/** One service as a process of its own, as `tally start --kafka` runs it; one that ends by itself fails the bench instead of being started again. */
export class BenchService {
  readonly #options: BenchServiceOptions;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #ended: Promise<void>;

  constructor(options: BenchServiceOptions, build: BenchBuild) {
    const { service, env, logFolder, profileFolder } = options;
    this.#options = options;
    this.#logFile = join(logFolder, `${service}.log`);
    const flags =
      profileFolder === null
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${nameOf(service)}`];
    const main = build.fileOf(`services/${service}/main`);
    this.#child = spawn(process.execPath, [...serviceNodeFlags(service), ...flags, main], {
      env: { ...process.env, LOG_LEVEL: 'warn', ...env, NODE_ENV: 'production', STOP_WITH_STDIN: '1' },
      // The pipe is how it learns that the bench is gone; a group of its own keeps a terminal's Ctrl-C for the bench alone.
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    watchChild(this.#child);
    const log = createWriteStream(this.#logFile, { flags: 'a' });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        log.end();
        resolve();
      });
    });
  }

  get url(): string {
    return this.#options.url;
  }

  get service(): ServiceName {
    return this.#options.service;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Throws with the end of its log where it has ended or is not ready in time. */
  async ready(): Promise<void> {
    const untilMs = performance.now() + READY_MS_MAX;
    while (performance.now() < untilMs) {
      await this.assertRuns();
      const answer = await fetch(`${this.url}/health/ready`).catch(() => null);
      if (answer?.ok === true) return;
      await sleep(LOOK_MS);
    }
    throw new Error(`${this.#options.service} is not ready after ${READY_MS_MAX} ms: ${await this.#logTail()}`);
  }

  async assertRuns(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`${this.#options.service} has ended: ${await this.#logTail()}`);
  }

  /** Sums of its metrics over all their labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const sums = new Map<string, number>();
    for (const line of (await this.#get('/metrics')).split('\n')) {
      const found = /^([a-z0-9_]+)(?:\{.*\})? (\S+)$/.exec(line);
      const name = found?.[1];
      if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(found?.[2]));
    }
    return sums;
  }

  /** Lines of its metrics, for those whose labels count. */
  metricLines(): Promise<string> {
    return this.#get('/metrics');
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse(await this.#get(path)) as T;
  }

  /**
   * Writes down how it stands by its own account: of one that stands still and logs nothing that is all there is. The files of it: what it
   * logged, and this.
   */
  async writeState(): Promise<ReadonlyMap<string, string>> {
    const { service } = this.#options;
    const stateFile = this.#logFile.replace(/\.log$/, '.state');
    const told = ['/metrics', ...STATE_PATHS[service]].map(async (path) => {
      const text = await this.#get(path, STATE_MS_MAX).catch((error: unknown) => `no answer: ${String(error)}`);
      return `GET ${path}\n${text.split('\n').filter(isOfState).join('\n')}\n`;
    });
    await writeFile(stateFile, (await Promise.all(told)).join(''));
    return new Map([
      [`${service}-state`, stateFile],
      [service, this.#logFile],
    ]);
  }

  /** In order, as an operator stops it. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#ended;
    clearTimeout(timer);
  }

  async #get(path: string, timeoutMs = ANSWER_MS_MAX): Promise<string> {
    await this.assertRuns();
    const response = await fetch(`${this.url}${path}`, {
      headers: { authorization: `Bearer ${this.#options.key}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${this.#options.service}: GET ${path} answered ${response.status}: ${text}`);
    return text;
  }

  async #logTail(): Promise<string> {
    const text = await readFile(this.#logFile, 'utf8').catch(() => '');
    return text.slice(-LOG_TAIL_CHARACTERS);
  }
}

/** Our own figures, without the steps of the histograms. */
function isOfState(line: string): boolean {
  return line.startsWith('tally_') ? !line.includes('_bucket') : !/^(#|[a-z]+_|$)/.test(line);
}

let profiles = 0;

/** Node's own names tell the process id and not the service. */
function nameOf(service: ServiceName): string {
  profiles += 1;
  return `${String(profiles).padStart(3, '0')}-${service}.cpuprofile`;
}
