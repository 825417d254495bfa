import { halfUpQuotient, halfUpShare } from '../../money/half-up.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { rateOfKey, type VatRate, vatWithin } from '../rates/vat-rate.ts';
import type { BroughtForward, PeriodAccount, SegmentSums } from '../state/period-account.ts';
import { addedUp, lessAll, majorityOfSegment, segmentsOf } from '../state/rate-segment.ts';

type ByRate = Readonly<Record<string, number>>;

/**
 * VAT of a period's takings under its scheme (vat.md section 5), of what is counted so far: point of sale, once per rate; flat rate, once
 * per percentage; apportionment and direct calculation by the goods recorded so far, and at the end of the retail year the year's VAT less
 * what was accounted for in its periods before.
 */
export function retailVatOf(account: PeriodAccount): Pence {
  switch (account.s?.k) {
    case undefined:
      return posVat(account.g);
    case 'FRS':
      return flatRateVatOf(account);
    case 'A1': {
      const vatOf = (_segment: string, { g, q }: SegmentSums) => apportionedVat(g, q);
      if (account.s.e !== 1 || account.y === undefined) return vatOfSegments(segmentsOf(account), vatOf);
      return pence(vatOfSegments(segmentsOfYear(account), vatOf) - account.y.d);
    }
    case 'A2':
      return apportionedVat(account.g, addedUp(account.q, ...(account.y?.w ?? [])));
    case 'D1':
    case 'D2': {
      const majority = account.s.u;
      const vatOf = (segment: string, { g, q }: SegmentSums) => directVat(g, q, majorityOfSegment(segment, majority));
      // Without a count of stock there is nothing to adjust by.
      const isAdjusted = account.s.k === 'D2' && account.s.e === 1 && account.c !== undefined;
      if (!isAdjusted) return vatOfSegments(segmentsOf(account), vatOf);
      return pence(vatOfSegments(withStock(segmentsOfYear(account), account), vatOf) - (account.y?.d ?? 0));
    }
  }
}

function vatOfSegments(
  segments: ReadonlyMap<string, SegmentSums>,
  vatOf: (segment: string, sums: SegmentSums) => Pence,
): Pence {
  let vat = 0;
  for (const [segment, sums] of segments) vat += vatOf(segment, sums);
  return pence(vat);
}

/** Takings and goods of the retail year so far, this period among it. What was not told apart before is of this period's own segment. */
function segmentsOfYear(account: PeriodAccount): ReadonlyMap<string, SegmentSums> {
  const { y, s } = account;
  const all = new Map(segmentsOf(account));
  const before = [[s?.x ?? '', { g: y?.g ?? {}, q: y?.q ?? {} }] as const, ...Object.entries(y?.z ?? {})];
  for (const [segment, sums] of before) {
    const own = all.get(segment);
    all.set(segment, { g: addedUp(own?.g, sums.g), q: addedUp(own?.q, sums.q) });
  }
  return all;
}

/** What was sold of the goods: the stock at the start of the year was sold first, and that at its end is left of what came last. */
function withStock(
  segments: ReadonlyMap<string, SegmentSums>,
  { y, c }: PeriodAccount,
): ReadonlyMap<string, SegmentSums> {
  const inOrder = [...segments].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    inOrder.map(([segment, { g, q }], index) => {
      const opened = index === 0 ? addedUp(q, y?.o) : q;
      const sold = index === inOrder.length - 1 ? lessAll(opened, [c ?? {}]) : opened;
      return [segment, { g, q: sold }];
    }),
  );
}

/** VAT-inclusive turnover of the flat rate scheme (its box 6). */
export function flatRateTurnover(account: PeriodAccount): number {
  let turnover = 0;
  for (const amount of Object.values(account.t ?? {})) turnover += amount;
  return turnover;
}

/**
 * True where the limited cost trader test is made and, as if the period ended now, its percentage applies: relevant goods below the minimum
 * or below the share of turnover, both strict (Notice 733).
 */
export function isLimitedCostSoFar(account: PeriodAccount): boolean {
  const test = account.s?.w;
  if (test === undefined) return false;
  const [minimumPence, shareBasisPoints] = test;
  const goods = account.r ?? 0;
  return goods < minimumPence || BigInt(goods) * 10_000n < BigInt(flatRateTurnover(account)) * BigInt(shareBasisPoints);
}

/** What the hard close of a period hands to the next one of the same scheme. */
export function broughtForwardFrom(account: PeriodAccount): BroughtForward | null {
  const scheme = account.s?.k;
  if (scheme === undefined || scheme === 'FRS' || scheme === 'D1') return null;
  const before = account.y;
  const window = [...(before?.w ?? []), account.q ?? {}].slice(-PERIODS_BEFORE);
  const isYearEnd = account.s?.e === 1;
  // A year that ends without a count goes on with the last one.
  const stock = (isYearEnd ? account.c : undefined) ?? before?.o ?? {};
  if (isYearEnd) return { d: 0, g: {}, q: {}, w: window, o: stock };
  const year = { d: (before?.d ?? 0) + retailVatOf(account), w: window, o: stock };
  if (account.s?.x !== undefined) {
    const z = Object.fromEntries(
      segmentsOfYear({ ...account, y: { d: 0, w: [], o: {}, g: {}, q: {}, z: before?.z ?? {} } }),
    );
    return { ...year, g: before?.g ?? {}, q: before?.q ?? {}, z };
  }
  return { ...year, g: addedUp(before?.g, account.g), q: addedUp(before?.q, account.q) };
}

/** Apportionment 2 looks at four periods, this one among them. */
const PERIODS_BEFORE = 3;

function posVat(takings: ByRate): Pence {
  let vat = 0;
  for (const key in takings) vat += vatWithin(takings[key] ?? 0, rateOfKey(key));
  return pence(vat);
}

function flatRateVatOf(account: PeriodAccount): Pence {
  const limited = isLimitedCostSoFar(account);
  let vat = 0;
  for (const [percentages, turnover] of Object.entries(account.t ?? {})) {
    const [ofSector, ofLimitedCost] = percentages.split('/');
    vat += halfUpShare(turnover, Number(limited ? ofLimitedCost : ofSector), 10_000);
  }
  return pence(vat);
}

/** Takings fall on the rates as the goods do; until goods are recorded, as the till says. */
function apportionedVat(takings: ByRate, goods: ByRate): Pence {
  const bought = total(goods);
  if (bought <= 0) return posVat(takings);
  const taken = taxableOf(takings);
  let vat = 0;
  for (const [key, amount] of Object.entries(goods)) {
    const { numerator, denominator } = rateOfKey(key);
    const share = BigInt(taken) * BigInt(amount) * BigInt(numerator);
    vat += halfUpQuotient(share, BigInt(bought) * BigInt(denominator));
  }
  return pence(vat);
}

/** Minority goods at their expected selling prices, what is left of the takings at the majority's rate. */
function directVat(takings: ByRate, goods: ByRate, majorityKey: string | undefined): Pence {
  const majority: VatRate = rateOfKey(majorityKey ?? 'S2000');
  const rest = Math.max(0, taxableOf(takings) - total(goods));
  return pence(posVat(goods) + vatWithin(rest, majority));
}

/** Takings that a retail scheme covers: not what is exempt or outside the scope. */
export function taxableOf(takings: ByRate): number {
  let taken = 0;
  for (const [key, amount] of Object.entries(takings)) if (key[0] !== 'E' && key[0] !== 'O') taken += amount;
  return taken;
}

function total(amounts: ByRate): number {
  let all = 0;
  for (const amount of Object.values(amounts)) all += amount;
  return all;
}
