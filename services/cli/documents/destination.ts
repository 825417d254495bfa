import { textOf } from '../mapping/read-mapping.ts';
import type { SalesMapping } from '../mapping/sales-mapping.ts';
import type { Row } from '../rows/read-rows.ts';
import { rowFault } from './row-fault.ts';

/** Where the goods of an invoice go: null within the United Kingdom, else the category of what leaves it for there. */
export type Destination = string | null;

/** Whatever the mapping says, these name the United Kingdom or a part of it. */
const UNITED_KINGDOM: ReadonlySet<string> = new Set([
  'united kingdom',
  'the united kingdom',
  'uk',
  'u.k.',
  'gb',
  'gbr',
  'great britain',
  'england',
  'scotland',
  'wales',
  'northern ireland',
]);

/**
 * Zero rating needs a country outside the United Kingdom that the mapping lists (VAT Notice 703: an export needs evidence that the goods
 * left). Throws COUNTRY_MISSING and COUNTRY_UNKNOWN.
 */
export function destinationOf(rows: readonly Row[], country: string, mapping: SalesMapping): Destination {
  const { columns, homeCountries, dispatches, abroadCountries, abroadCategory } = mapping;
  const of = columns.country;
  if (of === undefined || isIn(homeCountries, country) || UNITED_KINGDOM.has(country.toLowerCase())) return null;
  const row = rows.find(({ values }) => textOf(values, of) !== '') ?? rows[0];
  if (row === undefined) return null;
  if (country === '') {
    const message =
      'it is empty, and the goods may have gone anywhere: fill it in, or add "" to "homeCountries" in the mapping where a blank means the United Kingdom';
    throw rowFault(row, of, 'COUNTRY_MISSING', message);
  }
  if (dispatches !== undefined && isIn(dispatches.countries, country)) return dispatches.category;
  if (abroadCategory !== undefined && isIn(abroadCountries, country)) return abroadCategory;
  const message =
    'the country is in no list of the mapping: add it to "homeCountries", or to "abroadCountries" (with an "abroadCategory") where goods sent there are exports';
  throw rowFault(row, of, 'COUNTRY_UNKNOWN', message);
}

function isIn(countries: readonly string[], country: string): boolean {
  return countries.includes(country) || countries.some((one) => one.toLowerCase() === country.toLowerCase());
}
