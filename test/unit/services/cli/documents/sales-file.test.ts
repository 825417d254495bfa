import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import type { LocalDate } from '../../../../../libs/core/calendar/local-date.ts';
import { vatRateOn } from '../../../../../libs/core/vat/rates/vat-rules.ts';
import { CreditMatcher } from '../../../../../services/cli/documents/match-credit-notes.ts';
import { countInvoiceRows, salesDocuments } from '../../../../../services/cli/documents/sales-file.ts';
import { TillNumbers } from '../../../../../services/cli/import/till-numbers.ts';
import { readSalesMapping } from '../../../../../services/cli/mapping/sales-mapping.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-sales-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
const hashOf = (event: Record<string, unknown>): string =>
  createHash('sha256').update(JSON.stringify(event)).digest('hex');

const RULES = loadTaxRules().vat;
const rateOf = (category: string, date: LocalDate) => vatRateOn(RULES, category, date, 'GB');

interface ReadDocument {
  readonly name: string;
  readonly refusal: { readonly code: string; readonly reason: string } | null;
  readonly events: readonly Record<string, unknown>[];
}

async function read(
  rows: readonly string[],
  gzip = false,
  mappingFile = 'docs/mappings/online-retail.json',
): Promise<ReadDocument[]> {
  const file = join(folder, gzip ? 'sales.csv.gz' : 'sales.csv');
  const text = [HEADER, ...rows].join('\n');
  writeFileSync(file, gzip ? gzipSync(text) : text);
  const mapping = await readSalesMapping(mappingFile, RULES);
  const rowsOf = await countInvoiceRows({ file, mapping });
  const till = new TillNumbers(hashOf);
  const options = { mapping, vrn: '101747696', rateOf, matcher: new CreditMatcher() };
  const documents: ReadDocument[] = [];
  for await (const { name, refusal, write } of salesDocuments({ file, mapping }, options, rowsOf)) {
    const events = till.numbered(write(0));
    till.taken();
    documents.push({ name, refusal, events });
  }
  return documents;
}

function linesOf(event: Record<string, unknown> | undefined): { category: string; paidPence: number }[] {
  return (event?.['lines'] ?? []) as { category: string; paidPence: number }[];
}

describe('a file of sales becomes the events of one till', () => {
  it('makes one sale of an invoice, with prices extended to the penny per line and the civil time of London', async () => {
    const [document] = await read([
      '536365,85123A,"HOLDER, WHITE",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom',
      '536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom',
    ]);
    expect(document?.events).toHaveLength(1);
    expect(document?.events[0]).toMatchObject({
      type: 'SALE',
      vrn: '101747696',
      seq: 1,
      prevHash: null,
      occurredAt: '2010-12-01T08:26:00Z',
      totalPence: 6 * 255 + 6 * 339,
      lines: [
        { id: '1', category: 'standard', qty: '6', paidPence: 6 * 255 },
        { id: '2', category: 'standard', qty: '6', paidPence: 6 * 339 },
      ],
    });
  });

  it('chains the events: each carries the hash of the one before', async () => {
    const documents = await read([
      '1,A,X,1,2010-12-01 08:26:00,1.00,1,United Kingdom',
      '2,A,X,1,2010-12-01 08:27:00,1.00,1,United Kingdom',
    ]);
    const [first, second] = documents.flatMap((document) => document.events);
    expect(second?.['seq']).toBe(2);
    expect(second?.['prevHash']).toBe(hashOf(first ?? {}));
  });

  it('splits a credit note: a linked refund for each sale it reaches, an unlinked one for the rest', async () => {
    const documents = await read([
      '1,A,X,2,2010-12-01 08:26:00,1.00,1,United Kingdom',
      '2,A,X,1,2011-02-01 08:26:00,1.00,1,United Kingdom',
      'C3,A,X,-4,2011-02-02 09:00:00,1.00,1,United Kingdom',
    ]);
    const refunds = documents[2]?.events ?? [];
    expect(refunds.map((event) => [event['type'], event['totalPence'], 'originalEventId' in event])).toEqual([
      ['REFUND', -200, true],
      ['REFUND', -100, true],
      ['REFUND', -100, false],
    ]);
    expect(refunds[0]?.['originalEventId']).toBe(documents[0]?.events[0]?.['eventId']);
    expect(refunds[2]?.['unlinkedReason']).toMatch(/no earlier sale/);
  });

  it('rates what goes abroad zero, bank charges exempt, and keeps fees, bad debts and write-offs off the return', async () => {
    const documents = await read([
      '1,A,X,1,2010-12-01 08:26:00,1.00,1,Switzerland',
      '2,BANK CHARGES,X,1,2010-12-01 08:26:00,15.00,,United Kingdom',
      '3,AMAZONFEE,X,1,2010-12-01 08:26:00,100.00,,United Kingdom',
      'A4,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom',
      '5,84347,damaged,-9360,2010-12-02 14:23:00,0.0,,United Kingdom',
    ]);
    expect(documents.map((document) => [document.events[0]?.['type'], document.refusal])).toEqual([
      ['SALE', null],
      ['SALE', null],
      ['NO_SALE', null],
      ['NO_SALE', null],
      ['NO_SALE', null],
    ]);
    expect(documents[0]?.events[0]?.['lines']).toMatchObject([{ category: 'zero' }]);
    expect(documents[1]?.events[0]?.['lines']).toMatchObject([{ category: 'exempt' }]);
  });

  it('keeps what is dispatched to the EU apart from other exports, for box 8', async () => {
    const documents = await read([
      '1,A,X,1,2010-12-01 08:26:00,1.00,1,France',
      '2,A,X,1,2010-12-01 08:27:00,1.00,2,Japan',
      '3,BANK CHARGES,X,1,2010-12-01 08:28:00,15.00,,France',
    ]);
    const categories = documents.map(({ events }) => linesOf(events[0])[0]?.category);
    expect(categories).toEqual(['goods.dispatched_eu', 'zero', 'exempt']);
  });

  it('puts VAT on top of prices without it, line by line, at the rate of the day', async () => {
    const documents = await read(
      [
        '1,A,X,3,2010-12-01 08:26:00,2.55,1,United Kingdom',
        '1,D,X,1,2010-12-01 08:26:00,0.85,1,United Kingdom',
        '2,A,X,3,2011-01-04 00:00:00,2.55,1,United Kingdom',
        '3,A,X,3,2011-01-04 00:01:00,2.55,2,France',
      ],
      false,
      'docs/mappings/online-retail-without-vat.json',
    );
    const paid = documents.map(({ events }) => linesOf(events[0]).map((line) => line.paidPence));
    expect(paid).toEqual([
      // 17.5% of 765 is 133.875, of 85 is 14.875: 134 and 15
      [765 + 134, 85 + 15],
      // 20% of 765 is 153
      [765 + 153],
      [765],
    ]);
  });

  it('gives back price and VAT at the rate of the sale, so that the parts of a refund sum to what was paid', async () => {
    const documents = await read(
      [
        '1,A,X,3,2010-12-31 08:26:00,0.85,1,United Kingdom',
        'C2,A,X,-1,2011-01-05 09:00:00,0.85,1,United Kingdom',
        'C3,A,X,-1,2011-01-06 09:00:00,0.85,1,United Kingdom',
        'C4,A,X,-1,2011-01-07 09:00:00,0.85,1,United Kingdom',
      ],
      false,
      'docs/mappings/online-retail-without-vat.json',
    );
    const totals = documents.map(({ events }) => events[0]?.['totalPence']);
    // 255 and 17.5% of it, 44.625: 300. Of 85 it is 14.875, of 170 29.75: 100, then 200 less 100, then 300 less 200.
    expect(totals).toEqual([300, -100, -100, -100]);
  });

  it('refuses an invoice whole for one bad line, names line and column, and goes on with the next', async () => {
    const documents = await read([
      '1,A,X,1,2010-12-01 08:26:00,1.00,1,United Kingdom',
      '1,B,X,two,2010-12-01 08:26:00,1.00,1,United Kingdom',
      '2,A,X,1,2010-12-01 08:27:00,1.00,1,United Kingdom',
    ]);
    expect(documents[0]?.refusal).toEqual({
      code: 'DECIMAL_INVALID',
      reason: 'line 3, column "Quantity": "aaa" is no amount written as 1234.56: correct it',
    });
    expect(documents[0]?.events).toEqual([]);
    expect(documents[1]?.events[0]?.['seq']).toBe(1);
  });

  it('gives the same ids each time, reads gzip directly, and keeps an invoice together whose rows lie apart', async () => {
    const rows = [
      '1,A,X,1,2010-12-01 08:26:00,1.00,1,United Kingdom',
      '2,A,X,1,2010-12-01 08:27:00,1.00,1,United Kingdom',
      '1,Z,X,1,2010-12-01 08:26:00,2.00,1,United Kingdom',
    ];
    const plain = await read(rows);
    expect(await read(rows, true)).toEqual(plain);
    expect(plain.map((document) => [document.name, document.events[0]?.['totalPence']])).toEqual([
      ['2', 100],
      ['1', 300],
    ]);
  });
});
