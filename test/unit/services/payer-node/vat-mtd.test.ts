import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientRegistry, digestOfKey } from '../../../../libs/adapters/access/clients.ts';
import { canonicalJson } from '../../../../libs/core/encoding/canonical-json.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { capability } from '../../../support/capabilities.ts';
import { uuidOfName } from '../../../support/own-events.ts';
import { until } from '../../../support/payer-node-fixture.ts';
import { type ServedTrader, serveTrader } from '../../../support/served-trader.ts';

const VRN = '101747696';
const OTHER_VRN = '123456789';
const KEY = 'key-of-the-trader-0123456789abcdef012345';
const OTHER_KEY = 'key-of-another-trader-0123456789abcdef01';
const ACCEPT = 'application/vnd.hmrc.1.0+json';
/** The last quarter of 2026 has ended; 2027's first has not. */
const NOW_MS = Date.UTC(2027, 0, 15, 12);
const PERIOD = { start: '2026-10-01', end: '2026-12-31', due: '2027-02-07', periodKey: '26A4' };
const CURRENT = { start: '2027-01-01', end: '2027-03-31', due: '2027-05-07', periodKey: '27A1' };

const bound = (id: string, key: string, vrn: string) =>
  ({ id, keySha256: digestOfKey(key), accounts: [account(`vat:${vrn}`)], roles: ['payer'], expiresAt: null }) as const;
const registry = clientRegistry([bound('trader', KEY, VRN), bound('another', OTHER_KEY, OTHER_VRN)]);

let trader: ServedTrader;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(
  method: 'GET' | 'POST',
  path: string,
  more: { readonly body?: unknown; readonly key?: string; readonly accept?: string } = {},
): Promise<Answer> {
  const { body, key = KEY, accept = ACCEPT } = more;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${trader.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, accept, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: text }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

/** £120.00 at 20%, £60.00 dispatched to the EU from Northern Ireland, a £12.00 refund of the first; a purchase of £40.00 and £8.00 VAT. */
function events(): object[] {
  const chain: object[] = [];
  let prevHash: string | null = null;
  const add = (name: string, fields: Readonly<Record<string, unknown>>): void => {
    const seq = chain.length + 1;
    const lines = fields['lines'] as readonly { readonly paidPence: number }[];
    const totalPence = lines.reduce((sum, line) => sum + line.paidPence, 0);
    const payments = [{ method: 'card', amountPence: totalPence }];
    const of = { schema: 1, eventId: uuidOfName(name), vrn: VRN, tillId: 'T1', seq, prevHash, currency: 'GBP' };
    const event = { ...of, occurredAt: '2026-11-20T10:15:00Z', totalPence, payments, ...fields };
    prevHash = createHash('sha256').update(canonicalJson(event)).digest('hex');
    chain.push(event);
  };
  const line = (category: string, paidPence: number) => ({ id: '1', category, paidPence });
  add('sale', { type: 'SALE', lines: [line('standard', 12_000)] });
  add('dispatch', { type: 'SALE', region: 'NI', lines: [line('goods.dispatched_eu', 6_000)] });
  add('refund', { type: 'REFUND', originalEventId: uuidOfName('sale'), lines: [line('standard', -1_200)] });
  const purchase = { type: 'PurchaseRecorded', eventId: uuidOfName('purchase'), vrn: VRN, kind: 'purchase' };
  const from = { validFrom: PERIOD.start, cadence: 'stagger1', scheme: 'pointOfSale' };
  const registration = { type: 'TraderRegistered', eventId: uuidOfName('registration'), vrn: VRN, ...from };
  return [registration, ...chain, { ...purchase, taxPoint: '2026-12-01', netPence: 4_000, vatPence: 800 }];
}

/** What the events come to: box 1 is a sixth of £108.00, box 6 the rest of it and what was dispatched. */
const DECLARED = {
  periodKey: PERIOD.periodKey,
  vatDueSales: 18,
  vatDueAcquisitions: 0,
  totalVatDue: 18,
  vatReclaimedCurrPeriod: 8,
  netVatDue: 10,
  totalValueSalesExVAT: 150,
  totalValuePurchasesExVAT: 40,
  totalValueGoodsSuppliedExVAT: 60,
  totalAcquisitionsExVAT: 0,
};
const AT = `/organisations/vat/${VRN}`;

beforeAll(async () => {
  trader = await serveTrader({ vrn: VRN, events: events(), paidPence: 400, nowMs: NOW_MS, registry });
});

afterAll(() => trader.stop());

describe('the nine boxes at any moment', () => {
  it('come of the verified copy, are provisional, and say how complete they are', async () => {
    const { status, body } = await call('GET', `/payer/v1/vat/${VRN}/periods/${PERIOD.start}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...PERIOD,
      provisional: true,
      filed: null,
      boxesPence: { 1: 1_800, 2: 0, 3: 1_800, 4: 800, 5: 1_000, 6: 15_000, 7: 4_000, 8: 6_000, 9: 0 },
      direction: 'PAY',
      // What a person posts to file the return as it stands.
      declaration: { periodKey: '26A4', vatDueSales: 18, vatReclaimedCurrPeriod: 8, netVatDue: 10, finalised: true },
      events: 4,
      completeness: { watermark: '2026-11-20T10:15:00.000Z', tills: 1, silentTills: ['T1'], missingEvents: 0 },
    });
  });

  it.each(['26A4', '2026-12-31', '2026-10-01'])('are found under %s', async (name) => {
    expect((await call('GET', `/payer/v1/vat/${VRN}/periods/${name}`)).body).toMatchObject(PERIOD);
  });

  it('show the events behind each box, whose pence sum to it, page by page', async () => {
    const sums: Record<string, number> = {};
    const names: string[] = [];
    let after: unknown = '0.0';
    while (after !== null) {
      const page: Answer = await call('GET', `/payer/v1/vat/${VRN}/periods/26A4/events?limit=1&after=${String(after)}`);
      for (const event of page.body['events'] as { what: string; boxes: Record<string, number> }[]) {
        names.push(event.what);
        for (const [box, share] of Object.entries(event.boxes)) sums[box] = (sums[box] ?? 0) + share;
      }
      after = page.body['next'];
    }
    expect(names).toEqual(['SALE T1 1', 'SALE T1 2', 'REFUND T1 3', 'purchase']);
    expect(sums).toEqual({ 1: 1_800, 4: 800, 6: 15_000, 7: 4_000, 8: 6_000 });
    const dispatched = await call('GET', `/payer/v1/vat/${VRN}/periods/26A4/events?box=8`);
    expect((dispatched.body['events'] as { what: string }[]).map(({ what }) => what)).toEqual(['SALE T1 2']);
  });

  it('are for the trader alone', async () => {
    const answer = await call('GET', `/payer/v1/vat/${VRN}/periods`, { key: OTHER_KEY });
    expect([answer.status, answer.body['code']]).toEqual([403, 'ACCOUNT_NOT_YOURS']);
  });
});

describe('the MTD VAT API', () => {
  it('lists obligations: the quarter that ended and the one that runs, both open', async () => {
    const { status, body, headers } = await call('GET', `${AT}/obligations?status=O`);
    expect(status).toBe(200);
    expect(headers.get('x-correlationid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual({
      obligations: [
        { ...PERIOD, status: 'O' },
        { ...CURRENT, status: 'O' },
      ],
    });
    const first = await call('GET', `${AT}/obligations?from=2026-01-01&to=2026-12-31`);
    expect(first.body).toEqual({ obligations: [{ ...PERIOD, status: 'O' }] });
  });

  it('refuses every fault of a body at once, each with its path, where there are several', async () => {
    const { periodKey, ...rest } = DECLARED;
    const { status, body } = await call('POST', `${AT}/returns`, {
      body: { ...rest, vatDueSales: 'eighteen', finalised: true },
    });
    expect(periodKey).toBe('26A4');
    expect(status).toBe(400);
    expect(body).toEqual({
      code: 'INVALID_REQUEST',
      message: 'Invalid request',
      errors: [
        { code: 'MANDATORY_FIELD_MISSING', message: 'a mandatory field is missing', path: '/periodKey' },
        { code: 'INVALID_NUMERIC_VALUE', message: 'please provide a numeric field', path: '/vatDueSales' },
      ],
    });
  });

  it('refuses a return that gives boxes twice, and files nothing', async () => {
    const twice = JSON.stringify({ ...DECLARED, finalised: true }).replace(
      '{',
      '{"vatDueSales":1018,"netVatDue":1010,',
    );
    const { status, body } = await call('POST', `${AT}/returns`, { body: twice });
    expect([status, body['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect((await call('GET', `${AT}/returns/26A4`)).status).toBe(404);
  });

  it('takes the return that a person declares, once, shows it, and closes its period for good', async () => {
    const body = { ...DECLARED, finalised: true };
    const filed = await call('POST', `${AT}/returns`, { body });
    expect([filed.status, filed.body['code']]).toEqual([201, undefined]);
    expect(filed.headers.get('receipt-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(filed.headers.get('receipt-timestamp')).toBe(new Date(NOW_MS).toISOString());
    expect(filed.body).toEqual({
      processingDate: new Date(NOW_MS).toISOString(),
      formBundleNumber: expect.stringMatching(/^\d{12}$/),
      chargeRefNumber: expect.stringMatching(/^[A-Z0-9]{16}$/),
    });
    for (const again of [body, { ...body, vatDueSales: 19, totalVatDue: 19, netVatDue: 11 }]) {
      const answer = await call('POST', `${AT}/returns`, { body: again });
      expect([answer.status, answer.body['code']]).toEqual([403, 'DUPLICATE_SUBMISSION']);
    }
    expect((await call('GET', `${AT}/returns/26A4`)).body).toEqual(DECLARED);
    const fulfilled = await call('GET', `${AT}/obligations?status=F&from=2026-06-01&to=2027-05-31`);
    expect(fulfilled.body).toEqual({ obligations: [{ ...PERIOD, status: 'F', received: '2027-01-15' }] });

    const view = await call('GET', `/payer/v1/vat/${VRN}/periods/26A4`);
    const { payloadHash, head } = view.body['filed'] as { payloadHash: string; head: unknown };
    expect(payloadHash).toBe(createHash('sha256').update(canonicalJson(body)).digest('hex'));
    expect(head).toEqual(view.body['asOf']);

    await until(() => trader.node.counts().unsent === 0);
    trader.hmrc.seal();
    await until(() => trader.node.counts().decided === 6);
    const closed = await call('GET', `/payer/v1/vat/${VRN}/periods/26A4`);
    expect(closed.body).toMatchObject({ closed: 'hard', provisional: false, received: '2027-01-15' });
    expect([...trader.node.divergences()]).toEqual([]);
  });

  it('shows what was filed as a liability, less what was paid, and the payment', async () => {
    const range = 'from=2026-10-01&to=2027-01-15';
    expect((await call('GET', `${AT}/liabilities?${range}`)).body).toEqual({
      liabilities: [
        {
          taxPeriod: { from: PERIOD.start, to: PERIOD.end },
          type: 'VAT Return Debit Charge',
          originalAmount: 10,
          outstandingAmount: 6,
          due: PERIOD.due,
        },
      ],
    });
    expect((await call('GET', `${AT}/payments?${range}`)).body).toEqual({
      payments: [{ amount: 4, received: '2027-01-15' }],
    });
  });
});

const data = capability('real-data');

describe.skipIf(!data.available)('HMRC’s published examples', () => {
  const folder = join(data.path, 'mtd/vat-api-1.0');
  const example = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Answer['body'];
  const whole = { ...DECLARED, periodKey: CURRENT.periodKey, finalised: true };
  const post = (body: unknown, vrn = VRN) => call('POST', `/organisations/vat/${vrn}/returns`, { body });
  const get = (path: string, vrn = VRN) => call('GET', `/organisations/vat/${vrn}/${path}`);
  const year = 'from=2026-01-01&to=2026-12-31';

  /** How each refusal comes about, by the end of the example's name. */
  const REFUSALS: Readonly<Record<string, () => Promise<Answer>>> = {
    SubmitVATreturnforperiod__response400__invalidMonetaryAmount: () => post({ ...whole, netVatDue: -0.01 }),
    SubmitVATreturnforperiod__response400__invalidNetValue: () => post({ ...whole, netVatDue: 11 }),
    SubmitVATreturnforperiod__response400__invalidNumericValue: () => post({ ...whole, netVatDue: 'ten' }),
    SubmitVATreturnforperiod__response400__invalidPeriodKey: () => post({ ...whole, periodKey: '18a1' }),
    SubmitVATreturnforperiod__response400__invalidRequest: () => post('{"periodKey":'),
    SubmitVATreturnforperiod__response400__invalidTotalValue: () => post({ ...whole, vatDueAcquisitions: 1 }),
    SubmitVATreturnforperiod__response400__invalidVrn: () => post(whole, '12345678'),
    SubmitVATreturnforperiod__response403__clientNotSubscribedToMTD: () => post(whole, OTHER_VRN),
    SubmitVATreturnforperiod__response403__duplicateSubmission: () => post({ ...whole, periodKey: PERIOD.periodKey }),
    SubmitVATreturnforperiod__response403__notDeclared: () => post({ ...whole, finalised: false }),
    SubmitVATreturnforperiod__response403__submittedToEarly: () => post(whole),
    ViewVATReturn__response400__invalidNino: () => get('returns/26A4', '1234567890'),
    ViewVATReturn__response400__periodKeyInvalid: () => get('returns/26a4'),
    ViewVATReturn__response403__clientNotSubscribedToMTD: () => get('returns/26A4', OTHER_VRN),
    ViewVATReturn__response404__notFound: () => get('returns/%23001'),
    RetrieveVATobligations__response400__invalidDateFrom: () => get('obligations?from=2026-13-01&to=2026-12-31'),
    RetrieveVATobligations__response400__invalidDateRange: () => get('obligations?from=2025-01-01&to=2026-01-03'),
    RetrieveVATobligations__response400__invalidDateTo: () => get('obligations?from=2026-01-01'),
    RetrieveVATobligations__response400__invalidNino: () => get(`obligations?${year}`, 'ABC'),
    RetrieveVATobligations__response400__invalidStatus: () => get(`obligations?${year}&status=X`),
    RetrieveVATobligations__response403__clientNotSubscribedToMTD: () => get(`obligations?${year}`, OTHER_VRN),
    RetrieveVATobligations__response404__invalidNino: () => get('obligations?from=2020-01-01&to=2020-12-31'),
    RetrieveVATliabilities__response400__invalidDateFrom: () => get('liabilities?from=2017-11-30&to=2018-01-01'),
    RetrieveVATliabilities__response400__invalidDateRange: () => get('liabilities?from=2025-01-01&to=2026-01-02'),
    RetrieveVATliabilities__response400__invalidDateTo: () => get('liabilities?from=2026-12-01&to=2027-01-16'),
    RetrieveVATliabilities__response400__invalidNino: () => get(`liabilities?${year}`, '0'),
    RetrieveVATliabilities__response403__clientNotSubscribedToMTD: () => get(`liabilities?${year}`, OTHER_VRN),
    RetrieveVATliabilities__response404__invalidNino: () => get('liabilities?from=2020-01-01&to=2020-12-31'),
    RetrieveVATpayments__response400__invalidDateFrom: () => get('payments?to=2026-12-31'),
    RetrieveVATpayments__response400__invalidDateRange: () => get('payments?from=2026-12-31&to=2026-12-30'),
    RetrieveVATpayments__response400__invalidDateTo: () => get('payments?from=2026-12-01&to=x'),
    RetrieveVATpayments__response400__invalidNino: () => get(`payments?${year}`, '0'),
    RetrieveVATpayments__response403__clientNotSubscribedToMTD: () => get(`payments?${year}`, OTHER_VRN),
    RetrieveVATpayments__response404__invalidNino: () => get('payments?from=2020-01-01&to=2020-12-31'),
    RetrieveVATpenalties__response400__invalidVrn: () => get('penalties', '12345678X'),
    RetrieveVATpenalties__response403__clientNotSubscribedToMTD: () => get('penalties', OTHER_VRN),
    Retrievefinancialdetails__response400__invalidChargeReference: () => get('financial-details/XP12-3456789012'),
    Retrievefinancialdetails__response400__invalidVrn: () => get('financial-details/XP123456789012', '1'),
    Retrievefinancialdetails__response403__clientNotSubscribedToMTD: () =>
      get('financial-details/XP123456789012', OTHER_VRN),
    Retrievefinancialdetails__response404__notFound: () => get('financial-details/XP123456789012'),
    RetrieveVATCustomerInformation__response400__invalidVrn: () => get('information', '12345678X'),
    RetrieveVATCustomerInformation__response401__invalidCredentials: () =>
      call('GET', `${AT}/information`, { key: 'nobody-has-this-key' }),
    RetrieveVATCustomerInformation__response403__clientNotSubscribedToMTD: () => get('information', OTHER_VRN),
    RetrieveVATCustomerInformation__response404__invalidNino: () => get('information'),
  };
  const NOT_OURS = /ruleInsolventTrader|dateRangeTooLarge$/;

  it('has every refusal of every endpoint among the examples below', () => {
    const named = readdirSync(folder).map((file) => file.replace('.json', ''));
    const refusals = named.filter((name) => /response4/.test(name) && !NOT_OURS.test(name));
    expect(Object.keys(REFUSALS).sort()).toEqual(refusals.sort());
  });

  it.each(Object.keys(REFUSALS))('%s is answered with that status and that body', async (name) => {
    const answer = await REFUSALS[name]?.();
    expect(answer?.body).toEqual(example(name));
    expect(answer?.status).toBe(Number(/response(\d+)/.exec(name)?.[1]));
  });

  it('of requests pass every check of the body; only their period keys were never given by us', async () => {
    for (const number of [1, 2]) {
      const answer = await post(example(`SubmitVATreturnforperiod__request__example-${number}`));
      expect([answer.status, answer.body['code']]).toEqual([400, 'PERIOD_KEY_INVALID']);
    }
  });

  it('of answers have the fields that ours have', async () => {
    const fields = (one: unknown) => Object.keys((one ?? {}) as object).sort();
    const first = (body: Answer['body'], list: string) => (body[list] as unknown[])[0];
    const obligations = await get('obligations?from=2026-06-01&to=2027-05-31');
    for (const number of [1, 2]) {
      const theirs = example(`RetrieveVATobligations__response200__example-${number}`)['obligations'] as object[];
      expect((obligations.body['obligations'] as object[]).map(fields)).toEqual(theirs.map(fields));
      expect(fields((await get('returns/26A4')).body)).toEqual(
        fields(example(`ViewVATReturn__response200__example-${number}`)),
      );
    }
    for (const what of ['liabilities', 'payments']) {
      const ours = await get(`${what}?from=2026-10-01&to=2027-01-15`);
      const theirs = example(`RetrieveVAT${what}__response200__example`);
      expect(fields(first(ours.body, what))).toEqual(fields(first(theirs, what)));
    }
  });
});

describe('who calls', () => {
  it.each([
    ['without the Accept header of version 1.0', { accept: 'application/json' }, 406, 'ACCEPT_HEADER_INVALID'],
    ['with a key that nobody has', { key: 'nobody-has-this-key' }, 401, 'INVALID_CREDENTIALS'],
    ['for another VRN than its own', { key: OTHER_KEY }, 403, 'CLIENT_OR_AGENT_NOT_AUTHORISED'],
  ])('%s is refused', async (_how, more, status, code) => {
    const answer = await call('GET', `${AT}/obligations?status=O`, more);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });

  it('for what the API does not have gets its NOT_FOUND', async () => {
    const answer = await call('GET', `${AT}/nothing`);
    expect([answer.status, answer.body['code']]).toEqual([404, 'NOT_FOUND']);
  });
});
