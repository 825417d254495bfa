import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

export interface ServerProcessOptions {
  /** What it is, in messages: `Kafka`, `Redis`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output (`server.log`) and its process id (`server.pid`) are kept. */
  readonly folder: string;
  readonly readyWithinMs: number;
}

/** A server that this process has started: a child, ended by its own process id. */
export interface ServerProcess {
  readonly pid: number;
  /** Asks it to end (SIGTERM) and waits; SIGKILL after the deadline. */
  stop(deadlineMs: number): Promise<void>;
  /** SIGKILL: what a crash is. Resolves when it is gone. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export interface ServerProcessDependencies {
  readonly isReady: () => Promise<boolean>;
  /** Told, in a line for the one who runs it, when the server ends though nobody asked it to. */
  readonly onEnded?: (line: string) => void;
}

const READY_POLL_MS = 100;
const LOG_TAIL_BYTES = 2_000;

/**
 * Starts a server and waits until `isReady` answers true. One that an earlier run left behind in the same folder is ended first.
 * Throws SERVER_DID_NOT_START with the end of its output.
 */
export async function startServerProcess(
  options: ServerProcessOptions,
  dependencies: ServerProcessDependencies,
): Promise<ServerProcess> {
  const pidFile = join(options.folder, 'server.pid');
  const logFile = join(options.folder, 'server.log');
  await endLeftBehind(pidFile, options.folder);
  const output = openSync(logFile, 'a');
  const child = spawn(options.command, options.args, {
    cwd: options.folder,
    stdio: ['ignore', output, output],
    detached: true,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', ({ message }) => resolve(message));
  });
  if (child.pid === undefined) {
    await ended;
    throw await notStarted(options, logFile, 'it could not be run');
  }
  await writeFile(pidFile, String(child.pid));
  let isReady = false;
  const onEnded = (how: string): void => {
    // Before it is ready, the error says it.
    if (isReady) dependencies.onEnded?.(`${options.name} ended by itself (${how}); its output is in ${logFile}`);
  };
  const server = processOf(child, child.pid, ended, pidFile, onEnded);
  const end = systemClock.elapsedMs() + options.readyWithinMs;
  while (!(await dependencies.isReady())) {
    if (hasEnded(child)) {
      throw await notStarted(options, logFile, 'it ended');
    }
    if (systemClock.elapsedMs() > end) {
      await server.kill();
      throw await notStarted(options, logFile, `it was not ready within ${options.readyWithinMs} ms`);
    }
    await sleep(READY_POLL_MS);
  }
  isReady = true;
  return server;
}

function processOf(
  child: ChildProcess,
  pid: number,
  ended: Promise<string>,
  pidFile: string,
  onEnded: (how: string) => void,
): ServerProcess {
  let isAsked = false;
  // A parent that is about to end takes its server with it.
  const withParent = () => child.kill('SIGKILL');
  process.once('exit', withParent);
  const gone = ended.then(async (how) => {
    process.removeListener('exit', withParent);
    if (!isAsked) onEnded(how);
    await rm(pidFile, { force: true });
  });
  return {
    pid,
    stop: async (deadlineMs) => {
      isAsked = true;
      child.kill('SIGTERM');
      const late = new AbortController();
      const timer = sleep(deadlineMs, undefined, { signal: late.signal, ref: false }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
      await Promise.race([gone, timer]);
      await gone;
      late.abort();
    },
    kill: async () => {
      isAsked = true;
      child.kill('SIGKILL');
      await gone;
    },
    signal: (signal) => void child.kill(signal),
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A parent that was killed leaves its server behind: it is known by its process id and by the folder among its arguments. */
async function endLeftBehind(pidFile: string, folder: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 1 || !(await argumentsOf(pid)).includes(folder)) {
    return;
  }
  process.kill(pid, 'SIGTERM');
  for (let tries = 0; tries < 100 && (await argumentsOf(pid)).includes(folder); tries += 1) {
    await sleep(READY_POLL_MS);
    if (tries === 50) {
      process.kill(pid, 'SIGKILL');
    }
  }
}

function argumentsOf(pid: number): Promise<string> {
  return new Promise((resolve) => {
    execFile('ps', ['-ww', '-o', 'args=', '-p', String(pid)], (error, output) => resolve(error === null ? output : ''));
  });
}

async function notStarted({ name }: ServerProcessOptions, logFile: string, what: string): Promise<TallyError> {
  const tail = await endOf(logFile);
  return new TallyError(
    'SERVER_DID_NOT_START',
    `${name} did not start: ${what}. Its output (${logFile}) ends:\n${tail}`,
    {
      name,
      logFile,
    },
  );
}

async function endOf(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) {
    return '';
  }
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES));
    await handle.read(bytes, 0, bytes.length, Math.max(size - bytes.length, 0));
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}
