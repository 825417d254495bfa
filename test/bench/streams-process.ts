import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { projectRoot } from '../../libs/adapters/codec/schema/project-root.ts';
import { kafkaJars } from '../../services/cli/servers/kafka-jars.ts';
import { watchChild } from './bench-children.ts';

export interface StreamsOptions {
  readonly brokers: readonly string[];
  /** Of the group; its changelog topic is named after it. */
  readonly application: string;
  readonly stateFolder: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

/** As many as the machine of the goals has cores. */
const THREADS = 2;
/** Without a cache each event gives its new sum; with one, some of them give one together. */
const CACHE_BYTES = 0;

/** Kafka Streams at work in a process of its own (streams-sum.java). */
export interface StreamsProcess {
  readonly pid: number;
  /** Rejects when it ends. */
  readonly ended: Promise<never>;
  end(): Promise<void>;
}

/** Resolves once it has its partitions. Throws JDK_MISSING, what `kafkaJars` throws, and where it ends before. */
export async function startStreams(options: StreamsOptions): Promise<StreamsProcess> {
  const { java, classPath } = await kafkaJars({ artifact: 'kafka-streams' });
  await assertCompiler(java);
  const { brokers, application, stateFolder, output, inputs } = options;
  const source = join(projectRoot(), 'test/bench/streams-sum.java');
  const args = [brokers.join(','), application, stateFolder, String(THREADS), String(CACHE_BYTES), output, ...inputs];
  const child = spawn(java, ['-Xmx512m', '-cp', classPath, source, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  watchChild(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-3_000);
  });
  const exit = once(child, 'exit');
  const ended = exit.then(() => {
    throw new Error(`Kafka Streams ended before its end: ${said}`);
  });
  ended.catch(() => undefined);
  const begun = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'begun') resolve();
    });
  });
  await Promise.race([begun, ended]);
  return {
    pid: child.pid ?? 0,
    ended,
    end: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** A runtime alone can not run a source file. */
async function assertCompiler(java: string): Promise<void> {
  const { stdout } = await promisify(execFile)(java, ['--list-modules']);
  if (!stdout.includes('jdk.compiler')) {
    throw new Error(
      'the case streams is a Java source file and needs a whole JDK: apt-get install openjdk-17-jdk-headless',
    );
  }
}
