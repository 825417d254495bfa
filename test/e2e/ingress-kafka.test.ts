import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientRegistry } from '../../libs/adapters/access/clients.ts';
import { loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import { decodeDeadLetter } from '../../libs/adapters/codec/dead-letter-codec.ts';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { PAYE_EVENTS, REJECTIONS, TOPICS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { type RunningKafka, startKafka } from '../../services/cli/servers/start-kafka.ts';
import { type Gateway, openGateway } from '../../services/gateway/gateway.ts';
import { capability } from '../support/capabilities.ts';
import { client } from '../support/gateway-fixture.ts';
import { eventually } from '../support/service-process.ts';
import { paymentJson, saleJson } from '../support/submissions.ts';

const canRun = (['java', 'maven', 'kcat'] as const).every((name) => capability(name).available);
const TOPIC = 'ingress.payer.v1';
const readme = readFileSync('README.md', 'utf8');

describe.skipIf(!canRun)('ingress on a real broker', { timeout: 180_000 }, () => {
  let folder: string;
  let kafka: RunningKafka;
  let log: EventLog;
  let gateway: Gateway;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tally-ingress-'));
    kafka = await startKafka({ folder: join(folder, 'kafka') });
    log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'gateway' });
    await log.ensureTopics(
      TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : 3 })),
    );
    gateway = await openGateway(
      { dataDir: folder, keys: loadGatewayKeys(folder) },
      {
        log,
        register: await openLogRegister(log),
        clients: clientRegistry([client('payer', { ingress: true })]),
        rules: loadTaxRules(),
        metrics: createMetrics(),
        logger: createLogger({ service: 'gateway', level: 'silent' }),
        clock: systemClock,
      },
    );
  }, 360_000);
  afterAll(async () => {
    await gateway?.stop(10_000);
    await log?.close();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** `kcat -P …`; resolves when the broker has what it was given. */
  function kcat(input: string, ...args: string[]): Promise<number | null> {
    const child = spawn(
      capability('kcat').path,
      ['-P', '-b', kafka.brokers.join(','), '-t', TOPIC, '-X', 'acks=all', ...args],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    child.stdin.end(input);
    return new Promise((resolve) => child.once('close', resolve));
  }

  async function recordsOf(topic: string): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    for (let partition = 0; partition < (await log.partitionCount(topic)); partition += 1) {
      const { low, high } = await log.bounds({ topic, partition });
      const reader = log.reader([{ topic, partition, offset: low }]);
      for (let next = low; next < high; ) {
        const [batch] = await reader.poll({ maxBytes: 1 << 20, maxRecords: 1_000, waitMs: 1_000 });
        found.push(...(batch?.records ?? []));
        next = batch?.nextOffset ?? next;
      }
      await reader.close();
    }
    return found;
  }

  const emptied = (high: number) =>
    eventually(
      () => log.bounds({ topic: TOPIC, partition: 0 }),
      (bounds) => bounds.low === high && bounds.high === high,
    );

  it('takes what the README’s kcat line sends, and the next line’s poison stops nothing', async () => {
    const line = (/echo '(\{.*\})' \|/.exec(readme) ?? [])[1] ?? '';
    expect(await kcat(`${line}\n`, '-k', 'vat:101747696')).toBe(0);
    expect(await kcat(`CE123456A, not JSON\n${JSON.stringify(saleJson())}\n`)).toBe(0);
    await emptied(3);
    const ids = (await recordsOf(VAT_EVENTS)).map(({ value }) => decodeEvent(value ?? Buffer.alloc(0)).eventId);
    expect(ids).toContain('018f0000000070008000000000000002');
    expect(ids).toHaveLength(2);
    const letters = (await recordsOf(REJECTIONS)).map(({ value }) => decodeDeadLetter(value ?? Buffer.alloc(0)));
    expect(letters.map(({ code, origin }) => [code, origin])).toEqual([
      ['NOT_JSON', { topic: TOPIC, partition: 0, offset: 1 }],
    ]);
  });

  it('takes what a kafkajs producer sends, and kcat in every compression', async () => {
    const { high } = await log.bounds({ topic: TOPIC, partition: 0 });
    const producer = new Kafka({ clientId: 'acme', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    const payments = Array.from({ length: 300 }, (_, n) => paymentJson({ worksNumber: `W-${n}`, nino: 'CE123456A' }));
    const messages = payments.map((json) => ({ key: 'paye:123/AB456', value: JSON.stringify(json) }));
    await producer.send({ topic: TOPIC, acks: -1, messages: messages.slice(0, 150) });
    await producer.send({ topic: TOPIC, acks: -1, compression: 1, messages: messages.slice(150) });
    await producer.disconnect();
    const before = (await recordsOf(VAT_EVENTS)).length;
    const codecs = ['gzip', 'snappy', 'lz4', 'zstd'];
    for (const codec of codecs) {
      const lines = Array.from({ length: 20 }, () => `${JSON.stringify(saleJson())}\n`).join('');
      expect(await kcat(lines, '-z', codec, '-X', 'linger.ms=500')).toBe(0);
    }
    await emptied(high + 300 + 20 * codecs.length);
    expect(await recordsOf(VAT_EVENTS)).toHaveLength(before + 20 * codecs.length);
    const events = await recordsOf(PAYE_EVENTS);
    expect(events).toHaveLength(300);
    const values = Buffer.concat(
      [...events, ...(await recordsOf(REJECTIONS))].map(({ value }) => value ?? Buffer.alloc(0)),
    );
    expect(values.toString('latin1')).not.toContain('CE123456A');
    // That of the test before.
    expect(await recordsOf(REJECTIONS)).toHaveLength(1);
  });
});
