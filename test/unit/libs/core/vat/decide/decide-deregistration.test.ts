import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { periodOfDate, returnOfPeriod } from '../../../../../../libs/core/vat/return/return-of-period.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  sampleDeregistration,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const OWNER = account('vat:101747696');
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

const trader = () => JSON.parse(book.state.get('trader|vat:101747696') ?? '{}');
const at = (day: string) => ({ taxPoint: localDate(day) });
const outcome = (decision: ReturnType<VatBook['decide']>) => {
  const [result] = decision.results;
  return decision.rejections[0]?.code ?? [result?.taxPeriod, result?.amounts, result?.flags];
};
const sell = (name: string, day: string) =>
  book.decide(sampleSale(name, { occurredAt: `${day}T10:00:00Z`, lines: [line('1', 1_200)] }));

describe('the end of a registration', () => {
  it('cuts the last period at its day: what is due then is that of a period that ends so', () => {
    sell('s1', '2026-10-05');
    expect(outcome(book.decide(sampleDeregistration('d', '2026-10-31')))).toEqual(['', [], []]);
    expect(trader()).toMatchObject({ e: '2026-10-31', o: [['2026-10-01', '2026-10-31', 0]] });
    const get = (key: string): StateValue | undefined => JSON.parse(book.state.get(key) ?? 'null') ?? undefined;
    const made = returnOfPeriod({ get }, OWNER, periodOfDate({ get }, OWNER, localDate('2026-10-31')));
    expect(made).toMatchObject({ period: { end: '2026-10-31' }, due: '2026-12-07', boxes: { 1: 200, 6: 1_000 } });
  });

  it('leaves events of later days in no return, flagged, and those of its last day in it', () => {
    book.decide(sampleDeregistration('d', '2026-10-31'));
    expect(outcome(sell('s1', '2026-10-31'))).toEqual([
      '2026-10-01/2026-10-31',
      [{ head: 'outputVat', pence: 200 }],
      [],
    ]);
    expect(outcome(sell('s2', '2026-11-01'))).toEqual(['', [], ['E_SEQ_REPLAY', 'AFTER_REGISTRATION']]);
    expect(outcome(book.decide(samplePurchase('p', 100, 20, at('2026-11-02'))))).toEqual([
      '',
      [],
      ['AFTER_REGISTRATION'],
    ]);
    expect(outcome(book.decide(sampleAdjustment('a', 'sale', 100, 20, at('2026-11-02'))))).toEqual([
      '',
      [],
      ['AFTER_REGISTRATION'],
    ]);
    // What comes back of a sale that bore no VAT bears none.
    const refund = sampleRefund('r', idOf('s2'), [line('1', -1_200)], { occurredAt: '2026-11-03T10:00:00Z' });
    expect(book.decide(refund).results[0]?.amounts).toEqual([]);
    expect(trader().o).toEqual([['2026-10-01', '2026-10-31', 0]]);
  });

  it('has goods on hand on its day alone, and all of them where their VAT is above 1,000.00', () => {
    book.decide(sampleDeregistration('d', '2026-10-31'));
    const stock = (name: string, vat: number, day: string) =>
      outcome(book.decide(sampleAdjustment(name, 'stock_retained_dereg', vat * 5, vat, at(day))));
    expect(stock('a1', 100_000, '2026-11-01')).toBe('E_DATE');
    expect(stock('a2', 100_000, '2026-10-31')).toEqual(['2026-10-01/2026-10-31', [], []]);
    expect(stock('a3', 1, '2026-10-31')).toEqual([
      '2026-10-01/2026-10-31',
      [{ head: 'outputVat', pence: 100_001 }],
      [],
    ]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 100_001, 6: 500_000 });
  });

  it('makes what cash accounting leaves unpaid due with the last return, and brings nothing forward', () => {
    book.decide(sampleRegistration('r', { cashAccounting: true }));
    book.decide(sampleAdjustment('i', 'sale', 10_000, 2_000));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0 });
    expect(outcome(book.decide(sampleDeregistration('d', '2026-10-31')))).toEqual([
      '2026-10-01/2026-10-31',
      [{ head: 'outputVat', pence: 2_000 }],
      [],
    ]);
    expect(book.decide(sampleClose('c', '2026-10-01', '2026-10-31', 'hard')).results[0]?.amounts).toEqual([]);
    expect(trader()).toMatchObject({ h: '2026-10-31', o: [] });
    expect(trader()).not.toHaveProperty('b');
    // Nothing can count any more: there is no period to count it in.
    expect(outcome(sell('late', '2026-10-05'))).toBe('E_REGISTRATION_ENDED');
    expect([...book.state.keys()].filter((key) => key.startsWith('vat|'))).toEqual(['vat|vat:101747696|2026-10-01']);
  });

  it('may be said again for another day, and is taken back by a registration that goes on the day after', () => {
    book.decide(sampleRegistration('r'));
    sell('s1', '2026-08-10');
    book.decide(sampleDeregistration('d1', '2026-08-31'));
    expect(trader().o).toEqual([['2026-07-01', '2026-08-31', 0]]);
    book.decide(sampleDeregistration('d2', '2026-12-31'));
    expect(trader()).toMatchObject({ e: '2026-12-31', o: [['2026-07-01', '2026-09-30', 0]] });
    const anew = (validFrom: string) =>
      outcome(book.decide(sampleRegistration(`r ${validFrom}`, { validFrom: localDate(validFrom) })));
    expect(anew('2027-04-01')).toBe('E_VALID_FROM');
    expect(anew('2027-01-01')).toEqual(['', [], []]);
    expect(trader()).not.toHaveProperty('e');
  });

  it('is refused before the registration, too far ahead, and where days beyond it are filed or have VAT', () => {
    book.decide(sampleRegistration('r', { registeredOn: localDate('2026-01-01') }));
    const ending = (day: string) => outcome(book.decide(sampleDeregistration(`d ${day}`, day)));
    expect(ending('2025-12-31')).toBe('E_DATE');
    expect(ending('2027-11-22')).toBe('E_DATE_FUTURE');
    sell('s1', '2026-08-10');
    expect(ending('2026-06-30')).toBe('E_PERIOD_STARTED');
    book.decide(sampleClose('c', '2026-07-01', '2026-09-30', 'hard'));
    expect(ending('2026-08-31')).toBe('E_PERIOD_CLOSED');
    // A period that is open beyond it, and comes to nothing, is gone with it.
    book.decide(sampleAdjustment('z', 'sale_zero', 100, 0, at('2026-10-05')));
    expect(ending('2026-09-30')).toEqual(['', [], []]);
    expect(trader()).toMatchObject({ e: '2026-09-30', o: [] });
    expect(book.state.has('vat|vat:101747696|2026-10-01')).toBe(false);
  });
});
