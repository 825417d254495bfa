import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCKS } from '../../libs/adapters/event-log/topics.ts';
import type { ChildService } from '../../services/cli/child-service.ts';
import { checkBothCopies } from '../support/both-copies.ts';
import { type BrokerLines, openBrokerLines } from '../support/broker-lines.ts';
import { capability } from '../support/capabilities.ts';
import { isAppend } from '../support/kafka-requests.ts';
import { startPacedImport } from '../support/paced-import.ts';
import { openReadySwitch, type ReadySwitch } from '../support/ready-switch.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { ServedCheckpoints } from '../support/served-checkpoints.ts';
import { ServiceCluster, signal } from '../support/service-cluster.ts';
import { eventually } from '../support/service-process.ts';
import { spreadVrns } from '../support/spread-vrns.ts';
import type { HeldRequest } from '../support/tcp-proxy.ts';

const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = 60_000;
const TAKEOVER_MS_MAX = 90_000;

/** What docs/operations.md says a standby is given. */
const FILES_OF_STANDBY = [
  'keys/ledger-name',
  'keys/ledger-ed25519',
  'keys/ledger-master',
  'keys/ledger-log-year',
  'clients.json',
];

describe.skipIf(needs.some((one) => !one.available))('a ledger that is stopped while its standby takes over', () => {
  let cluster: ServiceCluster;
  let front: ReadySwitch;
  let one: ChildService;
  let two: ChildService;
  let served: ServedCheckpoints;
  let lines: BrokerLines;

  beforeAll(async () => {
    front = await openReadySwitch();
    lines = await openBrokerLines(['ledger']);
    cluster = await ServiceCluster.start({
      kafka: { listeners: lines.listeners },
      settings: { 'payer-node': { LEDGER_URL: front.url }, ledger: lines.settings('ledger') },
    });
    await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
    one = cluster.first('ledger');
    served = new ServedCheckpoints();
  }, 300_000);

  afterAll(async () => {
    await served?.end();
    await cluster?.close();
    await front?.close();
    await lines?.close();
  }, 180_000);

  async function startStandby(): Promise<ChildService> {
    const dataDir = join(cluster.folder, 'standby');
    mkdirSync(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
    for (const file of FILES_OF_STANDBY) copyFileSync(join(cluster.dataDir, file), join(dataDir, file));
    return (await cluster.add('ledger', 'ledger-2', { DATA_DIR: dataDir })).process;
  }

  function readinessOf({ url }: ChildService): Promise<{ readonly status: number; readonly code: unknown }> {
    return fetch(`${url}/health/ready`).then(
      async (response) => {
        const body = (await response.json()) as { readonly checks: readonly { readonly code: string | null }[] };
        return { status: response.status, code: body.checks[0]?.code };
      },
      () => ({ status: 0, code: null }),
    );
  }

  function standsBy(process: ChildService) {
    return eventually(
      () => readinessOf(process),
      ({ status, code }) => status === 503 && code === 'LEDGER_STANDS_BY',
      TAKEOVER_MS_MAX,
    );
  }

  /** Stops one until the other has signed and served; then wakes it, until it stands by. */
  async function stopUntilTaken(stopped: ChildService, taker: ChildService, append: HeldRequest | null): Promise<void> {
    await append?.held;
    const [before, switchedBefore] = [served.servedBy(taker.url), front.switched()];
    signal(stopped, 'SIGSTOP');
    await eventually(
      async () => (await readinessOf(taker)).status,
      (status) => status === 200,
      TAKEOVER_MS_MAX,
    );
    await eventually(
      async () => served.servedBy(taker.url),
      (count) => count > before + 2,
      TAKEOVER_MS_MAX,
    );
    expect(front.switched()).toBe(switchedBefore + 1);
    // What it had sent lands now, behind what the other has sealed meanwhile.
    append?.release();
    signal(stopped, 'SIGCONT');
    await standsBy(stopped);
    expect((await readinessOf(taker)).status).toBe(200);
  }

  it('does no harm when it wakes: no two checkpoints of one size, none inconsistent, no divergence at the payer', {
    timeout: 420_000,
  }, async () => {
    two = await startStandby();
    front.between([one, two]);
    await standsBy(two);
    for (const { url } of [one, two]) served.watch(url);
    const sales = await startPacedImport({
      dataDir: cluster.dataDir,
      file: join(cluster.folder, 'slice.csv'),
      vrns: spreadVrns(8),
      invoicesPerSecond: 100,
    });
    await eventually(
      async () => served.servedBy(one.url),
      (count) => count > 2,
      120_000,
    );
    expect(served.servedBy(two.url)).toBe(0);
    await stopUntilTaken(
      one,
      two,
      lines.line('ledger').holdRequest((request) => isAppend(request, BLOCKS)),
    );
    await stopUntilTaken(two, one, null);
    const summary = await sales.finish();
    expect(summary).toMatchObject({ accepted: summary.read, rejected: 0 });
    await served.end();
    const whole = await checkBothCopies(cluster, sales.sent, served.all);
    expect(whole.entries).toBe(summary.events);
    expect(whole.ignoredMessages).toBeGreaterThan(0);
    const wrote = ['ledger', 'ledger-2'].map((name) => cluster.logOf(name));
    expect(wrote.filter((log) => log.includes('"level":"fatal"') || log.includes('has halted'))).toEqual([]);
    console.log(
      `each ledger was stopped until its standby served, and woke: ${served.all.length} checkpoints served, ${served.servedBy(one.url)} by one and ${served.servedBy(two.url)} by the other, ${whole.ignoredMessages} messages landed late and were ignored; ${whole.entries} entries in ${whole.blocks} blocks`,
    );
  });
});
