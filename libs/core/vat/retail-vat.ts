import { halfUpQuotient, halfUpShare } from '../money/half-up.ts';
import { type Pence, pence } from '../money/pence.ts';
import type { BroughtForward, PeriodAccount } from './takings.ts';
import { rateOfKey, type VatRate, vatWithin } from './vat-rate.ts';

type ByRate = Readonly<Record<string, number>>;

/**
 * VAT of a period's takings under its scheme (vat.md section 5), of what is counted so far: point of sale, once per rate; flat rate, once
 * per percentage; apportionment and direct calculation by the goods recorded so far, and at the end of the retail year the year's VAT less
 * what was accounted for in its periods before.
 */
export function retailVatOf(account: PeriodAccount): Pence {
  const year = account.s?.e === 1 ? account.y : undefined;
  switch (account.s?.k) {
    case undefined:
      return posVat(account.g);
    case 'FRS':
      return flatRateVatOf(account);
    case 'A1': {
      const own = apportionedVat(account.g, account.q ?? {});
      if (year === undefined) return own;
      return pence(apportionedVat(sum(account.g, year.g), sum(account.q, year.q)) - year.d);
    }
    case 'A2':
      return apportionedVat(account.g, sum(account.q, ...(account.y?.w ?? [])));
    case 'D1':
      return directVat(account.g, account.q ?? {}, account.s.u);
    case 'D2': {
      // Without a count of stock there is nothing to adjust by.
      if (account.s.e !== 1 || account.c === undefined) return directVat(account.g, account.q ?? {}, account.s.u);
      const sold = less(sum(account.q, year?.q, year?.o), account.c);
      return pence(directVat(sum(account.g, year?.g), sold, account.s.u) - (year?.d ?? 0));
    }
  }
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
  return {
    d: (before?.d ?? 0) + retailVatOf(account),
    g: sum(before?.g, account.g),
    q: sum(before?.q, account.q),
    w: window,
    o: stock,
  };
}

/** Apportionment 2 looks at four periods, this one among them. */
const PERIODS_BEFORE = 3;

function posVat(takings: ByRate): Pence {
  let vat = 0;
  for (const key of Object.keys(takings)) vat += vatWithin(takings[key] ?? 0, rateOfKey(key));
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

function sum(...parts: readonly (ByRate | undefined)[]): ByRate {
  const all: Record<string, number> = {};
  for (const part of parts) {
    for (const [key, amount] of Object.entries(part ?? {})) all[key] = (all[key] ?? 0) + amount;
  }
  return all;
}

function less(from: ByRate, amounts: ByRate): ByRate {
  const negated = Object.fromEntries(Object.entries(amounts).map(([key, amount]) => [key, -amount]));
  return sum(from, negated);
}
