import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { changeDatesOf, rateCardOf, valueOn } from '../../../../../../libs/core/paye/rates/rate-card.ts';
import { payeRateCards } from '../../../../../support/paye-rules.ts';

const CARDS = [...payeRateCards()];
const SCHEMA = join(import.meta.dirname, '../../../../../../schemas/paye-rate-card.schema.json');

describe('the project’s PAYE rate cards', () => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

  it.each(CARDS)('%s has a name, a day, a unit and a citation for each value', (file, json) => {
    expect(validate(json) ? [] : validate.errors).toEqual([]);
    const card = rateCardOf(json);
    expect(`${card.taxYear}.json`).toBe(file);
    for (const values of card.values.values()) {
      for (const { citation } of values) expect(citation.url).toMatch(/^https:\/\//);
    }
  });

  it('the schema refuses a value without a citation, and pounds that are not a decimal text', () => {
    const value = {
      name: 'x',
      from: '2026-04-06',
      unit: 'pounds',
      value: '1.00',
      citation: { title: 'Somewhere', url: 'https://a.b' },
    };
    const card = (changed: object) => ({ tax: 'paye', taxYear: '2026-27', values: [changed] });
    expect(validate(card(value))).toBe(true);
    expect(validate(card({ ...value, citation: undefined }))).toBe(false);
    expect(validate(card({ ...value, value: 1 }))).toBe(false);
    expect(validate(card({ ...value, value: '1.5' }))).toBe(false);
  });
});

describe('reading a card', () => {
  const citation = { title: 'Somewhere', url: 'https://a.b' };
  const value = { name: 'a.b', from: '2026-04-06', unit: 'pounds', value: '96.16', citation };
  const card = (...values: readonly unknown[]) => rateCardOf({ tax: 'paye', taxYear: '2026-27', values });

  it('gives pence for pounds, and the value that holds on a day', () => {
    const read = card(value, { ...value, from: '2026-07-06', value: '97' });
    expect(valueOn(read, 'a.b', localDate('2026-07-05'))?.value).toBe(9_616);
    expect(valueOn(read, 'a.b', localDate('2026-07-06'))?.value).toBe(9_700);
    expect(valueOn(read, 'a.b', localDate('2026-04-05'))).toBeUndefined();
    expect(valueOn(read, 'c', localDate('2026-07-06'))).toBeUndefined();
    expect(changeDatesOf(read)).toEqual(['2026-04-06', '2026-07-06']);
  });

  it.each([
    ['not a card', null],
    ['another tax', { tax: 'vat', taxYear: '2026-27', values: [] }],
    ['a year that is none', { tax: 'paye', taxYear: '2026-28', values: [] }],
    ['no list', { tax: 'paye', taxYear: '2026-27', values: {} }],
    ['no name', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, name: 1 }] }],
    ['no day', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, from: '2026-02-30' }] }],
    ['a day after the year', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, from: '2027-04-06' }] }],
    ['days out of order', { tax: 'paye', taxYear: '2026-27', values: [value, value] }],
    ['no citation', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, citation: null }] }],
    ['an unknown unit', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, unit: 'shillings' }] }],
    ['a number for pounds', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, value: 96.16 }] }],
    [
      'a fraction of a basis point',
      { tax: 'paye', taxYear: '2026-27', values: [{ ...value, unit: 'basisPoints', value: 0.5 }] },
    ],
    ['a list of numbers', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, unit: 'list', value: [1] }] }],
    [
      'half a letter',
      { tax: 'paye', taxYear: '2026-27', values: [{ ...value, unit: 'letter', value: { employee: 'main' } }] },
    ],
    ['no code', { tax: 'paye', taxYear: '2026-27', values: [{ ...value, unit: 'taxCode', value: 1257 }] }],
  ])('refuses %s', (_what, json) => {
    expect(() => rateCardOf(json)).toThrow(expect.objectContaining({ code: 'RATE_CARD_INVALID' }));
  });
});
