import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildService } from '../../services/cli/start/child-service.ts';
import { checkBothCopies } from '../support/both-copies.ts';
import { capability } from '../support/capabilities.ts';
import { startPacedImport } from '../support/paced-import.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { ServiceCluster } from '../support/service-cluster.ts';
import { spreadVrns } from '../support/spread-vrns.ts';

const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = 60_000;
const ROUNDS = process.env['TEST_LONG'] === '1' ? 12 : 3;

describe.skipIf(needs.some((one) => !one.available))('two tax processes that join and leave in a loop', () => {
  let cluster: ServiceCluster;

  beforeAll(async () => {
    cluster = await ServiceCluster.start();
    await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
  }, 900_000);

  afterAll(() => cluster?.close(), 540_000);

  /** Each process works on what it was given before it leaves; the next one begins with nothing. Gives how many partitions each took. */
  async function joinAndLeave(name: string, joined: ChildService | null): Promise<readonly number[]> {
    const takes: number[] = [];
    let process = joined;
    for (let round = 0; round < ROUNDS; round += 1) {
      if (process === null) {
        const added = await cluster.add('tax', `${name}-${round}`);
        await added.ready;
        process = added.process;
      }
      const { partitions } = await cluster.taxUntil(
        process,
        (status) => status.partitions.length > 0 && status.recordsDecided > 50,
      );
      takes.push(partitions.length);
      await cluster.remove(process);
      process = null;
      await sleep(Math.random() * 1_000);
    }
    return takes;
  }

  it('loses, doubles and changes nothing', { timeout: 1_260_000 }, async () => {
    const sales = await startPacedImport({
      dataDir: cluster.dataDir,
      file: join(cluster.folder, 'slice.csv'),
      vrns: spreadVrns(8),
      invoicesPerSecond: 100,
    });
    const takes = await Promise.all([joinAndLeave('tax-a', cluster.first('tax')), joinAndLeave('tax-b', null)]);
    expect(takes.map((rounds) => rounds.length)).toEqual([ROUNDS, ROUNDS]);
    const last = await cluster.add('tax', 'tax-last');
    await last.ready;
    const summary = await sales.finish();
    expect(summary).toMatchObject({ accepted: summary.read, rejected: 0 });
    const whole = await checkBothCopies(cluster, sales.sent);
    expect(whole.entries).toBe(summary.events);
    console.log(
      `joined and left: ${2 * ROUNDS} tax processes, with ${takes.flat().join(', ')} partitions when they had decided some; ${whole.entries} entries in ${whole.blocks} blocks`,
    );
  });
});
