import type { Cluster } from 'kafkajs';
import { TallyError } from '../../../../core/errors/tally-error.ts';
import type { TopicPartition } from '../../event-log.ts';
import type { TopicState } from '../../topic-state.ts';
import { topicIdentities } from './topic-ids.ts';
import { wrongSettings } from './topic-settings.ts';

/** The state of each of the topics that exists, asked of the cluster now. */
export async function topicStates(
  cluster: Cluster,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicState>> {
  // A cluster that was just connected, and asked nothing yet, knows no node but by the address that it was given.
  if (cluster.getNodeIds().length === 0) await cluster.refreshMetadata();
  const [nodeId] = cluster.getNodeIds();
  if (nodeId === undefined) {
    throw new TallyError('LOG_UNAVAILABLE', 'Kafka names no broker', {}, { retriable: true });
  }
  const broker = await cluster.findBroker({ nodeId: String(nodeId) });
  const found = await topicIdentities(broker, topics);
  await cluster.addMultipleTargetTopics(found.map(({ topic }) => topic));
  const settings = await wrongSettings(
    broker,
    found.map(({ topic }) => topic),
  );
  const offsets = await cluster.fetchTopicsOffset(
    found.map(({ topic, partitions }) => ({
      topic,
      partitions: Array.from({ length: partitions }, (_, partition) => ({ partition })),
      fromBeginning: true,
    })),
  );
  const states = new Map<string, TopicState>();
  for (const { topic, id, partitions } of found) {
    const lows = new Array<number>(partitions).fill(0);
    for (const one of offsets.find((of) => of.topic === topic)?.partitions ?? [])
      lows[one.partition] = Number(one.offset);
    const { forgets = null, compression = null } = settings.get(topic) ?? {};
    states.set(topic, { id, partitions, lows, forgets, compression });
  }
  return states;
}

/** First offset kept of a partition, and the next to be written. */
export async function partitionBounds(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
): Promise<{ readonly low: number; readonly high: number }> {
  await cluster.addTargetTopic(topic);
  await cluster.refreshMetadataIfNecessary();
  const [low, high] = await Promise.all([
    offsetOf(cluster, { topic, partition }, true),
    offsetOf(cluster, { topic, partition }, false),
  ]);
  return { low, high };
}

async function offsetOf(cluster: Cluster, place: TopicPartition, fromBeginning: boolean): Promise<number> {
  const { topic, partition } = place;
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
  const offset = found?.partitions.find((one) => one.partition === partition)?.offset;
  if (offset === undefined) {
    throw new TallyError(
      'LOG_UNAVAILABLE',
      `${topic}/${partition} has no leader`,
      { topic, partition, type: 'LEADER_NOT_AVAILABLE' },
      { retriable: true },
    );
  }
  return Number(offset);
}
