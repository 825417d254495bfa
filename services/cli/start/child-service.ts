import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { LastFault } from './last-fault.ts';

export interface ChildServiceOptions {
  /** Folder of its main file: `tax`. */
  readonly service: string;
  readonly url: string;
  /** What it logs goes to `<folder>/<service>.log`. */
  readonly logFolder: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ChildServiceDependencies {
  /** Told, in a line for the one who runs it, that the service ended, why, and when it is back. */
  readonly tell: (line: string) => void;
}

const READY_MS_MAX = 60_000;
const LOOK_MS = 150;
const STOP_MS_MAX = 20_000;
const RESTART_MS = 1_000;
const RESTART_MS_MAX = 15_000;
/** A child that ran this long before it ended is started again at once. */
const HEALTHY_MS = 30_000;

/** One service as a process of its own, started again whenever it ends without being asked to. */
export class ChildService {
  readonly #options: ChildServiceOptions;
  readonly #tell: (line: string) => void;
  readonly #lastFault = new LastFault();
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #stopping = false;
  #restartMs = RESTART_MS;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ChildServiceOptions, dependencies: ChildServiceDependencies) {
    this.#options = options;
    this.#tell = dependencies.tell;
    this.#log = createWriteStream(join(options.logFolder, `${options.service}.log`), { flags: 'a', mode: 0o600 });
  }

  get url(): string {
    return this.#options.url;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Throws SERVICE_DID_NOT_START naming its log where it is not ready in time. */
  async start(): Promise<void> {
    this.#spawn();
    const untilMs = systemClock.elapsedMs() + READY_MS_MAX;
    while (systemClock.elapsedMs() < untilMs) {
      if (await this.isReady()) return;
      await sleep(LOOK_MS);
    }
    const { service, logFolder } = this.#options;
    throw new TallyError('SERVICE_DID_NOT_START', `${service} is not ready: see ${join(logFolder, `${service}.log`)}`, {
      service,
    });
  }

  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Asks it to end in order, and kills it where it does not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      await this.#ended;
      clearTimeout(timer);
    }
    this.#log.end();
  }

  #spawn(): void {
    const startedMs = systemClock.elapsedMs();
    const child = spawn(process.execPath, commandOf(this.#options.service), {
      env: { ...process.env, ...this.#options.env, STOP_WITH_STDIN: '1' },
      // The pipe is how it learns that we are gone, however we went; a group of its own keeps a terminal's Ctrl-C for us alone.
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    for (const output of [child.stdout, child.stderr]) {
      output.pipe(this.#log, { end: false });
      output.on('data', (chunk: Buffer) => this.#lastFault.read(chunk.toString()));
    }
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    // Not at its exit: what it said last may come after that.
    child.once('close', (code, signal) => {
      if (!this.#stopping) void this.#startAgain(startedMs, code, signal);
    });
  }

  async #startAgain(startedMs: number, code: number | null, signal: string | null): Promise<void> {
    const { service, logFolder } = this.#options;
    this.#restartMs =
      systemClock.elapsedMs() - startedMs > HEALTHY_MS ? RESTART_MS : Math.min(this.#restartMs * 2, RESTART_MS_MAX);
    const how = signal ?? `exit code ${code}`;
    const why = this.#lastFault.take();
    const seconds = Math.ceil(this.#restartMs / 1_000);
    const log = join(logFolder, `${service}.log`);
    this.#tell(
      `${service} ended (${how}${why === null ? '' : `: ${why}`}); started again in ${seconds} s, its log is ${log}`,
    );
    await sleep(this.#restartMs);
    if (this.#stopping) return;
    this.#spawn();
    await this.#tellWhenBack(this.#child);
  }

  async #tellWhenBack(child: ChildProcess | null): Promise<void> {
    while (!this.#stopping && this.#child === child && child?.exitCode === null && child.signalCode === null) {
      if (await this.isReady()) {
        this.#tell(`${this.#options.service} is back`);
        return;
      }
      await sleep(LOOK_MS);
    }
  }
}

/** Where a broker does not throttle it, kafkajs 2.2.4 sets timers that are long past: Node 26 takes them as due and would warn of each. */
const KAFKAJS_TIMERS = '--disable-warning=TimeoutNegativeWarning';
/** Room for the young generation: without it, collecting it takes up to a fifth of a service's time (docs/performance.md, garbage collection). */
const YOUNG_GENERATION = '--max-semi-space-size=32';
/** Of tax, whose decisions make the most garbage: a sixth less of its time than with 32, and no more memory. */
const YOUNG_GENERATION_OF_TAX = '--max-semi-space-size=64';
/** Looks for garbage once what survives has grown by one and a half times what is in use; V8 by itself waits for up to three times. */
const OLD_GENERATION = '--heap-growing-percent=150';

/**
 * What Node is told of a service's memory, here and in deploy/compose.yaml. The ledger and the payer's node let go of most of what they
 * read, so they are told to look sooner; tax holds what it has at hand, and would look in vain.
 */
export function serviceNodeFlags(service: string): readonly string[] {
  if (service === 'tax') return [KAFKAJS_TIMERS, YOUNG_GENERATION_OF_TAX];
  const young = [KAFKAJS_TIMERS, YOUNG_GENERATION];
  return service === 'ledger' || service === 'payer-node' ? [...young, OLD_GENERATION] : young;
}

/** The compiled main file where this file is compiled, else the source, of which Node strips the types. */
function commandOf(service: string): string[] {
  const compiled = import.meta.url.endsWith('.js');
  const main = fileURLToPath(new URL(`../../${service}/main.${compiled ? 'js' : 'ts'}`, import.meta.url));
  return [...serviceNodeFlags(service), main];
}
