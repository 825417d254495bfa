import { beforeEach, describe, expect, it } from 'vitest';
import { type LocalDate, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { PurchaseRecorded, TillEvent, VatEvent } from '../../../../../../libs/core/events/vat-events.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { decideVat, vatStateKeys } from '../../../../../../libs/core/vat/decide/decide-vat.ts';
import { HELD_AGE_MAX_MS, HELD_EVENTS_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { type VatRules, vatRulesOf } from '../../../../../../libs/core/vat/rates/vat-rules.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';
import { hashOfEvent, line, sampleRefund, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules, vatRateCards } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
let book: VatBook;

beforeEach(() => {
  book = new VatBook(RULES);
});

/** A chain of sales on one till, each linked to the one before. */
function sale(name: string, seq: number, other: Partial<TillEvent> = {}): TillEvent {
  const prevHash = seq === 1 ? null : sampleSale(`s${seq - 1}`).hash;
  return sampleSale(name, { seq, prevHash, ...other });
}

function purchase(name: string, other: Partial<PurchaseRecorded> = {}): PurchaseRecorded {
  return {
    type: 'PurchaseRecorded',
    eventId: idOf(name),
    account: account('vat:101747696'),
    receivedAtMs: Date.UTC(2026, 10, 21, 11),
    kind: 'purchase',
    taxPoint: localDate('2026-11-20'),
    netPence: pence(10_000),
    vatPence: pence(2_000),
    recoverableBasisPoints: 10_000,
    supplierVrn: null,
    reference: null,
    ...other,
  };
}

describe('a sale', () => {
  it('of 12.00 at the standard rate is a charge of 2.00 output VAT in the calendar quarter of its tax point', () => {
    const decision = book.decide(sampleSale('s1'));
    expect(decision).toMatchObject({ outcome: 'accepted', rejections: [] });
    expect(decision.results).toEqual([
      {
        account: 'vat:101747696',
        eventId: idOf('s1'),
        kind: 'charge',
        number: 1,
        taxPeriod: '2026-10-01/2026-12-31',
        basePence: 1_200,
        amounts: [{ head: 'outputVat', pence: 200 }],
        person: null,
        links: [],
        flags: [],
        stated: [],
        receivedAtMs: Date.UTC(2026, 10, 21, 10, 15),
      },
    ]);
  });

  it('moves the liability of its period, rounded once per rate: seven of 99p are 116p in all, not 7 x 17p', () => {
    for (let seq = 1; seq <= 7; seq += 1) book.decide(sale(`s${seq}`, seq, { lines: [line('1', 99)] }));
    // 693 / 6 = 115.5 -> 116.
    expect(book.total('outputVat')).toBe(116);
    expect(book.decisions.map(({ results }) => results[0]?.number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('counts zero-rated, exempt and outside takings without VAT', () => {
    const lines = [line('1', 600), line('2', 105, 'reduced'), line('3', 250, 'zero'), line('4', 750, 'exempt')];
    const { results } = book.decide(sampleSale('s1', { lines: [...lines, line('5', 300, 'outside')] }));
    // 600/6 + 105/21 = 100 + 5.
    expect(results[0]).toMatchObject({ basePence: 2_005, amounts: [{ head: 'outputVat', pence: 105 }] });
    expect(JSON.parse(book.state.get('vat|vat:101747696|2026-10-01') ?? '')).toEqual({
      n: 1,
      g: { S2000: 600, R500: 105, Z0: 250, E0: 750, O0: 300 },
      p: 0,
      i: 0,
      f: 0,
      e: idOf('s1'),
    });
  });

  it('has the civil date of the United Kingdom: 23:30 UTC on 30 September 2026 is in the quarter that begins on 1 October', () => {
    const { results } = book.decide(sampleSale('s1', { occurredAt: '2026-09-30T23:30:00Z' }));
    expect(results[0]?.taxPeriod).toBe('2026-10-01/2026-12-31');
  });

  it('that comes late keeps its own period and rate', () => {
    const lines = [line('1', 600, 'catering.childrens_meal_on_premises')];
    const { results } = book.decide(sampleSale('s1', { lines, occurredAt: '2026-08-15T12:00:00+01:00' }));
    // 600/21 = 28.57 -> 29.
    expect(results[0]).toMatchObject({
      taxPeriod: '2026-07-01/2026-09-30',
      amounts: [{ head: 'outputVat', pence: 29 }],
    });
  });

  it('in Northern Ireland has the rates of Northern Ireland', () => {
    const lines = [line('1', 2_100, 'home.electricity_domestic')];
    expect(book.decide(sampleSale('s1', { lines, region: 'NI' })).results[0]?.amounts).toEqual([
      { head: 'outputVat', pence: 100 },
    ]);
    expect(book.decide(sale('s2', 2, { lines, region: 'GB' })).results[0]?.amounts).toEqual([]);
  });

  it('is refused with every code at once, and leaves nothing in the state', () => {
    const bad = sampleSale('s1', {
      currency: 'EUR',
      seq: 0,
      lines: [line('1', -100, 'food.unicorn', { qty: '0' }), line('1', 50)],
    });
    const decision = book.decide(bad);
    expect(decision).toMatchObject({ outcome: 'rejected', results: [], changes: [] });
    expect(decision.rejections[0]?.code).toBe('E_SEQ_INVALID');
    expect(decision.rejections[0]?.facts.codes?.split(' ').sort()).toEqual([
      'E_CURRENCY',
      'E_LINE_ID_DUP',
      'E_QTY',
      'E_RATE_UNKNOWN',
      'E_SEQ_INVALID',
      'E_SIGN',
    ]);
    expect(book.state.size).toBe(0);
  });

  it('whose id was rejected may come again, put right', () => {
    book.decide(sampleSale('s1', { currency: 'EUR' }));
    expect(book.decide(sampleSale('s1')).outcome).toBe('accepted');
  });

  it('is a repeat when the same bytes come again, and a conflict with other bytes', () => {
    book.decide(sampleSale('s1'));
    const before = [...book.state];
    expect(book.decide(sampleSale('s1'))).toEqual({ outcome: 'repeat', results: [], rejections: [], changes: [] });
    const other = book.decide(sampleSale('s1', { lines: [line('1', 5)] }));
    expect(other).toMatchObject({ outcome: 'rejected', rejections: [{ code: 'EVENT_ID_CONFLICT' }] });
    expect([...book.state]).toEqual(before);
  });

  it('with a VAT that its till got wrong is refused, and with the right one accepted', () => {
    const wrong = book.decide(sampleSale('s1', { vatPence: pence(199) }));
    expect(wrong.rejections[0]?.code).toBe('E_VAT_MISMATCH');
    expect(book.decide(sampleSale('s1', { vatPence: pence(200) })).outcome).toBe('accepted');
  });
});

describe('a refund', () => {
  const meal = [line('1', 600, 'catering.childrens_meal_on_premises'), line('2', 1_200)];

  it('gives back at the rate and price of its sale, in the period in which it happens', () => {
    book.decide(sampleSale('s1', { lines: meal, occurredAt: '2026-08-15T12:00:00Z' }));
    const given = [line('1', -600, 'catering.childrens_meal_on_premises')];
    const { results } = book.decide(sampleRefund('r1', idOf('s1'), given, { occurredAt: '2026-10-02T09:00:00Z' }));
    // 600/21 = 28.57 -> 29, although the meal is at 20% in October.
    expect(results[0]).toMatchObject({
      kind: 'charge',
      taxPeriod: '2026-10-01/2026-12-31',
      basePence: -600,
      amounts: [{ head: 'outputVat', pence: -29 }],
      links: [idOf('s1')],
    });
  });

  it('in parts never gives back more than a line was paid', () => {
    book.decide(sampleSale('s1', { lines: meal }));
    const part = (name: string, seq: number, paid: number) =>
      book.decide(sampleRefund(name, idOf('s1'), [line('2', paid)], { seq }));
    expect(part('r1', 2, -800).outcome).toBe('accepted');
    expect(part('r2', 3, -401).rejections[0]?.code).toBe('E_REFUND_EXCEEDS');
    expect(part('r3', 3, -400).outcome).toBe('accepted');
    expect(part('r4', 4, -1).rejections[0]?.code).toBe('E_REFUND_EXCEEDS');
  });

  it('of a line that the sale has not, or under another category, is refused', () => {
    book.decide(sampleSale('s1', { lines: meal }));
    const codeOf = (given: ReturnType<typeof line>) =>
      book.decide(sampleRefund('r1', idOf('s1'), [given])).rejections[0]?.code;
    expect(codeOf(line('9', -100))).toBe('E_REFUND_UNKNOWN_LINE');
    expect(codeOf(line('2', -100, 'zero'))).toBe('E_REFUND_UNKNOWN_LINE');
  });

  it('may state the VAT of a part by itself or so that the parts sum to the whole, and the rate of the sale', () => {
    book.decide(sampleSale('s1', { lines: [line('1', 606)] }));
    // First 303/6 = 50.5 -> 51; the rest by itself 51, cumulatively 606/6 - 51 = 50.
    const part = (name: string, seq: number, vat: number, ratePct: string) =>
      book.decide(
        sampleRefund(name, idOf('s1'), [line('1', -303, 'standard', { ratePct })], { seq, vatPence: pence(vat) }),
      );
    expect(part('r1', 2, -51, '20.0').outcome).toBe('accepted');
    expect(part('r2', 3, -49, '20').rejections[0]?.code).toBe('E_VAT_MISMATCH');
    expect(part('r2', 3, -50, '5').rejections[0]?.code).toBe('E_RATE_MISMATCH');
    expect(part('r2', 3, -50, '20').outcome).toBe('accepted');
    expect(book.total('outputVat')).toBe(0);
  });

  it('without a sale has the rate of the date claimed, or of its own, and is flagged', () => {
    const given = [line('1', -600, 'catering.childrens_meal_on_premises')];
    const claimed = book.decide(
      sampleRefund('r1', null, given, { seq: 1, prevHash: null, claimedDate: localDate('2026-08-15') }),
    );
    expect(claimed.results[0]).toMatchObject({
      flags: ['UNLINKED_REFUND'],
      links: [],
      amounts: [{ head: 'outputVat', pence: -29 }],
    });
    const own = book.decide(sampleRefund('r2', null, given, { seq: 2, prevHash: sampleSale('r1').hash }));
    // Running takings at 20%: -600/6 = -100.
    expect(own.results[0]?.amounts).toEqual([{ head: 'outputVat', pence: -100 }]);
  });

  it('without a sale and without a reason is refused, and a claimed date after the refund too', () => {
    const given = [line('1', -600)];
    const codeOf = (other: Partial<TillEvent>) =>
      book.decide(sampleRefund('r1', null, given, other)).rejections[0]?.code;
    expect(codeOf({ unlinkedReason: null })).toBe('E_ORIGINAL_REQUIRED');
    expect(codeOf({ claimedDate: localDate('2026-11-22') })).toBe('E_CLAIMED_DATE');
  });

  it('of something that is no sale is refused', () => {
    book.decide(purchase('p1'));
    const { rejections } = book.decide(sampleRefund('r1', idOf('p1'), [line('1', -100)]));
    expect(rejections[0]?.code).toBe('E_ORIGINAL_UNKNOWN');
  });
});

describe('a refund that comes before its sale', () => {
  const early = sampleRefund('r1', idOf('s1'), [line('1', -1_200)]);

  it('waits, and is in the decision of the sale, after it', () => {
    const held = book.decide(early);
    expect(held).toMatchObject({ outcome: 'held', results: [], rejections: [] });
    const { outcome, results } = book.decide(sampleSale('s1'));
    expect(outcome).toBe('accepted');
    expect(results.map(({ eventId, number, amounts }) => [eventId, number, amounts[0]?.pence])).toEqual([
      [idOf('s1'), 1, 200],
      [idOf('r1'), 2, -200],
    ]);
    expect([...book.state.keys()].filter((key) => key.startsWith('held|'))).toEqual([]);
  });

  it('leaves the same state as if it had come in order', () => {
    book.decide(early);
    book.decide(sampleSale('s1'));
    const ordered = new VatBook(RULES);
    ordered.decide(sampleSale('s1'));
    ordered.decide(early);
    expect(Object.fromEntries(book.state)).toEqual(Object.fromEntries(ordered.state));
  });

  it('is a repeat or a conflict like any other while it waits', () => {
    book.decide(early);
    expect(book.decide(early).outcome).toBe('repeat');
    const other = book.decide({ ...early, unlinkedReason: 'changed' });
    expect(other.rejections[0]?.code).toBe('EVENT_ID_CONFLICT');
  });

  it('is rejected with the sale if the sale does not bear it', () => {
    book.decide(sampleRefund('r1', idOf('s1'), [line('1', -1_201)]));
    const { outcome, results, rejections } = book.decide(sampleSale('s1'));
    expect([outcome, results.length]).toEqual(['accepted', 1]);
    expect(rejections).toMatchObject([{ eventId: idOf('r1'), code: 'E_REFUND_EXCEEDS' }]);
  });

  it('is rejected once later events of the account are received a day after it', () => {
    book.decide(early);
    const receivedAtMs = early.receivedAtMs + HELD_AGE_MAX_MS;
    expect(book.decide(sale('other', 1, { receivedAtMs })).rejections).toEqual([]);
    const { results, rejections } = book.decide(purchase('p1', { receivedAtMs: receivedAtMs + 1 }));
    expect(results).toHaveLength(1);
    expect(rejections).toMatchObject([{ eventId: idOf('r1'), code: 'E_ORIGINAL_UNKNOWN' }]);
    expect(book.decide(sale('s1', 3)).results).toHaveLength(1);
  });

  it('says why it was let go', () => {
    book.decide(early);
    const receivedAtMs = early.receivedAtMs + HELD_AGE_MAX_MS + 1;
    expect(book.decide(purchase('p1', { receivedAtMs })).rejections).toEqual([
      {
        account: 'vat:101747696',
        eventId: idOf('r1'),
        code: 'E_ORIGINAL_UNKNOWN',
        facts: {
          codes: 'E_ORIGINAL_UNKNOWN',
          original: idOf('s1'),
          why: 'the sale did not come while this waited',
        },
        receivedAtMs: early.receivedAtMs,
      },
    ]);
  });

  it('goes on waiting where another is let go, for its sale or for its age', () => {
    const other = sampleRefund('r2', idOf('s2'), [line('1', -1_200)], {
      seq: 4,
      receivedAtMs: early.receivedAtMs + 10,
    });
    book.decide(early);
    book.decide(other);
    expect(book.decide(sampleSale('s1')).results.map(({ eventId }) => eventId)).toEqual([idOf('s1'), idOf('r1')]);
    expect(book.decide(other).outcome).toBe('repeat');
    expect(book.decide(sale('s2', 3)).results.map(({ eventId }) => eventId)).toEqual([idOf('s2'), idOf('r2')]);
    const third = sampleRefund('r3', idOf('s5'), [line('1', -1_200)], { seq: 6 });
    book.decide(third);
    book.decide({ ...third, eventId: idOf('r4'), originalEventId: idOf('s6'), receivedAtMs: third.receivedAtMs + 10 });
    const { rejections } = book.decide(purchase('p1', { receivedAtMs: third.receivedAtMs + HELD_AGE_MAX_MS + 1 }));
    expect(rejections.map(({ eventId }) => eventId)).toEqual([idOf('r3')]);
    expect(
      book.decide(sampleSale('s6', { seq: 5, prevHash: 'a'.repeat(64) })).results.map(({ eventId }) => eventId),
    ).toEqual([idOf('s6'), idOf('r4')]);
  });

  it('says so where no more can wait', () => {
    for (let index = 0; index < HELD_EVENTS_MAX; index += 1) {
      book.decide(sampleRefund(`h${index}`, idOf(`x${index}`), [line('1', -1)]));
    }
    expect(book.decide(early).rejections[0]?.facts).toEqual({
      codes: 'E_ORIGINAL_UNKNOWN',
      why: 'the sale is not known and no more events can wait',
    });
  });

  it('is refused where sixteen wait already', () => {
    for (let index = 0; index < HELD_EVENTS_MAX; index += 1) {
      expect(book.decide(sampleRefund(`h${index}`, idOf(`x${index}`), [line('1', -1)])).outcome).toBe('held');
    }
    const { outcome, rejections } = book.decide(early);
    expect([outcome, rejections[0]?.code]).toEqual(['rejected', 'E_ORIGINAL_UNKNOWN']);
  });

  it('is refused at once for what needs no sale to be seen', () => {
    const { outcome, rejections } = book.decide({ ...early, totalPence: pence(-1) });
    expect([outcome, rejections[0]?.code]).toEqual(['rejected', 'E_TOTAL_MISMATCH']);
  });
});

describe('a void', () => {
  const lines = [line('1', 1_200), line('2', 300, 'zero')];
  const negated = [line('1', -1_200), line('2', -300, 'zero')];
  const voidOf = (name: string, given = negated, other: Partial<TillEvent> = {}) =>
    book.decide(sampleRefund(name, idOf('s1'), given, { tillType: 'VOID', ...other }));

  beforeEach(() => {
    book.decide(sampleSale('s1', { lines }));
  });

  it('is the exact negation of its sale', () => {
    expect(voidOf('v1').results[0]).toMatchObject({ basePence: -1_500, amounts: [{ head: 'outputVat', pence: -200 }] });
    expect(book.total('outputVat')).toBe(0);
  });

  it('of less, or of other lines, is refused', () => {
    expect(voidOf('v1', [line('1', -1_200)]).rejections[0]?.code).toBe('E_VOID_NOT_EXACT');
    expect(voidOf('v1', [line('1', -1_199), line('2', -300, 'zero')]).rejections[0]?.code).toBe('E_VOID_NOT_EXACT');
    expect(voidOf('v1', [line('1', -1_200), line('3', -300, 'zero')]).rejections[0]?.code).toBe('E_VOID_NOT_EXACT');
  });

  it('comes once, and after it nothing is left to refund', () => {
    voidOf('v1');
    expect(voidOf('v2', negated, { seq: 3 }).rejections[0]?.facts.codes).toContain('E_ALREADY_VOIDED');
    const refund = book.decide(sampleRefund('r1', idOf('s1'), [line('1', -1)], { seq: 3 }));
    expect(refund.rejections[0]?.facts.codes).toContain('E_ALREADY_VOIDED');
  });

  it('of a sale that was refunded in part is refused', () => {
    book.decide(sampleRefund('r1', idOf('s1'), [line('1', -1)]));
    expect(voidOf('v1', negated, { seq: 3 }).rejections[0]?.code).toBe('E_REFUND_EXCEEDS');
  });

  it('after the Z report of its till is refused; one that came late from before it is not', () => {
    const z = { tillType: 'Z_REPORT', lines: [], payments: [], seq: 3, prevHash: 'b'.repeat(64) } as const;
    expect(book.decide(sampleSale('z1', z)).outcome).toBe('accepted');
    expect(voidOf('v4', negated, { seq: 4 }).rejections[0]?.code).toBe('E_VOID_AFTER_Z');
    expect(voidOf('v4', negated, { tillId: 'T2', seq: 1, prevHash: null }).rejections[0]?.code).toBe('E_VOID_AFTER_Z');
    expect(voidOf('v2', negated, { seq: 2 }).outcome).toBe('accepted');
  });
});

describe('a till', () => {
  it('that opens its drawer or prints a report makes an entry without amounts', () => {
    for (const [seq, tillType] of (['NO_SALE', 'X_REPORT', 'Z_REPORT'] as const).entries()) {
      const { results } = book.decide(sale(`s${seq + 1}`, seq + 1, { tillType, lines: [], payments: [] }));
      expect(results[0]).toMatchObject({ kind: 'charge', basePence: 0, amounts: [], number: seq + 1, flags: [] });
    }
  });

  it('whose numbers skip is flagged; the late event that fills the gap is fine', () => {
    const flagsOf = (name: string, seq: number, prevHash: string) =>
      book.decide(sampleSale(name, { seq, prevHash })).results[0]?.flags;
    const hash = (name: string) => sampleSale(name).hash;
    book.decide(sampleSale('s1'));
    expect(flagsOf('s4', 4, hash('s3'))).toEqual(['E_SEQ_GAP']);
    expect(flagsOf('s3', 3, hash('s2'))).toEqual([]);
    expect(flagsOf('s2', 2, hash('s1'))).toEqual([]);
    expect(flagsOf('s5', 5, hash('s4'))).toEqual([]);
  });

  it('whose links do not fit is flagged, also where the event fills a gap', () => {
    book.decide(sampleSale('s1'));
    const flagsOf = (name: string, seq: number, prevHash: string) =>
      book.decide(sampleSale(name, { seq, prevHash })).results[0]?.flags;
    expect(flagsOf('s2', 2, 'f'.repeat(64))).toEqual(['E_CHAIN_BROKEN']);
    expect(flagsOf('s4', 4, 'e'.repeat(64))).toEqual(['E_SEQ_GAP']);
    expect(flagsOf('s3', 3, sampleSale('s2').hash)).toEqual(['E_CHAIN_BROKEN']);
  });

  it('that uses a number twice is a fork: accepted, flagged, counted', () => {
    book.decide(sampleSale('s1'));
    expect(book.decide(sampleSale('other')).results[0]?.flags).toEqual(['E_SEQ_REPLAY']);
    expect(book.total('outputVat')).toBe(400);
    expect(JSON.parse(book.state.get('till|vat:101747696|T1') ?? '')).toMatchObject({ s: 1, f: 1 });
  });

  it('whose clock is more than 300 s ahead of the receipt is flagged', () => {
    const flagsOf = (name: string, seq: number, aheadMs: number) =>
      book.decide(sale(name, seq, { receivedAtMs: Date.UTC(2026, 10, 21, 10, 15) - aheadMs })).results[0]?.flags;
    expect(flagsOf('s1', 1, 300_000)).toEqual([]);
    book = new VatBook(RULES);
    expect(flagsOf('s2', 1, 300_001)).toEqual(['E_TIME_FUTURE']);
  });
});

describe('a purchase', () => {
  it('is a claim of its recoverable VAT, negative under input VAT', () => {
    expect(book.decide(purchase('p1')).results[0]).toMatchObject({
      kind: 'claim',
      number: 1,
      taxPeriod: '2026-10-01/2026-12-31',
      basePence: 10_000,
      amounts: [{ head: 'inputVat', pence: -2_000 }],
    });
  });

  it('recovers its share on the running sum: three halves of 1p are 2p, not 3 x 1p', () => {
    const half = (name: string) =>
      book.decide(purchase(name, { vatPence: pence(1), recoverableBasisPoints: 5_000 })).results[0]?.amounts;
    // 0.5 -> 1, 1.0 -> 1, 1.5 -> 2.
    expect([half('p1'), half('p2'), half('p3')]).toEqual([
      [{ head: 'inputVat', pence: -1 }],
      [],
      [{ head: 'inputVat', pence: -1 }],
    ]);
  });

  it('and its credit leave nothing', () => {
    book.decide(purchase('p1', { vatPence: pence(333), recoverableBasisPoints: 3_333 }));
    const credit = { kind: 'purchase_credit', netPence: pence(-10_000), vatPence: pence(-333) } as const;
    const { results } = book.decide(purchase('c1', { ...credit, recoverableBasisPoints: 3_333 }));
    expect(results[0]?.amounts).toEqual([{ head: 'inputVat', pence: 111 }]);
    expect(book.total('inputVat')).toBe(0);
  });

  it('with a sign that does not fit its kind, or a share above all, is refused with every code', () => {
    const { rejections } = book.decide(purchase('p1', { vatPence: pence(-1), recoverableBasisPoints: 10_001 }));
    expect(rejections[0]?.facts.codes).toBe('E_SIGN E_RECOVERABLE');
  });
});

describe('the keys that a decision reads', () => {
  const OWNER = 'vat:101747696';
  const always = (name: string) => [
    `account|${OWNER}`,
    `trader|${OWNER}`,
    `held|${OWNER}`,
    `event|${OWNER}|${idOf(name)}`,
  ];

  it('are those of the account, the event, its till, its period and the sale that it names', () => {
    const [till, period] = [`till|${OWNER}|T1`, `vat|${OWNER}|2026-10-01`];
    expect(vatStateKeys(sampleSale('s1'))).toEqual([...always('s1'), till, period]);
    expect(vatStateKeys(sampleSale('s1', { occurredAt: 'noon' }))).toEqual([...always('s1'), till]);
    // 23:30 UTC on 30 June is 1 July in London.
    expect(vatStateKeys(sampleSale('s1', { occurredAt: '2026-06-30T23:30:00Z' })).at(-1)).toBe(
      `vat|${OWNER}|2026-07-01`,
    );
    const refund = sampleRefund('r1', idOf('s1'), [line('1', -1)]);
    expect(vatStateKeys(refund)).toEqual([...always('r1'), till, period, `event|${OWNER}|${idOf('s1')}`]);
  });

  it('of a purchase or adjustment are those of its tax point', () => {
    const bad = localDate('2026-10-05').replace('05', '55') as LocalDate;
    for (const event of [samplePurchase('p1', 1, 0), sampleAdjustment('p1', 'own_use', 1, 0)]) {
      expect(vatStateKeys(event)).toEqual([...always('p1'), `vat|${OWNER}|2026-10-01`]);
      expect(vatStateKeys({ ...event, taxPoint: bad })).toEqual(always('p1'));
    }
  });

  it('of a close are those of its period and the next, of a registration no period’s', () => {
    const close = sampleClose('c1', '2026-07-01', '2026-09-30', 'hard');
    expect(vatStateKeys(close)).toEqual([...always('c1'), `vat|${OWNER}|2026-07-01`, `vat|${OWNER}|2026-10-01`]);
    const bad = { ...close, periodEnd: 'soon' as LocalDate };
    expect(vatStateKeys(bad)).toEqual(always('c1'));
    expect(vatStateKeys(sampleRegistration('r1'))).toEqual(always('r1'));
  });

  it('of nearly every sale are all that it writes but its trader', () => {
    book.decide(sampleSale('s1'));
    const written = book.decide(sale('s2', 2)).changes.map(({ key }) => key);
    expect(written.sort()).toEqual(
      [`account|${OWNER}`, `event|${OWNER}|${idOf('s2')}`, `till|${OWNER}|T1`, `vat|${OWNER}|2026-10-01`].sort(),
    );
  });
});

describe('decideVat', () => {
  it('reads no key beyond those it names beforehand, for a sale and a refund on a till that is known', () => {
    book.decide(sampleSale('s0'));
    for (const event of [
      sampleSale('s1', { seq: 2 }),
      sampleRefund('r1', idOf('s1'), [line('1', -1)]),
      purchase('p1'),
    ]) {
      const named = new Set(vatStateKeys(event));
      const asked = new Set<string>();
      const state = new Map([...book.state].map(([key, text]) => [key, JSON.parse(text)]));
      const get = (key: string) => {
        asked.add(key);
        return state.get(key);
      };
      decideVat(event, hashOfEvent(event), { get }, RULES);
      expect([...asked].filter((key) => !named.has(key))).toEqual([]);
      book.decide(event);
    }
  });

  it('changes nothing in the state it reads', () => {
    const frozen = new Map<string, unknown>();
    const freeze = (value: unknown): unknown => {
      if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
      return Object.freeze(value);
    };
    const events = [sampleSale('s1'), sampleRefund('r1', idOf('s1'), [line('1', -5)]), sale('s9', 9), purchase('p1')];
    for (const event of events) {
      const { changes, outcome } = decideVat(
        event,
        hashOfEvent(event),
        { get: (key) => frozen.get(key) as Record<string, unknown> | undefined },
        RULES,
      );
      expect(outcome).toBe('accepted');
      for (const { key, value } of changes) frozen.set(key, freeze(value));
    }
  });
});

describe('rate cards of before 1 December 2026', () => {
  const older = [...vatRateCards()].filter(([name]) => name !== 'decision-rules.json').map(([, card]) => card);
  const decided = (rules: VatRules, event: VatEvent) => new VatBook(rules).decide(event);

  it.each([
    ['stated VAT', samplePurchase('p1', 10_000, 9_000), 'E_VAT_ABOVE_RATE'],
    ['a tax point', samplePurchase('p2', 100, 20, { taxPoint: localDate('2027-10-06') }), 'E_DATE_FUTURE'],
    ['an old claim', samplePurchase('p3', 100, 20, { taxPoint: localDate('2022-03-10') }), 'E_CLAIM_TOO_LATE'],
    ['a pool item', sampleAdjustment('a1', 'margin_pool_purchase', 90_000), 'E_MARGIN_POOL_ITEM'],
  ] as const)('hold %s to nothing: a block that names them is checked as it was decided', (_what, event, code) => {
    expect(decided(vatRulesOf(older, 'older'), event).outcome).toBe('accepted');
    expect(decided(RULES, event).rejections[0]?.code).toBe(code);
  });

  it('count stock retained, a till’s own time and an error above the limit as they were counted', () => {
    const book = new VatBook(vatRulesOf(older, 'older'));
    book.decide(sampleAdjustment('a1', 'stock_retained_dereg', 5_000, 1_000));
    book.decide(sampleAdjustment('a2', 'error_underdeclared', 0, 2_000_000));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 2_001_000, 6: 5_000 });
    const reset = sampleSale('s1', { occurredAt: '2000-01-01T00:04:10Z' });
    expect(book.decide(reset).results[0]).toMatchObject({ taxPeriod: '2000-01-01/2000-03-31', flags: [] });
  });
});
