import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, problemIn } from '../../../libs/adapters/http/call.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, account, type Tax } from '../../../libs/core/identity/account.ts';
import { decidePaye } from '../../../libs/core/paye/payment/decide-paye.ts';
import type { PayeRules } from '../../../libs/core/paye/rates/paye-rules.ts';
import { createFeed, type FeedBatch, type FeedState } from './feed.ts';

/** Where the feed goes: the payer node and the bank's door, in this process or over HTTP. */
export interface FeedTarget {
  follow(accounts: readonly Account[]): Promise<void>;
  /** Gives what the door refuses, event by event. */
  submit(tax: Tax, events: readonly unknown[]): Promise<readonly unknown[]>;
  pay(payments: readonly unknown[]): Promise<void>;
}

export interface RunFeedOptions {
  readonly dataDir: string;
  readonly seed: string;
  readonly eventsPerSecond: number;
}

const FEED_FILE = 'feed.json';
const RETRY_MS = 1_000;
const PAYMENTS_TIMEOUT_MS = 30_000;

/** Sends the seeded feed through the payer node and the bank's door until stopped; where it stands is kept in the data folder. */
export function runFeed(
  options: RunFeedOptions,
  { target, rules, logger }: { readonly target: FeedTarget; readonly rules: PayeRules; readonly logger: Logger },
): { stop(): Promise<void> } {
  const file = join(options.dataDir, FEED_FILE);
  const ended = new AbortController();
  const wait = (durationMs: number) => sleep(durationMs, undefined, { signal: ended.signal }).catch(() => undefined);
  const feed = createFeed(
    { seed: options.seed, eventsPerSecond: options.eventsPerSecond },
    { clock: systemClock, londonDate, wait, decide: (payment, hash, view) => decidePaye(payment, hash, view, rules) },
    readState(file),
  );
  const run = async (): Promise<void> => {
    // Also those that have only been paid for so far: a chain that nobody follows has one copy.
    await target.follow(feed.accounts.map(account));
    for await (const batch of feed.batches()) {
      await saveState(file, batch.state);
      await sendUntilTaken(batch, target, { logger, ended: ended.signal, wait });
    }
  };
  const running = run().catch((error: unknown) => logger.error({ err: error }, 'the feed ended'));
  return {
    stop: async () => {
      feed.stop();
      ended.abort();
      await running;
    },
  };
}

interface Sending {
  readonly logger: Logger;
  readonly ended: AbortSignal;
  readonly wait: (durationMs: number) => Promise<unknown>;
}

/** Sends a batch until it is taken. A service that is down is said once with the reason, and once when it takes events again. */
async function sendUntilTaken(batch: FeedBatch, target: FeedTarget, { logger, ended, wait }: Sending): Promise<void> {
  let said: string | null = null;
  while (!ended.aborted) {
    const fault = await faultOfSending(batch, target, logger);
    if (fault === null) {
      if (said !== null) logger.warn('the feed is taken again');
      return;
    }
    const { code, sentence } = reasonOf(fault);
    // An error that is not ours is a fault of the feed: its stack is wanted, once.
    const facts = fault instanceof TallyError ? { code } : { err: fault };
    if (said !== code) logger.warn(facts, `the feed is not taken, and tries again each second: ${sentence}`);
    said = code;
    await wait(RETRY_MS);
  }
}

function reasonOf(fault: unknown): { readonly code: string; readonly sentence: string } {
  if (fault instanceof TallyError) return { code: fault.code, sentence: fault.message };
  return { code: 'FEED_FAILED', sentence: (fault as Error).message };
}

async function faultOfSending(batch: FeedBatch, target: FeedTarget, logger: Logger): Promise<unknown> {
  try {
    for (const tax of ['paye', 'vat'] as const) {
      const events = batch.events.filter((event) => event.kind === tax).map((event) => event.json);
      if (events.length === 0) continue;
      const refused = await target.submit(tax, events);
      for (const faults of refused) logger.error({ faults }, 'the feed made an event that the door refuses');
    }
    const payments = batch.events.filter((event) => event.kind === 'payment').map((event) => event.json);
    if (payments.length > 0) await target.pay(payments);
    return null;
  } catch (error) {
    return error;
  }
}

/** Posts money as the bank does. Throws where the gateway does not take it. */
export async function postPayments(url: string, key: string, payments: readonly unknown[]): Promise<void> {
  const gateway = { name: 'the gateway', url, clientKey: key, timeoutMs: PAYMENTS_TIMEOUT_MS };
  const server = { ...gateway, unreachable: 'GATEWAY_UNREACHABLE' };
  const request = { method: 'POST', path: '/v1/payments', body: JSON.stringify(payments) } as const;
  const { ok, status, bytes } = await call(server, request, fetch);
  if (ok) return;
  const { code = `HTTP_${status}`, detail = `the gateway answered ${status} to payments` } = problemIn(bytes);
  throw new TallyError(code, detail, { status }, { retriable: true });
}

function readState(file: string): FeedState | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FeedState;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole or not at all, and on the disk before anything of it is sent. */
async function saveState(file: string, state: FeedState): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify(state));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
