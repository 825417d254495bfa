import { createHash } from 'node:crypto';
import { join } from 'node:path';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientRegistry } from '../../libs/adapters/access/clients.ts';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import { registryIdOf } from '../../libs/adapters/codec/schema/registry-wire-format.ts';
import { readSchemaFiles } from '../../libs/adapters/codec/schema/schema-files.ts';
import { writerOf } from '../../libs/adapters/codec/schema/single-object.ts';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { LIABILITIES, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { registryLog } from '../../libs/adapters/registry/registry-log.ts';
import { registerSchemas } from '../../libs/adapters/registry/schema-registry.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { openWireFormat } from '../../libs/adapters/runtime/open-wire-format.ts';
import { linkedStart, readLink } from '../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../libs/adapters/stage/linked-reader.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import type { DecisionOfRecord } from '../../libs/core/decisions/liability-message.ts';
import { openTax } from '../../services/tax/create-tax.ts';
import { capability } from '../support/capabilities.ts';
import { type GatewayFixture, PARTITIONS, removeData, startGateway } from '../support/gateway-fixture.ts';
import { sampleSale } from '../support/sample-events.ts';
import { eventually } from '../support/service-process.ts';
import { type RunningApicurio, startApicurio } from '../support/start-apicurio.ts';
import { salesOfTill } from '../support/submissions.ts';

const canRun = capability('java').available && capability('maven').available;

describe.skipIf(!canRun)('with a schema registry', { timeout: 180_000 }, () => {
  let registry: RunningApicurio;
  beforeAll(async () => {
    registry = await startApicurio();
  }, 900_000);
  afterAll(() => registry?.stop());

  it('each schema stands under its record, checked both ways, with one id for all services that start at once', async () => {
    const register = () => registerSchemas(readSchemaFiles(), { url: registry.url }, { fetch });
    const [first, second, third] = await Promise.all([register(), register(), register()]);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    const subjects = (await (await fetch(`${registry.url}/subjects`)).json()) as string[];
    expect(new Set(subjects)).toEqual(new Set(readSchemaFiles().map(({ type }) => type.name)));
    const level = await (await fetch(`${registry.url}/config/tallystick.TillEvent`)).json();
    expect(level).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
    const [money] = readSchemaFiles().filter(({ name }) => name === 'money-moved.v1');
    const broken = JSON.stringify({ ...JSON.parse(money?.text ?? ''), fields: [{ name: 'other', type: 'string' }] });
    await expect(
      registerSchemas([{ ...(money as NonNullable<typeof money>), text: broken }], { url: registry.url }, { fetch }),
    ).rejects.toMatchObject({ code: 'SCHEMA_REGISTRY_REFUSED', facts: { status: 409 } });
  });

  it('values are written in its wire format, both forms are read, and the ids at hand serve while it is down', async () => {
    let fixture = await startGateway();
    const sales = salesOfTill(9, 'registry');
    await fixture.post('/v1/vat/events', sales.slice(0, 3));
    const { dataDir } = fixture;
    await fixture.stop();

    const format = await openWireFormat(dataDir, { SCHEMA_REGISTRY_URL: registry.url });
    if (format === null) throw new Error('there is a registry');
    let log: EventLog | null = null;
    fixture = await startGateway({
      dataDir,
      around: (raw) => {
        log = registryLog(raw, format);
        return log;
      },
    });
    const answer = await fixture.post('/v1/vat/events', sales.slice(0, 6));
    expect(answer.status).toBe(202);
    await expectDecoded(await fixture.records(VAT_EVENTS), 3, registry.url);
    // the hash of a receipt is of what a payer can work out without the registry
    const [own] = (await fixture.records(VAT_EVENTS)).slice(-1);
    const hash = createHash('sha256')
      .update(format.fromWire(own?.value ?? Buffer.alloc(0)))
      .digest('base64');
    expect(answer.body.receipts.at(-1).events.at(-1).hash).toBe(hash);

    const url = registry.url;
    await registry.stop();
    expect((await fixture.post('/v1/vat/events', sales.slice(6))).status).toBe(202);
    const decisions = await decidedBy(log ?? fixture.log, fixture);
    expect(decisions.map(({ outcome }) => outcome)).toEqual(Array(9).fill('accepted'));
    const messages = await fixture.records(LIABILITIES);
    expect(messages.every(({ value }) => registryIdOf(value ?? Buffer.alloc(0)) !== null)).toBe(true);
    expect(messages.every(({ value }) => readLink(value) !== null)).toBe(true);

    await expect(openWireFormat(dataDir, { SCHEMA_REGISTRY_URL: url })).rejects.toMatchObject({
      code: 'SCHEMA_REGISTRY_UNAVAILABLE',
      message: expect.stringContaining(url),
      retriable: true,
    });
    const without = await openWireFormat(dataDir, {});
    const event = encodeEvent(sampleSale('registry'));
    expect(without?.toWire(event)).toBe(event);
    expect(without?.fromWire(format.toWire(event))).toEqual(event);
    expect(() => writerOf(format.toWire(event))).toThrow(expect.objectContaining({ code: 'SCHEMA_UNKNOWN' }));
    await fixture.stop();
    removeData(fixture);
  });
});

/** Decodes as a stranger does: the schema by the id in the value, from the registry. */
async function expectDecoded(records: readonly LogRecord[], registered: number, url: string): Promise<void> {
  const wires = records.flatMap(({ value }) => (value !== null && value[0] === 0 ? [value] : []));
  expect(wires).toHaveLength(registered);
  expect(records).toHaveLength(2 * registered);
  for (const value of wires) {
    const answer = await fetch(`${url}/schemas/ids/${value.readUInt32BE(1)}`);
    const { schema } = (await answer.json()) as { schema: string };
    const event = avro.Type.forSchema(JSON.parse(schema)).fromBuffer(value.subarray(5)) as Record<string, unknown>;
    expect(event.account).toBe('vat:101747696');
    expect(event.tillId).toBe('registry');
  }
}

async function decidedBy(log: EventLog, fixture: GatewayFixture): Promise<readonly DecisionOfRecord[]> {
  const store = await openEmbeddedStore({ folder: join(fixture.dataDir, 'store'), stage: 'tax' });
  const logger = createLogger({ service: 'tax', level: 'silent' });
  const clients = clientRegistry([]);
  const tax = await openTax(
    {},
    { log, store, rules: loadTaxRules(), metrics: createMetrics(), logger, clients, clock: systemClock },
  );
  const positions = Array.from({ length: PARTITIONS }, (_, partition) =>
    linkedStart({ topic: LIABILITIES, partition }),
  );
  const reader = openLinkedReader(positions, { log, codec: liabilitiesCodec });
  const decisions: DecisionOfRecord[] = [];
  await eventually(
    async () => {
      for (const { messages } of await reader.poll({ maxBytes: 1 << 20, maxRecords: 100, waitMs: 200 })) {
        decisions.push(...messages.flatMap(({ body }) => body.decisions));
      }
      return decisions.length;
    },
    (count) => count >= 9,
  );
  await reader.close();
  await tax.stop(5_000);
  await store.close();
  return decisions;
}
