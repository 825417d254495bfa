import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { findCommand } from './find-command.ts';
import { freePorts } from './free-port.ts';
import { type ServerProcessDependencies, startServerProcess } from './server-process.ts';

export interface StartRedisOptions {
  /** Where it keeps its snapshot, settings, output and process id; an absolute path. */
  readonly folder: string;
  /** Lines of redis.conf beyond ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A free loopback port; any where it is left out. */
  readonly port?: number;
}

/** A Redis of our own on loopback, a child process: it can be killed and started again on the same port with the same folder. */
export interface RunningRedis {
  readonly url: string;
  readonly pid: () => number;
  stop(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  startAgain(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const PING_TIMEOUT_MS = 1_000;

/**
 * Starts `redis-server` on a loopback port with `noeviction`, and waits until it answers PING. Throws REDIS_SERVER_MISSING (with the
 * way to install it), SERVER_DID_NOT_START.
 */
export async function startRedis(
  options: StartRedisOptions,
  dependencies: Pick<ServerProcessDependencies, 'onEnded'> = {},
): Promise<RunningRedis> {
  const command = await findCommand('redis-server');
  if (command === null) {
    const message =
      'the state store of the Kafka way is Redis, and there is no redis-server on the PATH: ' +
      'apt-get install redis-server, or brew install redis (or give REDIS_URL of one that runs)';
    throw new TallyError('REDIS_SERVER_MISSING', message, {});
  }
  const [port = 0] = options.port === undefined ? await freePorts(1) : [options.port];
  await mkdir(options.folder, { recursive: true });
  const settingsFile = join(options.folder, 'redis.conf');
  await writeFile(settingsFile, settingsOf(options, port));
  const start = () =>
    startServerProcess(
      // --dir is in the settings too: here it names the folder among the arguments, by which a server left behind is known.
      {
        name: 'Redis',
        command,
        args: [settingsFile, '--dir', options.folder],
        folder: options.folder,
        readyWithinMs: READY_WITHIN_MS,
      },
      { isReady: () => redisAnswers(port), ...dependencies },
    );
  let server = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: () => server.pid,
    stop: () => server.stop(STOP_DEADLINE_MS),
    kill: () => server.kill(),
    signal: (signal) => server.signal(signal),
    startAgain: async () => {
      server = await start();
    },
  };
}

function settingsOf({ settings }: StartRedisOptions, port: number): string {
  const lines = {
    bind: '127.0.0.1',
    port: String(port),
    'maxmemory-policy': 'noeviction',
    save: '60 10000',
    appendonly: 'no',
    ...settings,
  };
  return `${Object.entries(lines)
    .map(([name, value]) => `${name} ${value}`)
    .join('\n')}\n`;
}

/** True where it answers PING with PONG: while it loads its snapshot it does not. */
function redisAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PING_TIMEOUT_MS });
    const answer = (isReady: boolean) => {
      socket.destroy();
      resolve(isReady);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
