import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  findVatParameter,
  vatParameterOn,
  vatRateOn,
  vatRulesOf,
} from '../../../../../../libs/core/vat/rates/vat-rules.ts';
import { testVatRules, vatRateCards } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const rate = (category: string, date: string, region: 'GB' | 'NI' = 'GB') => {
  const found = vatRateOn(RULES, category, localDate(date), region);
  return `${found.treatment} ${found.ratePct}`;
};

describe('the rate of a category', () => {
  it('follows the standard rate through its history', () => {
    const days = ['1973-04-01', '1974-07-29', '1979-06-18', '1991-04-01', '2008-12-01', '2010-01-01', '2011-01-04'];
    expect(days.map((day) => rate('standard', day))).toEqual(
      ['10', '8', '15', '17.5', '15', '17.5', '20'].map((percent) => `S ${percent}`),
    );
  });

  it('has deposits, vouchers and tips as categories', () => {
    const today = '2026-11-21';
    expect(rate('deposit.security', today)).toBe('O 0');
    expect(rate('deposit.returnable_container_drs', today)).toBe('O 0');
    expect(rate('deposit.unredeemed_drs', today)).toBe('S 20');
    expect(rate('voucher.mpv_sale', today)).toBe('O 0');
    expect(rate('tip.voluntary', today)).toBe('O 0');
    expect(rate('service_charge.compulsory', today)).toBe('S 20');
  });

  it('changes on its day and not the day before: the summer of 2026, domestic electricity, school fees', () => {
    expect(
      [
        ['catering.childrens_meal_on_premises', '2026-06-24'],
        ['catering.childrens_meal_on_premises', '2026-06-25'],
        ['catering.childrens_meal_on_premises', '2026-09-01'],
        ['catering.childrens_meal_on_premises', '2026-09-02'],
        ['home.electricity_domestic', '2026-09-30'],
        ['home.electricity_domestic', '2026-10-01'],
        ['home.electricity_domestic', '2027-03-31'],
        ['home.electricity_domestic', '2027-04-01'],
        ['education.private_school', '2024-12-31'],
        ['education.private_school', '2025-01-01'],
        ['hotel.accommodation', '2021-09-30'],
        ['hotel.accommodation', '2021-10-01'],
        ['hotel.accommodation', '2022-04-01'],
      ].map(([category, date]) => rate(category ?? '', date ?? '')),
    ).toEqual(['S 20', 'R 5', 'R 5', 'S 20', 'R 5', 'Z 0', 'Z 0', 'R 5', 'E 0', 'S 20', 'R 5', 'R 12.5', 'S 20']);
  });

  it('may differ by region: electricity stays at 5% in Northern Ireland', () => {
    expect(rate('home.electricity_domestic', '2026-12-01', 'NI')).toBe('R 5');
  });

  it('is refused where the category is unknown, or not in force yet', () => {
    expect(() => rate('food.unicorn', '2026-11-21')).toThrow(expect.objectContaining({ code: 'E_RATE_UNKNOWN' }));
    expect(() => rate('voucher.mpv_sale', '2018-12-31')).toThrow(
      expect.objectContaining({ code: 'E_RATE_NOT_IN_FORCE' }),
    );
  });

  it('does not depend on the order of the cards', () => {
    const reversed = vatRulesOf([...vatRateCards().values()].reverse(), RULES.hash);
    const day = localDate('2026-11-21');
    for (const category of RULES.categories.GB.keys()) {
      expect(vatRateOn(reversed, category, day, 'GB')).toEqual(vatRateOn(RULES, category, day, 'GB'));
    }
  });
});

describe('a refusal of the rules', () => {
  it('says what was asked for', () => {
    const day = localDate('2018-12-31');
    const long = 'x'.repeat(70);
    expect(() => vatRateOn(RULES, long, day, 'GB')).toThrow(`"${'x'.repeat(64)}" is not a category of the table`);
    expect(() => vatRateOn(RULES, 'voucher.mpv_sale', day, 'GB')).toThrow(
      expect.objectContaining({
        message: '"voucher.mpv_sale" has no treatment on 2018-12-31',
        facts: { category: 'voucher.mpv_sale', date: '2018-12-31' },
      }),
    );
    expect(() => vatParameterOn(RULES, 'no.such', day)).toThrow(
      expect.objectContaining({
        message: 'no.such has no value on 2018-12-31',
        facts: { name: 'no.such', date: '2018-12-31' },
      }),
    );
  });
});

describe('a dated figure', () => {
  it('holds from its day, in pence where its card says pounds', () => {
    expect(vatParameterOn(RULES, 'limitedCostTrader.minimumAQuarter', localDate('2017-04-01'))).toBe(25_000);
    expect(findVatParameter(RULES, 'limitedCostTrader.rate', localDate('2017-03-31'))).toBeNull();
    expect(() => vatParameterOn(RULES, 'no.such', localDate('2026-01-01'))).toThrow(
      expect.objectContaining({ code: 'RATE_NOT_IN_FORCE' }),
    );
  });
});

describe('rules of cards', () => {
  const citation = { title: 'Somewhere', url: 'https://a.b' };
  const card = (...values: readonly object[]) => ({ tax: 'vat', title: 'A card', values });
  const treatment = { name: 'category.x', from: '2000-01-01', unit: 'treatment', value: 'S', citation };

  it('are refused where a category follows a rate that has no value, or two cards give one day two values', () => {
    expect(() => vatRulesOf([card(treatment)], '')).toThrow('follows standardRate');
    const zero = { ...treatment, value: 'Z' };
    expect(() => vatRulesOf([card(zero), card(zero)], '')).toThrow('two values');
    expect(() => vatRulesOf([card({ ...zero, name: 'x' })], '')).toThrow('is no category');
  });

  it('say which value is at fault', () => {
    const zero = { ...treatment, value: 'Z' };
    const refusal = (...cards: readonly object[]) => {
      try {
        vatRulesOf(cards, '');
      } catch (error) {
        const { code, facts, message } = error as { code: string; facts: object; message: string };
        return { code, facts, message };
      }
      return null;
    };
    expect(refusal(card(zero), card(zero))).toEqual({
      code: 'RATE_CARD_INVALID',
      facts: { name: 'category.x' },
      message: 'category.x has two values from 2000-01-01',
    });
    expect(refusal(card({ ...zero, name: 'x' }))).toEqual({
      code: 'RATE_CARD_INVALID',
      facts: { name: 'x' },
      message: '"x" has a treatment but is no category',
    });
    expect(refusal(card(treatment))).toMatchObject({ code: 'RATE_CARD_INVALID', facts: { name: 'category.x' } });
  });

  it('of the project are read by region, with the history of both rates', () => {
    const own = testVatRules();
    const on = (category: string, day: string, region: 'GB' | 'NI') =>
      vatRateOn(own, category, localDate(day), region).key;
    expect(on('home.electricity_domestic', '2026-12-01', 'GB')).toBe('Z0');
    expect(on('home.electricity_domestic', '2026-12-01', 'NI')).toBe('R500');
    expect(on('goods.dispatched_eu', '2026-12-01', 'NI')).toBe('Z0D');
    expect(on('home.gas_domestic', '1997-08-31', 'GB')).toBe('R800');
    expect(on('home.gas_domestic', '1997-09-01', 'GB')).toBe('R500');
    expect(on('catering.childrens_meal_on_premises', '2026-06-25', 'NI')).toBe('R500');
    expect(on('standard', '2011-01-03', 'NI')).toBe('S1750');
  });

  it('hold each value from its day, in whatever order the cards stand', () => {
    const rate = { name: 'standardRate', unit: 'basisPoints', citation };
    const days = ['2010-01-01', '2008-12-01', '2011-01-04', '1991-04-01'];
    const cards = days.map((from) => card({ ...rate, from, value: Number(from.slice(0, 4)) }));
    const own = vatRulesOf([...cards, card(treatment)], '');
    const on = (day: string) => findVatParameter(own, 'standardRate', localDate(day));
    expect([...days].sort().map(on)).toEqual([1_991, 2_008, 2_010, 2_011]);
    expect([on('1991-03-31'), on('2010-12-31'), on('2030-01-01')]).toEqual([null, 2_010, 2_011]);
    expect(vatRateOn(own, 'x', localDate('2009-12-31'), 'GB').ratePct).toBe('20.08');
    expect(vatRateOn(own, 'x', localDate('2010-01-01'), 'NI').ratePct).toBe('20.1');
  });
});
