import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TALLY = ['services/cli/tally.js'];
const READY_MS_MAX = 300_000;
const STOP_MS_MAX = 30_000;

/** A data folder in the temporary folder, and Tallystick as a process of its own on it: started, killed and started again as an operator would. */
export class ServiceProcess {
  readonly dataDir: string;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #output = '';

  constructor(
    options: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv; readonly dataDir?: string } = {},
  ) {
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tallystick-e2e-'));
    this.#args = options.args ?? ['--no-demo'];
    this.#env = { ...process.env, LOG_LEVEL: 'warn', ...options.env };
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves once every part says it is ready. */
  async start(): Promise<void> {
    rmSync(join(this.dataDir, 'running.json'), { force: true });
    const child = spawn(
      process.execPath,
      [...TALLY, 'start', '--port', '0', '--data-dir', this.dataDir, ...this.#args],
      {
        env: this.#env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-5_000_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const untilMs = Date.now() + READY_MS_MAX;
    while (Date.now() < untilMs) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${this.#output}`);
      }
      if (existsSync(join(this.dataDir, 'running.json')) && (await this.#isReady())) return;
      await sleep(100);
    }
    throw new Error(`not ready after ${READY_MS_MAX} ms: ${this.#output}`);
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch {
      return false;
    }
  }

  get url(): string {
    return this.urlOf('');
  }

  /** Where a path is served: where each service is a process of its own, each has its address. */
  urlOf(path: string): string {
    const { url, urls } = JSON.parse(readFileSync(join(this.dataDir, 'running.json'), 'utf8')) as {
      readonly url: string;
      readonly urls?: Readonly<Record<string, string>>;
    };
    return urls?.[path.split('/')[1] ?? ''] ?? url;
  }

  key(client: 'payer' | 'bank' | 'analyst' | 'operator'): string {
    return readFileSync(join(this.dataDir, 'keys', `client-${client}`), 'utf8').trim();
  }

  get hasEnded(): boolean {
    const child = this.#child;
    return child === null || child.exitCode !== null || child.signalCode !== null;
  }

  /** Waits until the process ends by itself; gives its exit code. */
  async ended(withinMs: number): Promise<number | null> {
    await eventually(
      async () => this.hasEnded,
      (ended) => ended,
      withinMs,
    );
    return this.#child?.exitCode ?? null;
  }

  /** SIGKILL: nothing is flushed, nothing is said. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ctrl-C: it drains. Gives the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGINT');
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    const code = await exited;
    clearTimeout(timer);
    this.#child = null;
    return code;
  }

  /** Ends the process and removes the data folder. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async call<T>(
    client: 'payer' | 'bank' | 'analyst' | 'operator',
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.urlOf(path)}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key(client)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T };
  }
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a user would: `tally …`. With `kill`, it is ended by SIGKILL (code null) when that is aborted. */
export function tally(
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly kill?: AbortSignal } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...TALLY, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    options.kill?.addEventListener('abort', () => child.kill('SIGKILL'));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Asks again until `done` says yes; throws what was seen last after the time is over. */
export async function eventually<T>(ask: () => Promise<T>, done: (seen: T) => boolean, withinMs = 120_000): Promise<T> {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    const seen = await ask();
    if (done(seen)) return seen;
    if (Date.now() > untilMs)
      throw new Error(`not within ${withinMs} ms; seen last: ${JSON.stringify(seen).slice(0, 2_000)}`);
    await sleep(200);
  }
}
