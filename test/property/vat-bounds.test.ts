import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import type { VatEvent } from '../../libs/core/events/vat-events.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { sampleSale } from '../support/sample-events.ts';
import { line, VatBook } from '../support/vat-book.ts';
import { testVatRules } from '../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  sampleDeregistration,
  samplePurchase,
  sampleRegistration,
} from '../support/vat-samples.ts';

const RULES = testVatRules();
/** The day of receipt of every event here. */
const RECEIVED = localDate('2026-11-21');
const FIRST = localDate('2024-05-15');
const LAST = localDate('2026-08-10');

/** Days within, just outside, and far outside the registration, and such as a till's clock falls back or runs ahead to. */
const day: fc.Arbitrary<LocalDate> = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map((days) => addDays(FIRST, days)),
  fc.integer({ min: -3, max: 3 }).map((days) => addDays(LAST, days)),
  fc.integer({ min: -3, max: 3 }).map((days) => addDays(RECEIVED, days)),
  fc.integer({ min: -1_200, max: 1_200 }).map((days) => addDays(RECEIVED, days)),
  fc.constantFrom('1970-01-01', '1980-01-06', '1999-11-30', '2000-01-01', '2099-12-31', '2999-12-31').map(localDate),
);
const kind = fc.constantFrom('sale', 'sale_refund', 'own_use', 'sale_zero', 'import_pva', 'stock_retained_dereg');
const happening = fc.record({ what: fc.constantFrom('sale', 'purchase', 'adjustment', 'report'), day, kind });

function eventOf({ what, day: on, kind: of }: Happening, n: number): VatEvent {
  const occurredAt = `${on}T12:00:00Z`;
  const chain = { seq: n + 1, prevHash: n === 0 ? null : 'a'.repeat(64), occurredAt };
  switch (what) {
    case 'sale':
      return sampleSale(`s${n}`, { ...chain, lines: [line('1', 1_200)] });
    case 'report':
      return sampleSale(`z${n}`, { ...chain, tillType: 'Z_REPORT', lines: [], payments: [], totalPence: pence(0) });
    case 'purchase':
      return samplePurchase(`p${n}`, 10_000, 500, { taxPoint: on });
    default:
      return sampleAdjustment(`a${n}`, of, 10_000, of === 'sale_zero' ? 0 : 500, { taxPoint: on });
  }
}

interface Happening {
  readonly what: string;
  readonly day: LocalDate;
  readonly kind: string;
}

describe('a period of VAT', () => {
  it('lies within the registration and up to the day of receipt, whatever events say and in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(happening, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        (all, ends, closes) => {
          const book = new VatBook(RULES);
          book.decide(sampleRegistration('r', { validFrom: FIRST, registeredOn: FIRST }));
          if (ends) book.decide(sampleDeregistration('d', LAST));
          all.forEach((one, n) => {
            if (closes && n === 3) book.decide(sampleClose('c', FIRST, '2024-06-30', 'hard'));
            book.decide(eventOf(one, n));
          });
          const bound = ends ? LAST : RECEIVED;
          const { o } = JSON.parse(book.state.get('trader|vat:101747696') ?? '{}') as { o: [string, string, number][] };
          for (const key of book.state.keys()) {
            const start = /^vat\|vat:101747696\|(.+)$/.exec(key)?.[1];
            if (start === undefined) continue;
            expect(start >= FIRST && start <= bound, start).toBe(true);
          }
          for (const [, end] of o) expect(!ends || end <= LAST, end).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('of a trader that registered nothing lies within 20 years before the receipt, and not after it', () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 1, maxLength: 8 }), (all) => {
        const book = new VatBook(RULES);
        all.forEach((one, n) => void book.decide(eventOf(one, n)));
        for (const key of book.state.keys()) {
          const start = /^vat\|vat:101747696\|(.+)$/.exec(key)?.[1];
          if (start === undefined) continue;
          expect(start >= '2006-10-01' && start <= RECEIVED, start).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
