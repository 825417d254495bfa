import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  begun,
  type CalledServer,
  call,
  type HttpAnswer,
  type HttpCall,
  jsonIn,
  noAnswer,
  problemIn,
} from '../../../libs/adapters/http/call.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** Where a running Tallystick writes how to reach it, inside its data folder. */
export const RUNNING_FILE = 'running.json';

/** The services that a command may speak to, by the first part of their paths; the gateway's and the dashboard's have none. */
export type CalledService = 'gateway' | 'tax' | 'ledger' | 'payer' | 'reconciliation' | 'dashboard';
export type ServiceUrls = Readonly<Partial<Record<CalledService, string>>>;

export interface RunningService {
  readonly url: string;
  readonly pid: number;
  /** Bearer key of the operator that started it. */
  readonly key: string;
  /** Where each service is a process of its own: the address of each. */
  readonly urls?: ServiceUrls;
  /** What they run on: KAFKA_BROKERS and REDIS_URL, as settings of a further process. */
  readonly backends?: Readonly<Record<string, string>>;
}

/** How a command reaches a running service. */
export interface ClientOptions {
  readonly dataDir: string;
  /** Overrides the address in the data folder. */
  readonly url?: string | undefined;
  /** Addresses of services apart; they override `url` and the data folder. */
  readonly urls?: ServiceUrls;
  readonly key?: string | undefined;
}

/** What every command that reaches a running service takes. */
export interface ReachOptions extends ClientOptions {
  readonly json?: boolean;
}

/** Throws NOT_RUNNING where the data folder names no running service, KEY_MISSING for an address without a key. */
export function clientOf(options: ReachOptions): ServiceClient {
  return new ServiceClient(options);
}

const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_UP_MS = 1_000;
/** The longest answer is a page of 1,000 payments or entries, some megabytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Calls the HTTP interfaces of a running Tallystick: the command line goes through the service, never beside it. */
export class ServiceClient {
  /** The address of all services, or of the first that was given. */
  readonly url: string;
  readonly #key: string;
  readonly #urls: ServiceUrls;

  constructor({ dataDir, url, urls = {}, key }: ClientOptions) {
    const given = Object.values(urls)[0] ?? url;
    if (given !== undefined) {
      if (key === undefined) {
        throw new TallyError('KEY_MISSING', 'an address was given without a key: set TALLY_KEY to the client key', {});
      }
      this.url = given.replace(/\/$/, '');
      this.#key = key;
      this.#urls = urls;
      return;
    }
    const running = readRunning(dataDir);
    this.url = running.url;
    this.#key = key ?? running.key;
    this.#urls = running.urls ?? {};
  }

  /** The addresses of services that are processes of their own; none where one process has them all. */
  get urls(): ServiceUrls {
    return this.#urls;
  }

  /** Throws the problem that the service answered (its code and detail), SERVICE_UNREACHABLE, or ANSWER_OF_ANOTHER_TYPE. */
  async call<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<T> {
    const server = this.#serverOf(path, timeoutMs);
    const answer = await this.#answered(server, {
      method,
      path,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw refusal(answer.status, answer.bytes, path);
    // Only what asks that something is done may be answered by its status alone.
    if (answer.bytes.length === 0 && method !== 'GET') return {} as T;
    return jsonOf(answer, server, path) as T;
  }

  /** What the service at an address says of its readiness, whether it is ready or not. Throws SERVICE_UNREACHABLE. */
  async readiness(url: string): Promise<Readiness> {
    const path = '/health/ready';
    const server = { ...this.#serverOf(path, REQUEST_TIMEOUT_MS), url };
    const answer = jsonOf(await this.#answered(server, { method: 'GET', path }), server, path) as Readiness;
    if (!Array.isArray(answer.checks)) throw anotherType(server, path);
    return answer;
  }

  /** The metrics of the service at an address, and its own time in milliseconds (not a number where it tells none). */
  async metrics(url: string): Promise<{ readonly date: number; readonly text: string }> {
    const path = '/metrics';
    const server = { ...this.#serverOf(path, REQUEST_TIMEOUT_MS), url };
    const { ok, status, date, bytes } = await this.#answered(server, { method: 'GET', path });
    if (!ok) throw refusal(status, bytes, path);
    return { date, text: bytes.toString('utf8') };
  }

  /** The beginning of an answer, for files that the service exports. */
  async download(path: string): Promise<Response> {
    const server = this.#serverOf(path, REQUEST_TIMEOUT_MS);
    const response = await keptUp(begun(server, { method: 'GET', path }, fetch)).catch((cause: unknown) => {
      throw unreachable(noAnswer(server, cause));
    });
    if (response.ok) return response;
    const bytes = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
    throw refusal(response.status, bytes, path);
  }

  #serverOf(path: string, timeoutMs: number): CalledServer {
    const first = path.split('/')[1] ?? '';
    const url = this.#urls[(first === 'v1' ? 'gateway' : first) as CalledService] ?? this.url;
    return { name: 'the service', url, timeoutMs, clientKey: this.#key, unreachable: 'SERVICE_UNREACHABLE' };
  }

  async #answered(server: CalledServer, request: HttpCall): Promise<HttpAnswer> {
    try {
      return await keptUp(call(server, { ...request, bytesMax: ANSWER_BYTES_MAX }, fetch));
    } catch (error) {
      throw error instanceof TallyError && error.code === server.unreachable ? unreachable(error) : error;
    }
  }
}

/**
 * A connection that dies in the middle can leave nothing that keeps the process up, not even the signal's own timer: Node would end it
 * (exit code 13) before the time is over.
 */
async function keptUp<T>(answer: Promise<T>): Promise<T> {
  const untilAnswered = setInterval(() => undefined, KEEP_UP_MS);
  try {
    return await answer;
  } finally {
    clearInterval(untilAnswered);
  }
}

/** A service that is gone before it answers, or in the middle of an answer, with what a person can do. */
function unreachable(error: TallyError): TallyError {
  const { url } = error.facts;
  const message = `nothing answers at ${url}: is it running? Start it with "npm start", or give its address with --url`;
  return new TallyError(error.code, message, { url: String(url) }, { retriable: true, cause: error });
}

function jsonOf(answer: HttpAnswer, server: CalledServer, path: string): unknown {
  const json = jsonIn(answer.bytes);
  if (typeof json !== 'object' || json === null) throw anotherType(server, path);
  return json;
}

function anotherType({ url }: CalledServer, path: string): TallyError {
  const message = `${url} answers ${path} with something else than a Tallystick does: see what runs at that address`;
  return new TallyError('ANSWER_OF_ANOTHER_TYPE', message, { url });
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

function refusal(status: number, bytes: Buffer, path: string): TallyError {
  const { code = 'SERVICE_REFUSED', detail = `${path} answered ${status}`, faults = [] } = problemIn(bytes);
  const listed = faults.map((fault) => `\n  ${fault.pointer} ${fault.code}: ${fault.detail}`).join('');
  const retriable = status >= 500 || status === 429;
  return new TallyError(code, `${detail}${listed}`, { status, faults }, { retriable });
}
