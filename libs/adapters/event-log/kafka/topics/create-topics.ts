import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { TallyError } from '../../../../core/errors/tally-error.ts';
import { systemClock } from '../../../time/clock.ts';
import type { TopicToMake } from '../../event-log.ts';
import type { KafkaCodec } from '../../record-batch/codecs.ts';
import { isUnknownTopic, kafkaFault } from '../client/faults.ts';
import { assertSettings, settingsOfNew } from './topic-settings.ts';

export interface CreateTopicsOptions {
  readonly topics: readonly TopicToMake[];
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
  /** What brokers keep batches of topics of record in. */
  readonly compression: KafkaCodec;
}

/** A broker on a busy machine takes a while to lead what it was just told of; it is asked again until then. */
const READY_WITHIN_MS = 45_000;
const POLL_MS = 50;

/**
 * Makes the topics that are missing and waits until each has its partitions. Throws TOPIC_PARTITIONS_DIFFER where one exists with another
 * count, and what `assertSettings` throws.
 */
export async function createTopics(
  options: CreateTopicsOptions,
  dependencies: { readonly admin: Admin },
): Promise<void> {
  const { topics, replicationFactor, compression } = options;
  const { admin } = dependencies;
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    // False where another process was faster with one of them: its count is compared below.
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, retention }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: settingsOfNew(retention, options),
      })),
    });
  }
  await awaitPartitions(topics, admin);
  // Also of those that were there: another process may have made them a moment ago.
  for (const { topic } of topics) {
    await awaitLeaders(topic, admin);
  }
  await assertSettings(
    topics.map(({ topic }) => topic).filter((topic) => existing.has(topic)),
    { admin, compression },
  );
}

async function awaitPartitions(topics: CreateTopicsOptions['topics'], admin: Admin): Promise<void> {
  const asked = new Map(topics.map(({ topic, partitions }) => [topic, partitions]));
  for (const end = systemClock.elapsedMs() + READY_WITHIN_MS; ; ) {
    const found = await metadataOf([...asked.keys()], admin);
    for (const { name, partitions } of found) {
      const count = asked.get(name);
      if (partitions.length > 0 && partitions.length !== count) {
        throw new TallyError(
          'TOPIC_PARTITIONS_DIFFER',
          `topic ${name} has ${partitions.length} partitions, ${count} are asked for: the count is set when a topic is made`,
          { topic: name, existing: partitions.length, asked: count },
        );
      }
    }
    const ready = found.filter(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
    if (ready.length === asked.size) {
      return;
    }
    if (systemClock.elapsedMs() > end) {
      const facts = { asked: asked.size, ready: ready.length };
      throw new TallyError('LOG_UNAVAILABLE', 'topics that were made have no leader', facts, { retriable: true });
    }
    await sleep(POLL_MS);
  }
}

/** The metadata names a leader before that broker knows it: for some moments it answers that it is not. */
async function awaitLeaders(topic: string, admin: Admin): Promise<void> {
  for (const end = systemClock.elapsedMs() + READY_WITHIN_MS; ; ) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (!kafkaFault(error).retriable || systemClock.elapsedMs() > end) {
        throw error;
      }
      await sleep(POLL_MS);
    }
  }
}

/** [] while the brokers do not know all of them yet. */
async function metadataOf(topics: string[], admin: Admin) {
  try {
    return (await admin.fetchTopicMetadata({ topics })).topics;
  } catch (error) {
    if (isUnknownTopic(error)) {
      return [];
    }
    throw error;
  }
}
