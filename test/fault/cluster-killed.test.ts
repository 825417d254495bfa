import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaProcess, startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { type RunningRedis, startRedis } from '../../services/cli/servers/start-redis.ts';
import { capability } from '../support/capabilities.ts';
import { checkKafka } from '../support/kafka-ledger.ts';
import { pidsOf } from '../support/kafka-whole.ts';
import { writeRetailSlice } from '../support/retail-slice.ts';
import { type CommandResult, eventually, ServiceProcess, tally } from '../support/service-process.ts';

const VRN = '101747696';
const needs = [capability('java'), capability('maven'), capability('redis'), capability('real-data')];
const ROWS = process.env['TEST_LONG'] === '1' ? 200_000 : 30_000;
const SERVICES = ['gateway', 'tax', 'ledger', 'payer-node', 'reconciliation'];

describe.skipIf(needs.some((one) => !one.available))(
  'a cluster on real Kafka and Redis, killed in the middle of an import',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'tallystick-cluster-'));
    let kafka: KafkaProcess;
    let redis: RunningRedis;
    let service: ServiceProcess;

    beforeAll(async () => {
      [kafka, redis] = await Promise.all([
        startKafkaProcess({ folder: join(folder, 'kafka') }),
        startRedis({ folder: join(folder, 'redis') }),
      ]);
      const env = { KAFKA_BROKERS: kafka.brokers.join(','), REDIS_URL: redis.url, TOPIC_REPLICATION: '1' };
      service = new ServiceProcess({ args: ['--empty'], env, dataDir: join(folder, 'data') });
      await service.start();
    }, 720_000);

    afterAll(async () => {
      await service?.stop();
      await redis?.stop();
      await kafka?.stop();
      rmSync(folder, { recursive: true, force: true });
    }, 360_000);

    it('loses, doubles and changes nothing: every service, the broker and Redis die by SIGKILL; Redis is wiped', {
      timeout: 1_260_000,
    }, async () => {
      const file = join(folder, 'slice.csv');
      const invoices = await writeRetailSlice(capability('real-data').path, file, ROWS);
      const args = [
        'import',
        'sales',
        file,
        '--mapping',
        'docs/mappings/online-retail.json',
        '--vrn',
        VRN,
        '--data-dir',
        service.dataDir,
        '--json',
      ];
      let finished: CommandResult | null = null;
      const importing = tally(args).then((result) => {
        finished = result;
        return result;
      });
      const struck: string[] = [];
      for (const name of SERVICES) {
        await sleep(1_000 + Math.random() * 1_500);
        const pid = pidsOf(service.pid).get(name);
        expect(pid, `${name} runs before it is killed`).toBeDefined();
        process.kill(pid ?? 0, 'SIGKILL');
        struck.push(`${name}${finished === null ? '' : ' (after the import)'}`);
      }
      await sleep(2_000);
      await redis.kill();
      rmSync(join(folder, 'redis', 'dump.rdb'), { force: true });
      await redis.startAgain();
      struck.push('redis, wiped');
      await sleep(2_000);
      await kafka.kill();
      await kafka.startAgain();
      struck.push('kafka');
      let result = await importing;
      // An import that gave up while everything was down is simply run again: what was sent counts once.
      for (let tries = 0; result.code !== 0 && tries < 3; tries++) result = await tally(args);
      expect(result.stderr).toBe('');
      expect(JSON.parse(result.stdout)).toMatchObject({ read: invoices, accepted: invoices, rejected: 0 });
      expect(struck).toHaveLength(SERVICES.length + 2);
      for (const name of SERVICES) {
        expect(service.output).toContain(`${name} ended (SIGKILL); started again in `);
        // The import may be over while one that also lost the broker still waits for its next start.
        await eventually(
          async () => service.output,
          (said) => said.includes(`${name} is back`),
          60_000,
        );
      }

      const copy = join(folder, 'copy.tally');
      expect((await tally(['statement', `vat:${VRN}`, '--export', copy, '--data-dir', service.dataDir])).stderr).toBe(
        '',
      );
      const verified = await tally(['verify', copy, '--json']);
      const report = JSON.parse(verified.stdout) as {
        ok: boolean;
        checked: { recomputed: number; awaiting: number };
        totals: { chargesPence: number };
      };
      expect(report).toMatchObject({ ok: true, checked: { awaiting: 0 } });
      const whole = await checkKafka(kafka.brokers, service.dataDir);
      expect(whole.entries).toBe(report.checked.recomputed);
      expect(whole.chargesPence).toBe(report.totals.chargesPence);
      expect(whole.checkpoints).toBeGreaterThan(1);
      console.log(
        `struck: ${struck.join(', ')}; ${whole.entries} entries, ${whole.blocks} blocks, ${whole.checkpoints} checkpoints, ${whole.ignoredMessages} messages ignored`,
      );
    });
  },
);
