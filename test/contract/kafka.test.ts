import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { startKafka } from '../../services/cli/servers/start-kafka.ts';
import { capability } from '../support/capabilities.ts';
import { KAFKA_VERSIONS } from '../support/fetch-servers.ts';
import { eventLogContract } from './event-log.ts';

const canRun = capability('java').available && capability('maven').available;

describe.skipIf(!canRun).each(KAFKA_VERSIONS)('Kafka %s', { timeout: 180_000 }, (version) => {
  eventLogContract(`Kafka ${version}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'contract-kafka-'));
    const kafka = await startKafka({ folder, version });
    const options = { brokers: kafka.brokers, clientId: 'contract' };
    let log = await openKafkaLog(options);
    return {
      log,
      reopen: async () => {
        await log.close();
        log = await openKafkaLog(options);
        return log;
      },
      close: async () => {
        await log.close();
        await kafka.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });
});
