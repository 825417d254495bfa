import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartitionPosition, TopicPartition } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { KEYED_PARTITIONS_DEFAULT, LIABILITIES } from '../../libs/adapters/event-log/topics.ts';
import type { StageStats } from '../../libs/adapters/stage/program.ts';
import type { ChildService } from '../../services/cli/start/child-service.ts';
import { checkBothCopies } from '../support/both-copies.ts';
import { type BrokerLines, openBrokerLines } from '../support/broker-lines.ts';
import { capability } from '../support/capabilities.ts';
import { isAppend } from '../support/kafka-requests.ts';
import { startPacedImport } from '../support/paced-import.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { ServiceCluster, signal } from '../support/service-cluster.ts';
import { spreadVrns } from '../support/spread-vrns.ts';
import type { HeldRequest } from '../support/tcp-proxy.ts';

const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = 60_000;

/** How far each partition of each input is decided. */
function decidedIn({ partitions }: StageStats): readonly PartitionPosition[] {
  return partitions.flatMap(({ covered }) => covered);
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

describe.skipIf(needs.some((one) => !one.available))('a tax process that is stopped and wakes', () => {
  let cluster: ServiceCluster;
  let one: ChildService;
  let two: ChildService;
  let lines: BrokerLines;

  beforeAll(async () => {
    lines = await openBrokerLines(['tax']);
    cluster = await ServiceCluster.start({
      kafka: { listeners: lines.listeners },
      settings: { tax: lines.settings('tax') },
    });
    await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
    one = cluster.first('tax');
    const second = await cluster.add('tax', 'tax-2');
    two = second.process;
    await second.ready;
  }, 900_000);

  afterAll(async () => {
    await cluster?.close();
    await lines?.close();
  }, 540_000);

  /** Where the inputs end now. */
  async function endsOf(inputs: readonly PartitionPosition[]): Promise<ReadonlyMap<string, number>> {
    const log = await openKafkaLog({ brokers: cluster.kafka.brokers, clientId: 'test' });
    try {
      const ends = inputs.map(async (input) => [keyOf(input), (await log.bounds(input)).high] as const);
      return new Map(await Promise.all(ends));
    } finally {
      await log.close();
    }
  }

  /** Stops one until the other has decided all that came until then, what is held back among it; then wakes it, until it has a share again. */
  async function stopUntilTaken(stopped: ChildService, taker: ChildService, append: HeldRequest | null): Promise<void> {
    const before = await cluster.taxUntil(
      stopped,
      ({ partitions }) => partitions.length === KEYED_PARTITIONS_DEFAULT / 2,
    );
    await append?.held;
    signal(stopped, 'SIGSTOP');
    const ends = await endsOf(decidedIn(before));
    await cluster.taxUntil(taker, (status) => {
      const hasAll = status.partitions.length === KEYED_PARTITIONS_DEFAULT;
      return hasAll && decidedIn(status).every((input) => input.offset >= (ends.get(keyOf(input)) ?? 0));
    });
    // What it had sent lands now, behind what the other has appended meanwhile.
    append?.release();
    signal(stopped, 'SIGCONT');
    const takes = new Map(before.partitions.map(({ partition, take }) => [partition, take]));
    await cluster.taxUntil(
      stopped,
      ({ partitions }) =>
        partitions.length === KEYED_PARTITIONS_DEFAULT / 2 &&
        partitions.every(({ partition, take, status }) => status === 'running' && take !== takes.get(partition)),
    );
  }

  it('has its partitions taken by another meanwhile, and loses, doubles and changes nothing when it wakes', {
    timeout: 1_260_000,
  }, async () => {
    const sales = await startPacedImport({
      dataDir: cluster.dataDir,
      file: join(cluster.folder, 'slice.csv'),
      vrns: spreadVrns(8),
      invoicesPerSecond: 100,
    });
    for (const process of [one, two]) await cluster.taxUntil(process, ({ recordsDecided }) => recordsDecided > 100);
    await stopUntilTaken(
      one,
      two,
      lines.line('tax').holdRequest((request) => isAppend(request, LIABILITIES)),
    );
    await stopUntilTaken(two, one, null);
    const summary = await sales.finish();
    expect(summary).toMatchObject({ accepted: summary.read, rejected: 0 });
    const whole = await checkBothCopies(cluster, sales.sent);
    expect(whole.entries).toBe(summary.events);
    expect(whole.ignoredLiabilities).toBeGreaterThan(0);
    console.log(
      `each tax process was stopped until taken, and woke: ${whole.ignoredLiabilities} messages landed late and were ignored; ${whole.entries} entries in ${whole.blocks} blocks`,
    );
  });
});
