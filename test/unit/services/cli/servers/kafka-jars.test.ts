import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafkaJars } from '../../../../../services/cli/servers/kafka-jars.ts';
import { startRedis } from '../../../../../services/cli/servers/start-redis.ts';

/** A machine with nothing on its PATH but what a test puts there. */
let folder: string;
const pathBefore = process.env['PATH'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kafka-jars-'));
  await mkdir(join(folder, 'bin'));
  process.env['PATH'] = join(folder, 'bin');
});
afterEach(async () => {
  process.env['PATH'] = pathBefore;
  await rm(folder, { recursive: true, force: true });
});

async function install(name: string, script: string): Promise<void> {
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'bin', name), 0o755);
}

const JAVA_17 = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`;
const VERSION = '4.3.1';

describe('the jars of Apache Kafka', () => {
  it('are refused with what is missing and how to install it', async () => {
    const options = { cacheDir: folder };
    await expect(kafkaJars(options)).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: expect.stringContaining('apt-get install openjdk-17-jre-headless'),
    });
    await install('java', `echo 'java version "1.8.0_402"' >&2`);
    await expect(kafkaJars(options)).rejects.toMatchObject({ code: 'JAVA_TOO_OLD' });
    await install('java', JAVA_17);
    await expect(kafkaJars(options)).rejects.toMatchObject({
      code: 'MAVEN_MISSING',
      message: expect.stringContaining('apt-get install maven'),
    });
    await expect(startRedis({ folder })).rejects.toMatchObject({
      code: 'REDIS_SERVER_MISSING',
      message: expect.stringContaining('apt-get install redis-server'),
    });
  });

  it('are in the cache complete or not at all', async () => {
    await install('java', JAVA_17);
    // A download that breaks off in the middle.
    await install(
      'mvn',
      `for a in "$@"; do case "$a" in -DoutputDirectory=*) /bin/mkdir -p "\${a#*=}"; : > "\${a#*=}/some.jar";; esac; done`,
    );
    const cacheDir = join(folder, 'cache');
    await expect(kafkaJars({ cacheDir })).rejects.toMatchObject({ code: 'KAFKA_DOWNLOAD_FAILED', retriable: true });
    expect(await readdir(cacheDir)).toEqual([]);
    await install(
      'mvn',
      `for a in "$@"; do case "$a" in -DoutputDirectory=*) /bin/mkdir -p "\${a#*=}"; : > "\${a#*=}/kafka_2.13-${VERSION}.jar";; esac; done`,
    );
    const folderOfJars = join(cacheDir, `kafka-${VERSION}`);
    const jars = { java: join(folder, 'bin', 'java'), classPath: join(folderOfJars, '*') };
    expect(await kafkaJars({ cacheDir })).toEqual(jars);
    expect(await readdir(cacheDir)).toEqual([`kafka-${VERSION}`]);
    // From then on without Maven.
    await rm(join(folder, 'bin', 'mvn'));
    expect(await kafkaJars({ cacheDir })).toEqual(jars);
  });
});
