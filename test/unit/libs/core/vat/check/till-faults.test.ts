import { describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { Fault } from '../../../../../../libs/core/errors/fault.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  rateDayOf,
  type TillFields,
} from '../../../../../../libs/core/vat/check/check-till.ts';
import type { LinesReading, RateSource } from '../../../../../../libs/core/vat/check/check-till-lines.ts';
import type { RememberedSale } from '../../../../../../libs/core/vat/state/remembered-sale.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const DAY = dayNumber(localDate('2026-11-21'));
const BY_DAY = { by: 'day', rules: RULES, day: DAY, region: 'GB' } as const;
const QUANTITY = 'a positive decimal as text, such as "1.337"';
const UNKNOWN: RateSource = { by: 'none' };

function sale(other: Partial<Record<keyof TillFields, unknown>> = {}): TillFields {
  return {
    vrn: '101747696',
    tillId: 'T1',
    seq: 2,
    prevHash: 'a'.repeat(64),
    type: 'SALE',
    occurredAt: '2026-11-21T10:15:00Z',
    currency: 'GBP',
    region: undefined,
    lines: [{ id: '1', category: 'standard', paidPence: 1_200 }],
    totalPence: 1_200,
    vatPence: 200,
    payments: [{ method: 'card', amountPence: 1_200 }],
    originalEventId: undefined,
    unlinkedReason: undefined,
    claimedDate: undefined,
    ...other,
  };
}

/** An event of these lines, whose total and payments are their sum. */
function saleOf(lines: readonly unknown[], other: Partial<Record<keyof TillFields, unknown>> = {}): TillFields {
  const sum = lines.reduce<number>((all, line) => all + Number((line as { paidPence?: unknown })?.paidPence ?? 0), 0);
  const payments = [{ method: 'card', amountPence: sum }];
  return sale({ lines, totalPence: sum, payments, vatPence: undefined, ...other });
}

function faultsOf(fields: TillFields, source: RateSource = BY_DAY): readonly Fault[] {
  const faults: Fault[] = [];
  const time = checkTillEnvelope(fields, faults);
  rateDayOf(fields, time, faults);
  checkTillTakings(fields, source, faults);
  checkTillLinks(fields, faults);
  return faults;
}

function readingOf(fields: TillFields, source: RateSource = BY_DAY): LinesReading | null {
  return checkTillTakings(fields, source, []);
}

const refund = (other: Partial<Record<keyof TillFields, unknown>> = {}): TillFields =>
  saleOf([{ id: '1', category: 'standard', paidPence: -1_200 }], {
    type: 'REFUND',
    unlinkedReason: 'no receipt',
    ...other,
  });

describe('what a till is told of a fault is its code, its place and what would be right', () => {
  it.each<[string, TillFields, readonly [code: string, pointer: string, detail: string]]>([
    ['VRN', sale({ vrn: 'GB1' }), ['E_VRN_INVALID', '/vrn', 'nine digits']],
    ['VRN', sale({ vrn: '1017476960' }), ['E_VRN_INVALID', '/vrn', 'nine digits']],
    ['VRN', sale({ vrn: 'x101747696' }), ['E_VRN_INVALID', '/vrn', 'nine digits']],
    ['hash', sale({ prevHash: 'a'.repeat(65) }), ['E_PREVHASH_FORMAT', '/prevHash', '64 lower-case hex digits']],
    ['hash', sale({ prevHash: `x${'a'.repeat(64)}` }), ['E_PREVHASH_FORMAT', '/prevHash', '64 lower-case hex digits']],
    [
      'amount',
      saleOf([{ id: '1', category: 'zero', paidPence: 100_000_000_001 }]),
      ['E_AMOUNT_RANGE', '/lines/0/paidPence', 'at most 100000000000 pence either way'],
    ],
    ['quantity', saleOf([{ id: '1', category: 'zero', paidPence: 1, qty: 'x1' }]), ['E_QTY', '/lines/0/qty', QUANTITY]],
    ['quantity', saleOf([{ id: '1', category: 'zero', paidPence: 1, qty: '1x' }]), ['E_QTY', '/lines/0/qty', QUANTITY]],
    ['check digits', sale({ vrn: '101747692' }), ['E_VRN_CHECK_DIGITS', '/vrn', 'the check digits are wrong']],
    ['till', sale({ tillId: 'till 1' }), ['E_TILL_ID', '/tillId', '1 to 32 of A-Z a-z 0-9 _ -']],
    ['till', sale({ tillId: 5 }), ['E_TILL_ID', '/tillId', '1 to 32 of A-Z a-z 0-9 _ -']],
    ['number', sale({ seq: 0 }), ['E_SEQ_INVALID', '/seq', 'a whole number from 1']],
    ['number', sale({ seq: 1.5 }), ['E_SEQ_INVALID', '/seq', 'a whole number from 1']],
    ['first hash', sale({ seq: 1 }), ['E_PREVHASH_FORBIDDEN', '/prevHash', 'null where seq is 1']],
    ['no hash', sale({ prevHash: null }), ['E_PREVHASH_REQUIRED', '/prevHash', 'the hash of the event before']],
    ['hash', sale({ prevHash: 'A'.repeat(64) }), ['E_PREVHASH_FORMAT', '/prevHash', '64 lower-case hex digits']],
    ['hash', sale({ prevHash: [] }), ['E_PREVHASH_FORMAT', '/prevHash', '64 lower-case hex digits']],
    ['type', sale({ type: 'GIFT' }), ['E_EVENT_TYPE', '/type', 'SALE, REFUND, VOID, NO_SALE, X_REPORT or Z_REPORT']],
    [
      'offset',
      sale({ occurredAt: '2026-11-21T10:15:00' }),
      ['E_TIME_NO_OFFSET', '/occurredAt', 'RFC 3339 with its offset, such as 2026-11-21T10:15:00Z'],
    ],
    [
      'time',
      sale({ occurredAt: 20_261_121 }),
      ['E_TIME_FORMAT', '/occurredAt', 'RFC 3339 with its offset, such as 2026-11-21T10:15:00Z'],
    ],
    [
      'a time of no day that an event may name',
      sale({ occurredAt: '9999-12-31T23:59:59-23:59' }),
      ['E_TIME_FORMAT', '/occurredAt', 'a time of a day from 1900-01-01 to 2999-12-31 in the United Kingdom'],
    ],
    [
      'a time of no day that an event may name',
      sale({ occurredAt: '3000-01-01T00:00:00Z' }),
      ['E_TIME_FORMAT', '/occurredAt', 'a time of a day from 1900-01-01 to 2999-12-31 in the United Kingdom'],
    ],
    [
      'a time of no day that an event may name',
      sale({ occurredAt: '0001-01-01T00:00:00+23:59' }),
      ['E_TIME_FORMAT', '/occurredAt', 'a time of a day from 1900-01-01 to 2999-12-31 in the United Kingdom'],
    ],
    ['currency', sale({ currency: 'EUR' }), ['E_CURRENCY', '/currency', 'GBP']],
    ['region', sale({ region: 'IM' }), ['E_REGION', '/region', 'GB or NI']],
    ['lines', sale({ lines: [] }), ['E_LINES_EMPTY', '/lines', 'a sale, refund or void has at least one line']],
    ['lines', sale({ lines: 'none' }), ['E_LINES_EMPTY', '/lines', 'a sale, refund or void has at least one line']],
    [
      'too many lines',
      saleOf(Array.from({ length: 2_001 }, (_, index) => ({ id: `${index}`, category: 'zero', paidPence: 1 }))),
      ['TOO_MANY', '/lines', 'at most 2000 lines'],
    ],
    [
      'amount',
      saleOf([{ id: '1', category: 'standard', paidPence: 0.5 }]),
      ['E_AMOUNT_NOT_INTEGER', '/lines/0/paidPence', 'whole pence, VAT included'],
    ],
    [
      'sign',
      saleOf([{ id: '1', category: 'zero', paidPence: -1 }]),
      [
        'E_SIGN',
        '/lines/0/paidPence',
        'positive on a sale: what was paid after discounts; what is given back is a REFUND, and a voucher is a payment',
      ],
    ],
    [
      'quantity',
      saleOf([{ id: '1', category: 'zero', paidPence: 1, qty: '0' }]),
      ['E_QTY', '/lines/0/qty', 'a positive decimal as text, such as "1.337"'],
    ],
    [
      'quantity',
      saleOf([{ id: '1', category: 'zero', paidPence: 1, qty: 2 }]),
      ['E_QTY', '/lines/0/qty', 'a positive decimal as text, such as "1.337"'],
    ],
    [
      'category',
      saleOf([{ id: '1', category: 'food.unicorn', paidPence: 1 }]),
      ['E_RATE_UNKNOWN', '/lines/0/category', 'no category of the table in docs/rules/vat.md'],
    ],
    [
      'category',
      saleOf([{ id: '1', category: 7, paidPence: 1 }]),
      ['E_RATE_UNKNOWN', '/lines/0/category', 'no category of the table in docs/rules/vat.md'],
    ],
    [
      'rate',
      saleOf([{ id: '1', category: 'standard', paidPence: 1, ratePct: '17.5' }]),
      ['E_RATE_MISMATCH', '/lines/0/ratePct', 'the rate of this line is 20%'],
    ],
    [
      'rate',
      saleOf([{ id: '1', category: 'standard', paidPence: 1, ratePct: 20 }]),
      ['E_RATE_MISMATCH', '/lines/0/ratePct', 'a percentage is text, here "20"'],
    ],
    [
      'category',
      saleOf([{ id: '1', category: 'Standart', paidPence: 1 }]),
      ['E_RATE_UNKNOWN', '/lines/0/category', 'no category of the table in docs/rules/vat.md: is "standard" meant?'],
    ],
    [
      'total',
      sale({ totalPence: '1200' }),
      ['E_TOTAL_MISMATCH', '/totalPence', 'whole pence as a number; the lines sum to 1200'],
    ],
    ['total', sale({ totalPence: 1_199 }), ['E_TOTAL_MISMATCH', '/totalPence', 'the lines sum to 1200']],
    [
      'VAT',
      sale({ vatPence: 201 }),
      ['E_VAT_MISMATCH', '/vatPence', 'the VAT of the lines, rounded once per rate, is 200'],
    ],
    [
      'payments',
      sale({ payments: [{ method: 'card', amountPence: 1_201 }] }),
      ['E_PAYMENT_MISMATCH', '/payments', 'the payments sum to the total, 1200'],
    ],
    ['payments', sale({ payments: null }), ['E_PAYMENT_MISMATCH', '/payments', 'the payments sum to the total, 1200']],
    [
      'payments',
      sale({ payments: 'card' }),
      ['E_PAYMENT_MISMATCH', '/payments', 'the payments sum to the total, 1200'],
    ],
    [
      'payments',
      sale({ payments: [null] }),
      ['E_PAYMENT_MISMATCH', '/payments', 'the payments sum to the total, 1200'],
    ],
    [
      'original',
      sale({ originalEventId: 'e' }),
      ['E_ORIGINAL_FORBIDDEN', '/originalEventId', 'a sale names no original'],
    ],
    [
      'refund',
      refund({ unlinkedReason: '' }),
      ['E_ORIGINAL_REQUIRED', '/originalEventId', 'a refund names its sale or gives an unlinkedReason'],
    ],
    ['void', refund({ type: 'VOID' }), ['E_ORIGINAL_REQUIRED', '/originalEventId', 'a void names its sale']],
  ])('%s', (_what, fields, [code, pointer, detail]) => {
    expect(faultsOf(fields)).toEqual([{ code, pointer, detail }]);
  });

  it('a hash has digits and the letters a to f, and nothing beside them', () => {
    const codesOf = (digit: string) =>
      faultsOf(sale({ prevHash: `${'a'.repeat(63)}${digit}` })).map(({ code }) => code);
    for (const digit of '0123456789abcdef') expect(codesOf(digit)).toEqual([]);
    for (const digit of '/:@AFG`gz ~é') expect(codesOf(digit)).toEqual(['E_PREVHASH_FORMAT']);
  });

  it('and nothing where nothing is wrong', () => {
    expect(faultsOf(sale())).toEqual([]);
    expect(faultsOf(sale({ type: 'NO_SALE', lines: [], totalPence: 0, payments: [] }))).toEqual([]);
    expect(faultsOf(refund())).toEqual([]);
    expect(faultsOf(refund({ type: 'VOID', originalEventId: 'e' }))).toEqual([]);
  });

  it('has no rate of a category before it had a treatment', () => {
    const before: RateSource = { ...BY_DAY, day: dayNumber(localDate('2018-12-31')) };
    expect(faultsOf(saleOf([{ id: '1', category: 'voucher.mpv_sale', paidPence: 1 }]), before)).toEqual([
      { code: 'E_RATE_NOT_IN_FORCE', pointer: '/lines/0/category', detail: 'no treatment on that date' },
    ]);
  });

  it('does not hold a rate against lines whose rates are not known yet', () => {
    const line = { id: '1', category: 'food.unicorn', paidPence: -1_200, ratePct: '99' };
    expect(faultsOf(saleOf([line], { type: 'REFUND', originalEventId: 'e', vatPence: 7 }), UNKNOWN)).toEqual([]);
  });
});

describe('a line', () => {
  it('may be the largest amount either way, and not a penny more', () => {
    const most = 100_000_000_000;
    const amount = (paidPence: number, type: string) =>
      faultsOf(saleOf([{ id: '1', category: 'zero', paidPence }], { type, originalEventId: 'e' })).map(
        ({ code }) => code,
      );
    expect(amount(most, 'SALE')).toEqual(['E_ORIGINAL_FORBIDDEN']);
    expect(amount(most + 1, 'SALE')).toEqual(['E_AMOUNT_RANGE', 'E_ORIGINAL_FORBIDDEN']);
    expect(amount(-most, 'REFUND')).toEqual([]);
    expect(amount(-most - 1, 'REFUND')).toEqual(['E_AMOUNT_RANGE']);
  });

  it('is one of those that together come to the largest total either way, and not a penny more', () => {
    const codes = (last: number, sign: 1 | -1) =>
      faultsOf(
        saleOf(
          [...Array.from({ length: 9 }, () => 100_000_000_000), last].map((paidPence, index) => ({
            id: `${index}`,
            category: 'zero',
            paidPence: sign * paidPence,
          })),
          sign === 1 ? {} : { type: 'REFUND', originalEventId: 'e' },
        ),
      ).map(({ code, pointer }) => `${code} ${pointer}`);
    expect(codes(99_999_999_999, 1)).toEqual([]);
    expect(codes(100_000_000_000, 1)).toEqual(['E_AMOUNT_RANGE /totalPence']);
    expect(codes(99_999_999_999, -1)).toEqual([]);
    expect(codes(100_000_000_000, -1)).toEqual(['E_AMOUNT_RANGE /totalPence']);
  });

  it('is one of two thousand', () => {
    const lines = Array.from({ length: 2_000 }, (_, index) => ({ id: `${index}`, category: 'zero', paidPence: 1 }));
    expect(faultsOf(saleOf(lines))).toEqual([]);
  });

  it('may say how many or how much was sold', () => {
    for (const qty of ['1', '2', '007', '0.5', '1.337', '0.000001', '999999999999.999999', null]) {
      expect(faultsOf(saleOf([{ id: '1', category: 'zero', paidPence: 1, qty }]))).toEqual([]);
    }
    for (const qty of ['', '0', '0.000', '1.', '.5', '1.0000001', '1234567890123', '-1', '1e3']) {
      expect(faultsOf(saleOf([{ id: '1', category: 'zero', paidPence: 1, qty }])).map(({ code }) => code)).toEqual([
        'E_QTY',
      ]);
    }
  });

  it('of an event of no known type has no sign of its own', () => {
    const gift = saleOf([{ id: '1', category: 'zero', paidPence: -1 }], { type: 'GIFT' });
    expect(faultsOf(gift).map(({ code }) => code)).toEqual(['E_EVENT_TYPE']);
  });

  it('that is no object is read as one without fields', () => {
    for (const line of [null, 'tea', 7]) {
      expect(faultsOf(sale({ lines: [line] })).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
        'E_AMOUNT_NOT_INTEGER /lines/0/paidPence',
        'E_RATE_UNKNOWN /lines/0/category',
      ]);
    }
  });

  it('may state its rate with zeros behind it', () => {
    expect(faultsOf(saleOf([{ id: '1', category: 'standard', paidPence: 1, ratePct: '20.00' }]))).toEqual([]);
  });

  it.each([3, 16, 17, 150])('of %i has an id of its own: the second of a pair is told', (count) => {
    const lines = (id: (index: number) => string | undefined) =>
      saleOf(Array.from({ length: count }, (_, index) => ({ id: id(index), category: 'zero', paidPence: 1 })));
    const twice = (index: number) => ({
      code: 'E_LINE_ID_DUP',
      pointer: `/lines/${index}/id`,
      detail: 'each line has an id of its own',
    });
    expect(faultsOf(lines((index) => String(index + 1)))).toEqual([]);
    expect(faultsOf(lines((index) => `line ${index}`))).toEqual([]);
    expect(faultsOf(lines(() => undefined))).toEqual([]);
    expect(faultsOf(lines((index) => String(index === count - 1 ? 1 : index + 1)))).toEqual([twice(count - 1)]);
    expect(faultsOf(lines((index) => (index < 2 ? 'tea' : `line ${index}`)))).toEqual([twice(1)]);
    const all = Array.from({ length: count - 1 }, (_, index) => twice(index + 1));
    expect(faultsOf(lines(() => 'tea'))).toEqual(all);
  });

  it('adds to the gross of its rate, each rate once, in the order of the lines', () => {
    const reading = readingOf(
      saleOf([
        { id: '1', category: 'standard', paidPence: 120 },
        { id: '2', category: 'food.basic', paidPence: 30 },
        { id: '3', category: 'drink.soft', paidPence: 240 },
        { id: '4', category: 'print.book', paidPence: 7 },
      ]),
    );
    expect(reading?.rates.map(({ key }) => key)).toEqual(['S2000', 'Z0']);
    expect(reading?.grossPence).toEqual([360, 37]);
    expect(reading?.totalPence).toBe(397);
    expect(reading?.sold.map(({ category, rate }) => [category, rate.key])).toEqual([
      ['standard', 'S2000'],
      ['food.basic', 'Z0'],
      ['drink.soft', 'S2000'],
      ['print.book', 'Z0'],
    ]);
  });
});

describe('a refund of a remembered sale', () => {
  const SOLD: RememberedSale = {
    h: 'h',
    n: 1,
    i: 'T1',
    q: 1,
    c: ['standard', 'drink.soft', 'food.basic'],
    k: ['S2000', 'S2000', 'Z0'],
    l: ['a', 0, 99, 'b', 1, 99, 'c', 2, 50],
    r: [10, 0, 0],
  };
  const BY_SALE = { by: 'sale', sale: SOLD, isVoid: false } as const;
  const back = (lines: readonly unknown[], vatPence?: number) =>
    saleOf(lines, { type: 'REFUND', originalEventId: 'e', vatPence });

  it('gives back lines of the sale at its rates, and at most what remains of each', () => {
    const reading = readingOf(
      back([
        { id: 'a', category: 'standard', paidPence: -89 },
        { id: 'b', category: 'drink.soft', paidPence: -99 },
      ]),
      BY_SALE,
    );
    expect(reading?.rates.map(({ key }) => key)).toEqual(['S2000']);
    expect(reading?.grossPence).toEqual([-188]);
    expect(faultsOf(back([{ id: 'a', category: 'standard', paidPence: -90 }]), BY_SALE)).toEqual([
      {
        code: 'E_REFUND_EXCEEDS',
        pointer: '/lines/0/paidPence',
        detail: 'more than what remains of the line of the sale',
      },
    ]);
  });

  it.each([
    ['an unknown line', { id: 'd', category: 'standard', paidPence: -1 }],
    ['a line of another category', { id: 'a', category: 'food.basic', paidPence: -1 }],
    ['a line without id', { category: 'standard', paidPence: -1 }],
  ])('has no %s', (_what, line) => {
    const fault = { pointer: '/lines/0/id', detail: 'the sale has no line of this id and category' };
    expect(faultsOf(back([line]), BY_SALE)).toEqual([{ code: 'E_REFUND_UNKNOWN_LINE', ...fault }]);
    expect(faultsOf(back([line]), { ...BY_SALE, isVoid: true })).toEqual([{ code: 'E_VOID_NOT_EXACT', ...fault }]);
  });

  it('may state its VAT by itself or cumulatively: 10p and 99p of 20% are 18p, or 18.17 less 1.67 half up, 16p', () => {
    const line = { id: 'b', category: 'drink.soft', paidPence: -99 };
    // By itself 99/6 = 16.5: 17. Cumulatively 109/6 = 18.17: 18, less the 10/6 = 1.67: 2 of before.
    for (const vatPence of [-17, -16]) expect(faultsOf(back([line], vatPence), BY_SALE)).toEqual([]);
    for (const vatPence of [-18, -15, 16]) {
      expect(faultsOf(back([line], vatPence), BY_SALE).map(({ code }) => code)).toEqual(['E_VAT_MISMATCH']);
    }
    // What was given back at other rates counts for nothing, on whichever line of this rate it was.
    for (const r of [
      [10, 0, 50],
      [10, 0, 0],
    ]) {
      const sale = { ...BY_SALE.sale, r };
      expect(faultsOf(back([line], -16), { ...BY_SALE, sale })).toEqual([]);
    }
    const other = { ...BY_SALE.sale, r: [0, 10, 0] };
    expect(faultsOf(back([{ ...line, id: 'a', category: 'standard' }], -16), { ...BY_SALE, sale: other })).toEqual([]);
    expect(faultsOf(saleOf([{ ...line, paidPence: 99 }], { vatPence: 16 })).map(({ code }) => code)).toEqual([
      'E_VAT_MISMATCH',
    ]);
  });
});

describe('the date that a customer claims', () => {
  const dayOf = (fields: TillFields) => {
    const faults: Fault[] = [];
    const time = { occurredAtMs: Date.UTC(2026, 10, 21, 10, 15), day: DAY };
    return { day: rateDayOf(fields, time, faults), faults };
  };

  it('gives a refund without a sale its rates, up to the day of the event itself', () => {
    for (const claimedDate of ['2026-08-01', '2026-11-21']) {
      expect(dayOf(refund({ claimedDate }))).toEqual({ day: dayNumber(localDate(claimedDate)), faults: [] });
    }
  });

  it.each<[string, TillFields]>([
    ['of tomorrow', refund({ claimedDate: '2026-11-22' })],
    ['that is none', refund({ claimedDate: '2026-02-30' })],
    ['that is a number', refund({ claimedDate: 20_260_801 })],
    ['on a sale', sale({ claimedDate: '2026-08-01' })],
    ['on a refund that names its sale', refund({ claimedDate: '2026-08-01', originalEventId: 'e' })],
    ['on a void', refund({ claimedDate: '2026-08-01', type: 'VOID' })],
  ])('is refused %s, and the event keeps its own', (_what, fields) => {
    const detail = 'a date not after the event, on a refund that names no sale';
    expect(dayOf(fields)).toEqual({ day: DAY, faults: [{ code: 'E_CLAIMED_DATE', pointer: '/claimedDate', detail }] });
  });
});
