import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded-log.ts';
import type { AppendRecord } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { KEYED_PARTITIONS_DEFAULT, PAYE_EVENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { summaryOf } from '../support/operate-service.ts';
import { paymentJson } from '../support/own-events.ts';
import { idOf, samplePayment, sampleSale } from '../support/sample-events.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const service = new ServiceProcess();
afterAll(() => service.dispose());

interface RejectionRow {
  readonly position: string;
  readonly account: string | null;
  readonly code: string;
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number };
}

/** Records that no door of ours would append, put into the log of a service that is stopped. */
async function append(topic: string, records: readonly (AppendRecord & { readonly partition?: number })[]) {
  const log = await openEmbeddedLog({ folder: join(service.dataDir, 'log') });
  try {
    for (const { partition, ...record } of records) {
      const place = partition ?? partitionOf(record.key ?? '', KEYED_PARTITIONS_DEFAULT);
      const [outcome] = await log.append([{ topic, partition: place, records: [record] }]);
      expect(outcome?.status).toBe('appended');
    }
  } finally {
    await log.close();
  }
}

const recordOf = (event: TaxEvent): AppendRecord => ({ key: event.account, value: encodeEvent(event) });
const SHOP = account('vat:101747696');
const EMPLOYER = account('paye:123/AB456');
const RIGHT_PARTITION = partitionOf(SHOP, KEYED_PARTITIONS_DEFAULT);

async function rejectionsList(): Promise<readonly RejectionRow[]> {
  const listed = await tally(['rejections', 'list', '--json', '--data-dir', service.dataDir]);
  expect(listed.code).toBe(0);
  return JSON.parse(listed.stdout) as RejectionRow[];
}

describe('records in the log that should not be there', () => {
  it('each end where they should, and nothing else is disturbed', { timeout: 120_000 }, async () => {
    await service.start();
    expect((await service.call('payer', 'POST', '/payer/v1/events/paye', [paymentJson(1)])).status).toBe(202);
    await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.paye.payerCopy.events === 1,
    );
    expect(await service.stop()).toBe(0);

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
    await append(VAT_EVENTS, [
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
    ]);
    await append(PAYE_EVENTS, [{ key: EMPLOYER, value: cut }, recordOf(samplePayment('good', { worksNumber: 'W77' }))]);
    await service.start();

    const settled = await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.vat.rejected >= 6 && taxes.paye.rejected >= 2 && taxes.paye.hmrcCopy.events === 2,
    );
    expect(settled.taxes.vat).toMatchObject({ repeats: 1, waiting: { events: 0 } });
    // £12.00 three times less a refund of £6.00, at 20% of the takings within: (3,600 - 600) / 6.
    expect(settled.taxes.vat.decided).toMatchObject({ events: 4, amounts: [{ head: 'outputVat', pence: 500 }] });
    const rejections = await rejectionsList();
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

  it('can be shown and sent again, and are decided anew as what they are', { timeout: 60_000 }, async () => {
    const before = await rejectionsList();
    const [first] = before;
    const at = first?.position ?? '';
    const shown = await tally(['rejections', 'show', at, '--json', '--data-dir', service.dataDir]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ position: at, code: first?.code });
    const redriven = await tally(['rejections', 'redrive', at, '--json', '--data-dir', service.dataDir]);
    expect({ code: redriven.code, ...JSON.parse(redriven.stdout) }).toMatchObject({ code: 0, redriven: 1 });
    const after = await eventually(rejectionsList, (rows) => rows.length === before.length + 1);
    expect(after[0]).toMatchObject({ code: first?.code });
    const none = await tally(['rejections', 'show', '0-999999', '--data-dir', service.dataDir]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('NOT_FOUND') });

    expect(await service.stop()).toBe(0);
    const ledger = await checkDataFolder(service.dataDir, { complete: true });
    expect(ledger.entries).toBe(6);
  });
});
