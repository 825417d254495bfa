import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { eventOf, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import { type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../libs/core/decisions/decision.ts';
import type { VatEvent } from '../../libs/core/events/vat-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { decideVat } from '../../libs/core/vat/decide/decide-vat.ts';
import { vatRateOn } from '../../libs/core/vat/rates/vat-rules.ts';
import { periodOfDate, returnOfPeriod } from '../../libs/core/vat/return/return-of-period.ts';
import { CreditMatcher } from '../../services/cli/documents/match-credit-notes.ts';
import { countInvoiceRows, salesDocuments } from '../../services/cli/documents/sales-file.ts';
import { TillNumbers } from '../../services/cli/import/till-numbers.ts';
import { readSalesMapping } from '../../services/cli/mapping/sales-mapping.ts';
import { capability } from '../support/capabilities.ts';
import { type IndependentQuarter, quartersOf } from '../support/independent-vat.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';

const VRN = '101747696';
const OWNER = account(`vat:${VRN}`);
/** The quarters of the file, 17.5% until 3 January 2011 and 20% from the 4th, by their keys. */
const QUARTERS = new Map([
  ['2010-10-01', '10A4'],
  ['2011-01-01', '11A1'],
  ['2011-04-01', '11A2'],
  ['2011-07-01', '11A3'],
  ['2011-10-01', '11A4'],
]);
const data = capability('real-data');
const file = join(data.path, 'pos/online_retail_2010-12_2011-12.csv.gz');

/** The nine boxes in pence: 1 to 5 to the penny, 6 to 9 in whole pounds. */
function expectedBoxes({ vatPence, netPence, dispatchedPence }: IndependentQuarter): Readonly<Record<number, number>> {
  const pounds = (pence: number): number => Math.trunc(pence / 100) * 100;
  const [sales, dispatched] = [pounds(netPence), pounds(dispatchedPence)];
  return { 1: vatPence, 2: 0, 3: vatPence, 4: 0, 5: Math.abs(vatPence), 6: sales, 7: 0, 8: dispatched, 9: 0 };
}

interface View {
  readonly periodKey: string;
  readonly boxesPence: Readonly<Record<number, number>>;
  readonly takings: readonly { readonly treatment: string; readonly grossPence: number; readonly vatPence: number }[];
  readonly provisional: boolean;
  readonly closed: string;
  readonly events: number;
  readonly eventsBehind: Readonly<Record<number, readonly { readonly boxes: Readonly<Record<number, number>> }[]>>;
}

describe.skipIf(!data.available)('Online Retail, prices taken without VAT, through the running process', () => {
  let service: ServiceProcess;

  beforeAll(async () => {
    service = new ServiceProcess();
    await service.start();
  });
  afterAll(() => service.dispose());

  const reach = () => ['--data-dir', service.dataDir, '--json'];
  const view = async (period: string, events = 0): Promise<View> => {
    const { stdout, stderr } = await tally(['vat', 'return', VRN, period, '--events', String(events), ...reach()]);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as View;
  };

  it('has the boxes of five quarters to the penny, and files the first of them by HMRC’s API', {
    timeout: 900_000,
  }, async () => {
    const mapping = 'docs/mappings/online-retail-without-vat.json';
    const imported = await tally(['import', 'sales', file, '--mapping', mapping, '--vrn', VRN, ...reach()]);
    const summary = JSON.parse(imported.stdout) as { accepted: number; events: number; rejections: unknown[] };
    expect(summary.rejections).toEqual([]);
    expect(summary.accepted).toBe(25_900);

    const independent = quartersOf(file, false);
    expect([...independent.keys()]).toEqual([...QUARTERS.keys()]);
    let events = 0;
    for (const [start, quarter] of independent) {
      const seen = await view(start);
      expect(seen.boxesPence).toEqual(expectedBoxes(quarter));
      expect(seen.periodKey).toBe(QUARTERS.get(start));
      expect(seen.provisional).toBe(true);
      const counted = seen.takings.filter(({ treatment }) => treatment !== 'O');
      expect(counted.reduce((sum, { grossPence, vatPence }) => sum + grossPence - vatPence, 0)).toBe(quarter.netPence);
      events += seen.events;
    }
    expect(events).toBe(summary.events);
    expect((await view('10A4', 3)).eventsBehind[8]?.length).toBe(3);

    await fileFirstQuarter(independent.get('2010-10-01'));
  });

  async function fileFirstQuarter(quarter: IndependentQuarter | undefined): Promise<void> {
    if (quarter === undefined) throw new Error('the file has a first quarter');
    const boxes = expectedBoxes(quarter);
    const pounds = (box: number): number => (boxes[box] ?? 0) / 100;
    const declared = {
      periodKey: '10A4',
      vatDueSales: pounds(1),
      vatDueAcquisitions: 0,
      totalVatDue: pounds(3),
      vatReclaimedCurrPeriod: 0,
      netVatDue: pounds(5),
      totalValueSalesExVAT: pounds(6),
      totalValuePurchasesExVAT: 0,
      totalValueGoodsSuppliedExVAT: pounds(8),
      totalAcquisitionsExVAT: 0,
      finalised: true,
    };
    const post = () =>
      fetch(`${service.url}/organisations/vat/${VRN}/returns`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${service.key('payer')}`,
          accept: 'application/vnd.hmrc.1.0+json',
          'content-type': 'application/json',
        },
        body: JSON.stringify(declared),
      });
    expect((await post()).status).toBe(201);
    expect([(await post()).status]).toEqual([403]);
    // The close goes to tax and comes back in a block: from then on nothing changes the quarter.
    const closed = await eventually(
      () => view('2010-10-01'),
      (seen) => seen.closed === 'hard',
    );
    expect(closed.boxesPence).toEqual(boxes);
    expect(closed.provisional).toBe(false);
  }
});

describe.skipIf(!data.available)('Online Retail, prices taken to include VAT', () => {
  it('has the boxes of five quarters to the penny, each the sum of its entries', { timeout: 360_000 }, async () => {
    const rules = loadTaxRules();
    const sha256 = (bytes: Uint8Array | string): Uint8Array => createHash('sha256').update(bytes).digest();
    const mapping = await readSalesMapping('docs/mappings/online-retail.json', rules.vat);
    const documents = salesDocuments(
      { file, mapping },
      {
        mapping,
        vrn: VRN,
        rateOf: (category: string, date: LocalDate) => vatRateOn(rules.vat, category, date, 'GB'),
        matcher: new CreditMatcher(),
      },
      await countInvoiceRows({ file, mapping }),
    );
    const till = new TillNumbers((event) => tillEventHash(event, sha256));
    const state = new Map<string, StateValue>();
    const view = { get: (key: string) => state.get(key) };
    const duePence = new Map<string, number>();
    let number = 0;
    // Looked at once at the end: an expectation for each of 27,703 events would cost more than deciding them.
    const refused: string[] = [];
    for await (const { refusal, write } of documents) {
      if (refusal !== null) refused.push(refusal.reason);
      const events = till.numbered(write(0));
      till.taken();
      const { drafts } = readSubmissions('vat', events, rules);
      if (drafts.length !== events.length) refused.push(`${events.length - drafts.length} at the door`);
      for (const draft of drafts) {
        const event = eventOf(draft, { receivedAtMs: Date.UTC(2026, 10, 21), person: null }) as VatEvent;
        const hash = createHash('sha256').update(JSON.stringify(event)).digest('hex');
        const decision = decideVat(event, hash, view, rules.vat);
        if (decision.outcome !== 'accepted') refused.push(`${event.eventId} ${decision.outcome}`);
        for (const { key, value } of decision.changes) value === null ? state.delete(key) : state.set(key, value);
        for (const { taxPeriod, amounts } of decision.results) {
          const quarter = taxPeriod.slice(0, 10);
          const moved = amounts.reduce((sum, { pence }) => sum + pence, 0);
          duePence.set(quarter, (duePence.get(quarter) ?? 0) + moved);
        }
        number += 1;
      }
    }
    expect(refused).toEqual([]);
    expect(number).toBeGreaterThan(25_900);
    for (const [start, quarter] of quartersOf(file, true)) {
      const { boxes, direction, provisional } = returnOfPeriod(
        view,
        OWNER,
        periodOfDate(view, OWNER, localDate(start)),
      );
      expect(boxes).toEqual(expectedBoxes(quarter));
      expect([direction, provisional]).toEqual(['PAY', true]);
      expect(duePence.get(start)).toBe(boxes[3] - boxes[4]);
    }
  });
});
