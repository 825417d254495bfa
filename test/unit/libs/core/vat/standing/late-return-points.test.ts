import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  countsFrom,
  lateReturnStanding,
  type ReturnDue,
} from '../../../../../../libs/core/vat/standing/late-return-points.ts';
import type { ReturnFrequency } from '../../../../../../libs/core/vat/standing/vat-penalties.ts';
import { type Accounting, cadencePeriodOfDay, vatDueDate } from '../../../../../../libs/core/vat/state/vat-period.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const on = (day: string) => localDate(day);

/** Returns of a trader from a day on, one after another: `.` in time, `L` ten days late, `-` not yet in. */
function returns(from: string, marks: string, frequency: ReturnFrequency = 'quarterly'): ReturnDue[] {
  const all: ReturnDue[] = [];
  let start = on(from);
  for (const mark of marks) {
    const day = Math.floor(Date.parse(`${start}T00:00:00Z`) / 86_400_000);
    const cadence = frequency === 'quarterly' ? 'stagger1' : frequency;
    const { end } = cadencePeriodOfDay(day, cadence, frequency === 'annual' ? 12 : null);
    const accounting: Accounting = frequency === 'annual' ? 'annual' : 'standard';
    const due = vatDueDate(end, accounting);
    const received = mark === '-' ? null : addDays(due, mark === 'L' ? 10 : 0);
    all.push({ start, end, due, frequency, received, bearsPoints: true });
    start = addDays(end, 1);
  }
  return all;
}
const standing = (all: readonly ReturnDue[], today: string) => lateReturnStanding(all, on(today), RULES);

describe('a point', () => {
  // Cases of ../shared/vectors/collection (CH192200, CH192210): it counts to the end of the day before.
  it.each([
    ['2024-03-31', '2026-05-01'],
    ['2026-11-07', '2028-12-01'],
    ['2026-12-07', '2029-01-01'],
    ['2026-12-31', '2029-02-01'],
    ['2024-01-31', '2026-03-01'],
  ])('for a return due %s lapses on %s', (due, lapsesOn) => {
    const one: ReturnDue = { ...(returns('2023-01-01', '-')[0] as ReturnDue), due: on(due) };
    expect(standing([one], '2026-03-15').late.concat(standing([one], '2027-02-02').late)[0]?.lapsesOn).toBe(lapsesOn);
  });

  it('is borne by each late return, from the day after it was due, and by one that never came', () => {
    const all = returns('2025-10-01', 'L.-');
    expect(standing(all, '2026-02-07')).toMatchObject({ points: 0, late: [] });
    expect(standing(all, '2026-02-08')).toMatchObject({ points: 1, penaltiesPence: 0, complianceBy: null });
    expect(standing(all, '2026-08-07').points).toBe(1);
    expect(standing(all, '2026-08-08').points).toBe(2);
    expect(standing(all, '2026-08-08').late.map(({ category }) => category)).toEqual(['point', 'point']);
  });

  it('goes after 24 months of its own while others stay, below the threshold', () => {
    const all = returns('2023-10-01', 'L..L........');
    // Due 7 February and 7 November 2024.
    expect(standing(all, '2026-02-28').points).toBe(2);
    const after = standing(all, '2026-03-01');
    expect(after.points).toBe(1);
    expect(after.late[0]?.ended).toEqual({ on: '2026-03-01', why: 'natural-expiry' });
    expect(standing(all, '2026-12-01').points).toBe(0);
  });

  it('is none for a return that bears none, and none before 2023', () => {
    const first = returns('2025-10-01', 'L').map((one) => ({ ...one, bearsPoints: false }));
    expect(standing(first, '2026-11-21').points).toBe(0);
    expect(standing(returns('2022-10-01', 'L'), '2026-11-21').late).toEqual([]);
  });
});

describe('the threshold', () => {
  it('of four quarterly returns costs 200.00, and each late one after it, without more points', () => {
    const all = returns('2024-01-01', 'LLLLLL');
    const { points, threshold, penaltiesPence, late } = standing(all, '2026-01-01');
    expect({ points, threshold, penaltiesPence }).toEqual({ points: 4, threshold: 4, penaltiesPence: 60_000 });
    expect(late.map(({ category, penaltyPence }) => [category, penaltyPence])).toEqual([
      ['point', 0],
      ['point', 0],
      ['point', 0],
      ['threshold', 20_000],
      ['charge', 20_000],
      ['charge', 20_000],
    ]);
  });

  it.each([
    ['annual', 'LL', 2, '2025-03-10'],
    ['monthly', 'LLLLL', 5, '2023-07-08'],
  ] as const)('of %s returns is %s', (frequency, marks, threshold, today) => {
    const all = returns('2023-01-01', marks, frequency);
    expect(standing(all, today)).toMatchObject({ points: threshold, threshold, penaltiesPence: 20_000 });
  });

  it('keeps points that would have lapsed, until a year of returns came in time and all of 24 months are in', () => {
    // Late for 2023 Q2 to 2024 Q1, the last due 7 May 2024; in time from then on.
    const all = returns('2023-04-01', 'LLLL..........');
    expect(standing(all, '2025-05-31')).toMatchObject({ points: 4, complianceBy: '2025-06-01' });
    const after = standing(all, '2025-06-01');
    expect(after).toMatchObject({ points: 0, complianceBy: null });
    expect(after.late.map(({ ended }) => ended)).toEqual(
      Array(4).fill({ on: '2025-06-01', why: 'expiry-conditions-met' }),
    );
  });

  it('is kept by a late return within the compliance period: it begins again', () => {
    const all = returns('2023-04-01', 'LLLL..L.......');
    expect(standing(all, '2025-06-01')).toMatchObject({ points: 4, complianceBy: '2026-03-01' });
    expect(standing(all, '2025-06-01').late.at(-1)?.category).toBe('charge');
    expect(standing(all, '2026-03-01').points).toBe(0);
    expect(standing(all, '2026-03-01').late.at(-1)?.ended?.why).toBe('expiry-conditions-met');
  });

  it('is kept while a return of the last 24 months is missing, to the day on which it comes', () => {
    const all = returns('2023-04-01', 'LLL-..........');
    expect(standing(all, '2025-08-01').points).toBe(4);
    const late = all.map((one) => (one.received === null ? { ...one, received: on('2025-09-09') } : one));
    expect(standing(late, '2025-09-08').points).toBe(4);
    expect(standing(late, '2025-09-09')).toMatchObject({ points: 0 });
  });

  it('is kept while a return of the last 24 months is missing, but not for one of before', () => {
    expect(standing(returns('2023-04-01', 'LLL-..........'), '2025-06-01').points).toBe(4);
    // Due 7 August 2023 and never filed; the last late one was due 7 August 2024.
    const all = returns('2023-04-01', '-LLLL.......');
    expect(standing(all, '2025-08-31')).toMatchObject({ points: 4, complianceBy: '2025-09-01' });
    expect(standing(all, '2025-09-01').points).toBe(0);
  });

  it('is the same whatever the order of the returns', () => {
    const all = returns('2023-04-01', 'LLLL.....L....');
    for (const today of ['2024-06-01', '2025-05-31', '2026-01-01']) {
      expect(standing([...all].reverse(), today)).toEqual(standing(all, today));
      const mixed = [...all.slice(7), ...all.slice(0, 3), ...all.slice(3, 7).reverse()];
      expect(standing(mixed, today)).toEqual(standing(all, today));
    }
  });

  it('reached again after all points went begins with one point', () => {
    const all = returns('2023-04-01', 'LLLL.....L....');
    expect(standing(all, '2026-01-01')).toMatchObject({ points: 1, penaltiesPence: 20_000 });
  });
});

describe('a change of frequency', () => {
  const changed = (first: ReturnDue[], then: ReturnDue[]) => standing([...first, ...then], '2026-11-21').points;

  it.each([
    ['quarterly', 'monthly', '2026-01-01', 'LL', 3],
    ['monthly', 'quarterly', '2026-01-01', 'LL', 1],
    ['annual', 'quarterly', '2025-01-01', 'L', 3],
    ['quarterly', 'annual', '2025-01-01', 'LLL', 1],
    ['monthly', 'annual', '2025-04-01', 'LL', 0],
    ['annual', 'monthly', '2025-01-01', '.', 0],
  ] as const)('from %s to %s takes %s %s to %i points', (from, to, start, marks, points) => {
    const first = returns(start, marks, from);
    const next = addDays(first.at(-1)?.end ?? on(start), 1);
    const then =
      to === 'annual'
        ? returns(next, '.', to).map((one) => ({ ...one, due: on('2026-10-31') }))
        : returns(next, '.', to);
    expect(changed(first, then)).toBe(points);
  });

  it('adds points that lapse like others, 24 months after its month', () => {
    const first = returns('2024-01-01', 'L');
    const all = [...first, ...returns('2024-04-01', '.'.repeat(30), 'monthly')];
    // Due 7 May 2024; the first monthly return was due 7 June 2024.
    expect(standing(all, '2024-06-07').points).toBe(1);
    expect(standing(all, '2024-06-09').points).toBe(2);
    expect(standing(all, '2026-05-31').points).toBe(2);
    expect(standing(all, '2026-06-01').points).toBe(1);
    expect(standing(all, '2026-06-30').points).toBe(1);
    expect(standing(all, '2026-07-01').points).toBe(0);
  });

  it('says why a point went', () => {
    const first = returns('2026-01-01', 'LL', 'monthly');
    const { late } = standing([...first, ...returns('2026-04-01', '.')], '2026-11-21');
    expect(late.map(({ ended }) => ended?.why ?? null)).toEqual(['submission-frequency-change', null]);
  });
});

describe('the points of any returns', () => {
  it('are the same in any order, never above the threshold, and 200.00 is borne by threshold and charges alone', () => {
    const marks = fc.array(fc.constantFrom('.', 'L', '-'), { minLength: 1, maxLength: 16 });
    const frequency = fc.constantFrom('quarterly' as const, 'monthly' as const);
    fc.assert(
      fc.property(marks, frequency, fc.nat({ max: 1_500 }), fc.infiniteStream(fc.nat()), (made, how, days, ranks) => {
        const all = returns('2023-01-01', made.join(''), how);
        const today = addDays(on('2023-01-01'), days);
        const ranked = all.map((one) => ({ one, rank: Number(ranks.next().value) }));
        const mixed = ranked.sort((a, b) => a.rank - b.rank).map(({ one }) => one);
        const { points, threshold, penaltiesPence, late } = lateReturnStanding(all, today, RULES);
        expect(lateReturnStanding(mixed, today, RULES)).toEqual(standing(all, today));
        expect(points).toBeLessThanOrEqual(threshold);
        expect(points).toBe(late.filter(({ ended, category }) => ended === null && category !== 'charge').length);
        expect(penaltiesPence).toBe(late.filter(({ category }) => category !== 'point').length * 20_000);
        expect(late.length).toBe(
          all.filter(({ due, received }) => due < today && (received === null || received > due)).length,
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('a trader without returns', () => {
  it('has no points, and the threshold of quarters', () => {
    expect(standing([], '2026-11-21')).toEqual({
      points: 0,
      threshold: 4,
      penaltiesPence: 0,
      late: [],
      complianceBy: null,
    });
    expect(countsFrom(on('2026-12-08'))).toBe('2027-01-01');
  });
});
