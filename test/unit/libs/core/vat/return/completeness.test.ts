import { beforeEach, describe, expect, it } from 'vitest';
import type { TillEvent } from '../../../../../../libs/core/events/vat-events.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { completenessOf } from '../../../../../../libs/core/vat/return/completeness.ts';
import { tillChainOf } from '../../../../../../libs/core/vat/state/till-chain.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';
import { line, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const OWNER = account('vat:101747696');
const NOON = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

const hashOf = (tillId: string, seq: number) =>
  `${tillId}${seq}`
    .padStart(64, '0')
    .toLowerCase()
    .replace(/[^0-9a-f]/g, 'e');

/** Event `seq` of a till, so many minutes after noon. */
function at(tillId: string, seq: number, minutes: number, other: Partial<TillEvent> = {}) {
  return book.decide(
    sampleSale(`${tillId}-${seq}`, {
      tillId,
      seq,
      hash: hashOf(tillId, seq),
      prevHash: seq === 1 ? null : hashOf(tillId, seq - 1),
      occurredAt: new Date(NOON + minutes * MINUTE).toISOString(),
      receivedAtMs: NOON + 600 * MINUTE,
      lines: [line('1', 1_000)],
      totalPence: pence(1_000),
      ...other,
    }),
  ).results[0]?.flags;
}

/** A Z report of a till that states a total. */
const zReport = (tillId: string, seq: number, minutes: number, statedPence: number) =>
  at(tillId, seq, minutes, { tillType: 'Z_REPORT', lines: [], totalPence: pence(statedPence) });

const get = (key: string) => {
  const text = book.state.get(key);
  return text === undefined ? undefined : JSON.parse(text);
};
const seen = (asOfMs: number) => completenessOf(OWNER, { get }, { asOfMs, silentAfterMs: 60 * MINUTE });

describe('completeness', () => {
  it('of no tills knows nothing', () => {
    expect(seen(NOON)).toEqual({
      asOfMs: NOON,
      watermarkMs: null,
      tills: [],
      silentTills: [],
      missingEvents: 0,
      provisional: false,
    });
  });

  it('reaches to the least of the tills’ last gap-free times', () => {
    at('A', 1, 0);
    at('A', 2, 10);
    at('A', 5, 30);
    at('B', 1, 20);
    expect(seen(NOON + 31 * MINUTE)).toMatchObject({
      watermarkMs: NOON + 10 * MINUTE,
      missingEvents: 2,
      provisional: true,
      silentTills: [],
    });
    at('A', 3, 12);
    expect(seen(NOON + 31 * MINUTE)).toMatchObject({ watermarkMs: NOON + 12 * MINUTE, missingEvents: 1 });
    at('A', 4, 14);
    expect(seen(NOON + 31 * MINUTE)).toMatchObject({ watermarkMs: NOON + 20 * MINUTE, provisional: false });
  });

  it('names silent tills, which do not hold the others back', () => {
    at('A', 1, 0);
    at('B', 1, 55);
    expect(seen(NOON + 60 * MINUTE)).toMatchObject({ silentTills: [], watermarkMs: NOON });
    expect(seen(NOON + 61 * MINUTE)).toMatchObject({
      silentTills: ['A'],
      watermarkMs: NOON + 55 * MINUTE,
      provisional: true,
    });
    expect(seen(NOON + 200 * MINUTE)).toMatchObject({ silentTills: ['A', 'B'], watermarkMs: NOON });
  });

  it('is unknown while the first events of a till are missing', () => {
    at('A', 3, 0);
    expect(seen(NOON)).toMatchObject({ watermarkMs: null, missingEvents: 2 });
    expect(seen(NOON).tills).toEqual([
      { tillId: 'A', gapFreeMs: null, lastMs: NOON, missing: 2, forks: 0, isSilent: false },
    ]);
  });

  it('lists every till, over pages, each once', () => {
    for (let till = 0; till < 130; till += 1) at(`T${till}`, 1, 0);
    at('T5', 2, 1);
    expect(seen(NOON).tills.map(({ tillId }) => tillId)).toEqual(Array.from({ length: 130 }, (_, till) => `T${till}`));
  });

  it('tells the tills of two traders apart', () => {
    const other = account('vat:101747641');
    at('A', 1, 0);
    at('B', 1, 0, { account: other, eventId: idOf('other') });
    expect(seen(NOON).tills.map(({ tillId }) => tillId)).toEqual(['A']);
    const theirs = completenessOf(other, { get }, { asOfMs: NOON, silentAfterMs: 60 * MINUTE });
    expect(theirs.tills.map(({ tillId }) => tillId)).toEqual(['B']);
  });

  it('holds the watermark back for a silent till whose events are missing', () => {
    at('A', 1, 0);
    at('A', 3, 2);
    at('B', 1, 70);
    expect(seen(NOON + 71 * MINUTE)).toMatchObject({ silentTills: ['A'], watermarkMs: NOON, missingEvents: 1 });
  });

  it('is unknown of a till whose oldest gaps are no longer told apart', () => {
    for (let index = 0; index <= 17; index += 1) at('A', 2 * index + 2, index);
    const [till] = seen(NOON + 20 * MINUTE).tills;
    // Sixteen gaps of one event, and whatever is missing below them.
    expect(till).toMatchObject({ gapFreeMs: null, missing: 17 });
    expect(seen(NOON + 20 * MINUTE).watermarkMs).toBeNull();
  });
});

describe('a Z report', () => {
  it('is flagged where it states another total than the events since the one before', () => {
    at('A', 1, 0);
    at('A', 2, 1);
    expect(zReport('A', 3, 2, 2_000)).toEqual([]);
    at('A', 4, 3);
    expect(zReport('A', 5, 4, 2_000)).toEqual(['Z_DIFFERS']);
    expect(zReport('A', 6, 5, 0)).toEqual([]);
  });

  it('is compared when the last missing event before it comes', () => {
    at('A', 1, 0);
    expect(zReport('A', 4, 4, 3_000)).toEqual(['E_SEQ_GAP']);
    at('A', 5, 5);
    expect(at('A', 2, 2)).toEqual([]);
    expect(at('A', 3, 3)).toEqual([]);
    expect(zReport('A', 6, 6, 1_000)).toEqual([]);
    expect(zReport('A', 9, 9, 9_999)).toEqual(['E_SEQ_GAP']);
    expect(at('A', 8, 8)).toEqual([]);
    expect(at('A', 7, 7)).toEqual(['Z_DIFFERS']);
  });

  it('that comes late divides what cannot be divided any more: nothing is compared', () => {
    at('A', 1, 0);
    at('A', 3, 3);
    expect(zReport('A', 2, 2, 5)).toEqual([]);
    expect(zReport('A', 4, 4, 7)).toEqual([]);
    at('A', 5, 5);
    expect(zReport('A', 6, 6, 7)).toEqual(['Z_DIFFERS']);
    expect(zReport('A', 9, 9, 1)).toEqual(['E_SEQ_GAP']);
    expect(zReport('A', 8, 8, 1)).toEqual([]);
    expect(at('A', 7, 7)).toEqual([]);
  });
});

describe('a till', () => {
  it('whose clock goes back by more than five minutes is flagged', () => {
    at('A', 1, 10);
    expect(at('A', 2, 5)).toEqual([]);
    expect(at('A', 3, -0.01)).toEqual(['CLOCK_BACK']);
    expect(at('A', 4, -6, { prevHash: 'f'.repeat(64) })).toEqual(['E_CHAIN_BROKEN', 'CLOCK_BACK']);
  });

  it('is replaced without a break: the new device goes on where the state says', () => {
    at('A', 1, 0);
    at('A', 2, 1);
    const { s: lastSeq, h: prevHash } = tillChainOf(get('till|vat:101747696|A'));
    expect(lastSeq).toBe(2);
    expect(at('A', lastSeq + 1, 2, { prevHash })).toEqual([]);
  });
});
