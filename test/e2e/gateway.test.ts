import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { nodeEd25519Verify, nodeTreeHasher } from '../../libs/adapters/crypto/node-crypto.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import { openReceipt } from '../oracles/gateway-receipt.ts';
import { type GatewayFixture, PARTITIONS, removeData, startGateway } from '../support/gateway-fixture.ts';
import { type Json, moneyJson, paymentJson, saleJson, salesOfTill } from '../support/submissions.ts';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await startGateway();
});
afterAll(async () => {
  await fixture.stop();
  removeData(fixture);
});

interface EventOfAnswer {
  readonly eventId: string;
  readonly account: Account;
  readonly hash: string;
  readonly index: number;
  readonly path: string[];
  readonly person?: string;
}

/** Proves an event's receipt as a payer does: signature, path, root. */
function prove(note: string, event: EventOfAnswer) {
  return openReceipt(
    note,
    { account: event.account, eventId: eventId(event.eventId), hash: Buffer.from(event.hash, 'base64') },
    { index: event.index, path: event.path.map((hash) => Buffer.from(hash, 'base64')) },
    { ledgerName: fixture.keys.ledgerName, keys: [fixture.gateway.verifierKey] },
    nodeEd25519Verify,
    nodeTreeHasher,
  );
}

describe('what the gateway takes', () => {
  it('is durable in the log when it answers, and each event is proven by its receipt', async () => {
    const payments = Array.from({ length: 37 }, (_, n) => paymentJson({ worksNumber: `W-${n}`, nino: null }));
    const answer = await fixture.post('/v1/paye/events', payments);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const [receipt, ...none] = answer.body.receipts;
    expect(none).toEqual([]);
    expect(receipt.events).toHaveLength(37);
    const hashes = new Set(
      (await fixture.records('paye.events.v1')).map(({ value }) =>
        createHash('sha256')
          .update(value as Buffer)
          .digest('base64'),
      ),
    );
    for (const event of receipt.events) {
      expect(hashes.has(event.hash)).toBe(true);
      const note = prove(receipt.note, event);
      expect(note.eventCount).toBe(37);
    }
    const swapped = { ...receipt.events[0], index: 1 };
    expect(() => prove(receipt.note, swapped)).toThrow(expect.objectContaining({ code: 'RECEIPT_DIFFERS' }));
  });

  it('stands under the key of its account, in the partition that Kafka would choose, with the receipt’s own time', async () => {
    const sale = saleJson();
    const answer = await fixture.post('/v1/vat/events', sale);
    const [record] = (await fixture.records('vat.events.v1')).filter(
      ({ value }) => value !== null && decodeEvent(value).eventId === eventId(String(sale.eventId)),
    );
    expect(record?.key).toBe('vat:101747696');
    const event = decodeEvent(record?.value as Buffer);
    expect(event.receivedAtMs).toBe(
      prove(answer.body.receipts[0].note, answer.body.receipts[0].events[0]).receivedAtMs,
    );
    // (-686131412 & 0x7fffffff) % 4, murmur2 of the Java client
    const { high } = await fixture.log.bounds({
      topic: 'vat.events.v1',
      partition: (-686131412 & 0x7fffffff) % PARTITIONS,
    });
    expect(high).toBeGreaterThan(0);
  });

  it('of money is taken from a bank, and from nobody else', async () => {
    expect((await fixture.post('/v1/payments', moneyJson(), { client: 'bank' })).status).toBe(202);
    const refused = await fixture.post('/v1/payments', moneyJson());
    expect([refused.status, refused.body.code]).toEqual([403, 'ROLE_MISSING']);
    expect(await fixture.records('payments.v1')).toHaveLength(1);
  });

  it('holds a token in place of the NINO, the same for a person whoever the employer is, and the vault gives it back', async () => {
    const first = await fixture.post('/v1/paye/events', paymentJson({ nino: 'CE 12 34 56 A', worksNumber: 'X1' }));
    const second = await fixture.post(
      '/v1/paye/events',
      paymentJson({ nino: 'CE123456A', worksNumber: 'Y7', payeReference: '321/ZZ9' }),
      { client: 'agent' },
    );
    const token = first.body.receipts[0].events[0].person;
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect(second.body.receipts[0].events[0].person).toBe(token);
    expect(fixture.gateway.ninoOf(token)).toBe('CE123456A');
    const without = await fixture.post('/v1/paye/events', paymentJson({ nino: null, worksNumber: 'X1' }));
    expect(without.body.receipts[0].events[0].person).not.toBe(token);
    expect(fixture.gateway.ninoOf(without.body.receipts[0].events[0].person)).toBe(null);
    const topics = ['paye.events.v1', 'vat.events.v1', 'payments.v1', 'rejections.v1'];
    const values = (await Promise.all(topics.map((topic) => fixture.records(topic)))).flat();
    const everything = Buffer.concat(values.map(({ value }) => value ?? Buffer.alloc(0))).toString('latin1');
    expect(everything.length).toBeGreaterThan(1_000);
    expect(everything + fixture.lines.join('') + (await fixture.metrics.registry.metrics())).not.toMatch(
      /CE ?12 ?34 ?56 ?A/,
    );
  });
});

describe('an event that comes again', () => {
  it('gets the very receipt that it got, and nothing is appended', async () => {
    const sales = salesOfTill(5, 'again');
    const first = await fixture.post('/v1/vat/events', sales);
    const before = (await fixture.records('vat.events.v1')).length;
    const second = await fixture.post('/v1/vat/events', sales);
    expect(second.body).toEqual(first.body);
    const one = await fixture.post('/v1/vat/events', sales[3]);
    expect(one.body.receipts).toEqual([{ ...first.body.receipts[0], events: [first.body.receipts[0].events[3]] }]);
    expect((await fixture.records('vat.events.v1')).length).toBe(before);
  });

  it('among new ones comes back under its own receipt, the new ones under another', async () => {
    const sales = salesOfTill(4, 'mixed');
    const first = await fixture.post('/v1/vat/events', sales.slice(0, 2));
    const second = await fixture.post('/v1/vat/events', sales);
    expect(second.body.receipts).toHaveLength(2);
    expect(second.body.receipts[0]).toEqual(first.body.receipts[0]);
    expect(second.body.receipts[1].events.map((event: EventOfAnswer) => event.eventId)).toEqual(
      sales.slice(2).map((sale) => sale.eventId),
    );
  });

  it('written in another order of fields, or with spaces in its NINO, is the same event', async () => {
    const payment = paymentJson({ nino: 'AB123456C' });
    const first = await fixture.post('/v1/paye/events', payment);
    const reversed = Object.fromEntries(Object.entries({ ...payment, nino: 'AB 12 34 56 C', stated: null }).reverse());
    expect((await fixture.post('/v1/paye/events', reversed)).body).toEqual(first.body);
  });

  it('twice in one request is appended once', async () => {
    const payment = paymentJson();
    const before = (await fixture.records('paye.events.v1')).length;
    const answer = await fixture.post('/v1/paye/events', [payment, paymentJson(), payment]);
    expect(answer.status).toBe(202);
    expect(answer.body.receipts[0].events).toHaveLength(2);
    expect((await fixture.records('paye.events.v1')).length).toBe(before + 2);
  });

  it('in many requests at once is appended once, and all get one receipt', async () => {
    const payment = paymentJson();
    const before = (await fixture.records('paye.events.v1')).length;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fixture.post('/v1/paye/events', [payment, paymentJson()])),
    );
    const receipts = answers.map(({ body }) =>
      body.receipts.find((one: { events: EventOfAnswer[] }) =>
        one.events.some(({ eventId }) => eventId === payment.eventId),
      ),
    );
    expect(new Set(receipts.map(({ note }) => note)).size).toBe(1);
    expect((await fixture.records('paye.events.v1')).length).toBe(before + 21);
  });

  it('with another body is a conflict, and nothing of its request is taken', async () => {
    const payment = paymentJson();
    await fixture.post('/v1/paye/events', payment);
    const before = (await fixture.records('paye.events.v1')).length;
    const changed = { ...payment, taxablePayPence: 250_001 };
    const answer = await fixture.post('/v1/paye/events', [paymentJson(), changed]);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'EVENT_ID_CONFLICT', faults: [{ pointer: '/1/eventId' }] });
    const other = paymentJson();
    const within = await fixture.post('/v1/paye/events', [other, { ...other, nino: 'CE123456A' }]);
    expect([within.status, within.body.faults[0].pointer]).toEqual([409, '/1/eventId']);
    expect((await fixture.records('paye.events.v1')).length).toBe(before);
    expect((await fixture.post('/v1/paye/events', other)).status).toBe(202);
  });

  it('under another account is another event', async () => {
    const payment = paymentJson();
    await fixture.post('/v1/paye/events', payment, { client: 'agent' });
    const answer = await fixture.post('/v1/paye/events', { ...payment, payeReference: '321/ZZ9' }, { client: 'agent' });
    expect(answer.status).toBe(202);
  });
});

describe('a receipt', () => {
  const get = (path: string, client = 'payer') =>
    fetch(`${fixture.url}${path}`, { headers: { authorization: `Bearer key-of-${client}` } });

  it('can be looked up by who lost the answer, and by nobody else', async () => {
    const payment = paymentJson();
    const answer = await fixture.post('/v1/paye/events', [paymentJson(), payment]);
    const path = `/v1/receipts/paye:123-AB456/${payment.eventId}`;
    const found = (await (await get(path)).json()) as { receipts: { note: string; events: EventOfAnswer[] }[] };
    const { person, ...event } = answer.body.receipts[0].events[1];
    expect(person).toMatch(/^[0-9a-f]{32}$/);
    expect(found).toEqual({ receipts: [{ note: answer.body.receipts[0].note, events: [event] }] });
    expect((await get(path, 'stranger')).status).toBe(403);
    expect((await get(path, 'expired')).status).toBe(401);
  });

  it('of an event that never came is not there', async () => {
    expect((await get(`/v1/receipts/paye:123-AB456/${paymentJson().eventId}`)).status).toBe(404);
    expect((await get('/v1/receipts/nobody/nothing')).status).toBe(404);
  });
});

describe('bad input', () => {
  const cases: [string, string, Json, string, string][] = [
    ['a wrong type', '/v1/paye/events', paymentJson({ taxablePayPence: '2500.00' }), 'FIELD_TYPE', '/taxablePayPence'],
    ['an unknown field', '/v1/paye/events', paymentJson({ bonus: 1 }), 'UNKNOWN_FIELD', '/bonus'],
    ['a missing field', '/v1/paye/events', paymentJson({ taxCode: null }), 'FIELD_MISSING', '/taxCode'],
    [
      'a fraction of a penny',
      '/v1/paye/events',
      paymentJson({ taxablePayPence: 1.5 }),
      'NOT_INTEGER_PENCE',
      '/taxablePayPence',
    ],
    [
      'an amount beyond the limit',
      '/v1/paye/events',
      paymentJson({ taxablePayPence: 1e15 }),
      'AMOUNT_OUT_OF_RANGE',
      '/taxablePayPence',
    ],
    [
      'a number that no integer is',
      '/v1/paye/events',
      paymentJson({ taxablePayPence: 2 ** 60 }),
      'NOT_INTEGER_PENCE',
      '/taxablePayPence',
    ],
    ['a date that is none', '/v1/paye/events', paymentJson({ paymentDate: '2026-02-30' }), 'BAD_DATE', '/paymentDate'],
    [
      'a tax year without rates',
      '/v1/paye/events',
      paymentJson({ paymentDate: '1999-11-20' }),
      'UNSUPPORTED_TAX_YEAR',
      '/paymentDate',
    ],
    ['a tax code that is none', '/v1/paye/events', paymentJson({ taxCode: 'QQ' }), 'BAD_TAX_CODE', '/taxCode'],
    ['a NINO that is none', '/v1/paye/events', paymentJson({ nino: 'QQ123456C' }), 'BAD_NINO_FORMAT', '/nino'],
    [
      'a works number shaped like a NINO',
      '/v1/paye/events',
      paymentJson({ worksNumber: 'ab 123456c' }),
      'WORKS_NUMBER_IS_NINO',
      '/worksNumber',
    ],
    ['a control character', '/v1/paye/events', paymentJson({ worksNumber: 'W\n1' }), 'FIELD_TEXT', '/worksNumber'],
    ['an event id that is no UUID', '/v1/paye/events', paymentJson({ eventId: 'X1' }), 'EVENT_ID_INVALID', '/eventId'],
    [
      'a PAYE reference that is none',
      '/v1/paye/events',
      paymentJson({ payeReference: 'nope' }),
      'BAD_PAYE_REF',
      '/payeReference',
    ],
    ['an unknown type', '/v1/paye/events', paymentJson({ type: 'Gift' }), 'EVENT_TYPE_UNKNOWN', '/type'],
    [
      'a negative sale',
      '/v1/vat/events',
      saleJson({ totalPence: -1, lines: [{ id: '1', category: 'standard', paidPence: -1 }] }),
      'E_SIGN',
      '/lines/0/paidPence',
    ],
    ['a wrong total', '/v1/vat/events', saleJson({ totalPence: 1_201 }), 'E_TOTAL_MISMATCH', '/totalPence'],
    ['wrong VAT', '/v1/vat/events', saleJson({ vatPence: 240 }), 'E_VAT_MISMATCH', '/vatPence'],
    [
      'half a penny on a line',
      '/v1/vat/events',
      saleJson({ lines: [{ id: '1', category: 'standard', paidPence: 0.5 }] }),
      'E_AMOUNT_NOT_INTEGER',
      '/lines/0/paidPence',
    ],
    ['wrong check digits', '/v1/vat/events', saleJson({ vrn: '101747697' }), 'E_VRN_CHECK_DIGITS', '/vrn'],
    [
      'an unknown field of a line',
      '/v1/vat/events',
      saleJson({ lines: [{ id: '1', category: 'standard', paidPence: 1_200, sku: 'x' }] }),
      'UNKNOWN_FIELD',
      '/lines/0/sku',
    ],
    [
      'a missing field of a till',
      '/v1/vat/events',
      { ...saleJson(), tillId: undefined },
      'E_MISSING_FIELD:tillId',
      '/tillId',
    ],
  ];
  it.each(cases)('%s is refused with its code and pointer', async (_, path, json, code, pointer) => {
    const answer = await fixture.post(path, json, { client: 'agent' });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body.faults).toContainEqual(expect.objectContaining({ code, pointer }));
    expect(answer.body.correlationId).toBe(answer.headers.get('x-correlation-id'));
  });

  it('is listed with every fault of every event at once, and nothing of the request is taken', async () => {
    const before = (await fixture.records('paye.events.v1')).length;
    const answer = await fixture.post('/v1/paye/events', [
      paymentJson(),
      paymentJson({ taxCode: 'QQ', taxablePayPence: 0.5, niCategory: '?', nope: true }),
      'not an event',
      paymentJson({ payeReference: '999/OTHER' }),
    ]);
    expect(answer.status).toBe(422);
    expect(
      answer.body.faults.map(({ code, pointer }: { code: string; pointer: string }) => `${pointer} ${code}`),
    ).toEqual([
      '/1/taxablePayPence NOT_INTEGER_PENCE',
      '/1/niCategory BAD_NI_CATEGORY',
      '/1/nope UNKNOWN_FIELD',
      '/1/taxCode BAD_TAX_CODE',
      '/2 E_JSON',
      '/3/payeReference ACCOUNT_NOT_YOURS',
    ]);
    expect((await fixture.records('paye.events.v1')).length).toBe(before);
  });

  it('that is not JSON, empty, too many or too large is refused as such', async () => {
    const refusals: [unknown, number, string][] = [
      ['{"type":', 400, 'NOT_JSON'],
      ['', 400, 'NOT_JSON'],
      [[], 422, 'INPUT_INVALID'],
      ['null', 422, 'INPUT_INVALID'],
      ['"text"', 422, 'INPUT_INVALID'],
      [Array.from({ length: 1_001 }, () => ({})), 422, 'INPUT_INVALID'],
      [`[${'1'.repeat(10 * 1024 * 1024)}]`, 413, 'BODY_TOO_LARGE'],
    ];
    for (const [body, status, code] of refusals) {
      const answer = await fixture.post('/v1/paye/events', body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    }
    const typed = await fixture.post('/v1/paye/events', paymentJson(), { headers: { 'content-type': 'text/plain' } });
    expect([typed.status, typed.body.code]).toEqual([415, 'CONTENT_TYPE_UNSUPPORTED']);
  });

  it('lists at most 200 faults and counts the rest', async () => {
    const answer = await fixture.post(
      '/v1/paye/events',
      Array.from({ length: 300 }, () => 1),
    );
    expect(answer.body.faults).toHaveLength(200);
    expect(answer.body.detail).toContain('100 further faults');
  });
});

describe('who may call', () => {
  it.each([
    ['without a key', { authorization: '' }, 401, 'KEY_MISSING'],
    ['with an unknown key', { authorization: 'Bearer nobody' }, 401, 'KEY_UNKNOWN'],
    ['with an expired key', { authorization: 'Bearer key-of-expired' }, 401, 'KEY_EXPIRED'],
    ['with another scheme', { authorization: 'Basic key-of-payer' }, 401, 'KEY_MISSING'],
  ])('a caller %s is refused', async (_, headers, status, code) => {
    const answer = await fixture.post('/v1/paye/events', paymentJson(), { headers });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('a client is refused for accounts that are not its own', async () => {
    const answer = await fixture.post('/v1/paye/events', [paymentJson()], { client: 'stranger' });
    expect([answer.status, answer.body.code]).toEqual([403, 'ACCOUNT_NOT_YOURS']);
    expect(answer.body.faults).toEqual([
      { code: 'ACCOUNT_NOT_YOURS', pointer: '/0/payeReference', detail: expect.any(String) },
    ]);
  });

  it('another method and another path are refused as problems, and a given correlation id comes back', async () => {
    const other = await fetch(`${fixture.url}/v1/paye/events`, { headers: { 'x-correlation-id': 'till-7.42' } });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
    expect(other.headers.get('x-correlation-id')).toBe('till-7.42');
    const nothing = await fetch(`${fixture.url}/v1/nothing/paye:123-AB456`, { headers: { 'x-correlation-id': 'a b' } });
    expect([nothing.status, ((await nothing.json()) as { code: string }).code]).toEqual([404, 'NOT_FOUND']);
    expect(nothing.headers.get('x-correlation-id')).not.toBe('a b');
    expect(fixture.lines.join('\n')).not.toContain('123-AB456');
  });

  it('is counted: events by tax and type, refusals by code, never by account', async () => {
    const text = await fixture.metrics.registry.metrics();
    expect(text).toMatch(/tally_gateway_events_accepted_total\{tax="paye",type="PaymentMade"\} \d+/);
    expect(text).toMatch(/tally_gateway_requests_refused_total\{code="KEY_EXPIRED"\} 2/);
    expect(text).toMatch(/tally_gateway_faults_total\{code="BAD_TAX_CODE"\} \d+/);
    expect(text).not.toMatch(/AB456|101747696/);
  });
});
