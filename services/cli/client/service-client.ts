import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAnswer } from '../../../libs/adapters/http/read-answer.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** Where a running Tallystick writes how to reach it, inside its data folder. */
export const RUNNING_FILE = 'running.json';

export interface RunningService {
  readonly url: string;
  readonly pid: number;
  /** Bearer key of the operator that started it. */
  readonly key: string;
  /** Where each service is a process of its own: its address by the first part of its paths (`payer`, `tax` …). */
  readonly urls?: Readonly<Record<string, string>>;
  /** What they run on: KAFKA_BROKERS and REDIS_URL, as settings of a further process. */
  readonly backends?: Readonly<Record<string, string>>;
}

export interface ClientOptions {
  readonly dataDir: string;
  /** Overrides the address in the data folder. */
  readonly url: string | undefined;
  readonly key: string | undefined;
}

/** What every command that reaches a running service takes. */
export interface ReachOptions {
  readonly dataDir: string;
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** Throws NOT_RUNNING where the data folder names no running service, KEY_MISSING for an address without a key. */
export function clientOf(options: ReachOptions): ServiceClient {
  return new ServiceClient({ dataDir: options.dataDir, url: options.url, key: options.key });
}

const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_UP_MS = 1_000;
/** The longest answer is a page of 1,000 payments or entries, some megabytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Calls the HTTP interfaces of a running Tallystick: the command line goes through the service, never beside it. */
export class ServiceClient {
  readonly url: string;
  readonly #key: string;
  readonly #urls: Readonly<Record<string, string>>;

  constructor(options: ClientOptions) {
    if (options.url !== undefined) {
      if (options.key === undefined) {
        throw new TallyError('KEY_MISSING', 'an address was given without a key: set TALLY_KEY to the client key', {});
      }
      this.url = options.url.replace(/\/$/, '');
      this.#key = options.key;
      this.#urls = {};
      return;
    }
    const running = readRunning(options.dataDir);
    this.url = running.url;
    this.#key = options.key ?? running.key;
    this.#urls = running.urls ?? {};
  }

  /** Throws the problem that the service answered (its code and detail), or SERVICE_UNREACHABLE. */
  async call<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<T> {
    const response = await this.#fetch(method, path, body, timeoutMs);
    const text = await this.#textOf(response);
    if (!response.ok) throw problemOf(response.status, text, path);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  /** What the service says of its readiness, whether it is ready or not. Throws SERVICE_UNREACHABLE. */
  async readiness(): Promise<Readiness> {
    const response = await this.#fetch('GET', '/health/ready');
    return JSON.parse(await this.#reached(response.url, response.text())) as Readiness;
  }

  /** The raw body, for files that the service exports. */
  async download(path: string): Promise<Response> {
    const response = await this.#fetch('GET', path);
    if (!response.ok) throw problemOf(response.status, await this.#textOf(response), path);
    return response;
  }

  async #textOf(response: Response): Promise<string> {
    const url = new URL(response.url).origin;
    const bounds = { server: 'the service', url, bytesMax: ANSWER_BYTES_MAX };
    return (await this.#reached(url, readAnswer(response, bounds))).toString('utf8');
  }

  #fetch(method: string, path: string, body?: unknown, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Response> {
    const url = this.#urls[path.split('/')[1] ?? ''] ?? this.url;
    return this.#reached(
      url,
      fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      }),
    );
  }

  /** A service that is gone before it answers, or in the middle of an answer, is out of reach. */
  async #reached<T>(url: string, answer: Promise<T>): Promise<T> {
    // A connection that dies in the middle can leave nothing that keeps the process up, not even the signal's own timer: Node would
    // then end it (exit code 13) before the time is over.
    const untilAnswered = setInterval(() => undefined, KEEP_UP_MS);
    try {
      return await answer;
    } catch (cause) {
      if (cause instanceof TallyError) throw cause;
      throw new TallyError(
        'SERVICE_UNREACHABLE',
        `nothing answers at ${url}: is it running? Start it with "npm start", or give its address with --url`,
        { url },
        { retriable: true, cause },
      );
    } finally {
      clearInterval(untilAnswered);
    }
  }
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly code: string | null; readonly message: string | null }[];
}

function readRunning(dataDir: string): RunningService {
  try {
    return JSON.parse(readFileSync(join(dataDir, RUNNING_FILE), 'utf8')) as RunningService;
  } catch (cause) {
    throw new TallyError(
      'NOT_RUNNING',
      `no Tallystick runs on the data folder ${dataDir}: start it with "npm start", or name the folder with --data-dir`,
      { dataDir },
      { cause },
    );
  }
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly faults?: readonly { readonly code: string; readonly pointer: string; readonly detail: string }[];
}

function problemOf(status: number, text: string, path: string): TallyError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // Not a problem document: a proxy or another program answered; its text is shown below.
  }
  const faults = (problem.faults ?? []).map((fault) => `\n  ${fault.pointer} ${fault.code}: ${fault.detail}`).join('');
  const detail = problem.detail ?? `${path} answered ${status}: ${text.slice(0, 200)}`;
  return new TallyError(
    problem.code ?? 'SERVICE_REFUSED',
    `${detail}${faults}`,
    { status, faults: problem.faults ?? [] },
    { retriable: status >= 500 || status === 429 },
  );
}
