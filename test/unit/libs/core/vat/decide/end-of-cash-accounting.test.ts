import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { TraderRegistered } from '../../../../../../libs/core/events/vat-events.ts';
import { sharesOfEvent } from '../../../../../../libs/core/vat/return/event-in-boxes.ts';
import { VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const Q1 = ['2026-01-01', '2026-03-31'] as const;
const Q2 = ['2026-04-01', '2026-06-30'] as const;
const Q3 = ['2026-07-01', '2026-09-30'] as const;
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
  register('begin', '2026-01-01', { cashAccounting: true });
});

const register = (name: string, validFrom: string, other: Partial<TraderRegistered> = {}) =>
  book.decide(sampleRegistration(name, { validFrom: localDate(validFrom), ...other }));
/** The end: from 1 July on invoices count when they are sent, and the second quarter is the last one of the scheme. */
const end = (name = 'end') => register(name, Q3[0]);
const adjust = (name: string, kind: string, day: string, net: number, vat: number) =>
  book.decide(sampleAdjustment(name, kind, net, vat, { taxPoint: localDate(day) }));
const close = ([start, to]: readonly [string, string]) => book.decide(sampleClose(`c${start}`, start, to, 'hard'));
const first = (decision: ReturnType<VatBook['decide']>) => decision.results[0];
const entries = () =>
  book.decisions
    .flatMap(({ results }) => results)
    .reduce((sum, { amounts }) => sum + amounts.reduce((s, a) => s + a.pence, 0), 0);

/** 1,000.00 + 200.00 invoiced in the first quarter, half of it paid; a purchase of 500.00 + 100.00, a fifth paid, VAT recoverable to 25%. */
function tradeInFirstQuarter(): void {
  adjust('i1', 'sale', Q1[0], 100_000, 20_000);
  adjust('z1', 'sale_zero', Q1[0], 30_000, 0);
  adjust('c1', 'cash_received', Q1[0], 50_000, 10_000);
  book.decide(samplePurchase('p1', 50_000, 10_000, { taxPoint: localDate(Q1[0]), recoverableBasisPoints: 2_500 }));
  const paid = sampleAdjustment('k1', 'cash_paid', 10_000, 2_000, {
    taxPoint: localDate(Q1[0]),
    recoverableBasisPoints: 2_500,
  });
  book.decide(paid);
}

describe('the end of cash accounting', () => {
  it('makes what nobody paid due with the last period, once the period before is closed', () => {
    tradeInFirstQuarter();
    expect(book.boxes(Q1[0])).toMatchObject({ 1: 10_000, 4: 500, 6: 50_000, 7: 10_000 });
    adjust('i2', 'sale', Q2[0], 10_000, 2_000);
    expect(first(end())).toMatchObject({
      taxPeriod: '2026-04-01/2026-06-30',
      amounts: [{ head: 'outputVat', pence: 2_000 }],
    });
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 2_000, 4: 0, 6: 10_000, 7: 0 });
    // Unpaid of the first quarter: 500.00 + 100.00 and 300.00 at 0%; of the purchase 400.00 and a quarter of 80.00.
    expect(first(close(Q1))).toMatchObject({
      taxPeriod: '2026-04-01/2026-06-30',
      amounts: [
        { head: 'outputVat', pence: 10_000 },
        { head: 'inputVat', pence: -2_000 },
      ],
    });
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 12_000, 4: 2_000, 6: 90_000, 7: 40_000 });
    expect(book.boxes(Q1[0])).toMatchObject({ 1: 10_000, 4: 500 });
    expect(entries()).toBe(12_000 + 10_000 - 2_000 - 500);
  });

  it('takes along what periods closed before had left', () => {
    tradeInFirstQuarter();
    close(Q1);
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 0, 4: 0 });
    expect(first(end())?.amounts).toEqual([
      { head: 'outputVat', pence: 10_000 },
      { head: 'inputVat', pence: -2_000 },
    ]);
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 10_000, 4: 2_000, 6: 80_000, 7: 40_000 });
    expect(JSON.parse(book.state.get('trader|vat:101747696') ?? '{}')).not.toHaveProperty('b');
  });

  it('in its last period counts an invoice at once and its payment no more', () => {
    end();
    expect(first(adjust('i', 'sale', Q2[0], 10_000, 2_000))?.amounts).toEqual([{ head: 'outputVat', pence: 2_000 }]);
    expect(first(adjust('c', 'cash_received', Q2[0], 10_000, 2_000))?.amounts).toEqual([]);
    expect(first(book.decide(samplePurchase('p', 500, 100, { taxPoint: localDate(Q2[0]) })))?.amounts).toEqual([
      { head: 'inputVat', pence: -100 },
    ]);
    expect(first(adjust('k', 'cash_paid', Q2[0], 500, 100))?.amounts).toEqual([]);
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 2_000, 4: 100, 6: 10_000, 7: 500 });
    expect(adjust('n', 'cash_received', Q3[0], 1, 0).rejections[0]?.code).toBe('E_SCHEME');
  });

  it('leaves its last period open or softly closed as it is, among the others', () => {
    adjust('i1', 'sale', Q1[0], 100, 20);
    adjust('i2', 'sale', Q2[0], 100, 20);
    book.decide(sampleClose('soft', ...Q2, 'soft'));
    end();
    const { o } = JSON.parse(book.state.get('trader|vat:101747696') ?? '{}');
    expect(o).toEqual([
      [...Q1, 0],
      [...Q2, 1],
    ]);
  });

  it('is no entry of any period where nothing was unpaid', () => {
    adjust('i1', 'sale', Q1[0], 100, 20);
    adjust('c1', 'cash_received', Q1[0], 100, 20);
    expect(first(end())).toMatchObject({ taxPeriod: '', amounts: [] });
  });

  it('said after its last period was closed opens no period where nothing was unpaid, and changes no scheme where something was', () => {
    close(Q1);
    close(Q2);
    expect(first(end())).toMatchObject({ taxPeriod: '', amounts: [] });
    expect(JSON.parse(book.state.get('trader|vat:101747696') ?? '{}').o).toEqual([]);
    book = new VatBook(RULES);
    register('begin', '2026-01-01', { cashAccounting: true });
    adjust('i1', 'sale', Q1[0], 100, 20);
    close(Q1);
    close(Q2);
    end();
    expect(JSON.parse(book.state.get('vat|vat:101747696|2026-07-01') ?? '{}').s).toBeUndefined();
  });

  it('taken back makes invoices wait again', () => {
    end();
    register('on', Q3[0], { cashAccounting: true });
    expect(first(adjust('i', 'sale', Q2[0], 10_000, 2_000))?.amounts).toEqual([]);
    expect(first(adjust('c', 'cash_received', Q2[0], 10_000, 2_000))?.amounts).toEqual([
      { head: 'outputVat', pence: 2_000 },
    ]);
  });

  it('lets bad debts be relieved in its last period: what is due unpaid may be bad', () => {
    expect(adjust('b1', 'bad_debt_relief', Q2[0], 0, 100).rejections[0]?.code).toBe('E_SCHEME');
    end();
    expect(adjust('b2', 'bad_debt_relief', Q2[0], 0, 100).outcome).toBe('accepted');
  });

  it('said after its last period was closed is due with the period after', () => {
    tradeInFirstQuarter();
    close(Q1);
    close(Q2);
    expect(first(end())).toMatchObject({
      taxPeriod: '2026-07-01/2026-09-30',
      amounts: [
        { head: 'outputVat', pence: 10_000 },
        { head: 'inputVat', pence: -2_000 },
      ],
    });
    expect(book.boxes(Q3[0])).toMatchObject({ 1: 10_000, 4: 2_000, 6: 80_000, 7: 40_000 });
    close(Q3);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0, 4: 0 });
  });

  it('taken back gives everything back: it waits for payment again', () => {
    tradeInFirstQuarter();
    close(Q1);
    end();
    const { amounts } = first(register('on', Q3[0], { cashAccounting: true })) ?? {};
    expect(amounts).toEqual([
      { head: 'outputVat', pence: -10_000 },
      { head: 'inputVat', pence: 2_000 },
    ]);
    expect(book.boxes(Q2[0])).toMatchObject({ 1: 0, 4: 0, 6: 0, 7: 0 });
    expect(first(end('again'))?.amounts).toEqual([
      { head: 'outputVat', pence: 10_000 },
      { head: 'inputVat', pence: -2_000 },
    ]);
  });

  it('is the same whenever it is said: before the invoices, between them, or after', () => {
    const trade = (at: number) => {
      book = new VatBook(RULES);
      register('begin', '2026-01-01', { cashAccounting: true });
      const steps = [
        () => tradeInFirstQuarter(),
        () => adjust('i2', 'sale', Q2[0], 10_000, 2_000),
        () => adjust('c2', 'cash_received', Q2[0], 20_000, 4_000),
        () => close(Q1),
      ];
      steps.splice(at, 0, () => end());
      for (const step of steps) step();
      return [book.boxes(Q1[0]), book.boxes(Q2[0]), entries()];
    };
    const expected = trade(4);
    // 100.00 + 20.00 of the quarter and what the one before left.
    expect(expected[1]).toMatchObject({ 1: 12_000, 4: 2_000, 6: 90_000, 7: 40_000 });
    for (const at of [0, 1, 2, 3]) expect(trade(at)).toEqual(expected);
  });

  it('takes along what each of the periods closed before had left', () => {
    adjust('i1', 'sale', Q1[0], 10_000, 2_000);
    close(Q1);
    adjust('i2', 'sale', Q2[0], 5_000, 1_000);
    close(Q2);
    const { taxPeriod, amounts } = first(register('end', '2026-10-01')) ?? {};
    expect([taxPeriod, amounts]).toEqual(['2026-07-01/2026-09-30', [{ head: 'outputVat', pence: 3_000 }]]);
    expect(book.boxes(Q3[0])).toMatchObject({ 1: 3_000, 6: 15_000 });
  });

  it('is with the first event of its last period where too many were open when it was said', () => {
    book = new VatBook(RULES);
    register('begin', '2007-01-01', { cashAccounting: true });
    adjust('i1', 'sale', '2007-01-01', 10_000, 2_000);
    close(['2007-01-01', '2007-03-31']);
    const months = ['04', '07', '10', '01'];
    for (let index = 0; index < 64; index += 1) {
      const day = `${2007 + Math.floor((index + 1) / 4)}-${months[index % 4]}-01`;
      expect(adjust(`z${index}`, 'sale_zero', day, 100, 0).outcome).toBe('accepted');
    }
    expect(first(register('end', '2026-10-01'))?.amounts).toEqual([]);
    close(['2007-04-01', '2007-06-30']);
    // Not yet the last period: what is unpaid waits on.
    expect(first(adjust('i2', 'sale', '2026-04-01', 500, 100))?.amounts).toEqual([]);
    close(['2007-07-01', '2007-09-30']);
    expect(first(adjust('i3', 'sale', '2026-07-01', 500, 100))?.amounts).toEqual([{ head: 'outputVat', pence: 2_100 }]);
    expect(first(adjust('i4', 'sale', '2026-07-01', 500, 100))?.amounts).toEqual([{ head: 'outputVat', pence: 100 }]);
    // 100.00 of the first quarter, 1.00 of each of the two after it, and 5.00 twice.
    expect(book.boxes('2026-07-01')).toMatchObject({ 1: 2_200, 6: 11_200 });
    expect(JSON.parse(book.state.get('trader|vat:101747696') ?? '{}')).not.toHaveProperty('b');
  });

  it('reaches over a period in which nothing happened', () => {
    tradeInFirstQuarter();
    close(Q1);
    register('later', '2026-10-01');
    close(Q3);
    // The third quarter is the last one; it was opened by the registration and has all of it.
    expect(book.boxes(Q3[0])).toMatchObject({ 1: 10_000, 4: 2_000 });
  });
});

describe('six months more to settle what is unpaid', () => {
  const Q4 = ['2026-10-01', '2026-12-31'] as const;
  const endOverSixMonths = (name = 'end') => register(name, Q3[0], { unpaidOverSixMonths: true });

  it('let payments count as they come, new invoices as they are sent, and the rest with the period in which they end', () => {
    tradeInFirstQuarter();
    close(Q1);
    expect(first(endOverSixMonths())).toMatchObject({ taxPeriod: '', amounts: [], flags: [] });
    close(Q2);
    // An invoice of the third quarter counts at once; half of what customers owed is paid in it.
    expect(first(adjust('i3', 'sale', Q3[0], 1_000, 200))?.amounts).toEqual([{ head: 'outputVat', pence: 200 }]);
    const purchase = samplePurchase('p3', 500, 100, { taxPoint: localDate(Q3[0]) });
    expect(first(book.decide(purchase))?.amounts).toEqual([{ head: 'inputVat', pence: -100 }]);
    expect(first(adjust('c3', 'cash_received', Q3[0], 25_000, 5_000))?.amounts).toEqual([
      { head: 'outputVat', pence: 5_000 },
    ]);
    expect(book.boxes(Q3[0])).toMatchObject({ 1: 5_200, 4: 100, 6: 26_000, 7: 500 });
    adjust('c4', 'cash_received', Q4[0], 5_000, 1_000);
    // The six months end in the fourth quarter: all that periods closed before left is due with it, 10.00 of it paid or not.
    expect(book.boxes(Q4[0])).toMatchObject({ 1: 10_000, 4: 2_000, 6: 80_000, 7: 40_000 });
    // Less what was paid in the third, once that is closed.
    expect(first(close(Q3))).toMatchObject({
      taxPeriod: '2026-10-01/2026-12-31',
      amounts: [{ head: 'outputVat', pence: -5_000 }],
    });
    expect(book.boxes(Q4[0])).toMatchObject({ 1: 5_000, 4: 2_000, 6: 55_000, 7: 40_000 });
    const after = { taxPoint: localDate('2027-01-01'), receivedAtMs: Date.UTC(2027, 0, 1, 12) };
    expect(book.decide(sampleAdjustment('late', 'cash_received', 1, 0, after)).rejections[0]?.code).toBe('E_SCHEME');
    expect(entries()).toBe(10_000 - 500 + 5_200 - 100 + 5_000 - 2_000);
  });

  it('end in the month that is six later, for monthly periods too', () => {
    register('monthly', '2026-01-01', { cadence: 'monthly', cashAccounting: true });
    register('end', '2026-02-01', { cadence: 'monthly', unpaidOverSixMonths: true });
    const allowed = (day: string) => adjust(`paid ${day}`, 'cash_received', day, 1, 0).outcome;
    expect(allowed('2026-02-01')).toBe('accepted');
    expect(allowed('2026-07-31')).toBe('accepted');
    expect(allowed('2026-08-01')).toBe('rejected');
    adjust('i1', 'sale', '2026-01-10', 1_000, 200);
    for (let month = 1; month <= 6; month += 1) {
      const end = new Date(Date.UTC(2026, month, 0)).toISOString().slice(0, 10);
      close([`2026-0${month}-01`, end]);
    }
    expect(book.boxes('2026-07-01')).toMatchObject({ 1: 200 });
  });

  it('may be taken after the end was said, and given back', () => {
    tradeInFirstQuarter();
    close(Q1);
    const due = [
      { head: 'outputVat', pence: 10_000 },
      { head: 'inputVat', pence: -2_000 },
    ];
    expect(first(end('at once'))?.amounts).toEqual(due);
    expect(first(endOverSixMonths('later'))?.amounts).toEqual(due.map(({ head, pence }) => ({ head, pence: -pence })));
    expect(first(end('at once after all'))?.amounts).toEqual(due);
  });

  it('are flagged where the last three months had supplies above 1,350,000.00, and refused while the scheme goes on', () => {
    adjust('z', 'sale_zero', Q2[0], 135_000_000, 0);
    expect(first(endOverSixMonths('a'))?.flags).toEqual([]);
    adjust('y', 'sale_zero', Q2[0], 1, 0);
    expect(first(endOverSixMonths('b'))?.flags).toEqual(['CASH_SIX_MONTHS_LIMIT']);
    const both = register('c', Q3[0], { cashAccounting: true, unpaidOverSixMonths: true });
    expect(both.rejections[0]?.code).toBe('E_SCHEME_COMBINATION');
  });

  it('keep the flag of a payment above what was invoiced', () => {
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    close(Q1);
    endOverSixMonths();
    close(Q2);
    expect(first(adjust('c1', 'cash_received', Q3[0], 1_000, 200))?.flags).toEqual([]);
    expect(first(adjust('c2', 'cash_received', Q3[0], 0, 1))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
  });
});

describe('a payment above what was invoiced', () => {
  it('is flagged: it is most likely of an invoice from before cash accounting began, which counted when it was sent', () => {
    expect(first(adjust('c1', 'cash_received', Q1[0], 100, 20))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    expect(first(adjust('c2', 'cash_received', Q2[0], 900, 180))?.flags).toEqual([]);
    expect(first(adjust('c3', 'cash_received', Q2[0], 1, 0))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
    expect(first(adjust('k1', 'cash_paid', Q2[0], 0, 1))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
  });

  it('is told by what it pays: sales by customers, purchases by the trader, net or VAT', () => {
    const flags = (name: string, kind: string, net: number, vat: number) =>
      first(adjust(name, kind, Q1[0], net, vat))?.flags;
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    book.decide(samplePurchase('p1', 500, 100, { taxPoint: localDate(Q1[0]) }));
    expect(flags('k1', 'cash_paid', 500, 0)).toEqual([]);
    expect(flags('k2', 'cash_paid', 0, 100)).toEqual([]);
    expect(flags('k3', 'cash_paid', 1, 0)).toEqual(['PAID_ABOVE_INVOICED']);
    expect(flags('c1', 'cash_received', 1_000, 200)).toEqual([]);
    expect(flags('o1', 'own_use', 100, 20)).toEqual([]);
    expect(flags('k4', 'cash_paid', -1, 0)).toEqual([]);
    expect(flags('c2', 'cash_received', 0, 1)).toEqual(['PAID_ABOVE_INVOICED']);
    expect(flags('k5', 'cash_paid', 0, 0)).toEqual([]);
    expect(flags('k6', 'cash_paid', 0, 1)).toEqual(['PAID_ABOVE_INVOICED']);
  });

  it('counts each period once', () => {
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    close(Q1);
    expect(first(adjust('c1', 'cash_received', Q2[0], 300, 60))?.flags).toEqual([]);
    expect(first(adjust('c2', 'cash_received', Q2[0], 300, 60))?.flags).toEqual([]);
  });

  it('is told apart from one of what the last period of the scheme took over', () => {
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    close(Q1);
    end();
    expect(first(adjust('c1', 'cash_received', Q2[0], 1_000, 200))?.flags).toEqual([]);
    expect(first(adjust('c2', 'cash_received', Q2[0], 0, 1))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
  });

  it('is told apart from one of an invoice of a period that is closed', () => {
    adjust('i1', 'sale', Q1[0], 1_000, 200);
    close(Q1);
    expect(first(adjust('c1', 'cash_received', Q2[0], 1_000, 200))?.flags).toEqual([]);
    expect(first(adjust('c2', 'cash_received', Q2[0], 0, 1))?.flags).toEqual(['PAID_ABOVE_INVOICED']);
  });
});

describe('the events behind the boxes', () => {
  const rate = () => null;
  const [invoice, payment] = [
    sampleAdjustment('i', 'sale', 10_000, 2_000),
    sampleAdjustment('c', 'cash_received', 10_000, 2_000),
  ];

  it('are payments while the scheme runs, and invoices in its last period', () => {
    const vat = [{ head: 'outputVat', pence: invoice.vatPence } as const];
    expect(sharesOfEvent(invoice, [], { c: 1 }, rate)).toEqual({});
    expect(sharesOfEvent(payment, vat, { c: 1 }, rate)).toEqual({ 1: 2_000, 6: 10_000 });
    expect(sharesOfEvent(invoice, vat, { c: 2 }, rate)).toEqual({ 1: 2_000, 6: 10_000 });
    expect(sharesOfEvent(payment, [], { c: 2 }, rate)).toEqual({});
    const purchase = samplePurchase('p', 500, 100);
    expect(sharesOfEvent(purchase, [], { c: 1 }, rate)).toEqual({});
    expect(sharesOfEvent(purchase, [], { k: 'FRS' }, rate)).toEqual({});
    expect(sharesOfEvent(purchase, [], { c: 2 }, rate)).toEqual({ 7: 500 });
  });

  it('are the close or the registration that moved what was unpaid', () => {
    const moved = [{ head: 'outputVat', pence: invoice.vatPence } as const];
    expect(sharesOfEvent(sampleClose('c', ...Q1, 'hard'), moved, { c: 2 }, rate)).toEqual({ 1: 2_000 });
    expect(sharesOfEvent(sampleRegistration('r'), moved, { c: 2 }, rate)).toEqual({ 1: 2_000 });
  });
});
