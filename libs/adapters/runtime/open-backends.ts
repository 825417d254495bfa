import { join } from 'node:path';
import { TallyError } from '../../core/errors/tally-error.ts';
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
import type { ServiceContext } from './service.ts';

type BackendContext = Omit<ServiceContext, 'log' | 'store' | 'clients' | 'rules' | 'metrics' | 'clientsFile'>;

/**
 * The event log of this process: Kafka at KAFKA_BROKERS (nothing is started), or with EVENT_LOG=embedded the one in the data folder, which
 * one process alone may open. Its topics exist afterwards; it is closed when the service stops. Throws SETTING_MISSING where neither is
 * set: on a log of its own a service would take events that no other ever reads.
 */
export async function openLog(service: string, context: BackendContext): Promise<EventLog> {
  const { dataDir, logger, clock, env, fail } = context;
  const ownLog = isEmbedded(env)
    ? await openEmbeddedLog({ folder: join(dataDir, 'log') }, { clock, onBroken: fail })
    : await openKafkaLog(kafkaSettings(env, service), {
        onBroken: fail,
        onClientLog: (message, facts) => logger.debug(facts, message),
      });
  context.onStop(() => ownLog.close());
  const format = await openWireFormat(dataDir, env);
  const keyed = Number(env['TOPIC_PARTITIONS'] ?? KEYED_PARTITIONS_DEFAULT);
  const topics = TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : keyed }));
  const watch = new TopicWatch({ topics }, { log: ownLog });
  await context.waitFor('event log', () => watch.open(), isTopicFault);
  context.check('event log', () => watch.check());
  return format === null ? ownLog : registryLog(ownLog, format);
}

/** Throws SETTING_MISSING, and SETTING_INVALID for both ways at once. */
function isEmbedded(env: NodeJS.ProcessEnv): boolean {
  const brokers = env['KAFKA_BROKERS'] ?? '';
  const log = env['EVENT_LOG'] ?? (brokers === '' ? '' : 'kafka');
  if (log === '') {
    const message =
      'set KAFKA_BROKERS to the brokers (host:port,…) that every service of this deployment uses, or EVENT_LOG=embedded for a log ' +
      'in the data folder that no other process reads';
    throw new TallyError('SETTING_MISSING', message, { name: 'KAFKA_BROKERS' });
  }
  if (log !== 'kafka' && log !== 'embedded') {
    throw new TallyError('SETTING_INVALID', 'EVENT_LOG is kafka or embedded', { name: 'EVENT_LOG' });
  }
  if (log === 'embedded' && brokers !== '') {
    const message = 'EVENT_LOG=embedded and KAFKA_BROKERS are both set: unset one of them';
    throw new TallyError('SETTING_INVALID', message, { name: 'EVENT_LOG' });
  }
  return log === 'embedded';
}

/** A stage's state store: Redis where REDIS_URL is set, else the embedded one. Throws SETTING_MISSING for Kafka without Redis. */
export async function openStore(stage: string, context: BackendContext): Promise<StateStore> {
  const { dataDir, logger, env } = context;
  const store: InspectableStore =
    isEmbedded(env) && env['REDIS_URL'] === undefined
      ? await openEmbeddedStore(
          { folder: join(dataDir, 'store'), stage },
          { onDiscarded: (error) => logger.error({ err: error }, error.message) },
        )
      : await openRedisStore(
          {
            url: context.setting('REDIS_URL'),
            stage,
            ledger: ledgerNameOf(dataDir),
            cluster: env['REDIS_CLUSTER'] === '1',
          },
          { onError: (error) => logger.warn({ err: error }, 'redis') },
        );
  context.onStop(() => store.close());
  context.check('state store', () => store.check());
  return store;
}
