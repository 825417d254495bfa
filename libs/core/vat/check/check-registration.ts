import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import type { LocalDate } from '../../calendar/local-date.ts';
import type { Fault } from '../../errors/fault.ts';
import { VAT_CADENCES, VAT_SCHEMES } from '../../events/vat-events.ts';
import { basisPointsOfPercent } from '../rates/vat-rate.ts';
import { BOUNDED_REVISION, findVatParameter, type VatRules } from '../rates/vat-rules.ts';

type Fields = Readonly<Record<string, unknown>>;

const BASIS_POINTS_MAX = 10_000;
/** The higher rate of 1974 to 1976, basis points. */
const HIGHEST_RATE = 2_500;

/**
 * Checks what a trader says of its periods and schemes, from JSON or from the log, and adds faults to the list (vat.md sections 5 and 7.2).
 *
 * @param rules null: whether the sector exists is not checked.
 */
export function checkRegistrationFields(fields: Fields, rules: VatRules | null, faults: Fault[]): void {
  const { validFrom, registeredOn, cadence, annualEndMonth, scheme } = fields;
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  const isDated = isEventDate(validFrom);
  if (!isDated) add('E_DATE', '/validFrom', EVENT_DATE_EXPECTED);
  if (isPresent(registeredOn)) {
    if (!isEventDate(registeredOn)) add('E_DATE', '/registeredOn', EVENT_DATE_EXPECTED);
    else if (isDated && registeredOn > validFrom) add('E_DATE', '/registeredOn', 'not after validFrom');
  }
  if (!isOneOf(cadence, VAT_CADENCES)) add('E_CADENCE', '/cadence', `one of ${VAT_CADENCES.join(', ')}`);
  if (cadence === 'annual' ? !isMonth(annualEndMonth) : isPresent(annualEndMonth)) {
    add('E_CADENCE', '/annualEndMonth', 'the month 1 to 12 in which annual periods end, for them alone');
  }
  if (!isOneOf(scheme, VAT_SCHEMES)) add('E_SCHEME', '/scheme', `one of ${VAT_SCHEMES.join(', ')}`);
  checkSchemeFields(fields, isDated ? validFrom : null, rules, faults);
  for (const name of ['limitedCostTest', 'cashAccounting', 'unpaidOverSixMonths']) {
    const value = fields[name];
    if (isPresent(value) && typeof value !== 'boolean') add('FIELD_TYPE', `/${name}`, 'true or false');
  }
  if (isPresent(fields.interimPayments) && !isOneOf(fields.interimPayments, ['none', 'monthly', 'quarterly'])) {
    add('E_INTERIM', '/interimPayments', 'none, monthly or quarterly');
  }
  const hasInterim = fields.interimPayments === 'monthly' || fields.interimPayments === 'quarterly';
  if (hasInterim && cadence !== 'annual') add('E_INTERIM', '/interimPayments', 'annual accounting has annual periods');
  if (isPresent(fields.poundsRule) && !isOneOf(fields.poundsRule, ['truncate', 'nearest'])) {
    add('E_POUNDS_RULE', '/poundsRule', 'truncate or nearest');
  }
}

/** Checks what a trader says of the end of its registration, from JSON or from the log; faults are added to the list. */
export function checkDeregistrationFields({ deregisteredOn }: Fields, faults: Fault[]): void {
  if (isEventDate(deregisteredOn)) return;
  faults.push({ code: 'E_DATE', pointer: '/deregisteredOn', detail: EVENT_DATE_EXPECTED });
}

function checkSchemeFields(fields: Fields, date: LocalDate | null, rules: VatRules | null, faults: Fault[]): void {
  const { scheme, flatRateSector, majorityRatePct } = fields;
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  const isFlatRate = scheme === 'flatRate';
  if (isFlatRate !== isPresent(flatRateSector)) {
    add('E_FRS_SECTOR', '/flatRateSector', 'a sector, for the flat rate scheme alone');
  } else if (isFlatRate && !isSector(flatRateSector, date, rules)) {
    add('E_FRS_SECTOR', '/flatRateSector', 'not a sector of the flat rate scheme on that date');
  }
  if (isFlatRate && fields.cashAccounting === true) {
    add('E_SCHEME_COMBINATION', '/cashAccounting', 'the flat rate scheme has a cash method of its own');
  }
  if (fields.cashAccounting === true && fields.unpaidOverSixMonths === true) {
    add('E_SCHEME_COMBINATION', '/unpaidOverSixMonths', 'for a registration that ends cash accounting');
  }
  if (!isFlatRate && fields.limitedCostTest === true) {
    add('E_SCHEME_COMBINATION', '/limitedCostTest', 'for the flat rate scheme alone');
  }
  const isDirect = scheme === 'directCalculation1' || scheme === 'directCalculation2';
  const basisPoints = typeof majorityRatePct === 'string' ? basisPointsOfPercent(majorityRatePct) : Number.NaN;
  if (isDirect ? !(basisPoints <= BASIS_POINTS_MAX) : isPresent(majorityRatePct)) {
    add('E_RATE_UNKNOWN', '/majorityRatePct', 'the rate of most goods, for direct calculation alone');
  } else if (isDirect && basisPoints > HIGHEST_RATE && rules !== null && rules.revision >= BOUNDED_REVISION) {
    add('E_RATE_UNKNOWN', '/majorityRatePct', 'a rate of VAT, as text such as "20": none was ever above 25%');
  }
}

function isSector(sector: unknown, date: LocalDate | null, rules: VatRules | null): boolean {
  if (typeof sector !== 'string' || !/^[a-z0-9_]{1,64}$/.test(sector)) return false;
  return date === null || rules === null || findVatParameter(rules, `flatRate.${sector}`, date) !== null;
}

function isMonth(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 12;
}

function isOneOf(value: unknown, codes: readonly string[]): boolean {
  return typeof value === 'string' && codes.includes(value);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
