import { describe, expect, it } from 'vitest';
import { PERIOD_SUM_PENCE_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { compareVatRates, vatRate, vatRateOfKey } from '../../../../../../libs/core/vat/rates/vat-rate.ts';
import {
  addAdjustment,
  addPurchase,
  addTakings,
  EMPTY_PERIOD,
  inputVatOf,
  outputVatOf,
  periodAccountOf,
  takingsByRate,
} from '../../../../../../libs/core/vat/state/period-account.ts';

const STANDARD = vatRate('S', 2_000);
const FUEL = vatRate('R', 500);
const FOOD = vatRate('Z', 0);
const DISPATCHED = vatRate('Z', 0, true);
const MOST = PERIOD_SUM_PENCE_MAX;

describe('the running account of a period', () => {
  it('sums takings by rate, and its VAT is rounded once for each: seven of 99p are 116p', () => {
    let account = EMPTY_PERIOD;
    for (let sale = 0; sale < 7; sale += 1) {
      account = addTakings(account, [STANDARD, FOOD], [99, 50]) ?? account;
    }
    expect(account).toEqual({ n: 7, g: { S2000: 693, Z0: 350 }, p: 0, i: 0, f: 0 });
    expect(outputVatOf(account)).toBe(116);
    const more = addTakings(account, [FUEL], [21]) ?? account;
    expect(outputVatOf(more)).toBe(117);
  });

  it('lists them S R Z E O and by falling rate, what is dispatched last', () => {
    const rates = [DISPATCHED, FOOD, FUEL, vatRate('S', 1_750), STANDARD];
    const account = addTakings(EMPTY_PERIOD, rates, [1, 2, 105, 47, 120]) ?? EMPTY_PERIOD;
    expect(takingsByRate(account).map(({ rate, grossPence, vatPence }) => [rate.key, grossPence, vatPence])).toEqual([
      ['S2000', 120, 20],
      ['S1750', 47, 7],
      ['R500', 105, 5],
      ['Z0', 2, 0],
      ['Z0D', 1, 0],
    ]);
    expect(takingsByRate({ ...account, g: { none: 5 } })).toEqual([]);
    expect(outputVatOf({ ...account, g: { none: 5 } })).toBe(0);
  });

  it('is empty where the state has none', () => {
    expect(periodAccountOf(undefined)).toBe(EMPTY_PERIOD);
    expect(periodAccountOf({ n: 1 })).toEqual({ n: 1 });
  });

  it('keeps recovered shares exactly and rounds their sum once, half up and symmetric', () => {
    const half = (vatPence: number) => addPurchase(EMPTY_PERIOD, 10, vatPence, 5_000) ?? EMPTY_PERIOD;
    expect([1, 3, -1, -3].map((vatPence) => inputVatOf(half(vatPence)))).toEqual([1, 2, -1, -2]);
    expect(half(-1)).toEqual({ n: 1, g: {}, p: 10, i: -1, f: 5_000 });
    const third = (vatPence: number, share: number) =>
      inputVatOf(addPurchase(EMPTY_PERIOD, 0, vatPence, share) ?? EMPTY_PERIOD);
    expect([third(1, 4_999), third(-1, 4_999), third(-1, 5_001), third(1, 5_001)]).toEqual([0, 0, -1, 1]);
    // Three halves are 1.5, not three times 1.
    let account = EMPTY_PERIOD;
    for (let invoice = 0; invoice < 3; invoice += 1) account = addPurchase(account, 10, 1, 5_000) ?? account;
    expect(account).toEqual({ n: 3, g: {}, p: 30, i: 1, f: 5_000 });
    expect(inputVatOf(account)).toBe(2);
  });

  it('sums adjustments by kind, and what of their VAT is recoverable', () => {
    const first = addAdjustment(EMPTY_PERIOD, 'import_pva', 500, 100, 100 * 10_000) ?? EMPTY_PERIOD;
    const second = addAdjustment(first, 'import_pva', -50, -10, -10 * 2_500) ?? EMPTY_PERIOD;
    expect(second).toEqual({ n: 2, g: {}, p: 0, i: 97, f: 5_000, a: { import_pva: [450, 90] } });
    expect(addAdjustment(second, 'own_use', 5, 1, 0)?.a).toEqual({ import_pva: [450, 90], own_use: [5, 1] });
  });

  it('takes nothing that it could not count exactly', () => {
    const full = { ...EMPTY_PERIOD, g: { S2000: MOST }, p: MOST, i: MOST };
    expect(addTakings(full, [STANDARD], [1])).toBeNull();
    expect(addTakings(full, [FOOD, STANDARD], [1, -1])?.g).toEqual({ S2000: MOST - 1, Z0: 1 });
    expect(addPurchase({ ...full, i: 0 }, 1, 0, 0)).toBeNull();
    expect(addPurchase({ ...full, p: 0 }, 0, 1, 10_000)).toBeNull();
    expect(addAdjustment({ ...full, a: { own_use: [MOST, 0] } }, 'own_use', 1, 0, 0)).toBeNull();
    expect(addAdjustment({ ...full, a: { own_use: [0, MOST] } }, 'own_use', 0, 1, 0)).toBeNull();
    expect(addAdjustment(full, 'own_use', 0, 0, 10_000)).toBeNull();
  });
});

describe('the key of a rate', () => {
  it('says treatment, basis points and dispatch, and leads back to the rate', () => {
    expect([STANDARD.key, DISPATCHED.key]).toEqual(['S2000', 'Z0D']);
    for (const rate of [STANDARD, FUEL, FOOD, DISPATCHED]) expect(vatRateOfKey(rate.key)).toEqual(rate);
    for (const text of ['', 'S', 'T2000', 'S2000X', 'xS2000', 'S200000']) expect(vatRateOfKey(text)).toBeNull();
  });

  it('puts what is dispatched after what is not', () => {
    expect(compareVatRates(FOOD, DISPATCHED)).toBe(-1);
    expect(compareVatRates(DISPATCHED, FOOD)).toBe(1);
    expect(compareVatRates(DISPATCHED, vatRate('Z', 0, true))).toBe(0);
  });
});
