import type { StateValue } from '../../decisions/decision.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { PERIOD_SUM_PENCE_MAX } from '../rates/limits.ts';
import { compareVatRates, type VatRate, vatRateOfKey, vatWithin } from '../rates/vat-rate.ts';
import { addUnpaid, type CashStage, type Unpaid, unpaidDueIn } from './unpaid-invoices.ts';

/**
 * The running account of one trader and period (vat.md sections 1, 5, 6 and 8.1), as it stands in tax's state under
 * `vat|<account>|<start>`. Exact integers, summed whatever the order: liability and boxes are derived (dueOf, boxesOf), rounded once for
 * each rate, so that order and batching do not matter. What is absent is nothing; a trader at the point of sale scheme has the first
 * five alone, and `e`.
 */
export interface PeriodAccount {
  /** Events counted. */
  readonly n: number;
  /** Gross takings of tills in pence by rate key (`S2000`), signed. */
  readonly g: Readonly<Record<string, number>>;
  /** Net purchases in pence, signed (box 7). */
  readonly p: number;
  /** Recoverable input VAT, all of box 4: whole pence, and ten-thousandths of a penny 0..9999 above them. */
  readonly i: number;
  readonly f: number;
  /** Adjustments by their kind (adjustment-kinds.ts): signed sums of net and of VAT, pence. What of the VAT is recoverable stands in `i`, `f`. */
  readonly a?: Readonly<Record<string, readonly [netPence: number, vatPence: number]>>;
  /** The scheme of the period where it is not point of sale on invoices. */
  readonly s?: PeriodScheme;
  /** Flat rate scheme: VAT-inclusive turnover by the percentages that apply to it, `<of the sector>/<limited cost trader>` in basis points. */
  readonly t?: Readonly<Record<string, number>>;
  /** Flat rate scheme: relevant goods bought, VAT included. */
  readonly r?: number;
  /** Goods for resale by rate key, VAT included: at cost (apportionment 1) or at expected selling prices (apportionment 2, direct calculation: of the minority goods). */
  readonly q?: Readonly<Record<string, number>>;
  /** Stock at expected selling prices by rate key, counted at the end of the period. */
  readonly c?: Readonly<Record<string, number>>;
  /** Retail schemes: the part of `g` and `q` that is of other rate segments than the scheme's `x`. */
  readonly z?: Readonly<Record<string, SegmentSums>>;
  /** What the hard close of the period before brought here. */
  readonly y?: BroughtForward;
  /** Cash accounting: what was invoiced in the period less what was paid in it. */
  readonly u?: Unpaid;
  /** What earlier periods of cash accounting left unpaid, counted here since the scheme has ended. */
  readonly b?: Unpaid;
  /** Margin scheme: margins above nothing, of single items, by rate key. */
  readonly v?: Readonly<Record<string, number>>;
  /** Margin scheme, global: sales, purchases with what was brought forward, and the rate in basis points. */
  readonly m?: readonly [salesPence: number, purchasesPence: number, basisPoints: number];
  /** Events of periods closed before: start of the original period → events, and by how much they moved output and input VAT. */
  readonly l?: Readonly<Record<string, readonly [events: number, outputVatPence: number, inputVatPence: number]>>;
  /** Goods on hand when the registration ended: sums of net and of VAT, and the VAT up to which they are no supply, pence. */
  readonly h?: readonly [netPence: number, vatPence: number, limitPence: number];
  /** What was found in the period of errors in returns that were filed. */
  readonly x?: PeriodErrors;
  /** Id of the event counted last: the end of the list by which remembered ids are forgotten (forget-events.ts). */
  readonly e?: string;
}

/** How the takings of a period are turned into VAT, and what that needs of the rules: fixed when its first event is counted. */
export interface PeriodScheme {
  /** FRS: flat rate; A1, A2: apportionment; D1, D2: direct calculation; absent: point of sale. */
  readonly k?: 'FRS' | 'A1' | 'A2' | 'D1' | 'D2';
  /** Cash accounting, or the months after it (unpaid-invoices.ts). */
  readonly c?: CashStage;
  /** Direct calculation: rate key of the majority of the goods. */
  readonly u?: string;
  /** Apportionment 1, direct calculation: rate segment of the first day (rate-segment.ts); absent: a change of rate splits nothing. */
  readonly x?: string;
  /** Flat rate: the limited cost trader test is made; least relevant goods in pence, least share of turnover in basis points. */
  readonly w?: readonly [minimumPence: number, shareBasisPoints: number];
  /** 1: the retail year ends with this period: annual adjustment. */
  readonly e?: 1;
}

/** Errors of filed returns that were found in a period: they are in its account, and may turn out not to be on its return (error-limit.ts). */
export interface PeriodErrors {
  /** The account without them. */
  readonly w: PeriodAccount;
  /** Net value up to which they may be on the return: fixed, or a share of box 6 in basis points up to another amount. */
  readonly l: readonly [limitPence: number, shareBasisPoints: number, mostPence: number];
}

/** Takings and goods of the days between two changes of rate, as `g` and `q`. */
export interface SegmentSums {
  readonly g: Readonly<Record<string, number>>;
  readonly q: Readonly<Record<string, number>>;
}

/** From the periods before, once each is closed hard. */
export interface BroughtForward {
  /** VAT of takings accounted for in the retail year so far, and the takings, goods (as `g` and `q`) that it was worked out from. */
  readonly d: number;
  readonly g: Readonly<Record<string, number>>;
  readonly q: Readonly<Record<string, number>>;
  /** The same by rate segment, of periods that tell them apart: beside `g` and `q`, not in them. */
  readonly z?: Readonly<Record<string, SegmentSums>>;
  /** Goods of up to three periods before, oldest first (apportionment 2). */
  readonly w: readonly Readonly<Record<string, number>>[];
  /** Stock at the start of the retail year. */
  readonly o: Readonly<Record<string, number>>;
}

/** True for a sum that a period's account may hold. */
export function isCountable(sumPence: number): boolean {
  return sumPence <= PERIOD_SUM_PENCE_MAX && sumPence >= -PERIOD_SUM_PENCE_MAX;
}

/** An account with a change that is of no error: made to the account without errors too. */
export function inWholePeriod(
  account: PeriodAccount,
  change: (account: PeriodAccount) => PeriodAccount,
): PeriodAccount {
  const after = change(account);
  return account.x === undefined ? after : { ...after, x: { ...account.x, w: change(account.x.w) } };
}

export const EMPTY_PERIOD: PeriodAccount = { n: 0, g: {}, p: 0, i: 0, f: 0 };

const PARTS = 10_000;

export function periodAccountOf(value: StateValue | undefined): PeriodAccount {
  return value === undefined ? EMPTY_PERIOD : (value as unknown as PeriodAccount);
}

/**
 * Adds signed gross takings by rate; `rates` and `grossPence` go together by index and name each rate once. Null where a sum would pass
 * PERIOD_SUM_PENCE_MAX: such an event is refused, it stops nobody.
 */
export function addTakings(
  before: PeriodAccount,
  rates: readonly VatRate[],
  grossPence: readonly number[],
): PeriodAccount | null {
  const takings: Record<string, number> = { ...before.g };
  for (let index = 0; index < rates.length; index += 1) {
    const rate = rates[index];
    if (rate === undefined) continue;
    const old = takings[rate.key] ?? 0;
    const now = old + (grossPence[index] ?? 0);
    if (!isCountable(now)) return null;
    takings[rate.key] = now;
  }
  return { ...before, n: before.n + 1, g: takings };
}

/** Adds a purchase (a supplier's credit: negative). Null as in addTakings. */
export function addPurchase(
  before: PeriodAccount,
  netPence: number,
  vatPence: number,
  recoverableBasisPoints: number,
): PeriodAccount | null {
  const parts = before.f + vatPence * recoverableBasisPoints;
  const fraction = ((parts % PARTS) + PARTS) % PARTS;
  const net = before.p + netPence;
  const input = before.i + (parts - fraction) / PARTS;
  if (!isCountable(net) || !isCountable(input)) return null;
  return { ...before, n: before.n + 1, p: net, i: input, f: fraction };
}

/** Adds an adjustment: its sums, and the part of its VAT that is recoverable in ten-thousandths of a penny; null as in addTakings. */
export function addAdjustment(
  before: PeriodAccount,
  kind: string,
  netPence: number,
  vatPence: number,
  recoverableParts: number,
): PeriodAccount | null {
  const [net, vat] = before.a?.[kind] ?? [0, 0];
  const sums: readonly [number, number] = [net + netPence, vat + vatPence];
  const parts = before.f + recoverableParts;
  const fraction = ((parts % PARTS) + PARTS) % PARTS;
  const input = before.i + (parts - fraction) / PARTS;
  if (!isCountable(sums[0]) || !isCountable(sums[1]) || !isCountable(input)) return null;
  return { ...before, n: before.n + 1, i: input, f: fraction, a: { ...before.a, [kind]: sums } };
}

/**
 * Adds goods on hand when the registration ends, which are supplied by law unless the VAT on all of them together is within the limit (VATA
 * 1994, Schedule 4, paragraph 8(1)(c)). Null as in addTakings.
 */
export function addStockRetained(
  before: PeriodAccount,
  netPence: number,
  vatPence: number,
  limitPence: number,
): PeriodAccount | null {
  const [net, vat] = before.h ?? [0, 0];
  const sums = [net + netPence, vat + vatPence, limitPence] as const;
  if (!isCountable(sums[0]) || !isCountable(sums[1])) return null;
  return { ...before, n: before.n + 1, h: sums };
}

/** Output VAT of the period so far, once per rate. */
export function outputVatOf(account: PeriodAccount): Pence {
  let sum = 0;
  for (const [key, gross] of Object.entries(account.g)) {
    const rate = vatRateOfKey(key);
    if (rate !== null) sum += vatWithin(gross, rate);
  }
  return pence(sum);
}

/** Recoverable input VAT of the period so far, half up and symmetric. */
export function inputVatOf(account: PeriodAccount): Pence {
  const unpaid = unpaidDueIn(account);
  if (unpaid !== null) {
    const [, , , whole, parts] = addUnpaid(unpaid, [0, 0, 0, account.i, account.f]);
    return roundedInput(whole, parts);
  }
  return roundedInput(account.i, account.f);
}

function roundedInput(whole: number, parts: number): Pence {
  const half = PARTS / 2;
  const up = whole < 0 ? parts > half : parts >= half;
  return pence(up ? whole + 1 : whole);
}

/** Gross takings and VAT by rate, listed S R Z E O and by falling rate. */
export function takingsByRate(
  account: PeriodAccount,
): readonly { readonly rate: VatRate; readonly grossPence: Pence; readonly vatPence: Pence }[] {
  const rows: { rate: VatRate; grossPence: Pence; vatPence: Pence }[] = [];
  for (const [key, gross] of Object.entries(account.g)) {
    const rate = vatRateOfKey(key);
    if (rate !== null) rows.push({ rate, grossPence: pence(gross), vatPence: vatWithin(gross, rate) });
  }
  return rows.sort((a, b) => compareVatRates(a.rate, b.rate));
}
