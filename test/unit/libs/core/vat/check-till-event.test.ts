import { describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { checkTillEvent, type TillContext } from '../../../../../libs/core/vat/check-till-event.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';

const RULES = testVatRules();
const HASH = 'a'.repeat(64);
const ID = '018f0000-0000-7000-8000-000000000001';
const ORIGINAL_ID = '018f0000-0000-7000-8000-000000000009';
const NOTHING_KNOWN: TillContext = {
  lastSeq: null,
  lastHash: null,
  receivedAtMs: null,
  seenIds: new Set(),
  knownIds: null,
  original: null,
};
const ORIGINAL = {
  totalPence: 1_500,
  day: dayNumber(localDate('2026-11-20')),
  vrn: '101747696',
  refundedPence: 0,
  voided: false,
  zClosed: false,
};

type Json = Record<string, unknown>;

function sale(other: Json = {}): Json {
  return {
    schema: 1,
    eventId: ID,
    vrn: '101747696',
    tillId: 'T1',
    seq: 2,
    prevHash: HASH,
    type: 'SALE',
    occurredAt: '2026-11-21T10:15:00Z',
    currency: 'GBP',
    lines: [
      { id: '1', category: 'standard', qty: '1', paidPence: 1_200 },
      { id: '2', category: 'food.basic', paidPence: 300 },
    ],
    totalPence: 1_500,
    vatPence: 200,
    payments: [{ method: 'card', amountPence: 1_500 }],
    ...other,
  };
}

function refund(other: Json = {}): Json {
  return sale({
    type: 'REFUND',
    lines: [
      { id: '1', category: 'standard', paidPence: -1_200 },
      { id: '2', category: 'food.basic', paidPence: -300 },
    ],
    totalPence: -1_500,
    vatPence: -200,
    payments: [{ method: 'card', amountPence: -1_500 }],
    originalEventId: ORIGINAL_ID,
    ...other,
  });
}

const lineWith = (other: Json) => [{ id: '1', category: 'standard', paidPence: 1_500, ...other }];
const oneLine = (other: Json) => sale({ lines: lineWith(other), vatPence: undefined });
const onDay = (occurredAt: string) => sale({ occurredAt, vatPence: undefined });
const known = (other: Partial<TillContext> = {}) => ({ ...NOTHING_KNOWN, ...other });
const withOriginal = (other: Partial<typeof ORIGINAL> = {}) => known({ original: { ...ORIGINAL, ...other } });

describe('a till event gets every code of vat-tables.json that applies', () => {
  it.each<[string, readonly string[], unknown, TillContext]>([
    ['no object', ['E_JSON'], [], NOTHING_KNOWN],
    [
      'absent fields, and nothing else',
      ['E_MISSING_FIELD:schema', 'E_MISSING_FIELD:vrn'],
      sale({ schema: undefined, vrn: undefined, currency: 'EUR' }),
      NOTHING_KNOWN,
    ],
    ['another schema', ['E_SCHEMA_VERSION'], sale({ schema: '1' }), NOTHING_KNOWN],
    ['an id in capitals', ['E_EVENT_ID'], sale({ eventId: ID.toUpperCase() }), NOTHING_KNOWN],
    ['wrong check digits', ['E_VRN_CHECK_DIGITS'], sale({ vrn: '101747692' }), NOTHING_KNOWN],
    ['a malformed VRN', ['E_VRN_INVALID'], sale({ vrn: 101747696 }), NOTHING_KNOWN],
    ['a till id with a space', ['E_TILL_ID'], sale({ tillId: 'a b' }), NOTHING_KNOWN],
    ['a sequence number of 0', ['E_SEQ_INVALID'], sale({ seq: 0 }), NOTHING_KNOWN],
    ['a first event with a prevHash', ['E_PREVHASH_FORBIDDEN'], sale({ seq: 1 }), NOTHING_KNOWN],
    ['a later one without', ['E_PREVHASH_REQUIRED'], sale({ prevHash: null }), NOTHING_KNOWN],
    ['a number used before', ['E_SEQ_REPLAY'], sale(), known({ lastSeq: 2 })],
    ['a number skipped', ['E_SEQ_GAP'], sale({ seq: 4 }), known({ lastSeq: 2, lastHash: HASH })],
    ['a prevHash in capitals', ['E_PREVHASH_FORMAT'], sale({ prevHash: 'A'.repeat(64) }), NOTHING_KNOWN],
    [
      'another prevHash than the last hash',
      ['E_CHAIN_BROKEN'],
      sale(),
      known({ lastSeq: 1, lastHash: 'b'.repeat(64) }),
    ],
    ['an unknown type', ['E_EVENT_TYPE'], sale({ type: 'GIFT' }), NOTHING_KNOWN],
    ['a time that is none', ['E_TIME_FORMAT'], sale({ occurredAt: 5 }), NOTHING_KNOWN],
    ['a time of no day that an event may name', ['E_TIME_FORMAT'], onDay('9999-12-31T23:59:59-23:59'), NOTHING_KNOWN],
    ['a time of no day that an event may name', ['E_TIME_FORMAT'], onDay('3000-01-01T00:00:00Z'), NOTHING_KNOWN],
    ['a time of no day that an event may name', ['E_TIME_FORMAT'], onDay('0001-01-01T00:00:00+23:59'), NOTHING_KNOWN],
    [
      'a time without offset, whose VAT is then not checked',
      ['E_TIME_NO_OFFSET'],
      sale({ occurredAt: '2026-11-21T10:15:00', vatPence: 1 }),
      NOTHING_KNOWN,
    ],
    ['a time 301 s ahead', ['E_TIME_FUTURE'], sale(), known({ receivedAtMs: Date.UTC(2026, 10, 21, 10, 9, 59) })],
    ['another currency', ['E_CURRENCY'], sale({ currency: 'EUR' }), NOTHING_KNOWN],
    ['an id seen before', ['E_DUPLICATE_EVENT'], sale(), known({ seenIds: new Set([ID]) })],
    ['no lines', ['E_LINES_EMPTY'], sale({ lines: undefined }), NOTHING_KNOWN],
    [
      'a line id twice',
      ['E_LINE_ID_DUP'],
      sale({ lines: lineWith({ paidPence: 1_200 }).concat({ id: '1', category: 'food.basic', paidPence: 300 }) }),
      NOTHING_KNOWN,
    ],
    ['a fraction of a penny', ['E_AMOUNT_NOT_INTEGER'], oneLine({ paidPence: 0.5 }), NOTHING_KNOWN],
    ['more than a line can be', ['E_AMOUNT_RANGE'], oneLine({ paidPence: 100_000_000_001 }), NOTHING_KNOWN],
    [
      'a negative line on a sale',
      ['E_SIGN'],
      sale({
        lines: [{ id: '1', category: 'zero', paidPence: -1 }],
        totalPence: -1,
        vatPence: 0,
        payments: [{ method: 'cash', amountPence: -1 }],
      }),
      NOTHING_KNOWN,
    ],
    ['a quantity of nothing', ['E_QTY'], oneLine({ qty: '0.00' }), NOTHING_KNOWN],
    ['a quantity that is a number', ['E_QTY'], oneLine({ qty: 1 }), NOTHING_KNOWN],
    ['an unknown category', ['E_RATE_UNKNOWN'], oneLine({ category: 'food.unicorn' }), NOTHING_KNOWN],
    [
      'a category before its time',
      ['E_RATE_NOT_IN_FORCE'],
      sale({ lines: lineWith({ category: 'voucher.mpv_sale' }), occurredAt: '2018-12-31T12:00:00Z' }),
      NOTHING_KNOWN,
    ],
    ['another region', ['E_REGION'], sale({ region: 'IM', totalPence: 5 }), NOTHING_KNOWN],
    ['another rate than the one in force', ['E_RATE_MISMATCH'], oneLine({ ratePct: '17.5' }), NOTHING_KNOWN],
    ['a total that is not the sum', ['E_TOTAL_MISMATCH'], sale({ totalPence: 1_499 }), NOTHING_KNOWN],
    ['a VAT a penny off', ['E_VAT_MISMATCH'], sale({ vatPence: 201 }), NOTHING_KNOWN],
    [
      'payments a penny short',
      ['E_PAYMENT_MISMATCH'],
      sale({ payments: [{ method: 'card', amountPence: 1_499 }] }),
      NOTHING_KNOWN,
    ],
    ['payments that are no list', ['E_PAYMENT_MISMATCH'], sale({ payments: 'card' }), NOTHING_KNOWN],
    ['a sale that names an original', ['E_ORIGINAL_FORBIDDEN'], sale({ originalEventId: ORIGINAL_ID }), NOTHING_KNOWN],
    [
      'a refund of nothing known, without a reason',
      ['E_ORIGINAL_REQUIRED'],
      refund({ originalEventId: undefined, unlinkedReason: '' }),
      NOTHING_KNOWN,
    ],
    [
      'a void without its sale',
      ['E_ORIGINAL_REQUIRED'],
      refund({ type: 'VOID', originalEventId: null, unlinkedReason: 'X' }),
      NOTHING_KNOWN,
    ],
    ['an original not known', ['E_ORIGINAL_UNKNOWN'], refund(), known({ knownIds: new Set([ID]) })],
    ['a sale voided before', ['E_ALREADY_VOIDED'], refund(), withOriginal({ voided: true })],
    ['a void after the Z report', ['E_VOID_AFTER_Z'], refund({ type: 'VOID' }), withOriginal({ zClosed: true })],
    ['a sale of another trader', ['E_ORIGINAL_OTHER_TRADER'], refund(), withOriginal({ vrn: '101747641' })],
    ['more than what remains', ['E_REFUND_EXCEEDS'], refund(), withOriginal({ refundedPence: 1 })],
    ['a void of part', ['E_VOID_NOT_EXACT'], refund({ type: 'VOID' }), withOriginal({ totalPence: 1_501 })],
  ])('%s: %s', (_what, codes, event, context) => {
    expect(checkTillEvent(event, context, RULES)).toEqual(codes);
  });

  it('and none where nothing is wrong', () => {
    expect(checkTillEvent(sale(), NOTHING_KNOWN, RULES)).toEqual([]);
    expect(checkTillEvent(refund(), withOriginal(), RULES)).toEqual([]);
    expect(checkTillEvent(refund({ type: 'VOID' }), withOriginal(), RULES)).toEqual([]);
  });

  it('says once that a hash is absent or unreadable: the chain is not judged by it', () => {
    const after = known({ lastSeq: 1, lastHash: HASH });
    expect(checkTillEvent(sale(), after, RULES)).toEqual([]);
    expect(checkTillEvent(sale({ prevHash: null }), after, RULES)).toEqual(['E_PREVHASH_REQUIRED']);
    expect(checkTillEvent(sale({ prevHash: 5 }), after, RULES)).toEqual(['E_PREVHASH_FORMAT']);
    expect(checkTillEvent(sale(), known({ lastSeq: 1 }), RULES)).toEqual([]);
    expect(checkTillEvent(sale({ seq: '2' }), known({ lastSeq: 2 }), RULES)).toEqual(['E_SEQ_INVALID']);
  });

  it('judges a till’s clock at 300 s ahead of the receipt and not before', () => {
    const receivedAtMs = Date.UTC(2026, 10, 21, 10, 10);
    expect(checkTillEvent(sale(), known({ receivedAtMs }), RULES)).toEqual([]);
    expect(checkTillEvent(sale(), known({ receivedAtMs: receivedAtMs - 1 }), RULES)).toEqual(['E_TIME_FUTURE']);
  });

  it('compares with the sale that is named what gives back, and nothing else', () => {
    const spent = withOriginal({ voided: true, zClosed: true, vrn: '101747641', refundedPence: 1_500 });
    const report = { lines: undefined, payments: undefined, totalPence: 0, vatPence: undefined };
    expect(checkTillEvent(sale({ ...report, type: 'Z_REPORT', originalEventId: ORIGINAL_ID }), spent, RULES)).toEqual(
      [],
    );
    for (const originalEventId of [null, undefined]) {
      expect(checkTillEvent(refund({ originalEventId, unlinkedReason: 'none' }), spent, RULES)).toEqual([]);
    }
    expect(checkTillEvent(refund(), spent, RULES)).toEqual([
      'E_ALREADY_VOIDED',
      'E_ORIGINAL_OTHER_TRADER',
      'E_REFUND_EXCEEDS',
    ]);
    expect(checkTillEvent(refund({ originalEventId: ORIGINAL_ID }), known({ knownIds: new Set() }), RULES)).toEqual([
      'E_ORIGINAL_UNKNOWN',
    ]);
  });

  it('does not compare a total that is no amount with what the sale came to', () => {
    for (const type of ['REFUND', 'VOID']) {
      expect(checkTillEvent(refund({ type, totalPence: '-1600' }), withOriginal(), RULES)).toEqual([
        'E_TOTAL_MISMATCH',
      ]);
    }
  });

  it('says each code once', () => {
    const lines = [
      { id: '1', category: 'unicorn', paidPence: 1 },
      { id: '2', category: 'unicorn', paidPence: 1 },
    ];
    expect(checkTillEvent(sale({ lines }), NOTHING_KNOWN, RULES)).toEqual(['E_RATE_UNKNOWN']);
  });

  it('several at once, in the order in which they are checked', () => {
    const event = sale({ vrn: '1', tillId: '', currency: 'USD', totalPence: 1, vatPence: 1 });
    expect(checkTillEvent(event, NOTHING_KNOWN, RULES)).toEqual([
      'E_VRN_INVALID',
      'E_TILL_ID',
      'E_CURRENCY',
      'E_TOTAL_MISMATCH',
      'E_VAT_MISMATCH',
    ]);
  });

  it('skips total, VAT and payments where the lines have no meaning', () => {
    const event = sale({ lines: lineWith({ category: 'food.unicorn' }), totalPence: 1, vatPence: 1, payments: [] });
    expect(checkTillEvent(event, NOTHING_KNOWN, RULES)).toEqual(['E_RATE_UNKNOWN']);
  });
});
