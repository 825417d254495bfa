import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { vatRateCardOf } from '../../../../../../libs/core/vat/rates/rate-card.ts';
import { vatRateCards } from '../../../../../support/vat-rules.ts';

const CARDS = [...vatRateCards()];
const SCHEMA = join(import.meta.dirname, '../../../../../../schemas/vat-rate-card.schema.json');
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

  it('hold 73 categories and 55 sectors of the flat rate scheme', () => {
    const names = new Set(CARDS.flatMap(([, json]) => vatRateCardOf(json).map(({ name }) => name)));
    const count = (prefix: string) => [...names].filter((name) => name.startsWith(prefix)).length;
    expect([count('category.'), count('flatRate.')]).toEqual([73, 55]);
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

  it.each<[unknown, string, string]>([
    [undefined, '', 'a value has a name'],
    [{ ...VALUE, name: 5 }, '', 'a value has a name'],
    [{ ...VALUE, from: '2011-02-30' }, 'standardRate', '"from" is a date'],
    [{ ...VALUE, from: ['2011-01-04'] }, 'standardRate', '"from" is a date'],
    [{ ...VALUE, region: 'IM' }, 'standardRate', '"region" is GB or NI'],
    [{ ...VALUE, citation: { url: 'https://a.b' } }, 'standardRate', 'a value has a citation {title, url}'],
    [{ ...VALUE, citation: { title: 'A' } }, 'standardRate', 'a value has a citation {title, url}'],
    [{ ...VALUE, unit: 'percent' }, 'standardRate', '"unit" is basisPoints, treatment, pounds or count'],
    [{ ...VALUE, value: 0.5 }, 'standardRate', 'basisPoints is a whole number from 0'],
    [{ ...VALUE, value: -1 }, 'standardRate', 'basisPoints is a whole number from 0'],
    [{ ...VALUE, unit: 'count', value: '4' }, 'standardRate', 'count is a whole number from 0'],
    [{ ...VALUE, unit: 'pounds', value: 250 }, 'standardRate', 'pounds are decimal text such as "250.00"'],
    [{ ...VALUE, unit: 'pounds', value: ['250.00'] }, 'standardRate', 'pounds are decimal text such as "250.00"'],
    [{ ...VALUE, unit: 'pounds', value: '250' }, 'standardRate', 'pounds are decimal text such as "250.00"'],
    [{ ...VALUE, unit: 'pounds', value: '-1.00' }, 'standardRate', 'pounds are decimal text such as "250.00"'],
    [{ ...VALUE, unit: 'pounds', value: '1.000' }, 'standardRate', 'pounds are decimal text such as "250.00"'],
    [{ ...VALUE, unit: 'treatment', value: 'T' }, 'standardRate', 'a treatment is S, R, Z, E or O'],
    [{ ...VALUE, unit: 'treatment', value: 'R', rateBasisPoints: 1.5 }, 'standardRate', '"rateBasisPoints" is whole'],
    [{ ...VALUE, unit: 'treatment', value: 'Z', dispatch: false }, 'standardRate', '"dispatch" is true or absent'],
  ])('says of %j which value is wrong and why', (value, name, why) => {
    const place = name === '' ? 'VAT rate card' : `VAT rate card, "${name}"`;
    expect(() => vatRateCardOf({ ...cardOf(), values: [value] })).toThrow(
      expect.objectContaining({ code: 'RATE_CARD_INVALID', message: `${place}: ${why}`, facts: { name } }),
    );
  });

  it('gives each value its unit: pence of pounds, basis points and counts as they are, treatments without amount', () => {
    const valuesOf = (other: object) => vatRateCardOf(cardOf({ ...VALUE, ...other }))[0];
    const { unit: _unit, value: _value, ...said } = VALUE;
    const plain = { ...said, region: null, treatment: null, rateBasisPoints: null, dispatch: false };
    expect(valuesOf({})).toEqual({ ...plain, unit: 'basisPoints', amount: 2_000 });
    expect(valuesOf({ unit: 'count', value: 0 })).toEqual({ ...plain, unit: 'count', amount: 0 });
    expect(valuesOf({ unit: 'pounds', value: '85000.05' })).toEqual({ ...plain, unit: 'pounds', amount: 8_500_005 });
    const treated = { unit: 'treatment', amount: 0, rateBasisPoints: null, dispatch: false };
    expect(valuesOf({ unit: 'treatment', value: 'Z', region: 'NI' })).toEqual({
      ...plain,
      ...treated,
      treatment: 'Z',
      region: 'NI',
    });
    expect(valuesOf({ unit: 'treatment', value: 'R', rateBasisPoints: 1_250 })).toMatchObject({
      rateBasisPoints: 1_250,
    });
    expect(valuesOf({ unit: 'treatment', value: 'Z', dispatch: true })).toMatchObject({ dispatch: true });
  });

  it('refuses what is no card', () => {
    for (const json of [null, [], 'card', { tax: 'vat' }, { tax: 'vat', values: {} }]) {
      expect(() => vatRateCardOf(json)).toThrow('VAT rate card: a VAT rate card has "tax": "vat" and a list "values"');
    }
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
