import { Router } from 'express';
import { z } from 'zod';
import { type BearerDependencies, requireClient } from '../../libs/adapters/access/bearer.ts';
import { decodeDeadLetter } from '../../libs/adapters/codec/dead-letter-codec.ts';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { readAt } from '../../libs/adapters/event-log/read-at.ts';
import { REJECTIONS } from '../../libs/adapters/event-log/topics.ts';
import { HttpProblem } from '../../libs/adapters/http/problem.ts';
import { jsonBody } from '../../libs/adapters/server/request-body.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { DeadLetter } from '../../libs/core/events/dead-letter.ts';
import { uuidOf } from '../../libs/core/identity/event-id.ts';

export interface RejectionsRouterDependencies extends BearerDependencies {
  readonly log: EventLog;
}

const LIMIT_MAX = 1_000;
const REDRIVE_MAX = 1_000;
const SCAN_RECORDS = 500;
const SCAN_BYTES = 1024 * 1024;
const SCAN_WAIT_MS = 5_000;
const POSITION = /^(\d{1,6})-(\d{1,15})$/;
const redriveBody = z.strictObject({ positions: z.array(z.string().regex(POSITION)).min(1).max(REDRIVE_MAX) });

/**
 * For an operator: what tax rejected, newest first, and the way to have the same records decided again. A position is
 * `<partition>-<offset>` in rejections.v1.
 */
export function rejectionsRouter(dependencies: RejectionsRouterDependencies): Router {
  const router = Router();
  const operator = requireClient(dependencies, 'operator');
  router.get('/tax/v1/rejections', operator, async (request, response) => {
    const limit = Number(request.query['limit'] ?? 50);
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new HttpProblem(422, 'INPUT_INVALID', `limit is a whole number from 1 to ${LIMIT_MAX}`);
    }
    response.json({ rejections: await newestLetters(limit, dependencies.log) });
  });
  router.get('/tax/v1/rejections/:position', operator, async (request, response) => {
    const { position, letter } = await letterAt(String(request.params['position']), dependencies.log);
    response.json(rowOf(position, letter));
  });
  router.post('/tax/v1/rejections/redrive', operator, ...jsonBody, async (request, response) => {
    const body = redriveBody.safeParse(request.body);
    if (!body.success) {
      throw new HttpProblem(422, 'INPUT_INVALID', 'positions is a list of 1 to 1,000 positions such as 3-120');
    }
    response.json({ redriven: await redrive(body.data.positions, dependencies.log) });
  });
  return router;
}

interface PositionedLetter {
  readonly position: string;
  readonly letter: DeadLetter;
}

async function newestLetters(limit: number, log: EventLog) {
  const partitions = await log.partitionCount(REJECTIONS);
  const ends = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => ({
      partition,
      ...(await log.bounds({ topic: REJECTIONS, partition })),
    })),
  );
  const letters = await lettersUpTo(
    ends.filter(({ low, high }) => high > low).map((end) => ({ ...end, from: Math.max(end.low, end.high - limit) })),
    log,
  );
  letters.sort((a, b) => b.letter.recordedAtMs - a.letter.recordedAtMs);
  return letters.slice(0, limit).map(({ position, letter }) => rowOf(position, letter));
}

interface Stretch {
  readonly partition: number;
  readonly from: number;
  readonly high: number;
}

async function lettersUpTo(stretches: readonly Stretch[], log: EventLog): Promise<PositionedLetter[]> {
  const letters: PositionedLetter[] = [];
  const left = new Map(stretches.map(({ partition, high }) => [partition, high]));
  const reader = log.reader(stretches.map(({ partition, from }) => ({ topic: REJECTIONS, partition, offset: from })));
  try {
    while (left.size > 0) {
      const batches = await reader.poll({ maxBytes: SCAN_BYTES, maxRecords: SCAN_RECORDS, waitMs: SCAN_WAIT_MS });
      if (batches.length === 0) throw unavailable('what stands in rejections.v1 can not be read now: try again');
      for (const { partition, records, nextOffset } of batches) {
        letters.push(...records.flatMap((record) => positioned(partition, record)));
        if (nextOffset >= (left.get(partition) ?? 0)) left.delete(partition);
      }
    }
  } finally {
    await reader.close();
  }
  return letters;
}

function positioned(partition: number, { offset, value }: LogRecord): PositionedLetter[] {
  return value === null ? [] : [{ position: `${partition}-${offset}`, letter: decodeDeadLetter(value) }];
}

function unavailable(message: string): TallyError {
  return new TallyError('LOG_UNAVAILABLE', message, {}, { retriable: true });
}

async function letterAt(position: string, log: EventLog): Promise<PositionedLetter> {
  const match = POSITION.exec(position);
  const partition = Number(match?.[1]);
  const offset = Number(match?.[2]);
  const known = match !== null && partition < (await log.partitionCount(REJECTIONS));
  const bounds = known ? await log.bounds({ topic: REJECTIONS, partition }) : { low: 0, high: 0 };
  const record =
    offset >= bounds.low && offset < bounds.high ? await readAt({ topic: REJECTIONS, partition, offset }, log) : null;
  if (record?.value == null) {
    throw new HttpProblem(
      404,
      'NOT_FOUND',
      'there is no rejection at that position: "tally rejections list" shows them',
    );
  }
  return { position, letter: decodeDeadLetter(record.value) };
}

/** Appends each rejected record once more, byte for byte, where it stood; tax decides on it as on any record. */
async function redrive(positions: readonly string[], log: EventLog): Promise<number> {
  const letters = [];
  for (const position of new Set(positions)) letters.push(await letterAt(position, log));
  const appends = [];
  for (const { position, letter } of letters) {
    const { topic, partition, offset } = letter.origin;
    if (letter.decision === null) {
      throw new HttpProblem(
        409,
        'REDRIVE_NOT_POSSIBLE',
        `the rejection at ${position} is of a record that a client produced and the gateway refused and deleted: send the event again from its source`,
      );
    }
    const record = await readAt({ topic, partition, offset }, log);
    if (record === null || !isItsRecord(record.value, letter)) {
      throw new HttpProblem(
        409,
        'REDRIVE_NOT_POSSIBLE',
        `the rejection at ${position} is of an event that waited and whose record stands elsewhere: send the event again from its source`,
      );
    }
    appends.push({ topic, partition, records: [{ key: record.key, value: record.value, headers: record.headers }] });
  }
  for (const outcome of await log.append(appends)) {
    if (outcome.status !== 'appended') {
      throw unavailable('the event log does not take records now: try again');
    }
  }
  return appends.length;
}

function isItsRecord(value: Buffer | null, letter: DeadLetter): boolean {
  if (letter.eventId === null) return true;
  try {
    return value !== null && decodeEvent(value).eventId === letter.eventId;
  } catch {
    return false;
  }
}

function rowOf(position: string, letter: DeadLetter) {
  return {
    position,
    account: letter.account,
    eventId: letter.eventId === null ? null : uuidOf(letter.eventId),
    code: letter.code,
    facts: letter.facts,
    receivedAt: letter.receivedAtMs === null ? null : new Date(letter.receivedAtMs).toISOString(),
    origin: letter.origin,
  };
}
