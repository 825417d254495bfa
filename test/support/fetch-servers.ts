import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, KAFKA_VERSION, kafkaJars } from '../../libs/adapters/runtime/kafka-jars.ts';
import { capability } from './capabilities.ts';
import { apicurioFolder } from './start-apicurio.ts';

const PUBLIC_TOOLS = fileURLToPath(new URL('public-tools', import.meta.url));

/**
 * What the tests need from Maven Central (Kafka, a schema registry) and of Go's modules (public tools of transparency logs), fetched once
 * a machine and before any test: no test's time runs while they download, and no two tests download into Maven's own cache at once, which
 * it does not stand. Throws what the download throws.
 */
export async function fetchServers(): Promise<void> {
  const go = capability('go');
  if (go.available)
    execFileSync(go.path, ['mod', 'download'], { cwd: PUBLIC_TOOLS, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!capability('java').available || !capability('maven').available) return;
  const startedMs = performance.now();
  const isKafkaHere = existsSync(join(cacheFolder(), `kafka-${KAFKA_VERSION}`));
  if (!isKafkaHere)
    console.log(`fetching Apache Kafka ${KAFKA_VERSION} and the schema registry, once for this machine`);
  await kafkaJars({});
  await apicurioFolder();
  if (!isKafkaHere) console.log(`fetched in ${Math.round((performance.now() - startedMs) / 1000)} s`);
}
