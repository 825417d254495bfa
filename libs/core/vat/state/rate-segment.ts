import type { LocalDate } from '../../calendar/local-date.ts';
import type { TraderRegistered } from '../../events/vat-events.ts';
import { basisPointsOfPercent, vatRate } from '../rates/vat-rate.ts';
import { findVatParameter, type VatRules, vatParameterSince } from '../rates/vat-rules.ts';
import type { PeriodAccount, SegmentSums } from './period-account.ts';

type ByRate = Readonly<Record<string, number>>;

/** What a trader registered of its scheme. */
type Goods = Pick<TraderRegistered, 'scheme' | 'majorityRatePct' | 'validFrom'>;

const NOTHING: ByRate = {};

/**
 * The stretch of days, between two changes of rate, that a day is in under a retail scheme that spreads takings over rates: two
 * calculations are made where a rate changes within a period, one for each stretch, and added (Notice 727, section 2.2; vat.md section 5).
 * Named by its first day, so that segments sort as they follow one another; of direct calculation with the rate key of the majority of the
 * goods, where that is the standard or the reduced rate and so changes with it: `2011-01-04 S2000`. Undefined where no change of rate
 * splits anything.
 */
export function rateSegmentOn(registration: Goods, date: LocalDate, rules: VatRules): string | undefined {
  switch (registration.scheme) {
    case 'apportionment1':
      return lastChange(['standardRate', 'reducedRate'], date, rules);
    case 'directCalculation1':
    case 'directCalculation2': {
      const followed = followedRate(registration, rules);
      if (followed === null) return undefined;
      const since = lastChange([followed], date, rules);
      const basisPoints = findVatParameter(rules, followed, date);
      return since === undefined || basisPoints === null ? undefined : `${since} ${vatRate('S', basisPoints).key}`;
    }
    default:
      return undefined;
  }
}

/** The rate key of the majority of the goods that a segment names; `own` where it names none. */
export function majorityOfSegment(segment: string, own: string | undefined): string | undefined {
  return segment.split(' ')[1] ?? own;
}

/** Adds sums of a day to the account's part of its segment; the same account where that is the period's own, or none is told apart. */
export function inSegment(
  account: PeriodAccount,
  segment: string | undefined,
  added: Partial<SegmentSums>,
): PeriodAccount {
  const own = account.s?.x;
  if (own === undefined || segment === undefined || segment === own) return account;
  const before = account.z?.[segment];
  const sums = { g: addedUp(before?.g, added.g), q: addedUp(before?.q, added.q) };
  return { ...account, z: { ...account.z, [segment]: sums } };
}

/** An account's takings and goods by segment: what no other segment has is of the period's own. */
export function segmentsOf(account: PeriodAccount): ReadonlyMap<string, SegmentSums> {
  const others = Object.entries(account.z ?? {});
  const own = {
    g: lessAll(
      account.g,
      others.map(([, { g }]) => g),
    ),
    q: lessAll(
      account.q ?? NOTHING,
      others.map(([, { q }]) => q),
    ),
  };
  return new Map([[account.s?.x ?? '', own], ...others]);
}

/** Sums of several accounts by rate. */
export function addedUp(...parts: readonly (ByRate | undefined)[]): ByRate {
  const all: Record<string, number> = {};
  for (const part of parts) {
    for (const [key, amount] of Object.entries(part ?? NOTHING)) all[key] = (all[key] ?? 0) + amount;
  }
  return all;
}

/** Sums by rate less others. */
export function lessAll(from: ByRate, others: readonly ByRate[]): ByRate {
  if (others.length === 0) return from;
  const negated = Object.entries(addedUp(...others)).map(([key, amount]) => [key, -amount] as const);
  return addedUp(from, Object.fromEntries(negated));
}

/** The rate that the majority of the goods has by what was registered: as it changes, so does theirs. Null: another one, which stays. */
function followedRate({ majorityRatePct, validFrom }: Goods, rules: VatRules): string | null {
  const basisPoints = basisPointsOfPercent(majorityRatePct ?? '20');
  return (
    ['standardRate', 'reducedRate'].find((name) => findVatParameter(rules, name, validFrom) === basisPoints) ?? null
  );
}

/** The day of the newest change among some rates, or undefined where none holds yet. */
function lastChange(names: readonly string[], date: LocalDate, rules: VatRules): string | undefined {
  const days = names.flatMap((name) => vatParameterSince(rules, name, date) ?? []);
  return days.sort().at(-1);
}
