import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { findCommand } from './find-command.ts';

const run = promisify(execFile);

/** 4.4.0 is incomplete on Maven Central. */
export const KAFKA_VERSION = '4.3.1';
const LOG4J_VERSION = '2.25.4';
const JAVA_MAJOR_MIN = 17;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

type Artifact = 'kafka_2.13' | 'kafka-streams';

export interface KafkaJars {
  readonly java: string;
  /** Class path of everything that the broker needs. */
  readonly classPath: string;
}

/** `TALLY_CACHE_DIR`, else the user's own cache folder. */
export function cacheFolder(): string {
  return process.env['TALLY_CACHE_DIR'] ?? join(homedir(), '.cache', 'tallystick');
}

/**
 * Apache Kafka's own jars, fetched by Maven once and kept in the cache folder: complete or absent, as the folder gets its name when it is
 * whole. Throws JAVA_MISSING, JAVA_TOO_OLD, MAVEN_MISSING (with the way to install them) or KAFKA_DOWNLOAD_FAILED.
 */
export async function kafkaJars(options: {
  readonly version?: string;
  readonly cacheDir?: string;
  /** The broker (default), or Kafka Streams. */
  readonly artifact?: Artifact;
}): Promise<KafkaJars> {
  const { version = KAFKA_VERSION, artifact = 'kafka_2.13' } = options;
  const cache = options.cacheDir ?? cacheFolder();
  const java = await findJava();
  const folder = join(cache, `${artifact === 'kafka_2.13' ? 'kafka' : artifact}-${version}`);
  if (!existsSync(folder)) {
    await download({ version, artifact, cache, folder });
  }
  return { java, classPath: join(folder, '*') };
}

async function findJava(): Promise<string> {
  const install = 'install Java 17 or newer: apt-get install openjdk-17-jre-headless, or brew install openjdk@17';
  const java = await findCommand('java');
  if (java === null) {
    throw new TallyError('JAVA_MISSING', `a Kafka broker needs Java, and there is none on the PATH: ${install}`, {});
  }
  // Prints to the error output, `openjdk version "17.0.15" 2025-04-15`.
  const { stderr } = await run(java, ['-version']);
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? Number.NaN);
  if (!(major >= JAVA_MAJOR_MIN)) {
    throw new TallyError('JAVA_TOO_OLD', `a Kafka broker needs Java ${JAVA_MAJOR_MIN}: ${install}`, { found: stderr });
  }
  return java;
}

interface Download {
  readonly version: string;
  readonly artifact: Artifact;
  readonly cache: string;
  readonly folder: string;
}

async function download({ version, artifact, cache, folder }: Download): Promise<void> {
  const maven = await findCommand('mvn');
  if (maven === null) {
    const message =
      'the jars of Apache Kafka are fetched with Maven, and there is none on the PATH: apt-get install maven, or brew install maven ' +
      '(or give KAFKA_BROKERS of a broker that runs, or start a Docker engine)';
    throw new TallyError('MAVEN_MISSING', message, {});
  }
  const partial = `${folder}.${process.pid}-${randomBytes(4).toString('hex')}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const pom = join(partial, 'pom.xml');
    await writeFile(pom, pomOf(artifact, version));
    const goal = [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(partial, 'lib')}`,
    ];
    await run(maven, ['-q', '-B', '-ntp', '-f', pom, ...goal], { timeout: DOWNLOAD_TIMEOUT_MS });
    const jars = await readdir(join(partial, 'lib'));
    if (!jars.includes(`${artifact}-${version}.jar`)) {
      throw new Error(`Maven gave ${jars.length} jars and not Kafka's own`);
    }
    await moveUnlessThere(join(partial, 'lib'), folder);
  } catch (cause) {
    const message = `the jars of Apache Kafka ${version} could not be fetched into ${cache}: is the network there?`;
    throw new TallyError('KAFKA_DOWNLOAD_FAILED', message, { version, cache }, { retriable: true, cause });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Another process may have been first: its folder is as good. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) {
      throw error;
    }
  }
}

function pomOf(artifact: Artifact, version: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tallystick</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>${LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
}
