import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { AppendRecord } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { KEYED_PARTITIONS_DEFAULT, PAYE_EVENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { summaryOf } from '../support/operate-service.ts';
import { paymentJson } from '../support/own-events.ts';
import { idOf, samplePayment, sampleSale } from '../support/sample-events.ts';
import { eventually, tally } from '../support/service-process.ts';
import { appendTo, type OddRecord, type Whole } from '../support/whole.ts';

export interface RejectionRow {
  readonly position: string;
  readonly account: string | null;
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number };
}

const recordOf = (event: TaxEvent): AppendRecord => ({ key: event.account, value: encodeEvent(event) });
export const SHOP = account('vat:101747696');
const EMPLOYER = account('paye:123/AB456');
export const RIGHT_PARTITION = partitionOf(SHOP, KEYED_PARTITIONS_DEFAULT);

export async function rejectionsList({ service }: Whole): Promise<readonly RejectionRow[]> {
  const path = '/tax/v1/rejections?limit=1000';
  const { status, body } = await service.call<{ rejections: RejectionRow[] }>('operator', 'GET', path);
  expect(status).toBe(200);
  return body.rejections;
}

/**
 * Records in the log that should not be there: a repeat, a reordered pair, poison, an unknown schema, the wrong place. Run on the embedded
 * engines and on Kafka; the whole stays open for what a caller adds, and is stopped and checked by it.
 */
export function oddRecordsEndWhereTheyShould<W extends Whole>(open: () => Promise<W>): () => W {
  let whole: W;
  beforeAll(async () => {
    whole = await open();
  }, 720_000);
  afterAll(() => whole?.dispose(), 360_000);

  it('each end where they should, and nothing else is disturbed', { timeout: 360_000 }, async () => {
    const { service } = whole;
    await service.start();
    expect((await service.call('payer', 'POST', '/payer/v1/events/paye', [paymentJson(1)])).status).toBe(202);
    await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.paye.payerCopy.events === 1,
    );

    const sale = sampleSale('sale');
    const other = sampleSale('other', { seq: 2, prevHash: sale.hash });
    const refund = sampleSale('refund', {
      seq: 3,
      prevHash: other.hash,
      tillType: 'REFUND',
      originalEventId: idOf('late sale'),
      lines: [{ id: '1', category: 'standard', qty: null, ratePct: null, paidPence: pence(-600) }],
    });
    const lateSale = sampleSale('late sale', { tillId: 'T2' });
    const changed = { ...sale, totalPence: pence(2_400) };
    const unknown = Buffer.concat([
      Buffer.from('c301', 'hex'),
      Buffer.from('00ff00ff00ff00ff', 'hex'),
      Buffer.alloc(8),
    ]);
    const cut = encodeEvent(samplePayment('cut')).subarray(0, 40);
    const ofVat: OddRecord[] = [
      recordOf(sale),
      recordOf(sale),
      // The same id with another body.
      { key: SHOP, value: encodeEvent(changed) },
      recordOf(other),
      // A refund that comes before the sale that it names waits for it.
      recordOf(refund),
      recordOf(lateSale),
      // Of a schema that nobody knows, of no schema, of no value.
      { key: SHOP, value: unknown },
      { key: SHOP, value: Buffer.from('{"type":"SALE"}') },
      { key: SHOP, value: null },
      // In the wrong partition, under the key of another account, in the topic of the other tax.
      { ...recordOf(sampleSale('astray', { seq: 4 })), partition: (RIGHT_PARTITION + 1) % KEYED_PARTITIONS_DEFAULT },
      { key: EMPLOYER, value: encodeEvent(sampleSale('under another', { seq: 5 })) },
      recordOf(samplePayment('in the topic of the other tax')),
    ];
    const ofPaye = [{ key: EMPLOYER, value: cut }, recordOf(samplePayment('good', { worksNumber: 'W77' }))];
    await whole.withLog(async (log) => {
      await appendTo(log, VAT_EVENTS, ofVat);
      await appendTo(log, PAYE_EVENTS, ofPaye);
    });

    const settled = await eventually(
      () => summaryOf(service),
      ({ taxes }) =>
        taxes.vat.rejected >= 6 &&
        taxes.paye.rejected >= 2 &&
        taxes.paye.hmrcCopy.events === 2 &&
        taxes.vat.decided.events === 4,
    );
    expect(settled.taxes.vat).toMatchObject({ repeats: 1, waiting: { events: 0 } });
    // £12.00 three times less a refund of £6.00, at 20% of the takings within: (3,600 - 600) / 6.
    expect(settled.taxes.vat.decided).toMatchObject({ events: 4, amounts: [{ head: 'outputVat', pence: 500 }] });
    const rejections = await eventually(
      () => rejectionsList(whole),
      (rows) => rows.length >= 8,
    );
    expect(rejections.map(({ account, code, origin }) => `${origin.topic} ${account} ${code}`).sort()).toEqual([
      'paye.events.v1 null RECORD_UNREADABLE',
      'vat.events.v1 null KEY_MISMATCH',
      'vat.events.v1 null RECORD_EMPTY',
      'vat.events.v1 null RECORD_UNREADABLE',
      'vat.events.v1 null SCHEMA_UNKNOWN',
      'vat.events.v1 null WRONG_PARTITION',
      'vat.events.v1 null WRONG_TOPIC',
      'vat.events.v1 vat:101747696 EVENT_ID_CONFLICT',
    ]);
  });

  it('can be shown and sent again, and are decided anew as what they are', { timeout: 180_000 }, async () => {
    const { service } = whole;
    const before = await rejectionsList(whole);
    const [first] = before;
    const listed = await tally(['rejections', 'list', '--json', '--data-dir', service.dataDir]);
    expect({ code: listed.code, rows: JSON.parse(listed.stdout) }).toEqual({ code: 0, rows: before });
    const at = first?.position ?? '';
    const shown = await tally(['rejections', 'show', at, '--json', '--data-dir', service.dataDir]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ position: at, code: first?.code });
    const redriven = await tally(['rejections', 'redrive', at, '--json', '--data-dir', service.dataDir]);
    expect({ code: redriven.code, ...JSON.parse(redriven.stdout) }).toMatchObject({ code: 0, redriven: 1 });
    const after = await eventually(
      () => rejectionsList(whole),
      (rows) => rows.length === before.length + 1,
    );
    expect(after[0]).toMatchObject({ code: first?.code });
    const none = await tally(['rejections', 'show', '0-999999', '--data-dir', service.dataDir]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('NOT_FOUND') });
  });
  return () => whole;
}
