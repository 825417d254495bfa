import { join } from 'node:path';
import { ledgerNameOf } from '../access/key-files.ts';
import { openEmbeddedLog } from '../event-log/embedded/log.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { openKafkaLog } from '../event-log/kafka/log.ts';
import { isTopicFault, TopicWatch } from '../event-log/topic-watch.ts';
import { KEYED_PARTITIONS_DEFAULT, TOPICS } from '../event-log/topics.ts';
import { registryLog } from '../registry/registry-log.ts';
import { openEmbeddedStore } from '../state-store/embedded-store.ts';
import { openRedisStore } from '../state-store/redis-store.ts';
import type { InspectableStore, StateStore } from '../state-store/state-store.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { openWireFormat } from './open-wire-format.ts';
import type { ServiceContext } from './run-service.ts';

type BackendContext = Pick<ServiceContext, 'dataDir' | 'logger' | 'fail' | 'setting' | 'onStop' | 'check' | 'waitFor'>;

/**
 * The event log of this process: Kafka where KAFKA_BROKERS is set (nothing is started), else the embedded one in the data folder, which one
 * process alone may open. Its topics exist afterwards. Closed when the service stops.
 */
export async function openLog(service: string, context: BackendContext): Promise<EventLog> {
  const { dataDir, logger, fail } = context;
  const ownLog =
    process.env['KAFKA_BROKERS'] === undefined
      ? await openEmbeddedLog({ folder: join(dataDir, 'log') }, { onBroken: fail })
      : await openKafkaLog(kafkaSettings(process.env, service), {
          onBroken: fail,
          onClientLog: (message, facts) => logger.debug(facts, message),
        });
  context.onStop(() => ownLog.close());
  const format = await openWireFormat(dataDir, process.env);
  const keyed = Number(process.env['TOPIC_PARTITIONS'] ?? KEYED_PARTITIONS_DEFAULT);
  const topics = TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : keyed }));
  const watch = new TopicWatch({ topics }, { log: ownLog });
  await context.waitFor('event log', () => watch.open(), isTopicFault);
  context.check('event log', () => watch.check());
  return format === null ? ownLog : registryLog(ownLog, format);
}

/** A stage's state store: Redis where REDIS_URL is set, else the embedded one. Throws SETTING_MISSING for Kafka without Redis. */
export async function openStore(stage: string, context: BackendContext): Promise<StateStore> {
  const { dataDir, logger } = context;
  const store: InspectableStore =
    process.env['KAFKA_BROKERS'] === undefined && process.env['REDIS_URL'] === undefined
      ? await openEmbeddedStore(
          { folder: join(dataDir, 'store'), stage },
          { onDiscarded: (error) => logger.error({ err: error }, error.message) },
        )
      : await openRedisStore(
          {
            url: context.setting('REDIS_URL'),
            stage,
            ledger: ledgerNameOf(dataDir),
            cluster: process.env['REDIS_CLUSTER'] === '1',
          },
          { onError: (error) => logger.warn({ err: error }, 'redis') },
        );
  context.onStop(() => store.close());
  context.check('state store', () => store.check());
  return store;
}
