import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientRegistry } from '../../libs/adapters/access/clients.ts';
import { loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { PAYE_EVENTS, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { type RunningKafka, startKafka } from '../../services/cli/servers/start-kafka.ts';
import { type Gateway, openGateway } from '../../services/gateway/gateway.ts';
import { capability } from '../support/capabilities.ts';
import { client } from '../support/gateway-fixture.ts';
import { paymentJson } from '../support/submissions.ts';

const PARTITIONS = 3;

interface Running {
  readonly log: EventLog;
  readonly gateway: Gateway;
  readonly server: HttpServer;
}

describe.skipIf(!(capability('java').available && capability('maven').available))('a gateway on real Kafka', () => {
  let folder: string;
  let kafka: RunningKafka;
  let running: Running | null = null;
  const lines: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tally-against-kafka-'));
    kafka = await startKafka({ folder: join(folder, 'kafka') });
  }, 360_000);
  afterAll(async () => {
    await stop();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  async function start(): Promise<void> {
    const log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'gateway' });
    await log.ensureTopics(
      TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
    );
    const logger = createLogger({ service: 'gateway', level: 'info' }, { write: (line) => void lines.push(line) });
    const gateway = await openGateway(
      { dataDir: folder, keys: loadGatewayKeys(folder) },
      {
        log,
        register: await openLogRegister(log),
        clients: clientRegistry([client('payer', {})]),
        rules: loadTaxRules(),
        metrics: createMetrics(),
        logger,
        clock: systemClock,
      },
    );
    const app = createHttpApp({ routers: [gateway.router] }, { logger });
    running = { log, gateway, server: await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app) };
  }

  async function stop(): Promise<void> {
    await running?.server.stop(1_000);
    await running?.gateway.stop(10_000);
    await running?.log.close();
    running = null;
  }

  async function note(event: unknown): Promise<string> {
    const headers = { authorization: 'Bearer key-of-payer', 'content-type': 'application/json' };
    const sent = { method: 'POST', headers, body: JSON.stringify(event) };
    const response = await fetch(`${running?.server.url}/v1/paye/events`, sent);
    expect(response.status).toBe(202);
    return ((await response.json()) as { receipts: [{ note: string }] }).receipts[0].note;
  }

  async function recordsHeld(): Promise<number> {
    let held = 0;
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      held += (await running?.log.bounds({ topic: PAYE_EVENTS, partition }))?.high ?? 0;
    }
    return held;
  }

  it('appends again what a topic that was made anew has lost, under the receipt that it had', {
    timeout: 240_000,
  }, async () => {
    const event = paymentJson();
    await start();
    const before = await note(event);
    expect(await note(event)).toBe(before);
    expect(await recordsHeld()).toBe(1);
    await stop();
    await start();
    expect(lines.filter((line) => line.includes('OLDER_THAN'))).toEqual([]);
    await stop();
    const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [PAYE_EVENTS] });
    await expect.poll(async () => (await admin.listTopics()).includes(PAYE_EVENTS)).toBe(false);
    await admin.disconnect();
    await start();
    expect(lines.filter((line) => line.includes('LOG_OLDER_THAN_STORE'))).toHaveLength(1);
    expect(await recordsHeld()).toBe(0);
    expect(await note(event)).toBe(before);
    expect(await recordsHeld()).toBe(1);
  });
});
