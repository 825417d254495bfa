import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBothCopies } from '../support/both-copies.ts';
import { type BrokerLines, openBrokerLines } from '../support/broker-lines.ts';
import { capability } from '../support/capabilities.ts';
import { isAppend } from '../support/kafka-requests.ts';
import { startPacedImport } from '../support/paced-import.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { ServedCheckpoints } from '../support/served-checkpoints.ts';
import { ServiceCluster } from '../support/service-cluster.ts';
import { eventually } from '../support/service-process.ts';
import { spreadVrns } from '../support/spread-vrns.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = 60_000;
const STRIKES = process.env['TEST_LONG'] === '1' ? 100 : 12;
/** Between two cuts of one service, so that it comes further. */
const BETWEEN_MS = 700;
const CUT = ['tax', 'ledger'] as const;

describe.skipIf(needs.some((one) => !one.available))(
  'tax and the ledger, whose appends the broker takes and whose answers never come',
  () => {
    let cluster: ServiceCluster;
    let served: ServedCheckpoints;
    let lines: BrokerLines;

    beforeAll(async () => {
      lines = await openBrokerLines(CUT);
      cluster = await ServiceCluster.start({
        kafka: { listeners: lines.listeners },
        settings: { tax: lines.settings('tax'), ledger: { ...lines.settings('ledger'), LOG_LEVEL: 'debug' } },
      });
      await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
      served = new ServedCheckpoints();
      served.watch(cluster.first('ledger').url);
    }, 900_000);

    afterAll(async () => {
      await served?.end();
      await cluster?.close();
      await lines?.close();
    }, 540_000);

    /** Each cut takes the answer to one append and the connection with it. Gives how many answers it took so far. */
    function cutAppends(proxy: TcpProxy): () => number {
      let nextMs = 0;
      return proxy.cutNextAnswers((request) => {
        if (!isAppend(request) || performance.now() < nextMs) return false;
        nextMs = performance.now() + BETWEEN_MS;
        return true;
      });
    }

    function unsettledOf(service: (typeof CUT)[number]): number {
      return cluster.logOf(service).split('appendUnsettled').length - 1;
    }

    it('settle each by reading back: nothing is lost, doubled or changed', { timeout: 1_260_000 }, async () => {
      const sales = await startPacedImport({
        dataDir: cluster.dataDir,
        file: join(cluster.folder, 'slice.csv'),
        vrns: spreadVrns(8),
        invoicesPerSecond: 100,
      });
      await cluster.taxUntil(cluster.first('tax'), ({ recordsDecided }) => recordsDecided > 100);
      const strikes = CUT.map((service) => cutAppends(lines.line(service)));
      const counts = await eventually(
        async () => strikes.map((count) => count()),
        (struck) => struck.every((count) => count >= STRIKES),
        180_000,
      );
      for (const service of CUT) lines.line(service).pass();
      const summary = await sales.finish();
      expect(summary).toMatchObject({ accepted: summary.read, rejected: 0 });
      await served.end();
      const whole = await checkBothCopies(cluster, sales.sent, served.all);
      expect(whole.entries).toBe(summary.events);
      const unsettled = CUT.map(unsettledOf);
      expect(unsettled.every((count) => count > 0)).toBe(true);
      console.log(
        `answers cut off: ${counts[0]} of tax, ${counts[1]} of the ledger (${unsettled.join(' and ')} appends unsettled); ${served.all.length} checkpoints served; ${whole.entries} entries in ${whole.blocks} blocks, ${whole.ignoredMessages} messages ignored`,
      );
    });
  },
);
