import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, KAFKA_VERSION, kafkaJars } from '../../libs/adapters/runtime/kafka-jars.ts';
import { capability } from './capabilities.ts';
import { apicurioFolder } from './start-apicurio.ts';

/**
 * The servers of the tests that come from Maven Central, fetched once a machine and before any test: no test's time runs while they
 * download, and no two tests download into Maven's own cache at once, which it does not stand. Throws what the download throws.
 */
export async function fetchServers(): Promise<void> {
  if (!capability('java').available || !capability('maven').available) return;
  const startedMs = performance.now();
  const isKafkaHere = existsSync(join(cacheFolder(), `kafka-${KAFKA_VERSION}`));
  if (!isKafkaHere)
    console.log(`fetching Apache Kafka ${KAFKA_VERSION} and the schema registry, once for this machine`);
  await kafkaJars({});
  await apicurioFolder();
  if (!isKafkaHere) console.log(`fetched in ${Math.round((performance.now() - startedMs) / 1000)} s`);
}
