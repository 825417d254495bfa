import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { TallyError } from '../../core/errors/tally-error.ts';
import { systemClock } from '../time/clock.ts';
import { type RedisArgument, scriptCommand } from './redis-command.ts';
import { CHECKPOINT_SCRIPT, COMMIT_SCRIPT, GET_SCRIPT, type RedisScript, WIPE_SCRIPT } from './redis-scripts.ts';
import type { Checkpoint, InspectableStore, StoreCommit, StorePut } from './state-store.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://` (TLS), with user and password where they are needed. */
  readonly url: string;
  readonly stage: string;
  /** Name of the ledger whose state this is: a store of another one is refused. */
  readonly ledger?: string;
  /** The server is a node of a Redis Cluster. */
  readonly cluster?: boolean;
  /** What every key begins with. */
  readonly prefix?: string;
  /** A command without an answer by then has failed; it may have been done. */
  readonly commandTimeoutMs?: number;
  readonly tls?: ConnectionOptions;
}

export interface RedisStoreDependencies {
  /** Told of every fault of the connection; commands meanwhile fail on their own. */
  readonly onError?: (error: Error) => void;
}

const PREFIX = 'tally';
const COMMAND_TIMEOUT_MS = 5_000;
/** How long a start tries to connect. */
const START_WITHIN_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** Whether it answers at all is known by then. */
const CHECK_WITHIN_MS = 2_500;
const RECONNECT_MS = 100;
const RECONNECT_MAX_MS = 1_000;
const CLOSE_DEADLINE_MS = 2_000;
const REDIS_PORT = 6379;

/**
 * The state store of one stage on Redis (or Redis Cluster): per partition a hash and its checkpoint under one hash tag, one script per
 * read or commit. It never waits for a server that is away: commands fail at once as STORE_UNAVAILABLE (retriable), and the stage tries again.
 * Throws STORE_UNAVAILABLE, REDIS_EVICTS where the server may forget keys, STORE_OF_ANOTHER_LEDGER.
 */
export async function openRedisStore(
  options: RedisStoreOptions,
  dependencies: RedisStoreDependencies = {},
): Promise<InspectableStore> {
  const client = options.cluster === true ? clusterClient(options) : singleClient(options);
  client.on('error', (error: Error) => dependencies.onError?.(error));
  try {
    await connect(client, options.url);
    await assertNoEviction(client);
    await assertLedger(client, options);
    return new RedisStore(options, client);
  } catch (error) {
    client.disconnect();
    throw error;
  }
}

class RedisStore implements InspectableStore {
  readonly #client: Redis | Cluster;
  readonly #place: string;
  readonly #timeoutMs: number;
  #closed = false;

  constructor(options: RedisStoreOptions, client: Redis | Cluster) {
    this.#client = client;
    this.#place = `${options.prefix ?? PREFIX}:{${options.stage}`;
    this.#timeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  }

  async checkpoint(partition: number): Promise<Checkpoint | null> {
    const [tip, text] = asTexts(await this.#run(CHECKPOINT_SCRIPT, partition, []));
    const checkpoint = text === null || text === undefined ? null : parseCheckpoint(text);
    if (tip !== '' && checkpoint === null) {
      // Torn, or not ours: it stands for nothing and must not stand in the way.
      await this.wipe(partition);
    }
    return checkpoint;
  }

  async get(
    partition: number,
    keys: readonly string[],
  ): Promise<{ readonly tip: string | null; readonly values: readonly (string | null)[] }> {
    const answer: unknown = await this.#run(GET_SCRIPT, partition, keys);
    const [tip] = asTexts(answer);
    return { tip: tip === '' ? null : (tip ?? null), values: valuesOf(answer, keys.length) };
  }

  commit(commits: readonly StoreCommit[]): Promise<('committed' | 'stale')[]> {
    const last = new Map<number, Promise<unknown>>();
    return Promise.all(
      commits.map((commit) => {
        // Two commits of one partition in one call go one after the other; all others together, on one connection.
        const outcome = (last.get(commit.partition) ?? Promise.resolve()).then(() => this.#commit(commit));
        last.set(commit.partition, outcome);
        return outcome;
      }),
    );
  }

  async wipe(partition: number): Promise<void> {
    await this.#run(WIPE_SCRIPT, partition, []);
  }

  async check(): Promise<void> {
    if (this.#closed) {
      throw new TallyError('STORE_CLOSED', 'the state store is closed', {});
    }
    try {
      await within(CHECK_WITHIN_MS, this.#client.ping());
    } catch (cause) {
      throw unavailable('Redis does not answer: look at REDIS_URL and at the server; it goes on by itself', {}, cause);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    const quit = this.#client.quit().then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([quit, sleep(CLOSE_DEADLINE_MS, undefined, { ref: false })]);
    this.#client.disconnect();
  }

  async #commit({ partition, expectedTip, checkpoint, puts }: StoreCommit): Promise<'committed' | 'stale'> {
    const sets: RedisArgument[] = [];
    const removes: string[] = [];
    for (const { key, value } of putsToSend(puts)) {
      if (value === null) {
        removes.push(key);
      } else {
        sets.push(key, value);
      }
    }
    const text = JSON.stringify(checkpoint);
    const head = [expectedTip ?? '', checkpoint.tip, text, String(sets.length / 2)];
    const outcome = await this.#run(COMMIT_SCRIPT, partition, [...head, ...sets, ...removes]);
    return outcome === 'committed' ? 'committed' : 'stale';
  }

  async #run(script: RedisScript, partition: number, texts: readonly RedisArgument[]): Promise<unknown> {
    if (this.#closed) {
      throw new TallyError('STORE_CLOSED', 'the state store is closed', {});
    }
    const place = `${this.#place}:${partition}}`;
    const keys = [`${place}:checkpoint`, `${place}:state`];
    const facts = { partition };
    try {
      return await within(this.#timeoutMs, this.#evaluate(script, keys, texts));
    } catch (cause) {
      if (cause instanceof TallyError) {
        throw cause;
      }
      if (isReply(cause, 'OOM')) {
        const message = 'Redis has no memory left (maxmemory): nothing is stored until there is room';
        throw new TallyError('STORE_FULL', message, facts, { retriable: true, cause });
      }
      throw unavailable('Redis does not answer', facts, cause);
    }
  }

  async #evaluate(script: RedisScript, keys: readonly string[], texts: readonly RedisArgument[]): Promise<unknown> {
    try {
      return await this.#client.sendCommand(scriptCommand('evalsha', script.sha, keys, texts));
    } catch (error) {
      // A server that was restarted does not know it any more.
      if (isReply(error, 'NOSCRIPT')) {
        return await this.#client.sendCommand(scriptCommand('eval', script.source, keys, texts));
      }
      throw error;
    }
  }
}

/** The script sets first and removes then: where there is something to remove, each key must come once, with what it was given last. */
function putsToSend(puts: readonly StorePut[]): Iterable<StorePut> {
  if (puts.every(({ value }) => value !== null)) return puts;
  return new Map(puts.map((put) => [put.key, put])).values();
}

function singleClient(options: RedisStoreOptions): Redis {
  const { tls } = options;
  return new Redis(options.url, {
    ...failFast(options),
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: reconnectAfterMs,
    ...(tls === undefined ? {} : { tls }),
  });
}

/** ioredis #285, #1014: by default commands wait without end for a server that is away. */
function failFast({ commandTimeoutMs = COMMAND_TIMEOUT_MS }: RedisStoreOptions) {
  return {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: commandTimeoutMs,
    socketTimeout: 2 * commandTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A failed-over server that has become a replica: connect again, to where the address leads now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

function reconnectAfterMs(times: number): number {
  return Math.min(RECONNECT_MS * times, RECONNECT_MAX_MS);
}

function clusterClient(options: RedisStoreOptions): Cluster {
  const { hostname, port, username, password, protocol } = new URL(options.url);
  const tls = options.tls;
  return new Cluster([{ host: hostname, port: port === '' ? REDIS_PORT : Number(port) }], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectAfterMs,
    redisOptions: {
      ...failFast(options),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' ? { tls: { ...tls } } : {}),
    },
  });
}

async function connect(client: Redis | Cluster, url: string): Promise<void> {
  const end = systemClock.elapsedMs() + START_WITHIN_MS;
  let cause: unknown;
  client.on('error', (error: Error) => {
    cause = error;
  });
  client.connect().catch((error: unknown) => {
    cause ??= error;
  });
  // After the first failure the client goes on by itself.
  while (client.status !== 'ready') {
    if (systemClock.elapsedMs() > end || client.status === 'end') {
      const { host } = new URL(url);
      throw unavailable(`Redis at ${host} does not answer: is REDIS_URL right, and does it run?`, { host }, cause);
    }
    await sleep(RECONNECT_MS / 5);
  }
}

/** The policy stands in INFO, which managed servers answer where they refuse CONFIG. */
async function assertNoEviction(client: Redis | Cluster): Promise<void> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  for (const server of servers) {
    const info = await server.info('memory').catch((cause: unknown) => {
      throw unavailable('Redis does not answer', {}, cause);
    });
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
    if (policy !== 'noeviction') {
      const message = `Redis may forget keys (maxmemory-policy ${policy}): set \`maxmemory-policy noeviction\``;
      throw new TallyError('REDIS_EVICTS', message, { policy: policy ?? null });
    }
  }
}

async function assertLedger(client: Redis | Cluster, { ledger, prefix }: RedisStoreOptions): Promise<void> {
  if (ledger === undefined) {
    return;
  }
  const key = `${prefix ?? PREFIX}:ledger`;
  try {
    await client.set(key, ledger, 'NX');
    const stored = await client.get(key);
    if (stored !== ledger) {
      const message = `this Redis holds the state of ledger ${stored}, not of ${ledger}: give each ledger its own server or database`;
      throw new TallyError('STORE_OF_ANOTHER_LEDGER', message, { stored, ledger });
    }
  } catch (cause) {
    throw cause instanceof TallyError ? cause : unavailable('Redis does not answer', {}, cause);
  }
}

function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function unavailable(message: string, facts: Readonly<Record<string, unknown>>, cause: unknown): TallyError {
  return new TallyError('STORE_UNAVAILABLE', message, facts, { retriable: true, cause });
}

function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}

function asTexts(answer: unknown): (string | null)[] {
  return Array.isArray(answer) ? answer.map((item) => (typeof item === 'string' ? item : null)) : [];
}

/** Of GET_SCRIPT's answer, for each key: behind the tip stand the numbers of the keys that have a value, each with it. */
function valuesOf(answer: unknown, keys: number): (string | null)[] {
  const values = new Array<string | null>(keys).fill(null);
  if (!Array.isArray(answer)) return values;
  for (let at = 1; at + 1 < answer.length; at += 2) {
    const value: unknown = answer[at + 1];
    if (typeof value === 'string') values[Number(answer[at])] = value;
  }
  return values;
}

function parseCheckpoint(text: string): Checkpoint | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return isCheckpoint(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tip' in value &&
    typeof value.tip === 'string' &&
    'tipOffset' in value &&
    typeof value.tipOffset === 'number' &&
    'outputNext' in value &&
    typeof value.outputNext === 'number' &&
    'inputs' in value &&
    Array.isArray(value.inputs)
  );
}
