import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { encodeDeadLetter } from '../../libs/adapters/codec/dead-letter-codec.ts';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import {
  LIABILITIES,
  PAYE_EVENTS,
  PAYMENTS,
  REJECTIONS,
  TOPICS,
  VAT_EVENTS,
} from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { linkedStart } from '../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../libs/adapters/stage/linked-reader.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import type { DecisionOfRecord } from '../../libs/core/decisions/liability-message.ts';
import { type DeadLetter, deadLetterKey } from '../../libs/core/events/dead-letter.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { openTax, type TaxService } from '../../services/tax/create-tax.ts';
import { idOf, sampleMoney, samplePayment, sampleSale } from '../support/sample-events.ts';
import { eventually } from '../support/service-process.ts';

const PARTITIONS = 3;
const PAYE = account('paye:123/AB456');
const VAT = account('vat:101747696');
const KEY = 'operator-key';

let folder: string;
let log: EventLog;
let tax: TaxService | null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-tax-'));
  log = await openEmbeddedLog({ folder: join(folder, 'log') });
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
  );
  tax = await startTax();
});

afterEach(async () => {
  await tax?.stop(5_000);
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startTax(): Promise<TaxService> {
  const store = await openEmbeddedStore({ folder: join(folder, 'store', 'tax'), stage: 'tax' });
  const clients = clientRegistry([
    { id: 'operator', keySha256: digestOfKey(KEY), accounts: '*', roles: ['operator'], expiresAt: null },
  ]);
  const logger = createLogger({ service: 'tax', level: 'silent' });
  const started = await openTax(
    {},
    { log, store, rules: loadTaxRules(), metrics: createMetrics(), logger, clients, clock: systemClock },
  );
  return {
    ...started,
    stop: async (deadlineMs) => {
      await started.stop(deadlineMs);
      await store.close();
    },
  };
}

async function append(topic: string, event: TaxEvent): Promise<void> {
  await appendRaw(topic, partitionOf(event.account, PARTITIONS), event.account, encodeEvent(event));
}

async function appendRaw(topic: string, partition: number, key: string | null, value: Buffer | null): Promise<void> {
  const [outcome] = await log.append([{ topic, partition, records: [{ key, value }] }]);
  expect(outcome?.status).toBe('appended');
}

/** Every decision in liabilities.v1, once there are as many as expected. */
async function decisions(count: number): Promise<DecisionOfRecord[]> {
  const positions = Array.from({ length: PARTITIONS }, (_, partition) =>
    linkedStart({ topic: LIABILITIES, partition }),
  );
  const reader = openLinkedReader(positions, { log, codec: liabilitiesCodec });
  const found: DecisionOfRecord[] = [];
  const untilMs = Date.now() + 10_000;
  try {
    while (found.length < count && Date.now() < untilMs) {
      for (const batch of await reader.poll({ maxBytes: 1e6, maxRecords: 100, waitMs: 100 })) {
        found.push(...batch.messages.flatMap((message) => message.body.decisions));
      }
    }
  } finally {
    await reader.close();
  }
  return found;
}

describe('the tax service', () => {
  it('works out PAYE, VAT and a payment, numbers each account without gap, and keeps order within it', async () => {
    await append(PAYE_EVENTS, samplePayment('pay'));
    await append(VAT_EVENTS, sampleSale('sale'));
    await append(VAT_EVENTS, sampleSale('sale 2', { seq: 2, prevHash: sampleSale('sale').hash }));
    await append(PAYMENTS, sampleMoney('money', VAT));
    const results = (await decisions(4)).flatMap((decision) => decision.results);
    const pay = results.find((result) => result.account === PAYE);
    // £3,000.00 less £1,048.26 free pay is £1,951.74; £1,951 at 20% is £390.20.
    // NICs: (3,000 - 1,048) x 8% = £156.16; (3,000 - 417) x 15% = £387.45.
    expect(pay?.amounts).toEqual([
      { head: 'incomeTax', pence: 39_020 },
      { head: 'employeeNics', pence: 15_616 },
      { head: 'employerNics', pence: 38_745 },
    ]);
    expect(pay?.taxPeriod).toBe('2026-27/M01');
    const vat = results.filter((result) => result.account === VAT);
    expect(vat.map((result) => result.number).sort()).toEqual([1, 2, 3]);
    // £12.00 x 1/6 = £2.00 each.
    expect(vat.filter((result) => result.kind === 'charge').map((result) => result.amounts)).toEqual([
      [{ head: 'outputVat', pence: 200 }],
      [{ head: 'outputVat', pence: 200 }],
    ]);
    expect(vat.find((result) => result.kind === 'payment')?.amounts).toEqual([{ head: 'payment', pence: 10_000 }]);
  });

  it('takes a repeat as one event, and refuses another body under the same id', async () => {
    await append(PAYE_EVENTS, samplePayment('pay'));
    await append(PAYE_EVENTS, samplePayment('pay'));
    await append(PAYE_EVENTS, samplePayment('pay', { taxablePayPence: pence(1) }));
    const found = await decisions(3);
    expect(found.map((decision) => decision.outcome)).toEqual(['accepted', 'repeat', 'rejected']);
    expect(found[2]?.rejections[0]?.code).toBe('EVENT_ID_CONFLICT');
  });

  it('lets a refund that comes before its sale wait, and gives both in order once the sale is there', async () => {
    const line = { id: '1', category: 'standard', qty: null, ratePct: null, paidPence: pence(-600) };
    const refund = sampleSale('refund', {
      tillType: 'REFUND',
      seq: 2,
      prevHash: sampleSale('sale').hash,
      occurredAt: '2026-11-21T10:20:00Z',
      lines: [line],
      originalEventId: idOf('sale'),
    });
    await append(VAT_EVENTS, refund);
    await append(VAT_EVENTS, sampleSale('sale'));
    const found = await decisions(2);
    expect(found.map((decision) => decision.outcome)).toEqual(['held', 'accepted']);
    expect(found[1]?.results.map((result) => [result.eventId, result.number, result.amounts])).toEqual([
      [idOf('sale'), 1, [{ head: 'outputVat', pence: 200 }]],
      [idOf('refund'), 2, [{ head: 'outputVat', pence: -100 }]],
    ]);
  });

  it('turns every kind of bad record into a rejection with a code, and goes on', async () => {
    const partition = partitionOf(PAYE, PARTITIONS);
    const good = encodeEvent(samplePayment('pay'));
    const unknownSchema = Buffer.from(good);
    unknownSchema.writeUInt32LE(0xdeadbeef, 2);
    await appendRaw(PAYE_EVENTS, partition, PAYE, Buffer.from('not Avro at all'));
    await appendRaw(PAYE_EVENTS, partition, PAYE, null);
    await appendRaw(PAYE_EVENTS, partition, PAYE, unknownSchema);
    await appendRaw(PAYE_EVENTS, partition, PAYE, good.subarray(0, good.length - 3));
    await appendRaw(PAYE_EVENTS, partition, 'paye:999/ZZ9', good);
    await appendRaw(PAYE_EVENTS, (partition + 1) % PARTITIONS, PAYE, good);
    await appendRaw(VAT_EVENTS, partition, PAYE, good);
    await append(PAYE_EVENTS, samplePayment('bad code', { taxCode: 'D9' }));
    await append(PAYE_EVENTS, samplePayment('pay'));
    const found = await decisions(9);
    const codes = found.flatMap((decision) => decision.rejections.map((rejection) => rejection.code));
    expect(codes).toHaveLength(8);
    expect(codes).toEqual(
      expect.arrayContaining([
        'SCHEMA_UNKNOWN',
        'RECORD_EMPTY',
        'RECORD_UNREADABLE',
        'KEY_MISMATCH',
        'WRONG_PARTITION',
        'WRONG_TOPIC',
      ]),
    );
    expect(found.filter((decision) => decision.outcome === 'accepted')).toHaveLength(1);
  });

  it('lists a rejection to an operator, and decides the same record again on redrive', async () => {
    await append(
      VAT_EVENTS,
      sampleSale('sale', {
        lines: [{ id: '1', category: 'no.such.category', qty: null, ratePct: null, paidPence: pence(100) }],
      }),
    );
    await decisions(1);
    const app = createHttpApp(
      { routers: tax === null ? [] : [tax.router] },
      { logger: createLogger({ service: 'tax', level: 'silent' }) },
    );
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
    try {
      const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
      let rejections: { position: string; code: string }[] = [];
      for (let tries = 0; rejections.length === 0 && tries < 50; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const answer = await fetch(`${server.url}/tax/v1/rejections`, { headers });
        rejections = ((await answer.json()) as { rejections: typeof rejections }).rejections;
      }
      expect(rejections.map((row) => row.code)).toEqual(['E_RATE_UNKNOWN']);
      const position = rejections[0]?.position;
      const shown = await fetch(`${server.url}/tax/v1/rejections/${position}`, { headers });
      expect(await shown.json()).toMatchObject({ account: VAT, code: 'E_RATE_UNKNOWN' });
      const redriven = await fetch(`${server.url}/tax/v1/rejections/redrive`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ positions: [position] }),
      });
      expect(await redriven.json()).toEqual({ redriven: 1 });
      expect((await decisions(2)).map((decision) => decision.outcome)).toEqual(['rejected', 'rejected']);
      expect((await fetch(`${server.url}/tax/v1/rejections`)).status).toBe(401);
      expect((await fetch(`${server.url}/tax/v1/rejections/0-999`, { headers })).status).toBe(404);
    } finally {
      await server.stop(1_000);
    }
  });

  it('goes on with its dead letters behind thousands of the gateway’s own, none twice, and redrives none of those', async () => {
    const rejected = (name: string) =>
      append(
        VAT_EVENTS,
        sampleSale(name, { lines: [{ id: '1', category: 'none', qty: null, ratePct: null, paidPence: pence(100) }] }),
      );
    const partition = partitionOf(VAT, PARTITIONS);
    const high = async () => (await log.bounds({ topic: REJECTIONS, partition })).high;
    await rejected('one');
    await eventually(high, (seen) => seen === 1);
    await tax?.stop(5_000);
    const letters = Array.from({ length: 2_500 }, (_, offset): DeadLetter => {
      const origin = { topic: 'ingress.payer.v1', partition: 0, offset };
      const facts = { client: 'payer' };
      return {
        origin,
        facts,
        decision: null,
        account: null,
        eventId: null,
        code: 'NOT_JSON',
        receivedAtMs: 1,
        recordedAtMs: 1,
      };
    });
    const records = letters.map((letter) => ({ key: deadLetterKey(letter), value: encodeDeadLetter(letter) }));
    await log.append([{ topic: REJECTIONS, partition, records }]);
    tax = await startTax();
    await rejected('two');
    await eventually(high, (seen) => seen === 2_502);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await high()).toBe(2_502);
    const logger = createLogger({ service: 'tax', level: 'silent' });
    const app = createHttpApp({ routers: [tax.router] }, { logger });
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
    const redriven = await fetch(`${server.url}/tax/v1/rejections/redrive`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ positions: [`${partition}-7`] }),
    });
    await server.stop(1_000);
    expect([redriven.status, ((await redriven.json()) as { code: string }).code]).toEqual([
      409,
      'REDRIVE_NOT_POSSIBLE',
    ]);
  });

  it('decides nothing twice after a restart, nor after its store was thrown away', async () => {
    await append(PAYE_EVENTS, samplePayment('pay'));
    await decisions(1);
    await tax?.stop(5_000);
    rmSync(join(folder, 'store'), { recursive: true });
    tax = await startTax();
    const may = { period: 2, paymentDate: samplePayment('x').paymentDate.replace('04-30', '05-29') as never };
    await append(PAYE_EVENTS, samplePayment('may', may));
    const found = await decisions(2);
    expect(found.map((decision) => decision.outcome)).toEqual(['accepted', 'accepted']);
    // Cumulative: two months of £3,000.00 on 1257L owe £780.60 (£3,903 at 20%), of which £390.20 was taken in April.
    expect(found[1]?.results[0]?.amounts[0]).toEqual({ head: 'incomeTax', pence: 39_040 });
    expect(found[1]?.results[0]?.number).toBe(2);
  });
});
