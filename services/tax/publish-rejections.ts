import { setTimeout as sleep } from 'node:timers/promises';
import { decodeDeadLetter, encodeDeadLetter } from '../../libs/adapters/codec/dead-letter-codec.ts';
import { type RejectedBody, rejectedDecisions } from '../../libs/adapters/codec/rejected-decisions.ts';
import type { AppendRecord, EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { LIABILITIES, REJECTIONS } from '../../libs/adapters/event-log/topics.ts';
import { type LinkedPosition, linkedPositionAt, linkedStart } from '../../libs/adapters/stage/linked-output.ts';
import { type LinkedReader, openLinkedReader } from '../../libs/adapters/stage/linked-reader.ts';
import type { FoldedMessage } from '../../libs/adapters/stage/program.ts';
import type { CivilClock } from '../../libs/adapters/time/clock.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { type DeadLetter, deadLetterKey } from '../../libs/core/events/dead-letter.ts';

export interface RejectionPublisher {
  stop(): Promise<void>;
  /** Resolves with the error that ended it; never for a clean stop, nor while the log merely does not answer. */
  readonly failed: Promise<unknown>;
}

export interface RejectionPublisherDependencies {
  readonly log: EventLog;
  readonly clock: CivilClock;
}

const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 100, waitMs: 500 };
const RETRY_MS = 1_000;
/** Letters read together when looking for where to go on. */
const SCAN_RECORDS = 1_000;

/**
 * Writes rejections.v1 from the decisions that stand in liabilities.v1, read back, keyed by their position. It goes on behind the last
 * letter of each partition; after a crash a letter may come twice under one key, never fail to come.
 */
export async function publishRejections(dependencies: RejectionPublisherDependencies): Promise<RejectionPublisher> {
  const { log } = dependencies;
  const partitions = await log.partitionCount(LIABILITIES);
  const positions: LinkedPosition[] = [];
  for (let partition = 0; partition < partitions; partition++) positions.push(await resumePosition(partition, log));
  const reader = openLinkedReader(positions, { log, codec: rejectedDecisions });
  let stopping = false;
  const run = async (): Promise<void> => {
    while (!stopping) {
      for (const { partition, messages } of await pollOrPause(reader)) {
        const letters = messages.flatMap((message) => lettersOf(partition, message, dependencies.clock.civilMs()));
        if (letters.length > 0) await appendLetters(partition, letters, dependencies, () => stopping);
      }
    }
  };
  const running = run();
  const failed = new Promise<unknown>((resolve) => running.catch(resolve));
  return {
    failed,
    stop: async () => {
      stopping = true;
      await running.catch(() => undefined);
      await reader.close();
    },
  };
}

/** Nothing, after a pause, where the log does not answer now: the stage beside it goes on trying too. */
async function pollOrPause(reader: LinkedReader<RejectedBody>): ReturnType<LinkedReader<RejectedBody>['poll']> {
  try {
    return await reader.poll(POLL);
  } catch (error) {
    if (!isPassing(error)) throw error;
    await sleep(RETRY_MS);
    return [];
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof TallyError && error.retriable;
}

/** Behind the message whose rejection was written last; that message once more, where it has several. */
async function resumePosition(partition: number, log: EventLog): Promise<LinkedPosition> {
  const { low, high } = await log.bounds({ topic: REJECTIONS, partition });
  // many of the newest letters may be the gateway's own (ingress), which have no decision
  for (let end = high; end > low; end -= SCAN_RECORDS) {
    const decision = await lastDecision({ partition, from: Math.max(low, end - SCAN_RECORDS), end }, log);
    if (decision === null) continue;
    return linkedPositionAt(
      { topic: LIABILITIES, partition, offset: decision.offset + 1 },
      { log, codec: rejectedDecisions },
    );
  }
  return linkedStart({ topic: LIABILITIES, partition });
}

/** The decision of the last letter of tax within these offsets. */
async function lastDecision(
  { partition, from, end }: { readonly partition: number; readonly from: number; readonly end: number },
  log: EventLog,
): Promise<DeadLetter['decision']> {
  const reader = log.reader([{ topic: REJECTIONS, partition, offset: from }]);
  let found: DeadLetter['decision'] = null;
  try {
    for (let next = from; next < end; ) {
      const [batch] = await reader.poll({ ...POLL, maxRecords: SCAN_RECORDS });
      for (const { value, offset } of batch?.records ?? []) {
        if (value !== null && offset < end) found = decodeDeadLetter(value).decision ?? found;
      }
      next = batch?.nextOffset ?? next;
    }
  } finally {
    await reader.close();
  }
  return found;
}

function lettersOf(partition: number, message: FoldedMessage<RejectedBody>, recordedAtMs: number): DeadLetter[] {
  return message.body.rejected.flatMap(({ index, topic, offset, rejections }) =>
    rejections.map((rejection, rejectionIndex) => ({
      ...rejection,
      origin: { topic, partition, offset },
      decision: { partition, offset: message.offset, index, rejection: rejectionIndex },
      recordedAtMs,
    })),
  );
}

/** All letters of one message stand in one append, so that the last letter of the partition tells where to go on. */
async function appendLetters(
  partition: number,
  letters: readonly DeadLetter[],
  dependencies: RejectionPublisherDependencies,
  isStopping: () => boolean,
): Promise<void> {
  const records = letters.map((letter) => ({ key: deadLetterKey(letter), value: encodeDeadLetter(letter) }));
  while (!(await areAppended(partition, records, dependencies.log))) {
    if (isStopping()) return;
    await sleep(RETRY_MS);
  }
}

async function areAppended(partition: number, records: readonly AppendRecord[], log: EventLog): Promise<boolean> {
  try {
    const [outcome] = await log.append([{ topic: REJECTIONS, partition, records }]);
    return outcome?.status === 'appended';
  } catch (error) {
    if (!isPassing(error)) throw error;
    return false;
  }
}
