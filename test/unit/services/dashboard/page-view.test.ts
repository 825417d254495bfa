import { describe, expect, it } from 'vitest';
import { pounds, viewOf } from '../../../../services/dashboard/page-view.ts';
import { renderPage } from '../../../../services/dashboard/render-page.ts';
import type { PageCounted, PageSummary, PageTax } from '../../../../services/dashboard/summary-shape.ts';

const NOW_MS = Date.UTC(2026, 6, 21, 10, 15, 0);
const NOTHING: PageCounted = { events: 0, basePence: 0, amounts: [] };

function tax(other: Partial<PageTax> = {}): PageTax {
  return {
    received: NOTHING,
    unreadable: 0,
    repeats: 0,
    rejected: 0,
    waiting: NOTHING,
    decided: NOTHING,
    hmrcCopy: NOTHING,
    payerCopy: NOTHING,
    differences: (['decision', 'hmrcCopy', 'payerCopy'] as const).map((stage) => ({
      stage,
      inFlight: NOTHING,
      overdue: NOTHING,
      oldestUnmatchedSeconds: 0,
      differs: 0,
    })),
    stated: NOTHING,
    chargesPence: 0,
    paymentsPence: 0,
    balancePence: 0,
    rejections: [],
    flags: [],
    ...other,
  };
}

function summary(other: Partial<PageSummary> = {}): PageSummary {
  return {
    asOf: new Date(NOW_MS).toISOString(),
    state: 'agreed',
    liabilityToday: { day: '2026-07-21', basis: 'gross until inputs are in', taxes: { paye: NOTHING, vat: NOTHING } },
    rates: { eventsPerSecond: 0, entriesPerSecond: 0, blocksPerSecond: 0 },
    receiptToCopy: { p50Ms: null, p99Ms: null },
    taxes: { paye: tax(), vat: tax() },
    blocks: {
      sealed: 0,
      acknowledged: 0,
      unacknowledgedInFlight: 0,
      unacknowledgedOverdue: 0,
      chains: 0,
      divergentCopies: 0,
    },
    tillGaps: 0,
    ...other,
  };
}

describe('pounds', () => {
  it.each([
    [0, '£0.00'],
    [7, '£0.07'],
    [123_456_789, '£1,234,567.89'],
    [-123_456, '−£1,234.56'],
    [9_007_199_254_740_991, '£90,071,992,547,409.91'],
  ])('writes %i pence as %s', (pence, text) => {
    expect(pounds(pence)).toBe(text);
  });
});

describe('viewOf', () => {
  it('adds what is in flight and overdue over all stages, by head', () => {
    const counted = (events: number, pence: number): PageCounted => ({
      events,
      basePence: pence * 6,
      amounts: [{ head: 'outputVat', pence }],
    });
    const differences = [
      {
        stage: 'decision',
        inFlight: { ...NOTHING, events: 5, basePence: 500 },
        overdue: NOTHING,
        oldestUnmatchedSeconds: 1,
        differs: 0,
      },
      { stage: 'hmrcCopy', inFlight: counted(2, 200), overdue: NOTHING, oldestUnmatchedSeconds: 3, differs: 0 },
      {
        stage: 'payerCopy',
        inFlight: counted(1, 100),
        overdue: counted(4, 400),
        oldestUnmatchedSeconds: 99,
        differs: 0,
      },
    ] as const;
    const { cells } = viewOf(summary({ taxes: { paye: tax(), vat: tax({ differences: [...differences] }) } }), 0);
    expect(cells['vat.events.inFlight']).toBe('8');
    expect(cells['vat.outputVat.inFlight']).toBe('£3.00');
    expect(cells['vat.outputVat.overdue']).toBe('£4.00');
    expect(cells['vat.payerCopy.oldest']).toBe('99 s');
  });

  it('leaves payments out of the liability, and shows negative VAT as negative', () => {
    const amounts = [
      { head: 'outputVat', pence: 1_000 },
      { head: 'inputVat', pence: -2_500 },
      { head: 'payment', pence: 99_999 },
    ] as const;
    const vat = { events: 3, basePence: 0, amounts: [...amounts] };
    const { cells } = viewOf(
      summary({
        liabilityToday: { day: '2026-07-21', basis: 'gross until inputs are in', taxes: { paye: NOTHING, vat } },
      }),
      NOW_MS,
    );
    expect(cells['today.vat.total']).toBe('−£15.00');
    expect(cells['today.total']).toBe('−£15.00');
    expect(cells['day']).toBe('21 July 2026');
  });

  it('calls figures stale that are older than five seconds, whatever they say', () => {
    expect(viewOf(summary(), 5_000).banner.state).toBe('agreed');
    const { banner } = viewOf(summary(), 5_001);
    // 10:15 UTC in July is 11:15 in London.
    expect(banner).toMatchObject({ state: 'stale', text: 'They stand as of 11:15:00.' });
  });

  it('names what differs in words', () => {
    const blocks = { ...summary().blocks, divergentCopies: 2 };
    const overdue = tax();
    const [decision] = overdue.differences;
    if (decision === undefined) throw new Error();
    const differences = [{ ...decision, overdue: { ...NOTHING, events: 1_200 } }, ...overdue.differences.slice(1)];
    const { banner } = viewOf(
      summary({ state: 'differs', blocks, taxes: { paye: tax({ differences }), vat: tax() } }),
      0,
    );
    expect(banner.text).toBe('PAYE, events not decided: 1,200 overdue; 2 copies diverge.');
  });

  it.each(['behind', 'halted'] as const)('never says zero while the reconciliation is %s', (state) => {
    const { banner } = viewOf(summary({ state }), 0);
    expect(banner.state).toBe(state);
    expect(banner.title).not.toContain('zero');
  });
});

describe('renderPage', () => {
  it('has a cell for every text of the view, and a text for every cell', () => {
    const view = viewOf(summary(), 0);
    const page = renderPage(view);
    const named = new Set([...page.matchAll(/data-cell="([^"]+)"/g)].map((match) => match[1]));
    expect([...named].filter((name) => name === undefined || view.cells[name] === undefined)).toEqual([]);
    expect(Object.keys(view.cells).filter((name) => !named.has(name))).toEqual([]);
  });

  it('says that it waits before the first figures', () => {
    expect(renderPage(null)).toContain('Waiting for figures');
  });

  it('writes nothing from elsewhere and nothing unescaped', () => {
    const rejections = [{ code: '<script>alert(1)</script>', count: 1 }];
    const page = renderPage(viewOf(summary({ taxes: { paye: tax({ rejections }), vat: tax() } }), 0));
    expect(page).not.toContain('<script>alert');
    expect(page).not.toMatch(/https?:\/\//);
    expect(page).not.toMatch(/ style=| on[a-z]+=/);
  });
});
