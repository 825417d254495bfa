import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  isDateSupported,
  payDayOf,
  payeRulesOf,
  rulesAtYearEnd,
  rulesOfYear,
  taxCodeOf,
} from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { payeRateCards, testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();

describe('the rules of a set of cards', () => {
  it('hold every tax year that has a file', () => {
    expect(RULES.taxYears).toEqual(['2022-23', '2023-24', '2024-25', '2025-26', '2026-27', '2027-28']);
    expect(isDateSupported(RULES, localDate('2022-04-05'))).toBe(false);
    expect(isDateSupported(RULES, localDate('2022-04-06'))).toBe(true);
    expect(isDateSupported(RULES, localDate('2028-04-06'))).toBe(false);
  });

  it('have as many sets in a year as it has days of change', () => {
    expect(rulesOfYear(RULES, '2022-23').map(({ from }) => from)).toEqual(['2022-04-06', '2022-07-06', '2022-11-06']);
    expect(rulesOfYear(RULES, '2023-24').map(({ from }) => from)).toEqual(['2023-04-06', '2024-01-06']);
    expect(rulesOfYear(RULES, '2026-27')).toHaveLength(1);
  });

  it('know no other year', () => {
    expect(() => rulesAtYearEnd(RULES, '2028-29')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_TAX_YEAR' }));
    expect(() => payDayOf(RULES, '2028-04-06')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_TAX_YEAR' }));
    expect(() => payDayOf(RULES, 'yesterday')).toThrow(expect.objectContaining({ code: 'DATE_INVALID' }));
  });

  it('take a new year as a new file: 2028-29 made of 2026-27 works at once', () => {
    const cards = [...payeRateCards().values()];
    const text = JSON.stringify(cards.at(-2)).replaceAll('2026-04-06', '2028-04-06').replace('2026-27', '2028-29');
    const more = payeRulesOf([...cards, JSON.parse(text)], '0'.repeat(64));
    expect(payDayOf(more, '2028-05-01').taxPeriod).toBe('2028-29/M01');
  });

  it('refuse two cards of one year, and a card that lacks a value', () => {
    const card = payeRateCards().get('2026-27.json') as { values: { name: string }[] };
    expect(() => payeRulesOf([card, card], '')).toThrow(expect.objectContaining({ code: 'RATE_CARD_INVALID' }));
    for (const name of [
      'incomeTax.overridingLimit',
      'class1.employer',
      'studentLoan.rate',
      'class1.secondaryThreshold.year',
    ]) {
      const values = card.values.filter((value) => value.name !== name);
      expect(() => payeRulesOf([{ ...card, values }], ''), name).toThrow(
        expect.objectContaining({ code: 'RATE_CARD_INVALID' }),
      );
    }
  });
});

describe('a pay day', () => {
  it('has its number in each pay frequency and the key of its earnings period', () => {
    const { periods, taxPeriod } = payDayOf(RULES, '2027-04-05');
    expect(taxPeriod).toBe('2026-27/M12');
    expect(periods.M1).toMatchObject({ number: 12, key: 'M1:12' });
    expect(periods.W2).toMatchObject({ number: 54, key: 'W2:54' });
    expect(periods.W4.number).toBe(56);
    expect(periods.IR).toMatchObject({ number: 53, key: 'W1:53' });
  });

  it('is read once', () => {
    expect(payDayOf(RULES, '2026-05-01')).toBe(payDayOf(RULES, '2026-05-01'));
  });
});

describe('a tax code', () => {
  it('is read once', () => {
    expect(taxCodeOf(RULES, '1257L')).toBe(taxCodeOf(RULES, '1257L'));
  });
});
