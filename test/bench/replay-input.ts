import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';
import type { BenchServers } from './bench-servers.ts';
import type { ReplayLag } from './kafka-case.ts';

export interface ReplayOptions {
  readonly copies: readonly { readonly topic: string; readonly copy: string }[];
  /** Events a second. */
  readonly pace: number;
  readonly events: number;
}

export interface Replayed {
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly lag: ReplayLag;
}

/** How many there were at a time. */
interface Sample {
  readonly atMs: number;
  readonly count: number;
}

const STEP_MS = 25;
const LOOK_MS = 100;
const POLL_BYTES = 1024 ** 2;
const LATENCY_SAMPLES = 10_000;
/** What waits may grow by so much from one third of the time to the next and still count as steady. */
const STEADY_SHARE = 1.2;
/** Below so many seconds' worth of events, what waits is what is under way. */
const UNDER_WAY_SECONDS = 2;

/**
 * Fills topics from their copies at a pace and looks how far the payer's copy is behind. Latency: between the time when the k-th event was
 * appended and the time when k events were in the copy, as if none overtook another.
 */
export async function replayInput(
  options: ReplayOptions,
  dependencies: { readonly servers: BenchServers; readonly decided: () => Promise<number> },
): Promise<Replayed> {
  const sent: Sample[] = [{ atMs: performance.now(), count: 0 }];
  const stored: Sample[] = [{ atMs: performance.now(), count: 0 }];
  const looking = look(options.events, dependencies.decided, stored);
  await dependencies.servers.withLog((log) => send(options, log, sent));
  await looking;
  const latenciesMs = latenciesOf(sent, stored, options.events);
  const at = (share: number): number => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? 0;
  return { latencyP50Ms: at(0.5), latencyP99Ms: at(0.99), lag: lagOf(sent, stored, options.pace) };
}

async function send({ copies, pace, events }: ReplayOptions, log: EventLog, sent: Sample[]): Promise<void> {
  const targets = new Map(copies.map(({ topic, copy }) => [copy, topic]));
  const positions = copies.flatMap(({ copy }) =>
    Array.from({ length: KEYED_PARTITIONS_DEFAULT }, (_, partition) => ({ topic: copy, partition, offset: 0 })),
  );
  const reader = log.reader(positions);
  const startedMs = performance.now();
  try {
    for (let count = 0; count < events; ) {
      const due = Math.min(events, Math.floor(((performance.now() - startedMs) / 1_000) * pace)) - count;
      const batches = due < 1 ? [] : await reader.poll({ maxBytes: POLL_BYTES, maxRecords: due, waitMs: STEP_MS });
      const appends = batches.map(({ topic, partition, records }) => ({
        topic: targets.get(topic) ?? topic,
        partition,
        records: records.map(({ key, value }) => ({ key, value })),
      }));
      for (const outcome of await log.append(appends)) if (outcome.status !== 'appended') throw outcome.error;
      count += batches.reduce((sum, { records }) => sum + records.length, 0);
      sent.push({ atMs: performance.now(), count });
      await sleep(STEP_MS);
    }
  } finally {
    await reader.close();
  }
}

async function look(events: number, decided: () => Promise<number>, stored: Sample[]): Promise<void> {
  for (let count = 0; count < events; await sleep(LOOK_MS)) {
    count = await decided();
    stored.push({ atMs: performance.now(), count });
  }
}

/** In order of size. */
function latenciesOf(sent: readonly Sample[], stored: readonly Sample[], events: number): readonly number[] {
  const step = Math.max(1, Math.floor(events / LATENCY_SAMPLES));
  const latencies: number[] = [];
  let atSent = 0;
  let atStored = 0;
  for (let event = step; event <= events; event += step) {
    while ((sent[atSent]?.count ?? event) < event) atSent += 1;
    while ((stored[atStored]?.count ?? event) < event) atStored += 1;
    latencies.push((stored[atStored]?.atMs ?? 0) - (sent[atSent]?.atMs ?? 0));
  }
  return latencies.sort((a, b) => a - b);
}

/** What was appended and not yet in the copy, at each look while events were sent. */
function lagOf(sent: readonly Sample[], stored: readonly Sample[], pace: number): ReplayLag {
  const beginMs = sent[0]?.atMs ?? 0;
  const endMs = sent.at(-1)?.atMs ?? beginMs;
  const looks: { readonly share: number; readonly waiting: number }[] = [];
  let atSent = 0;
  for (const { atMs, count } of stored) {
    if (atMs > endMs) break;
    while ((sent[atSent + 1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) atSent += 1;
    const waiting = Math.max(0, (sent[atSent]?.count ?? 0) - count);
    looks.push({ share: (atMs - beginMs) / (endMs - beginMs), waiting });
  }
  const meanOf = (from: number, to: number): number => {
    const some = looks.filter(({ share }) => share >= from && share < to);
    return some.reduce((sum, { waiting }) => sum + waiting, 0) / Math.max(1, some.length);
  };
  const secondThirdEvents = meanOf(1 / 3, 2 / 3);
  const lastThirdEvents = meanOf(2 / 3, 1.01);
  return {
    mostEvents: Math.max(0, ...looks.map(({ waiting }) => waiting)),
    secondThirdEvents,
    lastThirdEvents,
    isBounded: lastThirdEvents <= Math.max(secondThirdEvents * STEADY_SHARE, pace * UNDER_WAY_SECONDS),
  };
}
