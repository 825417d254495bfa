import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import type { TraderRegistered, VatEvent } from '../../libs/core/events/vat-events.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { idOf, sampleSale } from '../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../support/vat-book.ts';
import { testVatRules } from '../support/vat-rules.ts';
import { sampleAdjustment, sampleClose, samplePurchase, sampleRegistration } from '../support/vat-samples.ts';

const RULES = testVatRules();
const CATEGORIES = ['standard', 'reduced', 'zero', 'exempt', 'outside'];
/** Two quarters of a year, so that both the retail year's last and its first are among them. In 2011 the standard rate changed on 4 January. */
type Year = 2011 | 2026;
const quartersOf = (year: Year) =>
  [
    [`${year}-01-01`, `${year}-03-31`],
    [`${year}-04-01`, `${year}-06-30`],
  ] as const;
const TWICE: readonly string[] = ['goods_for_resale', 'stock_opening', 'stock_closing'];

/** What a trader registered, in which year it trades, and whether cash accounting ends with the second quarter. */
interface Trader {
  readonly year: Year;
  readonly registered: Partial<TraderRegistered>;
  readonly endsCash: boolean;
  /** And whether what is unpaid then counts over six more months. */
  readonly overSixMonths?: boolean;
}

const SCHEMES: readonly Partial<TraderRegistered>[] = [
  {},
  { cashAccounting: true },
  { scheme: 'apportionment1' },
  { scheme: 'apportionment2' },
  { scheme: 'directCalculation1', majorityRatePct: '20' },
  { scheme: 'directCalculation2', majorityRatePct: '0' },
  { scheme: 'flatRate', flatRateSector: 'catering', limitedCostTest: true, registeredOn: localDate('2025-05-15') },
];
/** Schemes that a change of the standard rate splits. */
const SPLIT: readonly Partial<TraderRegistered>[] = [
  { scheme: 'apportionment1' },
  { scheme: 'directCalculation1', majorityRatePct: '17.5' },
  { scheme: 'directCalculation2', majorityRatePct: '17.5' },
];
const TRADERS: readonly Trader[] = [
  ...SCHEMES.map((registered): Trader => ({ year: 2026, registered, endsCash: false })),
  ...SPLIT.map((registered): Trader => ({ year: 2011, registered, endsCash: false })),
  { year: 2026, registered: { cashAccounting: true }, endsCash: true },
  { year: 2026, registered: { cashAccounting: true }, endsCash: true, overSixMonths: true },
];

const amount = fc.integer({ min: -300_000, max: 2_000_000 });
/** Days after the first of January; some of them before 4 January. */
const day = fc.oneof(fc.nat({ max: 180 }), fc.nat({ max: 5 }));
const sale = fc.record({
  is: fc.constant('sale' as const),
  day,
  basket: fc.array(fc.tuple(fc.constantFrom(...CATEGORIES), fc.nat({ max: 99_999 })), { minLength: 1, maxLength: 4 }),
  /** In how many parts of it, in thousandths, it is given back. */
  refunds: fc.array(fc.nat({ max: 500 }), { maxLength: 2 }),
});
const purchase = fc.record({
  is: fc.constant('purchase' as const),
  day,
  net: amount,
  share: fc.constantFrom(10_000, 3_333, 0),
});
const kinds = ['sale', 'sale_refund', 'sale_export', 'import_pva', 'rc_services_in', 'drc_purchase', 'ni_acquisition'];
const moreKinds = [
  'ni_dispatch',
  'own_use',
  'bad_debt_relief',
  'error_underdeclared',
  'error_overdeclared',
  'frs_capital',
];
const schemeKinds = [
  'frs_relevant_goods',
  'cash_received',
  'cash_paid',
  'margin_sale',
  'margin_pool_sale',
  'margin_pool_purchase',
];
const adjustment = fc.record({
  is: fc.constant('adjustment' as const),
  day,
  kind: fc.constantFrom(...kinds, ...moreKinds, ...schemeKinds, ...TWICE),
  net: amount,
  share: fc.constantFrom(10_000, 1_250),
  ratePct: fc.constantFrom('20', '17.5', '5', '0'),
});
const happenings = fc.array(fc.oneof(sale, purchase, adjustment), { minLength: 1, maxLength: 14 });
type Happening = typeof happenings extends fc.Arbitrary<readonly (infer One)[]> ? One : never;

/** No VAT of its own where the kind bears none; 5% else, which is a rate of either year; errors large enough to pass their limit. */
const BEARS_VAT =
  /^(sale|sale_refund|import_pva|rc_services_in|drc_purchase|ni_acquisition|own_use|bad_debt_relief|error_.*|frs_.*|cash_.*)$/;

function eventsOf({ year, endsCash, overSixMonths = false }: Trader, all: readonly Happening[]): VatEvent[] {
  let seq = 0;
  const link = () => {
    seq += 1;
    return { seq, prevHash: seq === 1 ? null : 'a'.repeat(64) };
  };
  const events = all.flatMap((one, index) =>
    // Whether a relief is taken depends on whether the end of cash accounting was said before it.
    endsCash && one.is === 'adjustment' && one.kind === 'bad_debt_relief' ? [] : eventsOfOne(one, year, index, link),
  );
  // Received early enough to be claimed.
  const received = year === 2026 ? events : events.map((one) => ({ ...one, receivedAtMs: Date.UTC(2012, 0, 31, 12) }));
  return endsCash
    ? [
        ...received,
        sampleRegistration('end', { validFrom: localDate(`${year}-07-01`), unpaidOverSixMonths: overSixMonths }),
      ]
    : received;
}

function eventsOfOne(
  one: Happening,
  year: Year,
  index: number,
  link: () => { seq: number; prevHash: string | null },
): VatEvent[] {
  const date: LocalDate = addDays(localDate(`${year}-01-01`), one.day);
  switch (one.is) {
    case 'purchase':
      return [
        samplePurchase(`p${index}`, one.net, Math.trunc(one.net / 20), {
          taxPoint: date,
          recoverableBasisPoints: one.share,
        }),
      ];
    case 'adjustment':
      return [
        sampleAdjustment(`a${index}`, one.kind, one.net, vatOf(one.kind, one.net), {
          taxPoint: date,
          recoverableBasisPoints: one.share,
          ratePct: TWICE.includes(one.kind) ? one.ratePct : null,
          costPence: one.kind === 'margin_sale' ? pence(Math.trunc(one.net / 3)) : null,
          dearestItemPence: one.kind === 'margin_pool_purchase' ? pence(0) : null,
        }),
      ];
    case 'sale': {
      const lines = one.basket.map(([category, paid], at) => line(String(at), paid, category));
      const occurredAt = `${date}T10:00:00Z`;
      const sold = sampleSale(`s${index}`, { ...link(), occurredAt, lines });
      const refunds = one.refunds.map((share, part) => {
        const given = one.basket.map(([category, paid], at) =>
          line(String(at), -Math.floor((paid * share) / 1_000), category),
        );
        return sampleRefund(`r${index}.${part}`, sold.eventId, given, { ...link(), occurredAt });
      });
      return [sold, ...refunds];
    }
  }
}

function vatOf(kind: string, net: number): number {
  if (kind.startsWith('error_')) return net * 50;
  return BEARS_VAT.test(kind) ? Math.trunc(net / 20) : 0;
}

function bookOf({ year, registered }: Trader, events: readonly VatEvent[]): VatBook {
  const book = new VatBook(RULES);
  book.decide(sampleRegistration('registration', { validFrom: localDate(`${year - 1}-04-01`), ...registered }));
  for (const event of events) book.decide(event);
  return book;
}

/** By period: what its ledger entries sum to. */
function entriesByPeriod(book: VatBook): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { results } of book.decisions) {
    for (const { taxPeriod, amounts } of results) {
      for (const one of amounts) sums.set(taxPeriod, (sums.get(taxPeriod) ?? 0) + one.pence);
    }
  }
  return sums;
}

const trader = fc.constantFrom(...TRADERS);
const ranks = fc.infiniteStream(fc.nat());

function shuffled<Item>(items: readonly Item[], stream: IterableIterator<number>): Item[] {
  return items
    .map((item) => ({ item, at: Number(stream.next().value) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

describe('the nine boxes', () => {
  it('are the same for any order and any repetition of the same events, under every scheme', () => {
    fc.assert(
      fc.property(trader, happenings, ranks, (own, all, stream) => {
        const events = eventsOf(own, all);
        const ordered = bookOf(own, events);
        const mixed = bookOf(own, shuffled([...events, ...events], stream));
        for (const [start] of quartersOf(own.year)) expect(mixed.boxes(start)).toEqual(ordered.boxes(start));
        expect(mixed.total('outputVat')).toBe(ordered.total('outputVat'));
      }),
      { numRuns: 300 },
    );
  });

  it('have entries that sum to box 3 less box 4, whenever periods are closed', () => {
    const closes = fc.subarray([0, 1] as const);
    fc.assert(
      fc.property(trader, happenings, closes, fc.boolean(), ranks, (own, all, closed, soft, stream) => {
        const close = closed.map((index) => {
          const [start, end] = quartersOf(own.year)[index];
          return sampleClose(`c${start}`, start, end, soft ? 'soft' : 'hard');
        });
        const book = bookOf(own, shuffled([...eventsOf(own, all), ...close], stream));
        const sums = entriesByPeriod(book);
        for (const key of book.state.keys()) {
          const start = /^vat\|vat:101747696\|(.+)$/.exec(key)?.[1];
          if (start === undefined) continue;
          const boxes = book.boxes(start);
          const text = [...sums.keys()].find((period) => period.startsWith(start));
          expect(text === undefined ? 0 : sums.get(text)).toBe((boxes[3] ?? 0) - (boxes[4] ?? 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('can be worked out again by the payer from the accepted events alone, in the order of their numbers', () => {
    fc.assert(
      fc.property(trader, happenings, ranks, (own, all, stream) => {
        const close = quartersOf(own.year).map(([start, end]) => sampleClose(`c${start}`, start, end, 'hard'));
        const events = shuffled([...eventsOf(own, all), ...close], stream);
        const entries = bookOf(own, events).decisions.flatMap(({ results }) => results);
        const byId = new Map(events.map((event) => [event.eventId, event]));
        const accepted = entries.flatMap(({ eventId }) => byId.get(eventId) ?? []);
        expect(bookOf(own, accepted).decisions.flatMap(({ results }) => results)).toEqual(entries);
        expect(entries.map(({ number }) => number)).toEqual(entries.map((_, index) => index + 1));
      }),
      { numRuns: 200 },
    );
  });

  it('are back where they were once everything is refunded, credited and taken back', () => {
    fc.assert(
      fc.property(trader, happenings, (own, all) => {
        const whole = all.map((one) => (one.is === 'sale' ? { ...one, refunds: [] } : one));
        const events = eventsOf(own, whole);
        const book = bookOf(own, events);
        const accepted = new Set(book.decisions.flatMap(({ results }) => results.map(({ eventId }) => eventId)));
        let seq = events.length;
        for (const event of events) {
          if (!accepted.has(event.eventId) || event.type === 'TraderRegistered') continue;
          seq += 1;
          const back = takenBack(event, seq);
          expect(book.decide(back).outcome).toBe('accepted');
        }
        for (const [start] of quartersOf(own.year)) {
          expect(Object.values(book.boxes(start)).every((box) => box === 0)).toBe(true);
        }
        expect(book.total('outputVat') + book.total('inputVat')).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

function takenBack(event: VatEvent, seq: number): VatEvent {
  const eventId = idOf(`back ${event.eventId}`);
  switch (event.type) {
    case 'TillEvent': {
      const given = event.lines.map((one) => ({ ...one, paidPence: pence(-one.paidPence) }));
      return { ...sampleRefund('x', event.eventId, given, { seq, occurredAt: event.occurredAt }), eventId };
    }
    case 'PurchaseRecorded':
      return {
        ...event,
        eventId,
        kind: event.kind === 'purchase' ? 'purchase_credit' : 'purchase',
        netPence: pence(-event.netPence),
        vatPence: pence(-event.vatPence),
      };
    case 'VatAdjustmentMade':
      return {
        ...event,
        eventId,
        netPence: pence(-event.netPence),
        vatPence: pence(-event.vatPence),
        costPence: event.costPence === null ? null : pence(-event.costPence),
      };
    default:
      return event;
  }
}
