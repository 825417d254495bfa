import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { clientRegistry, digestOfKey } from '../../../../../libs/adapters/access/clients.ts';
import { canonicalJson } from '../../../../../libs/core/encoding/canonical-json.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { uuidOfName } from '../../../../support/own-events.ts';
import { type ServedTrader, serveTrader } from '../../../../support/served-trader.ts';

const VRN = '210000172';
const KEY = 'key-of-the-trader-0123456789abcdef012345';
const NOW_MS = Date.UTC(2026, 10, 30, 12);
const registry = clientRegistry([
  {
    id: 'trader',
    keySha256: digestOfKey(KEY),
    accounts: [account(`vat:${VRN}`)],
    roles: ['payer'],
    expiresAt: null,
  },
]);
let trader: ServedTrader | undefined;
afterEach(async () => {
  await trader?.stop();
  trader = undefined;
});

interface Line {
  readonly start: string;
  readonly end: string;
  readonly isOwed: boolean;
}

/** Sales of 12.00 at a till, one for each time. */
function salesAt(...times: readonly string[]): object[] {
  let prevHash: string | null = null;
  return times.map((occurredAt, index) => {
    const sale: object = {
      schema: 1,
      eventId: uuidOfName(`sale ${index}`),
      vrn: VRN,
      tillId: 'T1',
      seq: index + 1,
      prevHash,
      type: 'SALE',
      occurredAt,
      currency: 'GBP',
      lines: [{ id: '1', category: 'standard', paidPence: 1_200 }],
      totalPence: 1_200,
      payments: [{ method: 'cash', amountPence: 1_200 }],
    };
    prevHash = createHash('sha256').update(canonicalJson(sale)).digest('hex');
    return sale;
  });
}

async function get(path: string): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${KEY}`, accept: 'application/vnd.hmrc.1.0+json' };
  const response = await fetch(`${trader?.url}${path}`, { headers });
  return (await response.json()) as Record<string, unknown>;
}

const serve = async (events: readonly object[]) => {
  trader = await serveTrader({ vrn: VRN, events, paidPence: 100, nowMs: NOW_MS, registry });
};
const periods = async () => (await get(`/payer/v1/vat/${VRN}/periods`))['periods'] as readonly Line[];
const standing = async () => (await get(`/payer/v1/vat/${VRN}/periods`))['standing'];
const NO_STANDING = { points: 0, lateReturnPenaltiesPence: 0 };

describe('a till whose clock is wrong', () => {
  it.each(['2000-01-01T00:04:10Z', '1980-01-06T00:00:00Z', '2027-11-29T10:00:00Z', '2099-01-01T00:00:00Z'])(
    'at %s opens no period, obligation, point or penalty, and its sale bears the VAT of the day of receipt',
    async (occurredAt) => {
      await serve(salesAt(occurredAt));
      expect((await periods()).map(({ start, end, isOwed }) => [start, end, isOwed])).toEqual([
        ['2026-10-01', '2026-12-31', true],
      ]);
      expect(await standing()).toMatchObject(NO_STANDING);
      expect(await get(`/payer/v1/vat/${VRN}/periods/current`)).toMatchObject({
        periodKey: '26A4',
        boxesPence: { 1: 200, 6: 1_000 },
        completeness: { watermark: new Date(NOW_MS).toISOString() },
      });
      const { obligations } = await get(`/organisations/vat/${VRN}/obligations?status=O`);
      expect(obligations).toMatchObject([{ periodKey: '26A4' }]);
    },
  );
});

describe('sales of days before anything of the trader was known here', () => {
  it('count in their own periods, of which no return is owed', async () => {
    await serve(salesAt('2024-05-01T11:00:00Z', '2026-11-30T11:00:00Z'));
    expect((await periods()).map(({ start, isOwed }) => [start, isOwed])).toEqual([
      ['2024-04-01', false],
      ['2026-10-01', true],
    ]);
    expect(await standing()).toMatchObject(NO_STANDING);
    const { obligations } = await get(`/organisations/vat/${VRN}/obligations?from=2024-01-01&to=2024-12-31`);
    expect(obligations).toBeUndefined();
    expect(await get(`/payer/v1/vat/${VRN}/periods/24A2`)).toMatchObject({ boxesPence: { 1: 200 } });
  });

  it('are owed where the trader says since when it is registered, and none before', async () => {
    const registration = { validFrom: '2024-05-15', registeredOn: '2024-05-15', cadence: 'stagger1' };
    await serve([
      { type: 'TraderRegistered', eventId: uuidOfName('r'), vrn: VRN, scheme: 'pointOfSale', ...registration },
      ...salesAt('2024-05-01T11:00:00Z', '2024-06-01T11:00:00Z'),
    ]);
    const all = await periods();
    expect(all[0]).toMatchObject({ start: '2024-05-15', end: '2024-06-30', isOwed: true });
    expect(all).toHaveLength(11);
    expect(await get(`/payer/v1/vat/${VRN}/periods/2024-05-15`)).toMatchObject({ boxesPence: { 1: 200 } });
  });
});

describe('a trader who has ceased', () => {
  it('owes the return of the last period, cut at the day, and nothing after it', async () => {
    const end = { type: 'TraderDeregistered', eventId: uuidOfName('end'), vrn: VRN, deregisteredOn: '2024-07-31' };
    await serve([...salesAt('2024-05-01T11:00:00Z'), end]);
    expect((await periods()).map(({ start, end: last, isOwed }) => [start, last, isOwed])).toEqual([
      ['2024-04-01', '2024-06-30', false],
      ['2024-07-01', '2024-07-31', true],
    ]);
    expect(await standing()).toMatchObject(NO_STANDING);
    const { obligations } = await get(`/organisations/vat/${VRN}/obligations?status=O`);
    expect(obligations).toMatchObject([{ start: '2024-07-01', end: '2024-07-31', due: '2024-09-07' }]);
    expect(await get(`/payer/v1/vat/${VRN}/periods/current`)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('owes each return from registration to its end, once it said both', async () => {
    const from = { validFrom: '2024-04-01', registeredOn: '2024-04-01', cadence: 'stagger1', scheme: 'pointOfSale' };
    await serve([
      { type: 'TraderRegistered', eventId: uuidOfName('r'), vrn: VRN, ...from },
      { type: 'TraderDeregistered', eventId: uuidOfName('end'), vrn: VRN, deregisteredOn: '2024-11-15' },
    ]);
    expect((await periods()).map(({ start, end, isOwed }) => [start, end, isOwed])).toEqual([
      ['2024-04-01', '2024-06-30', true],
      ['2024-07-01', '2024-09-30', true],
      ['2024-10-01', '2024-11-15', true],
    ]);
    // The first return of a registration and one of no regular length bear no point: one of three does.
    expect(await standing()).toMatchObject({ points: 1, lateReturnPenaltiesPence: 0 });
  });
});
