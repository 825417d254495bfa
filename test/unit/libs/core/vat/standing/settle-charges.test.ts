import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  clearedPence,
  type MoneyOfTrader,
  settleCharges,
  type VatCharge,
} from '../../../../../../libs/core/vat/standing/settle-charges.ts';

const charge = (end: string, duePence: number, filedOn: string): VatCharge => ({
  start: localDate(`${end.slice(0, 4)}-01-01`),
  end: localDate(end),
  due: addDays(localDate(end), 38),
  duePence,
  filedOn: localDate(filedOn),
});
const money = (amountPence: number, received: string): MoneyOfTrader => ({
  amountPence,
  received: localDate(received),
});
const MARCH = charge('2026-03-31', 10_000, '2026-05-01');
const JUNE = charge('2026-06-30', 5_000, '2026-08-01');
const SEPTEMBER = charge('2026-09-30', -4_000, '2026-10-20');

describe('a charge', () => {
  it('is cleared by money on its days, the oldest charge first', () => {
    const { charges, unallocatedPence } = settleCharges(
      [JUNE, MARCH],
      [money(4_000, '2026-07-01'), money(8_000, '2026-05-07')],
    );
    expect(charges).toEqual([
      {
        charge: MARCH,
        clearings: [
          { on: '2026-05-07', pence: 8_000 },
          { on: '2026-07-01', pence: 2_000 },
        ],
        openPence: 0,
      },
      { charge: JUNE, clearings: [{ on: '2026-07-01', pence: 2_000 }], openPence: 3_000 },
    ]);
    expect(unallocatedPence).toBe(0);
  });

  it('is set off by a credit from the day on which both are there', () => {
    const { charges } = settleCharges([MARCH, SEPTEMBER], []);
    expect(charges).toEqual([
      { charge: MARCH, clearings: [{ on: '2026-10-20', pence: 4_000 }], openPence: 6_000 },
      { charge: SEPTEMBER, clearings: [{ on: '2026-10-20', pence: 4_000 }], openPence: 0 },
    ]);
    const earlier = charge('2025-12-31', -4_000, '2026-01-10');
    expect(settleCharges([MARCH, earlier], []).charges[1]?.clearings).toEqual([{ on: '2026-05-01', pence: 4_000 }]);
  });

  it('is cleared by money and credits by turns, as they came', () => {
    const late = charge('2026-06-30', -4_000, '2026-10-20');
    const { charges } = settleCharges([MARCH, late], [money(8_000, '2026-05-07')]);
    expect(charges).toEqual([
      {
        charge: MARCH,
        clearings: [
          { on: '2026-05-07', pence: 8_000 },
          { on: '2026-10-20', pence: 2_000 },
        ],
        openPence: 0,
      },
      { charge: late, clearings: [{ on: '2026-10-20', pence: 2_000 }], openPence: 2_000 },
    ]);
    const days = ['2026-07-01', '2026-05-07', '2026-06-01', '2026-05-07'];
    const parts = settleCharges(
      [MARCH],
      days.map((day, index) => money(1_000 + index, day)),
    );
    expect(parts.charges[0]?.clearings).toEqual([
      { on: '2026-05-07', pence: 1_001 },
      { on: '2026-05-07', pence: 1_003 },
      { on: '2026-06-01', pence: 1_002 },
      { on: '2026-07-01', pence: 1_000 },
    ]);
  });

  it('of nothing, and no money, leave everything as it is', () => {
    const nil = charge('2026-06-30', 0, '2026-08-01');
    expect(settleCharges([nil], [money(0, '2026-08-01'), money(5, '2026-08-02')])).toEqual({
      charges: [{ charge: nil, clearings: [], openPence: 0 }],
      unallocatedPence: 5,
    });
  });

  it('leaves what is above it as money that no charge took', () => {
    expect(settleCharges([JUNE], [money(6_000, '2026-08-01')])).toMatchObject({ unallocatedPence: 1_000 });
  });
});

describe('a credit', () => {
  it('is repaid first, and what is left of it is set off', () => {
    const { charges } = settleCharges([SEPTEMBER, JUNE], [money(-1_000, '2026-11-01')]);
    expect(charges).toEqual([
      { charge: JUNE, clearings: [{ on: '2026-10-20', pence: 3_000 }], openPence: 2_000 },
      {
        charge: SEPTEMBER,
        clearings: [
          { on: '2026-10-20', pence: 3_000 },
          { on: '2026-11-01', pence: 1_000 },
        ],
        openPence: 0,
      },
    ]);
  });

  it('is repaid before a later one, in the order in which money went back', () => {
    const older = charge('2026-06-30', -1_000, '2026-08-01');
    const back = [money(-700, '2026-12-01'), money(-600, '2026-11-01')];
    expect(settleCharges([SEPTEMBER, older], back).charges).toEqual([
      {
        charge: older,
        clearings: [
          { on: '2026-11-01', pence: 600 },
          { on: '2026-12-01', pence: 400 },
        ],
        openPence: 0,
      },
      { charge: SEPTEMBER, clearings: [{ on: '2026-12-01', pence: 300 }], openPence: 3_700 },
    ]);
  });

  it('that nobody repaid is open', () => {
    expect(settleCharges([SEPTEMBER], []).charges).toEqual([{ charge: SEPTEMBER, clearings: [], openPence: 4_000 }]);
  });
});

describe('settling', () => {
  const day = fc.nat({ max: 700 }).map((days) => addDays(localDate('2025-01-01'), days));
  const charges = fc.uniqueArray(
    fc.record({ at: day, duePence: fc.integer({ min: -9_999, max: 9_999 }), late: fc.nat({ max: 90 }) }),
    { maxLength: 6, selector: ({ at }) => at },
  );
  const payments = fc.uniqueArray(fc.record({ received: day, amountPence: fc.integer({ min: -3_000, max: 9_999 }) }), {
    maxLength: 6,
    selector: ({ received }) => received,
  });

  it('is the same whatever the order, loses no penny and clears nothing twice', () => {
    fc.assert(
      fc.property(charges, payments, (some, paid) => {
        const owed = some
          .filter(({ duePence }) => duePence !== 0)
          .map(({ at, duePence, late }): VatCharge => {
            return { start: at, end: at, due: addDays(at, 38), duePence, filedOn: addDays(at, late) };
          });
        const settled = settleCharges(owed, paid);
        expect(settleCharges([...owed].reverse(), [...paid].reverse())).toEqual(settled);
        let debits = 0;
        let credits = 0;
        for (const { charge: one, clearings, openPence } of settled.charges) {
          expect(clearedPence(clearings) + openPence).toBe(Math.abs(one.duePence));
          expect(openPence).toBeGreaterThanOrEqual(0);
          if (one.duePence > 0) debits += clearedPence(clearings);
          else credits += clearedPence(clearings);
        }
        const received = paid.reduce((sum, { amountPence }) => sum + Math.max(0, amountPence), 0);
        const repaid = paid.reduce((sum, { amountPence }) => sum + Math.max(0, -amountPence), 0);
        // What came in and was credited, less what is left of it, cleared charges or went back.
        const used = received - settled.unallocatedPence + credits;
        expect(used - debits).toBeGreaterThanOrEqual(0);
        expect(used - debits).toBeLessThanOrEqual(repaid);
      }),
      { numRuns: 300 },
    );
  });
});
