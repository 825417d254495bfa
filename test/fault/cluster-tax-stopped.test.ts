import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageStats } from '../../libs/adapters/event-log/stage-program.ts';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';
import type { ChildService } from '../../services/cli/child-service.ts';
import { checkBothCopies } from '../support/both-copies.ts';
import { capability } from '../support/capabilities.ts';
import { startPacedImport } from '../support/paced-import.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { ServiceCluster, signal } from '../support/service-cluster.ts';
import { spreadVrns } from '../support/spread-vrns.ts';

const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = 60_000;

/** Records of the inputs that are decided, in these partitions. */
function decidedIn({ partitions }: StageStats, among: ReadonlySet<number>): number {
  return partitions
    .filter(({ partition }) => among.has(partition))
    .reduce((sum, { covered }) => sum + covered.reduce((all, { offset }) => all + offset, 0), 0);
}

function partitionsOf({ partitions }: StageStats): ReadonlySet<number> {
  return new Set(partitions.map(({ partition }) => partition));
}

describe.skipIf(needs.some((one) => !one.available))('a tax process that is stopped and wakes', () => {
  let cluster: ServiceCluster;
  let one: ChildService;
  let two: ChildService;

  beforeAll(async () => {
    cluster = await ServiceCluster.start();
    await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
    one = cluster.first('tax');
    const second = await cluster.add('tax', 'tax-2');
    two = second.process;
    await second.ready;
  }, 240_000);

  afterAll(() => cluster?.close(), 120_000);

  /** Stops one until the other has all partitions and has decided in those that were taken; then wakes it, until it has a share again. */
  async function stopUntilTaken(stopped: ChildService, taker: ChildService): Promise<number> {
    const before = await cluster.taxUntil(
      stopped,
      ({ partitions }) => partitions.length === KEYED_PARTITIONS_DEFAULT / 2,
    );
    const lost = partitionsOf(before);
    signal(stopped, 'SIGSTOP');
    const taken = await cluster.taxUntil(taker, (status) => decidedIn(status, lost) > decidedIn(before, lost) + 50);
    expect([...lost].filter((partition) => !partitionsOf(taken).has(partition))).toEqual([]);
    signal(stopped, 'SIGCONT');
    const takes = new Map(before.partitions.map(({ partition, take }) => [partition, take]));
    const again = await cluster.taxUntil(
      stopped,
      ({ partitions }) =>
        partitions.length === KEYED_PARTITIONS_DEFAULT / 2 &&
        partitions.every(({ partition, take, status }) => status === 'running' && take !== takes.get(partition)),
    );
    return again.appendsLost + again.storeRefolds;
  }

  it('has its partitions taken by another meanwhile, and loses, doubles and changes nothing when it wakes', {
    timeout: 180_000,
  }, async () => {
    const sales = await startPacedImport({
      dataDir: cluster.dataDir,
      file: join(cluster.folder, 'slice.csv'),
      vrns: spreadVrns(8),
      invoicesPerSecond: 100,
    });
    for (const process of [one, two]) await cluster.taxUntil(process, ({ recordsDecided }) => recordsDecided > 100);
    const refused: number[] = [];
    for (const [stopped, taker] of [
      [one, two],
      [two, one],
    ] as const) {
      refused.push(await stopUntilTaken(stopped, taker));
    }
    const summary = await sales.finish();
    expect(summary).toMatchObject({ accepted: summary.read, rejected: 0 });
    const whole = await checkBothCopies(cluster, sales.sent);
    expect(whole.entries).toBe(summary.events);
    console.log(
      `each tax process was stopped until taken, and woke: ${refused.join(' and ')} appends or stores of theirs refused; ${whole.entries} entries in ${whole.blocks} blocks`,
    );
  });
});
