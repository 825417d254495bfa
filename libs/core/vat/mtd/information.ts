import type { LocalDate } from '../../calendar/local-date.ts';
import { flatRateSince } from '../return/scheme-limits.ts';
import { registrationOn, type TraderState } from '../state/trader.ts';
import { type MtdRefusal, mtdRefusal } from './error.ts';

/** Sectors of the flat rate scheme in the order of HMRC's categories, from 001 on (OpenAPI file, FlatRateScheme). */
const CATEGORIES: readonly string[] = [
  'accountancy_bookkeeping',
  'advertising',
  'agricultural_services',
  'any_other_activity',
  'architect_engineer_surveyor',
  'boarding_animals',
  'business_services',
  'catering',
  'computer_it_consultancy',
  'computer_repair',
  'entertainment_journalism',
  'estate_agency',
  'farming',
  'film_radio_tv',
  'financial_services',
  'forestry_fishing',
  'general_building',
  'hairdressing_beauty',
  'hiring_goods',
  'hotel_accommodation',
  'investigation_security',
  'labour_only_building',
  'laundry',
  'lawyer',
  'library_museum',
  'management_consultancy',
  'manufacturing_metal',
  'manufacturing_food',
  'manufacturing_other',
  'manufacturing_textiles',
  'membership_organisation',
  'mining_quarrying',
  'packaging',
  'photography',
  'post_offices',
  'printing',
  'publishing',
  'pubs',
  'real_estate',
  'repairing_personal_household',
  'repairing_vehicles',
  'retail_food_newspapers_childrens_clothing',
  'retail_pharmacy_cosmetics',
  'retail_other',
  'retail_vehicles_fuel',
  'secretarial',
  'social_work',
  'sport_recreation',
  'transport_storage',
  'travel_agency',
  'veterinary',
  'wholesale_agricultural',
  'wholesale_food',
  'wholesale_other',
  'waste_scrap',
];

export interface MtdInformation {
  readonly customerDetails?: { readonly effectiveRegistrationDate: string };
  readonly flatRateScheme?: { readonly frsCategory: string; readonly startDate: string };
}

/** The number of HMRC's category for a sector, three digits; null for a sector that has none. */
export function flatRateCategory(sector: string): string | null {
  const index = CATEGORIES.indexOf(sector);
  return index < 0 ? null : String(index + 1).padStart(3, '0');
}

/**
 * Answers `GET …/information` from what the trader registered here: the effective date of registration, and the flat rate scheme that holds
 * today. NOT_FOUND where neither is known.
 */
export function informationAnswer(trader: TraderState, today: LocalDate): MtdInformation | MtdRefusal {
  const registration = registrationOn(trader, today);
  const registeredOn = trader.r.findLast((one) => one.registeredOn !== null)?.registeredOn ?? null;
  const category = flatRateCategory(registration?.flatRateSector ?? '');
  const since = flatRateSince(trader, today);
  if (registeredOn === null && (category === null || since === null)) return mtdRefusal('NOT_FOUND');
  return {
    ...(registeredOn === null ? {} : { customerDetails: { effectiveRegistrationDate: registeredOn } }),
    ...(category === null || since === null ? {} : { flatRateScheme: { frsCategory: category, startDate: since } }),
  };
}
