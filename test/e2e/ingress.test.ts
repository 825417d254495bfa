import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeDeadLetter } from '../../libs/adapters/codec/dead-letter-codec.ts';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { ingressTopic, PAYE_EVENTS, PAYMENTS, REJECTIONS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { DeadLetter } from '../../libs/core/events/dead-letter.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import {
  client,
  type FixtureOptions,
  type GatewayFixture,
  removeData,
  startGateway,
  TRADER,
} from '../support/gateway-fixture.ts';
import { eventually } from '../support/service-process.ts';
import { type Json, moneyJson, paymentJson, saleJson, salesOfTill } from '../support/submissions.ts';

const SYSTEMS = ingressTopic('systems').topic;
const BANK = ingressTopic('till-bank').topic;
const CLIENTS = [
  client('systems', { ingress: true }),
  client('till-bank', { ingress: true, accounts: '*', roles: ['bank'] }),
];

let running: GatewayFixture | null = null;

async function start(options: FixtureOptions = {}): Promise<GatewayFixture> {
  running = await startGateway({ clients: CLIENTS, ...options });
  return running;
}

afterEach(async () => {
  await running?.stop();
  if (running !== null) removeData(running);
  running = null;
});

/** As a client's own producer writes: any key, JSON or whatever else it sends. */
async function produce(log: EventLog, topic: string, values: readonly (Json | Buffer | string | null)[]) {
  const records = values.map((value) => ({ key: 'any', value: bytesOf(value) }));
  const [outcome] = await log.append([{ topic, partition: 0, records }]);
  if (outcome?.status !== 'appended') throw new Error('the log did not take it');
  return outcome.baseOffset;
}

function bytesOf(value: Json | Buffer | string | null): Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

async function eventsOf(fixture: GatewayFixture, topic: string): Promise<TaxEvent[]> {
  return (await fixture.records(topic)).map(({ value }) => decodeEvent(value ?? Buffer.alloc(0)));
}

async function lettersOf(fixture: GatewayFixture): Promise<DeadLetter[]> {
  return (await fixture.records(REJECTIONS)).map(({ value }) => decodeDeadLetter(value ?? Buffer.alloc(0)));
}

/** Until everything was forwarded and deleted. */
function emptied(fixture: GatewayFixture, topic: string, high: number) {
  return eventually(
    () => fixture.log.bounds({ topic, partition: 0 }),
    (bounds) => bounds.low === high && bounds.high === high,
    10_000,
  );
}

describe('what a client produces to its ingress topic', () => {
  it('stands in the topics of record with tokens for persons, receipted, and is gone from the ingress topic', async () => {
    const fixture = await start();
    const payments = Array.from({ length: 20 }, (_, n) => paymentJson({ worksNumber: `W-${n}`, nino: 'CE123456A' }));
    const sales = salesOfTill(30, 'ingress');
    await produce(fixture.log, SYSTEMS, [...payments, ...sales]);
    await produce(fixture.log, BANK, [moneyJson()]);
    await emptied(fixture, SYSTEMS, 50);
    await emptied(fixture, BANK, 1);
    expect((await eventsOf(fixture, PAYE_EVENTS)).map((event) => event.eventId)).toEqual(
      payments.map((json) => eventId(String(json.eventId))),
    );
    expect((await eventsOf(fixture, VAT_EVENTS)).map((event) => event.eventId)).toEqual(
      sales.map((json) => eventId(String(json.eventId))),
    );
    expect(await eventsOf(fixture, PAYMENTS)).toHaveLength(1);
    const [first] = await eventsOf(fixture, PAYE_EVENTS);
    const person = first?.type === 'PaymentMade' ? first.person : null;
    expect(person === null ? null : fixture.gateway.ninoOf(person)).toBe('CE123456A');
    expect(await lettersOf(fixture)).toEqual([]);
    const again = await fixture.post('/v1/vat/events', sales[7], { client: 'systems' });
    expect(again.status).toBe(202);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(30);
    const page = await fixture.metrics.registry.metrics();
    expect(page).toContain('tally_gateway_ingress_records_total{outcome="forwarded"} 51');
    expect(page).toContain('tally_gateway_events_accepted_total{tax="vat",type="TillEvent"} 30');
    expect(page + fixture.lines.join('')).not.toContain('CE123456A');
  });

  it('twice, or by HTTP before, stands there once', async () => {
    const fixture = await start();
    const sales = salesOfTill(3, 'twice');
    expect((await fixture.post('/v1/vat/events', sales[0])).status).toBe(202);
    await produce(fixture.log, SYSTEMS, [...sales, ...sales]);
    await emptied(fixture, SYSTEMS, 6);
    await produce(fixture.log, SYSTEMS, sales);
    await emptied(fixture, SYSTEMS, 9);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(3);
    expect(await lettersOf(fixture)).toEqual([]);
    const page = await fixture.metrics.registry.metrics();
    expect(page).toContain('tally_gateway_ingress_records_total{outcome="forwarded"} 2');
  });

  const POISON: readonly [code: string, value: Json | Buffer | string | null, facts: string][] = [
    ['NOT_JSON', 'CE123456A is not JSON', 'NOT_JSON'],
    ['NOT_JSON', Buffer.from([0xff, 0xfe, 0x00]), 'NOT_JSON'],
    ['RECORD_EMPTY', null, 'RECORD_EMPTY'],
    ['RECORD_EMPTY', '', 'RECORD_EMPTY'],
    ['E_JSON', '[]', 'E_JSON'],
    ['E_JSON', '"CE123456A"', 'E_JSON'],
    ['DOOR_UNKNOWN', { name: 'CE123456A' }, 'DOOR_UNKNOWN'],
    ['ACCOUNT_NOT_YOURS', paymentJson({ payeReference: '999/ZZ1' }), 'ACCOUNT_NOT_YOURS'],
    ['ROLE_MISSING', moneyJson(), 'ROLE_MISSING'],
    ['UNKNOWN_FIELD', paymentJson({ CE123456A: 1 }), 'UNKNOWN_FIELD'],
    ['FIELD_TYPE', paymentJson({ statutoryPay: { CE123456A: 'x' } }), ''],
    ['E_LINES_EMPTY', saleJson({ lines: 'CE123456A' }), 'FIELD_TYPE /lines'],
    ['BAD_NINO_FORMAT', paymentJson({ nino: 'CE12345' }), 'BAD_NINO_FORMAT /nino'],
  ];

  it('and cannot be taken becomes a dead letter by its place, stops nothing, and is deleted like the others', async () => {
    const fixture = await start();
    const values = POISON.flatMap(([, value]) => [value, saleJson()]);
    await produce(fixture.log, SYSTEMS, values);
    await emptied(fixture, SYSTEMS, values.length);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(POISON.length);
    const letters = (await lettersOf(fixture)).sort((a, b) => a.origin.offset - b.origin.offset);
    expect(letters.map(({ origin }) => origin)).toEqual(
      POISON.map((_, index) => ({ topic: SYSTEMS, partition: 0, offset: 2 * index })),
    );
    const bytes = Buffer.concat((await fixture.records(REJECTIONS)).map(({ value }) => value ?? Buffer.alloc(0)));
    expect(bytes.toString('latin1')).not.toMatch(/CE12345/);
    for (const [index, [code, , facts]] of POISON.entries()) {
      const letter = letters[index];
      if (facts !== '') expect([letter?.code, letter?.facts.faults]).toEqual([code, expect.stringContaining(facts)]);
      expect(letter?.decision).toBe(null);
      expect(letter?.facts.client).toBe('systems');
    }
    expect(letters[7]?.account, 'of another payer nothing is said').toBe(null);
    expect(letters[12]?.account).toBe('paye:123/AB456');
    expect(fixture.lines.join('')).not.toMatch(/CE12345/);
    const page = await fixture.metrics.registry.metrics();
    expect(page).toContain(`tally_gateway_ingress_records_total{outcome="refused"} ${POISON.length}`);
    expect(page).toContain('tally_gateway_faults_total{code="NOT_JSON"} 2');
  });

  const BEYOND_ALL_DATES: readonly Json[] = [
    saleJson({ occurredAt: '9999-12-31T23:59:59-23:59' }),
    saleJson({ occurredAt: '0001-01-01T00:00:00+23:59' }),
    {
      type: 'VatPeriodClosed',
      eventId: '018f0000-0000-7000-8000-00000000aa01',
      vrn: '101747696',
      periodStart: '9999-12-01',
      periodEnd: '9999-12-31',
      close: 'hard',
    },
    moneyJson({ bookedOn: '9999-12-31' }),
    paymentJson({ paymentDate: '9999-12-31' }),
  ];

  it('with a date that no rule can read or judge holds up nothing: it is forwarded or refused, and the next go on', async () => {
    const fixture = await start();
    const values = BEYOND_ALL_DATES.flatMap((value) => [value, saleJson()]);
    await produce(fixture.log, SYSTEMS, values);
    await emptied(fixture, SYSTEMS, values.length);
    const letters = await lettersOf(fixture);
    const forwarded = (await eventsOf(fixture, VAT_EVENTS)).length + (await eventsOf(fixture, PAYE_EVENTS)).length;
    expect(letters.length + forwarded).toBe(values.length);
    expect(letters.every(({ origin }) => origin.topic === SYSTEMS && origin.offset % 2 === 0)).toBe(true);
    expect(fixture.lines.join('')).not.toContain('ingress is not forwarded now');
  });

  it('is refused under a code of its own where the rules themselves throw, and the next go on', async () => {
    const rules = loadTaxRules();
    const throwing = (error: Error): TaxRules['vat'] =>
      new Proxy(rules.vat, {
        get: () => {
          throw error;
        },
      });
    for (const [error, code] of [
      [new TypeError('no such thing'), 'RECORD_UNREADABLE'],
      [new TallyError('DATE_INVALID', 'no such date', {}), 'DATE_INVALID'],
    ] as const) {
      const fixture = await start({ rules: { ...rules, vat: throwing(error) } });
      await produce(fixture.log, SYSTEMS, [saleJson(), paymentJson()]);
      await emptied(fixture, SYSTEMS, 2);
      const [letter] = await lettersOf(fixture);
      expect([letter?.code, letter?.origin.offset, letter?.account]).toEqual([code, 0, TRADER]);
      expect(await eventsOf(fixture, PAYE_EVENTS)).toHaveLength(1);
      await fixture.stop();
      removeData(fixture);
    }
    running = null;
  });

  it('under a known id with another body is a conflict, in one batch and later, while its neighbours go on', async () => {
    const fixture = await start();
    const sale = saleJson();
    const other = { ...sale, tillId: 'T2' };
    await produce(fixture.log, SYSTEMS, [sale, other, saleJson()]);
    await emptied(fixture, SYSTEMS, 3);
    await produce(fixture.log, SYSTEMS, [saleJson(), other]);
    await emptied(fixture, SYSTEMS, 5);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(3);
    const letters = await lettersOf(fixture);
    expect(letters.map(({ code, origin }) => [code, origin.offset]).sort()).toEqual([
      ['EVENT_ID_CONFLICT', 1],
      ['EVENT_ID_CONFLICT', 4],
    ]);
    expect(letters.map((letter) => letter.eventId)).toEqual(Array(2).fill(eventId(String(sale.eventId))));
  });

  it('is refused where its own client is the wrong one: the bank sends no sales', async () => {
    const fixture = await start();
    await produce(fixture.log, BANK, [saleJson(), moneyJson()]);
    await emptied(fixture, BANK, 2);
    expect((await lettersOf(fixture)).map(({ code }) => code)).toEqual(['ROLE_MISSING']);
    expect(await eventsOf(fixture, PAYMENTS)).toHaveLength(1);
  });
});

describe('ingress under faults', () => {
  /** The log of the gateway with appends that may fail; what the test produces goes beside it. */
  function failing(isDown: () => boolean) {
    return (log: EventLog): EventLog => ({
      ensureTopics: (topics) => log.ensureTopics(topics),
      partitionCount: (topic) => log.partitionCount(topic),
      append: async (appends) => {
        if (!isDown()) return log.append(appends);
        const error = new TallyError('LOG_UNAVAILABLE', 'no broker answers', {}, { retriable: true });
        return appends.map(() => ({ status: 'failed', error }));
      },
      bounds: (partition) => log.bounds(partition),
      reader: (positions) => log.reader(positions),
      join: (options) => log.join(options),
      deleteBefore: (position) => log.deleteBefore(position),
      close: () => log.close(),
    });
  }

  it('deletes nothing before it is durable elsewhere: events and dead letters wait for a log that is down', async () => {
    let down = true;
    const fixture = await start({ around: failing(() => down) });
    const sales = salesOfTill(10, 'down');
    await produce(fixture.log, SYSTEMS, ['poison', ...sales]);
    await eventually(
      async () => fixture.gateway.assertReady(),
      () => true,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await fixture.log.bounds({ topic: SYSTEMS, partition: 0 })).toEqual({ low: 0, high: 11 });
    expect(await eventsOf(fixture, VAT_EVENTS)).toEqual([]);
    down = false;
    await emptied(fixture, SYSTEMS, 11);
    expect((await eventsOf(fixture, VAT_EVENTS)).map((event) => event.eventId)).toEqual(
      sales.map((json) => eventId(String(json.eventId))),
    );
    expect(new Set((await lettersOf(fixture)).map(({ origin }) => origin.offset))).toEqual(new Set([0]));
  });

  it('forwards after a start what came while the gateway was away, and once only after its store was lost', async () => {
    let down = false;
    let fixture = await start({ around: failing(() => down) });
    await produce(fixture.log, SYSTEMS, salesOfTill(5, 'first'));
    await emptied(fixture, SYSTEMS, 5);
    down = true;
    await produce(fixture.log, SYSTEMS, salesOfTill(7, 'second'));
    await fixture.crash();
    const { dataDir } = fixture;
    fixture = await start({ dataDir });
    await emptied(fixture, SYSTEMS, 12);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(12);
    await fixture.stop();
    rmSync(join(dataDir, 'gateway'), { recursive: true });
    fixture = await start({ dataDir });
    await produce(fixture.log, SYSTEMS, salesOfTill(2, 'third'));
    await emptied(fixture, SYSTEMS, 14);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(14);
  });

  it('stands once when records come again because a crash struck between the events and the position', async () => {
    const stuck = (log: EventLog): EventLog => ({
      ...failing(() => false)(log),
      // dead letters never get through: the position is never written
      append: (appends) =>
        appends.some(({ topic }) => topic === REJECTIONS)
          ? Promise.reject(new TallyError('LOG_UNAVAILABLE', 'the process dies here', {}, { retriable: true }))
          : log.append(appends),
    });
    let fixture = await start({ around: stuck });
    const sales = salesOfTill(4, 'crash');
    await produce(fixture.log, SYSTEMS, [...sales, 'poison']);
    await eventually(
      () => eventsOf(fixture, VAT_EVENTS),
      (events) => events.length === 4,
    );
    expect(await fixture.log.bounds({ topic: SYSTEMS, partition: 0 })).toEqual({ low: 0, high: 5 });
    await fixture.crash();
    fixture = await start({ dataDir: fixture.dataDir });
    await emptied(fixture, SYSTEMS, 5);
    expect(await eventsOf(fixture, VAT_EVENTS)).toHaveLength(4);
    expect(await lettersOf(fixture)).toHaveLength(1);
  });
});
