import { isLocalDate, type LocalDate } from '../../calendar/local-date.ts';
import { isJsonObject } from '../../encoding/json-object.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { VatRegion } from '../../events/vat-events.ts';
import type { VatTreatment } from './vat-rate.ts';

type VatRateUnit = 'basisPoints' | 'treatment' | 'pounds' | 'count';

/** One value of a rate card: what it is, from which day it holds, its unit and where it is written. */
export interface VatRateValue {
  readonly name: string;
  readonly from: LocalDate;
  /** Null: in both regions. */
  readonly region: VatRegion | null;
  readonly unit: VatRateUnit;
  /** Basis points, pence (unit pounds) or a count; 0 for a treatment. */
  readonly amount: number;
  /** Set for the unit treatment alone. */
  readonly treatment: VatTreatment | null;
  /** A treatment's own rate where it is not the standard or reduced one. */
  readonly rateBasisPoints: number | null;
  /** Goods dispatched to a member state of the EU (box 8). */
  readonly dispatch: boolean;
  readonly citation: { readonly title: string; readonly url: string };
}

const POUNDS = /^\d{1,9}\.\d{2}$/;
const TREATMENTS: ReadonlySet<unknown> = new Set(['S', 'R', 'Z', 'E', 'O']);

/** Reads one card as parsed from its JSON file (schemas/vat-rate-card.schema.json). Throws RATE_CARD_INVALID, naming the value. */
export function vatRateCardOf(json: unknown): readonly VatRateValue[] {
  if (!isJsonObject(json) || json.tax !== 'vat' || !Array.isArray(json.values)) {
    throw invalid('a VAT rate card has "tax": "vat" and a list "values"', '');
  }
  const last = new Map<string, LocalDate>();
  return json.values.map((item: unknown) => {
    const value = rateValueOf(item);
    const series = `${value.name} ${value.region ?? ''}`;
    const before = last.get(series);
    if (before !== undefined && value.from <= before) {
      throw invalid('values of one name stand in order of date', value.name);
    }
    last.set(series, value.from);
    return value;
  });
}

function rateValueOf(item: unknown): VatRateValue {
  if (!isJsonObject(item) || typeof item.name !== 'string') throw invalid('a value has a name', '');
  const { name, from, region, citation } = item;
  if (typeof from !== 'string' || !isLocalDate(from)) throw invalid('"from" is a date', name);
  if (region !== undefined && region !== 'GB' && region !== 'NI') throw invalid('"region" is GB or NI', name);
  if (!isJsonObject(citation) || typeof citation.title !== 'string' || typeof citation.url !== 'string') {
    throw invalid('a value has a citation {title, url}', name);
  }
  return {
    name,
    from,
    region: region ?? null,
    ...measureOf(item, name),
    citation: { title: citation.title, url: citation.url },
  };
}

function measureOf(
  item: Readonly<Record<string, unknown>>,
  name: string,
): Pick<VatRateValue, 'unit' | 'amount' | 'treatment' | 'rateBasisPoints' | 'dispatch'> {
  const { unit, value, rateBasisPoints, dispatch } = item;
  switch (unit) {
    case 'treatment': {
      if (!TREATMENTS.has(value)) throw invalid('a treatment is S, R, Z, E or O', name);
      if (rateBasisPoints !== undefined && !isCount(rateBasisPoints)) throw invalid('"rateBasisPoints" is whole', name);
      if (dispatch !== undefined && dispatch !== true) throw invalid('"dispatch" is true or absent', name);
      const own = rateBasisPoints === undefined ? null : Number(rateBasisPoints);
      return { unit, amount: 0, treatment: value as VatTreatment, rateBasisPoints: own, dispatch: dispatch === true };
    }
    case 'pounds':
      if (typeof value !== 'string' || !POUNDS.test(value))
        throw invalid('pounds are decimal text such as "250.00"', name);
      return { unit, amount: Number(value.replace('.', '')), treatment: null, rateBasisPoints: null, dispatch: false };
    case 'basisPoints':
    case 'count':
      if (!isCount(value)) throw invalid(`${unit} is a whole number from 0`, name);
      return { unit, amount: value, treatment: null, rateBasisPoints: null, dispatch: false };
    default:
      throw invalid('"unit" is basisPoints, treatment, pounds or count', name);
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function invalid(why: string, name: string): TallyError {
  return new TallyError('RATE_CARD_INVALID', `VAT rate card${name === '' ? '' : `, "${name}"`}: ${why}`, { name });
}
