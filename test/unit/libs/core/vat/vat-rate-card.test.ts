import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { vatRateCardOf } from '../../../../../libs/core/vat/vat-rate-card.ts';
import { vatRateCards } from '../../../../support/vat-rules.ts';

const CARDS = [...vatRateCards()];
const SCHEMA = join(import.meta.dirname, '../../../../../schemas/vat-rate-card.schema.json');
const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

const VALUE = {
  name: 'standardRate',
  from: '2011-01-04',
  unit: 'basisPoints',
  value: 2_000,
  citation: { title: 'VATA 1994, section 2', url: 'https://www.legislation.gov.uk/ukpga/1994/23/section/2' },
};
const cardOf = (...values: readonly object[]) => ({ tax: 'vat', title: 'A card', values });

describe('the project’s VAT rate cards', () => {
  it.each(CARDS)('%s fits the schema: each value has its day, unit and citation', (_file, json) => {
    expect(validate(json) ? [] : validate.errors).toEqual([]);
    for (const { citation } of vatRateCardOf(json)) expect(citation.url).toMatch(/^https:\/\//);
  });

  it('hold 72 categories and 55 sectors of the flat rate scheme', () => {
    const names = new Set(CARDS.flatMap(([, json]) => vatRateCardOf(json).map(({ name }) => name)));
    const count = (prefix: string) => [...names].filter((name) => name.startsWith(prefix)).length;
    expect([count('category.'), count('flatRate.')]).toEqual([72, 55]);
  });
});

describe('reading a card', () => {
  it.each([
    ['no citation', { ...VALUE, citation: undefined }],
    ['a date that is none', { ...VALUE, from: '2011-02-30' }],
    ['an unknown unit', { ...VALUE, unit: 'percent' }],
    ['a fraction of a basis point', { ...VALUE, value: 0.5 }],
    ['pounds as a number', { ...VALUE, unit: 'pounds', value: 250 }],
    ['an unknown treatment', { ...VALUE, unit: 'treatment', value: 'T' }],
    ['a treatment whose own rate is not whole', { ...VALUE, unit: 'treatment', value: 'R', rateBasisPoints: 12.5 }],
    ['an unknown region', { ...VALUE, region: 'IM' }],
    ['no name', { ...VALUE, name: undefined }],
  ])('refuses %s', (_what, value) => {
    expect(() => vatRateCardOf(cardOf(value))).toThrow(expect.objectContaining({ code: 'RATE_CARD_INVALID' }));
  });

  it('refuses values of one name that do not stand in order of date', () => {
    expect(() => vatRateCardOf(cardOf(VALUE, { ...VALUE, from: '2010-01-01' }))).toThrow('in order of date');
    expect(() => vatRateCardOf(cardOf(VALUE, VALUE))).toThrow('in order of date');
    expect(vatRateCardOf(cardOf({ ...VALUE, region: 'GB' }, { ...VALUE, region: 'NI' }))).toHaveLength(2);
  });

  it('refuses a card of another tax', () => {
    expect(() => vatRateCardOf({ ...cardOf(VALUE), tax: 'paye' })).toThrow('"tax": "vat"');
  });
});
