import type { StateValue } from '../events/decision.ts';
import { type Pence, pence } from '../money/pence.ts';
import { compareVatRates, type VatRate, vatRateOfKey, vatWithin } from './vat-rate.ts';

/**
 * The running account of one trader and period (vat.md sections 1 and 8.1), as it stands in tax's state under `vat|<account>|<start>`.
 * Exact integers: the liability is derived, rounded once per rate, so that order and batching do not matter.
 */
export interface PeriodAccount {
  /** Events counted. */
  readonly n: number;
  /** Gross takings in pence by rate key (`S2000`), signed. */
  readonly g: Readonly<Record<string, number>>;
  /** Net purchases in pence, signed (box 7). */
  readonly p: number;
  /** Recoverable input VAT: whole pence, and ten-thousandths of a penny 0..9999 above them. */
  readonly i: number;
  readonly f: number;
}

export const EMPTY_PERIOD: PeriodAccount = { n: 0, g: {}, p: 0, i: 0, f: 0 };

const PARTS = 10_000;

export function periodKey(account: string, periodStart: string): string {
  return `vat|${account}|${periodStart}`;
}

export function periodAccountOf(value: StateValue | undefined): PeriodAccount {
  return value === undefined ? EMPTY_PERIOD : (value as unknown as PeriodAccount);
}

/** Takings of one event by rate, and what they change. */
export interface TakingsStep {
  readonly account: PeriodAccount;
  /** due(after) - due(before): summed over a period these are exactly the liability, rounded once per rate. */
  readonly outputVatPence: Pence;
}

/**
 * Adds signed gross takings by rate; `rates` and `grossPence` go together by index and name each rate once. Null where a sum would leave
 * the safe integers: such an event is refused, it stops nobody.
 */
export function addTakings(
  before: PeriodAccount,
  rates: readonly VatRate[],
  grossPence: readonly number[],
): TakingsStep | null {
  const takings: Record<string, number> = { ...before.g };
  let outputVat = 0;
  for (let index = 0; index < rates.length; index += 1) {
    const rate = rates[index];
    if (rate === undefined) continue;
    const old = takings[rate.key] ?? 0;
    const now = old + (grossPence[index] ?? 0);
    if (!Number.isSafeInteger(now)) return null;
    takings[rate.key] = now;
    if (rate.numerator !== 0) outputVat += vatWithin(now, rate) - vatWithin(old, rate);
  }
  return {
    account: { n: before.n + 1, g: takings, p: before.p, i: before.i, f: before.f },
    outputVatPence: pence(outputVat),
  };
}

/** Adds a purchase (a supplier's credit: negative). `inputVatPence` is by how much recoverable input VAT grew, rounded on the running sum; null as in addTakings. */
export function addPurchase(
  before: PeriodAccount,
  netPence: number,
  vatPence: number,
  recoverableBasisPoints: number,
): { readonly account: PeriodAccount; readonly inputVatPence: Pence } | null {
  const parts = before.f + vatPence * recoverableBasisPoints;
  const fraction = ((parts % PARTS) + PARTS) % PARTS;
  const net = before.p + netPence;
  const input = before.i + (parts - fraction) / PARTS;
  if (!Number.isSafeInteger(net) || !Number.isSafeInteger(input)) return null;
  const account: PeriodAccount = { n: before.n + 1, g: before.g, p: net, i: input, f: fraction };
  return { account, inputVatPence: pence(inputVatOf(account) - inputVatOf(before)) };
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
  const half = PARTS / 2;
  const up = account.i < 0 ? account.f > half : account.f >= half;
  return pence(up ? account.i + 1 : account.i);
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
