import { beforeEach, describe, expect, it } from 'vitest';
import type { TillEvent } from '../../../../../../libs/core/events/vat-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { BEYOND_COUNTING, PERIOD_SUM_PENCE_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleClose, sampleRegistration } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const PERIOD = 'vat|vat:101747696|2026-10-01';
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

/** Every code of a refusal, where the first is and why. */
function refusal(event: TillEvent): readonly unknown[] {
  const { codes, pointer, detail } = book.decide(event).rejections[0]?.facts ?? {};
  return [codes, pointer, detail];
}

const next = { seq: 2, prevHash: 'a'.repeat(64) };

describe('a till event is refused', () => {
  it('where its takings could no longer be counted exactly', () => {
    book.state.set(PERIOD, JSON.stringify({ n: 1, g: { S2000: PERIOD_SUM_PENCE_MAX }, p: 0, i: 0, f: 0 }));
    expect(refusal(sampleSale('s1'))).toEqual(['E_AMOUNT_RANGE', '/lines', BEYOND_COUNTING]);
    book.state.clear();
    book.decide(sampleRegistration('r', { scheme: 'flatRate', flatRateSector: 'catering' }));
    const turnover = { '1250/1650': PERIOD_SUM_PENCE_MAX };
    book.state.set(PERIOD, JSON.stringify({ n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'FRS' }, t: turnover }));
    expect(refusal(sampleSale('s1'))[0]).toBe('E_AMOUNT_RANGE');
  });

  it('for its time alone where that cannot be read: its rates are not looked for', () => {
    expect(refusal(sampleSale('s1', { occurredAt: 'noon' }))[0]).toBe('E_TIME_FORMAT');
    expect(refusal(sampleSale('s1', { occurredAt: '2026-11-21T10:15:00' }))[0]).toBe('E_TIME_NO_OFFSET');
  });

  it('that is a sale and names another, with the faults of its own lines', () => {
    book.decide(sampleSale('s1'));
    const lines = [line('1', 100, 'unicorn')];
    expect(refusal(sampleSale('s2', { ...next, lines, originalEventId: idOf('s1') }))).toEqual([
      'E_RATE_UNKNOWN E_ORIGINAL_FORBIDDEN',
      '/lines/0/category',
      'no category of the table in docs/rules/vat.md',
    ]);
    // Known or not, the sale that is named gives a sale nothing.
    expect(refusal(sampleSale('s3', { ...next, originalEventId: idOf('none') }))[0]).toBe('E_ORIGINAL_FORBIDDEN');
  });

  it('where what it gives back is itself no sale: a report, a purchase, a refund without one', () => {
    const unlinked = sampleRefund('r1', null, [line('1', -500)], { seq: 1, prevHash: null });
    expect(book.decide(unlinked).outcome).toBe('accepted');
    const back = sampleRefund('r2', idOf('r1'), [line('1', -500)], { tillId: 'T2', seq: 1, prevHash: null });
    expect(refusal(back)).toEqual(['E_ORIGINAL_UNKNOWN', '/originalEventId', 'the event named is not a sale']);
  });

  it('of a period whose events are forgotten', () => {
    for (const [start, end] of [
      ['2025-01-01', '2025-03-31'],
      ['2025-07-01', '2025-09-30'],
      ['2026-04-01', '2026-06-30'],
    ] as const) {
      book.decide(sampleSale(start, { tillId: start, occurredAt: `${start}T10:00:00Z` }));
      book.decide(sampleClose(`c${start}`, start, end, 'hard'));
    }
    expect(refusal(sampleSale('old', { tillId: 'T9', occurredAt: '2025-03-31T10:00:00Z' }))).toEqual([
      'E_EVENT_TOO_OLD',
      '/occurredAt',
      'of a period whose events are no longer told apart',
    ]);
  });
});

describe('a void is refused', () => {
  const lines = [line('1', 1_200), line('2', 300, 'zero')];
  const negated = [line('1', -1_200), line('2', -300, 'zero')];
  const voidOf = (name: string, given = negated, other: Partial<TillEvent> = {}) =>
    sampleRefund(name, idOf('s1'), given, { tillType: 'VOID', ...other });
  beforeEach(() => {
    book.decide(sampleSale('s1', { lines }));
  });

  it('twice', () => {
    book.decide(voidOf('v1'));
    expect(refusal(voidOf('v2', negated, { seq: 3 }))).toEqual([
      'E_REFUND_EXCEEDS E_ALREADY_VOIDED',
      '/lines/0/paidPence',
      'more than what remains of the line of the sale',
    ]);
  });

  it('like a refund of nothing at all, once it was voided', () => {
    book.decide(voidOf('v1'));
    expect(refusal(sampleRefund('r1', idOf('s1'), [line('1', 0)], { seq: 3 }))).toEqual([
      'E_ALREADY_VOIDED',
      '/originalEventId',
      'the sale was voided',
    ]);
  });

  it('after the Z report', () => {
    book.decide(sampleSale('z', { ...next, tillType: 'Z_REPORT', lines: [], payments: [] }));
    expect(refusal(voidOf('v1', negated, { seq: 3 }))).toEqual([
      'E_VOID_AFTER_Z',
      '/originalEventId',
      'after the Z report it must be a refund',
    ]);
  });

  it('of some of the lines, and says so once', () => {
    expect(refusal(voidOf('v1', [line('1', -1_200)]))).toEqual([
      'E_VOID_NOT_EXACT',
      '/originalEventId',
      'a void has every line of its sale',
    ]);
    expect(refusal(voidOf('v2', [line('1', -1_199)]))).toEqual([
      'E_VOID_NOT_EXACT',
      '/lines/0/paidPence',
      'a void is the exact negation of the sale',
    ]);
  });

  it('of a line at another rate than the sale had', () => {
    const other = [line('1', -1_200, 'standard', { ratePct: '17.5' }), line('2', -300, 'zero')];
    expect(refusal(voidOf('v1', other))[0]).toBe('E_RATE_MISMATCH');
  });
});

describe('a refund whose sale is not known yet', () => {
  it('waits, whatever its lines are called: the sale says their rates', () => {
    const early = sampleRefund('r1', idOf('s1'), [line('1', -100, 'unicorn')]);
    expect(book.decide(early).outcome).toBe('held');
  });
});

describe('what an accepted event leaves', () => {
  it('names the sale that a refund or void gives back, and nothing else', () => {
    const links = (event: TillEvent) => book.decide(event).results[0]?.links;
    expect(links(sampleSale('s1'))).toEqual([]);
    expect(links(sampleRefund('r1', idOf('s1'), [line('1', -200)]))).toEqual([idOf('s1')]);
    const unlinked = sampleRefund('r2', null, [line('1', -200)], { seq: 3 });
    expect(links(unlinked)).toEqual([]);
    // A report may name a sale: nothing is given back.
    const report = { tillType: 'NO_SALE', lines: [], payments: [], seq: 4 } as const;
    expect(links(sampleSale('n1', { ...next, ...report, originalEventId: idOf('s1') }))).toEqual([]);
    const sale = JSON.parse(book.state.get(`event|vat:101747696|${idOf('s1')}`) ?? '');
    expect(sale).toMatchObject({ r: [200] });
    expect(sale.v).toBeUndefined();
  });

  it('counts a report in its period, with nothing taken', () => {
    const report = { tillType: 'X_REPORT', lines: [], payments: [], totalPence: pence(500) } as const;
    expect(book.decide(sampleSale('x1', report)).results[0]).toMatchObject({ basePence: 0, amounts: [] });
    expect(JSON.parse(book.state.get(PERIOD) ?? '')).toMatchObject({ n: 1, g: {} });
  });

  it('says every oddity of a refund without a sale from a till whose clock is ahead, late for its period', () => {
    book.decide(sampleClose('c1', '2026-07-01', '2026-09-30', 'hard'));
    const occurredAt = '2026-09-30T12:00:00Z';
    const refund = sampleRefund('r1', null, [line('1', -200)], {
      ...next,
      occurredAt,
      receivedAtMs: Date.parse(occurredAt) - 300_001,
    });
    expect(book.decide(refund).results[0]?.flags).toEqual([
      'E_SEQ_GAP',
      'LATE_PERIOD',
      'UNLINKED_REFUND',
      'E_TIME_FUTURE',
    ]);
  });
});

describe('the total that a Z report states', () => {
  /** Flags of a Z report after a sale of 12.00. */
  const afterSale = (other: Partial<TillEvent>) => {
    book = new VatBook(RULES);
    book.decide(sampleSale('s1'));
    const z = { ...next, prevHash: sampleSale('s1').hash, tillType: 'Z_REPORT', lines: [], payments: [] } as const;
    return book.decide(sampleSale('z1', { ...z, ...other })).results[0]?.flags;
  };

  it('is compared with what was taken, unless it states nothing at all', () => {
    expect(afterSale({ totalPence: pence(1_200) })).toEqual([]);
    expect(afterSale({ totalPence: pence(1_199) })).toEqual(['Z_DIFFERS']);
    expect(afterSale({ totalPence: pence(0) })).toEqual([]);
    const nothing = { totalPence: pence(0), payments: [{ method: 'cash', amountPence: pence(0) }] };
    expect(afterSale(nothing)).toEqual(['Z_DIFFERS']);
    expect(afterSale({ totalPence: pence(0), lines: [line('1', 0, 'zero')] })).toEqual(['Z_DIFFERS']);
  });

  it('of an X report is not', () => {
    expect(afterSale({ tillType: 'X_REPORT', totalPence: pence(1) })).toEqual([]);
    // What an X report states is no takings either.
    const z = { seq: 3, tillType: 'Z_REPORT', lines: [], payments: [], totalPence: pence(1_200) } as const;
    expect(book.decide(sampleSale('z2', { ...z, prevHash: sampleSale('z1').hash })).results[0]?.flags).toEqual([]);
  });

  it('counts what refunds and voids gave back', () => {
    book.decide(sampleSale('s1'));
    book.decide(sampleRefund('r1', idOf('s1'), [line('1', -300)], { prevHash: sampleSale('s1').hash }));
    book.decide(sampleSale('s2', { seq: 3, prevHash: sampleSale('r1').hash }));
    const given = [line('1', -1_200)];
    const gone = { tillType: 'VOID', seq: 4, prevHash: sampleSale('s2').hash } as const;
    expect(book.decide(sampleRefund('v1', idOf('s2'), given, gone)).outcome).toBe('accepted');
    const z = { seq: 5, tillType: 'Z_REPORT', lines: [], payments: [], totalPence: pence(900) } as const;
    expect(book.decide(sampleSale('z1', { ...z, prevHash: sampleSale('v1').hash })).results[0]?.flags).toEqual([]);
  });
});

describe('a sale that is sent again under another id', () => {
  it('is counted, under a flag of its decision: the till used its number twice', () => {
    const sale = sampleSale('s1');
    expect(book.decide(sale).results[0]?.flags).toEqual([]);
    const again = book.decide({ ...sale, eventId: idOf('again') });
    expect(again.results[0]?.flags).toEqual(['E_SEQ_REPLAY']);
    expect(JSON.parse(book.state.get('till|vat:101747696|T1') ?? '{}')).toMatchObject({ f: 1 });
    // The same event under its own id is a repeat, and no fork.
    expect(book.decide(sale).outcome).toBe('repeat');
  });
});
