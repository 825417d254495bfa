import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import type { MoneyMoved } from '../../libs/core/events/payment-events.ts';
import type { TillEvent, TillLine, VatEvent } from '../../libs/core/events/vat-events.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { decideMoneyMoved } from '../../libs/core/tax/decide-money-moved.ts';
import { decideVat } from '../../libs/core/vat/decide/decide-vat.ts';
import { PERIOD_SUM_PENCE_MAX } from '../../libs/core/vat/rates/limits.ts';
import { vatRateOn } from '../../libs/core/vat/rates/vat-rules.ts';
import { arbitraryEvent, arbitraryTillEvent } from '../support/arbitrary-events.ts';
import { idOf, sampleSale } from '../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../support/vat-book.ts';
import { testVatRules } from '../support/vat-rules.ts';

const RULES = testVatRules();
const CATEGORIES = ['standard', 'reduced', 'zero', 'exempt', 'outside', 'food.crisps', 'home.gas_domestic'] as const;

const basket = fc.array(fc.tuple(fc.constantFrom(...CATEGORIES), fc.integer({ min: 0, max: 99_999 })), {
  minLength: 1,
  maxLength: 12,
});
const baskets = fc.array(basket, { minLength: 1, maxLength: 12 });

const vatOrMoney = arbitraryEvent.filter(
  (event): event is VatEvent | MoneyMoved =>
    event.type !== 'PaymentMade' &&
    event.type !== 'EmployerClaimsMade' &&
    event.type !== 'PayePeriodClosed' &&
    event.type !== 'PayeSchemeCeased',
);

type Basket = readonly (readonly [string, number])[];

function linesOf(items: Basket, sign = 1): TillLine[] {
  return items.map(([category, paid], index) => line(String(index + 1), sign * paid, category));
}

function salesOf(all: readonly Basket[]): TillEvent[] {
  return all.map((items, index) =>
    sampleSale(`s${index}`, {
      seq: index + 1,
      prevHash: index === 0 ? null : sampleSale(`s${index - 1}`).hash,
      lines: linesOf(items),
    }),
  );
}

/** Independent of the code under test: exact rationals, once per rate. */
function independentVat(all: readonly Basket[]): number {
  const gross = new Map<number, bigint>();
  for (const items of all) {
    for (const [category, paid] of items) {
      const { basisPoints } = vatRateOn(RULES, category, localDate('2026-11-21'), 'GB');
      gross.set(basisPoints, (gross.get(basisPoints) ?? 0n) + BigInt(paid));
    }
  }
  let vat = 0n;
  for (const [rate, sum] of gross) {
    const whole = BigInt(10_000 + rate);
    vat += (2n * sum * BigInt(rate) + whole) / (2n * whole);
  }
  return Number(vat);
}

function bookOf(events: readonly TillEvent[]): VatBook {
  const book = new VatBook(RULES);
  for (const event of events) book.decide(event);
  return book;
}

function periodOf(book: VatBook): unknown {
  return JSON.parse(book.state.get('vat|vat:101747696|2026-10-01') ?? 'null');
}

describe('the running account of a period', () => {
  it('sums to the liability rounded once per rate, whatever the receipts', () => {
    fc.assert(
      fc.property(baskets, (all) => {
        expect(bookOf(salesOf(all)).total('outputVat')).toBe(independentVat(all));
      }),
      { numRuns: 150 },
    );
  });

  it('is the same in any order and with any repetition', () => {
    fc.assert(
      fc.property(baskets, fc.infiniteStream(fc.nat()), (all, stream) => {
        const sales = salesOf(all);
        const ordered = bookOf(sales);
        const shuffled = [...sales, ...sales]
          .map((event) => ({ event, at: stream.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        const book = bookOf(shuffled);
        expect(book.total('outputVat')).toBe(ordered.total('outputVat'));
        // All but `e`: which event was counted last is all that order decides.
        const accounts = [book, ordered].map((one) => ({ ...(periodOf(one) as { readonly g: object }), e: '' }));
        expect(accounts[0]).toEqual(accounts[1]);
        expect(book.decisions.filter(({ outcome }) => outcome === 'repeat')).toHaveLength(sales.length);
      }),
      { numRuns: 100 },
    );
  });

  it('can be worked out again from the accepted events alone, in the order of their numbers', () => {
    fc.assert(
      fc.property(baskets, fc.infiniteStream(fc.nat()), (all, stream) => {
        const sales = salesOf(all);
        const refunds = all.map((items, index) =>
          sampleRefund(`r${index}`, idOf(`s${index}`), linesOf(items, -1), { tillId: 'T2', seq: index + 1 }),
        );
        const linked = refunds.map((refund, index) => (index === 0 ? { ...refund, prevHash: null } : refund));
        const noise = sampleSale('bad', { currency: 'EUR' });
        const mixed = [...sales, ...linked.slice(0, 12), noise]
          .map((event) => ({ event, at: stream.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        const taxBook = bookOf(mixed);
        const entries = taxBook.decisions.flatMap(({ results }) => results);
        const byId = new Map(mixed.map((event) => [event.eventId, event]));
        const payerBook = bookOf(
          entries.flatMap(({ eventId }) => {
            const event = byId.get(eventId);
            return event === undefined ? [] : [event];
          }),
        );
        expect(payerBook.decisions.flatMap(({ results }) => results)).toEqual(entries);
        expect(entries.map(({ number }) => number)).toEqual(entries.map((_, index) => index + 1));
      }),
      { numRuns: 100 },
    );
  });
});

describe('refunds', () => {
  it('of everything bring every sum back to nothing', () => {
    fc.assert(
      fc.property(baskets, (all) => {
        const book = bookOf(salesOf(all));
        all.forEach((items, index) => {
          const refund = sampleRefund(`r${index}`, idOf(`s${index}`), linesOf(items, -1), {
            seq: all.length + index + 1,
          });
          expect(book.decide(refund).outcome).toBe('accepted');
        });
        expect(book.total('outputVat')).toBe(0);
        const { g } = periodOf(book) as { readonly g: Readonly<Record<string, number>> };
        expect(Object.values(g).every((gross) => gross === 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('in parts sum to the whole, and one penny more is refused', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 9_999 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(parts, fc.constantFrom('standard', 'reduced', 'zero'), (pieces, category) => {
        const whole = pieces.reduce((sum, piece) => sum + piece, 0);
        const book = bookOf([sampleSale('s0', { lines: [line('1', whole, category)] })]);
        const given = pieces.map((piece, index) =>
          book.decide(sampleRefund(`r${index}`, idOf('s0'), [line('1', -piece, category)], { seq: index + 2 })),
        );
        expect(given.every(({ outcome }) => outcome === 'accepted')).toBe(true);
        expect(book.total('outputVat')).toBe(0);
        const more = book.decide(sampleRefund('more', idOf('s0'), [line('1', -1, category)], { seq: 99 }));
        expect(more.rejections[0]?.code).toBe('E_REFUND_EXCEEDS');
      }),
      { numRuns: 100 },
    );
  });
});

describe('decideVat', () => {
  it('answers every event that the types allow: a decision, never a throw', () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryTillEvent, vatOrMoney), (event) => {
        const view = { get: () => undefined };
        const hash = 'c'.repeat(64);
        const { outcome, results, rejections } =
          event.type === 'MoneyMoved' ? decideMoneyMoved(event, hash, view) : decideVat(event, hash, view, RULES);
        expect(['accepted', 'rejected', 'held']).toContain(outcome);
        expect(results.length + rejections.length).toBe(outcome === 'held' ? 0 : 1);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses takings that could no longer be counted, and goes on', () => {
    const book = new VatBook(RULES);
    const full = { n: 1, g: { S2000: PERIOD_SUM_PENCE_MAX - 100 }, p: 0, i: 0, f: 0 };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(full));
    expect(book.decide(sampleSale('s1')).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    const small = [line('1', 100)];
    expect(book.decide(sampleSale('s1', { lines: small, totalPence: pence(100) })).outcome).toBe('accepted');
  });
});
