import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCKS } from '../../libs/adapters/event-log/topics.ts';
import type { ChildService } from '../../services/cli/start/child-service.ts';
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
    lines = await openBrokerLines(['ledger', 'standby']);
    cluster = await ServiceCluster.start({
      kafka: { listeners: lines.listeners },
      settings: { 'payer-node': { LEDGER_URL: front.url }, ledger: lines.settings('ledger') },
    });
    await writeRetailSlice(capability('real-data').path, join(cluster.folder, 'slice.csv'), ROWS);
    one = cluster.first('ledger');
    served = new ServedCheckpoints();
  }, 900_000);

  afterAll(async () => {
    await served?.end();
    await cluster?.close();
    await front?.close();
    await lines?.close();
  }, 540_000);

  async function startStandby(): Promise<ChildService> {
    const dataDir = join(cluster.folder, 'standby');
    mkdirSync(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
    for (const file of FILES_OF_STANDBY) copyFileSync(join(cluster.dataDir, file), join(dataDir, file));
    return (await cluster.add('ledger', 'ledger-2', { DATA_DIR: dataDir, ...lines.settings('standby') })).process;
  }

  function readinessOf({ url }: ChildService): Promise<{ readonly status: number; readonly code: unknown }> {
    return fetch(`${url}/health/ready`).then(
      async (response) => {
        const body = (await response.json()) as { readonly checks: readonly { readonly code: string | null }[] };
        return { status: response.status, code: body.checks.find(({ code }) => code !== null)?.code ?? null };
      },
      () => ({ status: 0, code: null }),
    );
  }

  /** Which seals and which stands by, once that is settled. On a busy machine one may lose its place by itself at any time. */
  async function roles(): Promise<{ readonly leader: ChildService; readonly standby: ChildService }> {
    const stands = ({ status, code }: Awaited<ReturnType<typeof readinessOf>>) =>
      status === 503 && code === 'LEDGER_STANDS_BY';
    const seen = await eventually(
      () => Promise.all([readinessOf(one), readinessOf(two)]),
      ([first, second]) => (first.status === 200 ? stands(second) : stands(first) && second.status === 200),
      TAKEOVER_MS_MAX,
    );
    return seen[0].status === 200 ? { leader: one, standby: two } : { leader: two, standby: one };
  }

  /** What the process sends to seal is held back from the next append on. */
  function holdAppend(process: ChildService): HeldRequest {
    return lines.line(process === one ? 'ledger' : 'standby').holdRequest((request) => isAppend(request, BLOCKS));
  }

  /** Stops the one that seals until the other has signed and served; then wakes it, until one of them stands by. */
  async function stopUntilTaken({ isAppending }: { readonly isAppending: boolean }): Promise<void> {
    const { leader, standby } = await roles();
    const append = isAppending ? holdAppend(leader) : null;
    await append?.held;
    const [before, switchedBefore] = [served.servedBy(standby.url), front.switched()];
    signal(leader, 'SIGSTOP');
    await eventually(
      async () => (await readinessOf(standby)).status,
      (status) => status === 200,
      TAKEOVER_MS_MAX,
    );
    await eventually(
      async () => served.servedBy(standby.url),
      (count) => count > before + 2,
      TAKEOVER_MS_MAX,
    );
    expect(front.switched()).toBeGreaterThan(switchedBefore);
    // What it had sent lands now, behind what the other has sealed meanwhile.
    append?.release();
    signal(leader, 'SIGCONT');
    await roles();
  }

  it('does no harm when it wakes: no two checkpoints of one size, none inconsistent, no divergence at the payer', {
    timeout: 1_260_000,
  }, async () => {
    two = await startStandby();
    front.between([one, two]);
    const { leader, standby } = await roles();
    for (const { url } of [one, two]) served.watch(url);
    const sales = await startPacedImport({
      dataDir: cluster.dataDir,
      file: join(cluster.folder, 'slice.csv'),
      vrns: spreadVrns(8),
      invoicesPerSecond: 100,
    });
    await eventually(
      async () => served.servedBy(leader.url) > 2 || front.switched() > 0,
      (isSo) => isSo,
      120_000,
    );
    // It serves nothing before it has taken over.
    if (front.switched() === 0) expect(served.servedBy(standby.url)).toBe(0);
    await stopUntilTaken({ isAppending: true });
    await stopUntilTaken({ isAppending: false });
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
