import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, KAFKA_VERSION, kafkaJars } from '../../services/cli/servers/kafka-jars.ts';
import { capability } from './capabilities.ts';
import { apicurioFolder } from './start-apicurio.ts';

/** The event log's contract is held against each; every other test runs on the newest. */
export const KAFKA_VERSIONS: readonly string[] = [KAFKA_VERSION, '3.9.1'];

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
  const missing = KAFKA_VERSIONS.filter((version) => !existsSync(join(cacheFolder(), `kafka-${version}`)));
  if (missing.length > 0)
    console.log(`fetching Apache Kafka ${missing.join(' and ')} and the schema registry, once for this machine`);
  for (const version of missing) await kafkaJars({ version });
  await apicurioFolder();
  if (missing.length > 0) console.log(`fetched in ${Math.round((performance.now() - startedMs) / 1000)} s`);
}
