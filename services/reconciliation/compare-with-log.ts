import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, PartitionPosition, TopicPartition } from '../../libs/adapters/event-log/event-log.ts';
import { readAt } from '../../libs/adapters/event-log/read-at.ts';
import { readLink, ZERO_TIP } from '../../libs/adapters/stage/linked-output.ts';
import type { Positions } from './count/reconciliation-store.ts';
import { placeOf } from './match/places.ts';

/** An end that is behind may merely be late: a broker that has just begun to lead shows its newest records a moment later. */
const LOOKS_MAX = 10;
const LOOK_MS = 200;
/** Records without a place in the chain that may stand behind the tip before it counts as missing. */
const STRAYS_MAX = 20;

/**
 * Whether a log can be the one that these positions were counted from: it reaches all of them, and the tip of each linked partition stands right
 * before its position. False of one that was restored from an older backup, or that went on otherwise.
 */
export async function isLogOfPositions({ records, linked }: Positions, log: EventLog): Promise<boolean> {
  const plain = Object.entries(records).map(([key, offset]) => ({ ...placeOf(key), offset }));
  const reached = await Promise.all([...plain, ...Object.values(linked)].map((position) => isReached(position, log)));
  if (!reached.every((one) => one)) return false;
  const tips = await Promise.all(Object.values(linked).map(({ tip, ...position }) => standsBefore(tip, position, log)));
  return tips.every((one) => one);
}

async function isReached(position: PartitionPosition, log: EventLog): Promise<boolean> {
  for (let looks = 1; (await log.bounds(position)).high < position.offset; looks += 1) {
    if (looks === LOOKS_MAX) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

async function standsBefore(
  tip: string,
  { topic, partition, offset }: TopicPartition & { readonly offset: number },
  log: EventLog,
): Promise<boolean> {
  if (tip === ZERO_TIP) return true;
  for (let at = offset - 1; at >= Math.max(0, offset - STRAYS_MAX); at -= 1) {
    const record = await readAt({ topic, partition, offset: at }, log);
    if (record !== null && readLink(record.value)?.id === tip) return true;
  }
  return false;
}
