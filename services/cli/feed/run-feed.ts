import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JSON_ANSWER_BYTES_MAX } from '../../../libs/adapters/http/limits.ts';
import { readAnswer } from '../../../libs/adapters/http/read-answer.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
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
      while (!ended.signal.aborted && !(await isSent(batch, target, logger))) await wait(RETRY_MS);
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

async function isSent(batch: FeedBatch, target: FeedTarget, logger: Logger): Promise<boolean> {
  try {
    for (const tax of ['paye', 'vat'] as const) {
      const events = batch.events.filter((event) => event.kind === tax).map((event) => event.json);
      if (events.length === 0) continue;
      const refused = await target.submit(tax, events);
      for (const faults of refused) logger.error({ faults }, 'the feed made an event that the door refuses');
    }
    const payments = batch.events.filter((event) => event.kind === 'payment').map((event) => event.json);
    if (payments.length > 0) await target.pay(payments);
    return true;
  } catch (error) {
    logger.warn({ err: error }, 'the feed could not send, and tries again');
    return false;
  }
}

/** Posts money as the bank does. Throws where the gateway does not take it. */
export async function postPayments(url: string, key: string, payments: readonly unknown[]): Promise<void> {
  const response = await fetch(`${url}/v1/payments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(payments),
    signal: AbortSignal.timeout(PAYMENTS_TIMEOUT_MS),
  });
  const bounds = { server: 'the gateway', url, bytesMax: JSON_ANSWER_BYTES_MAX };
  const text = (await readAnswer(response, bounds)).toString('utf8');
  if (!response.ok) throw new Error(`payments answered ${response.status}: ${text.slice(0, 500)}`);
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
