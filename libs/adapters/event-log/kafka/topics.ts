import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type Broker } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { systemClock } from '../../time/clock.ts';
import type { TopicToMake } from '../event-log.ts';
import { isUnknownTopic, kafkaFault } from './faults.ts';

// CommonJS: of its names Node finds only some, so this one comes by its default export.
const { ConfigResourceTypes } = kafkajs;

export interface CreateTopicsOptions {
  readonly topics: readonly TopicToMake[];
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
}

/** A broker on a busy machine takes a while to lead what it was just told of; it is asked again until then. */
const READY_WITHIN_MS = 45_000;
const POLL_MS = 50;

/**
 * Settings of a topic of record. Retention works on record timestamps, so by default a broker deletes what is stamped a week ago before it is
 * read (performance.md, "Traps"). The time of a record is when the log took it.
 */
export const TOPIC_SETTINGS = {
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'LogAppendTime',
} as const;

/** Of a topic whose records the gateway deletes: a broker frees the disk by whole segments, so these are short. */
const INGRESS_SETTINGS = { 'segment.ms': '600000', 'file.delete.delay.ms': '1000' } as const;

/**
 * Makes the topics that are missing and waits until each has its partitions. Throws TOPIC_PARTITIONS_DIFFER where one exists with another count,
 * TOPIC_FORGETS where one exists that the broker would delete records of.
 */
export async function createTopics(
  options: CreateTopicsOptions,
  dependencies: { readonly admin: Admin },
): Promise<void> {
  const { topics, replicationFactor, minInsyncReplicas } = options;
  const { admin } = dependencies;
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    const settings = { ...TOPIC_SETTINGS, 'min.insync.replicas': String(minInsyncReplicas) };
    // False where another process was faster with one of them: its count is compared below.
    await admin.createTopics({
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, retention }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: entriesOf(retention === 'until-forwarded' ? { ...settings, ...INGRESS_SETTINGS } : settings),
      })),
    });
  }
  await awaitPartitions(topics, admin);
  // Also of those that were there: another process may have made them a moment ago.
  for (const { topic } of topics) {
    await awaitLeaders(topic, admin);
  }
  await assertKept(
    topics.map(({ topic }) => topic).filter((topic) => existing.has(topic)),
    admin,
  );
}

function entriesOf(settings: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
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

async function assertKept(topics: readonly string[], admin: Admin): Promise<void> {
  if (topics.length === 0) {
    return;
  }
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [...KEEPING] })),
  });
  for (const [topic, said] of forgettingOf(resources)) {
    const message = `topic ${topic} would forget records (${said}): a topic of record keeps everything`;
    throw new TallyError('TOPIC_FORGETS', message, { topic, settings: said });
  }
}

const KEEPING = ['retention.ms', 'retention.bytes', 'cleanup.policy'] as const;

interface DescribedTopic {
  readonly resourceName: string;
  readonly configEntries: readonly { readonly configName: string; readonly configValue: string }[];
}

/** Of those of the topics that a broker would delete records of, the settings that say so. */
export async function forgettingSettings(
  broker: Broker,
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (topics.length === 0) return new Map();
  const asked = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: [...KEEPING] }));
  const inside = broker as Broker & { describeConfigs(of: object): Promise<{ resources: DescribedTopic[] }> };
  const { resources } = await inside.describeConfigs({ resources: asked, includeSynonyms: false });
  return forgettingOf(resources);
}

function forgettingOf(resources: readonly DescribedTopic[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { resourceName, configEntries } of resources) {
    const settings = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
    const differs = KEEPING.filter((name) => settings.has(name) && settings.get(name) !== TOPIC_SETTINGS[name]);
    if (differs.length > 0) found.set(resourceName, KEEPING.map((name) => `${name}=${settings.get(name)}`).join(', '));
  }
  return found;
}
