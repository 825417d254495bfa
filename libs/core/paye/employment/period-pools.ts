import { codeAt } from '../../encoding/code-at.ts';
import { NI_CATEGORIES, type NiCategory } from '../../events/paye-events.ts';

/**
 * What was paid and taken in one earnings period under one letter. `pay` and `tax` are those of payments on a week 1/month 1 basis; the
 * last two are loan deductions. Parts at the end that are zero are left out.
 */
export type PeriodPool = readonly [
  /** The letter, then the earnings period: `AM1:8`. */
  key: string,
  earnings: number,
  employee: number,
  employer: number,
  pay?: number,
  tax?: number,
  studentLoan?: number,
  postgraduateLoan?: number,
];

/** Pools kept with the state of an employment; older ones are set aside, each under a key of its own. */
const POOLS_MAX = 4;
/** Characters from U+3400 on stand for pools set aside: none of them needs an escape or is half of a pair. */
const CHARACTERS_FROM = 0x3400;
const EARNINGS_PERIODS = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA'];
const PERIODS_MAX = 57;
const CODES_MAX = EARNINGS_PERIODS.length * PERIODS_MAX;
/** Room for letters: numbers of periods under another stated number come after it, so that those of before keep theirs. */
const LETTERS_MAX = 24;
/** What follows the number of a period in which the employer states the one before (`-`) or after (`+`) the pay day's. */
const STATED = ['', '-', '+'];

const NONE: readonly never[] = [];

/** Keys of pools by letter, of an earnings period such as `M1:8`: made once for a period, whatever the day or the year. */
export type PoolKeys = Readonly<Record<NiCategory, string>>;

/** Keys by period: some 1,200 periods can be. */
const poolKeysCache = new Map<string, PoolKeys>();

export function poolKeysOf(periodKey: string): PoolKeys {
  const known = poolKeysCache.get(periodKey);
  if (known !== undefined) return known;
  const keys = Object.fromEntries(NI_CATEGORIES.map((letter) => [letter, letter + periodKey])) as PoolKeys;
  poolKeysCache.set(periodKey, keys);
  return keys;
}

/** The pool of a key (`AM1:8`), or undefined where nothing was paid. */
export function poolOf(pools: readonly PeriodPool[], key: string): PeriodPool | undefined {
  for (let at = 0; at < pools.length; at += 1) {
    const pool = pools[at];
    if (pool !== undefined && pool[0] === key) return pool;
  }
  return undefined;
}

/** Totals of an earnings period under every letter, pence. */
export interface PeriodTotals {
  readonly earningsPence: number;
  /** Pay and tax of payments on a week 1/month 1 basis. */
  readonly payPence: number;
  readonly taxPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
}

const NOTHING_PAID: PeriodTotals = {
  earningsPence: 0,
  payPence: 0,
  taxPence: 0,
  studentLoanPence: 0,
  postgraduateLoanPence: 0,
};

export function periodTotalsOf(pools: readonly PeriodPool[], periodKey: string): PeriodTotals {
  let totals: { -readonly [K in keyof PeriodTotals]: number } | undefined;
  for (let at = 0; at < pools.length; at += 1) {
    const pool = pools[at] as PeriodPool;
    const key = pool[0];
    if (key.length !== periodKey.length + 1 || !key.endsWith(periodKey)) continue;
    totals ??= { ...NOTHING_PAID };
    totals.earningsPence += pool[1];
    totals.payPence += pool[4] ?? 0;
    totals.taxPence += pool[5] ?? 0;
    totals.studentLoanPence += pool[6] ?? 0;
    totals.postgraduateLoanPence += pool[7] ?? 0;
  }
  return totals ?? NOTHING_PAID;
}

/** Pools with one added or replaced, and the oldest beyond the limit, which are to be set aside. */
export function withPool(
  pools: readonly PeriodPool[],
  replaced: PeriodPool | undefined,
  pool: PeriodPool,
): { readonly w: readonly PeriodPool[]; readonly setAside: readonly PeriodPool[] } {
  const w = replaced === undefined ? [...pools, pool] : pools.slice();
  if (replaced !== undefined) w[w.indexOf(replaced)] = pool;
  return { w, setAside: w.length <= POOLS_MAX ? NONE : w.splice(0, w.length - POOLS_MAX) };
}

/** A number for an earnings period (`M1:8`, `M1:8-`), the same under every letter. */
export function periodCode(periodKey: string): number {
  const stated = Math.max(0, STATED.indexOf(periodKey.slice(-1)));
  const number = Number.parseInt(periodKey.slice(3), 10);
  return stated * CODES_MAX + EARNINGS_PERIODS.indexOf(periodKey.slice(0, 2)) * PERIODS_MAX + number;
}

/** Keys of the pools of an earnings period among those set aside (`o` of the state), none in nearly every case. */
export function setAsideIn(setAside: string | undefined, code: number): readonly string[] {
  if (setAside === undefined) return NONE;
  let keys: string[] | undefined;
  for (let at = 0; at < setAside.length; at += 1) {
    const number = codeAt(setAside, at) - CHARACTERS_FROM;
    if (codeOfNumber(number) !== code) continue;
    keys ??= [];
    keys.push(keyOfNumber(number));
  }
  return keys ?? NONE;
}

/** The characters of pools set aside with more of them. */
export function withCharacters(setAside: string, pools: readonly PeriodPool[]): string {
  let text = setAside;
  for (const pool of pools) text += characterOfKey(pool[0]);
  return text;
}

/** The characters without those of some keys. */
export function withoutCharacters(setAside: string, keys: readonly string[]): string {
  return keys.reduce((text, key) => text.replace(characterOfKey(key), ''), setAside);
}

/** Characters of pools by key: some 20,000 keys can be. */
const charactersCache = new Map<string, string>();

/** The period's code of a number that stands for a pool. */
function codeOfNumber(number: number): number {
  return Math.floor(number / (LETTERS_MAX * CODES_MAX)) * CODES_MAX + (number % CODES_MAX);
}

function characterOfKey(key: string): string {
  const known = charactersCache.get(key);
  if (known !== undefined) return known;
  const letter = NI_CATEGORIES.indexOf(key.slice(0, 1) as NiCategory);
  const code = periodCode(key.slice(1));
  const ofStated = Math.floor(code / CODES_MAX) * LETTERS_MAX * CODES_MAX;
  const character = String.fromCharCode(CHARACTERS_FROM + ofStated + letter * CODES_MAX + (code % CODES_MAX));
  charactersCache.set(key, character);
  return character;
}

function keyOfNumber(number: number): string {
  const stated = STATED[Math.floor(number / (LETTERS_MAX * CODES_MAX))] ?? '';
  const letter = NI_CATEGORIES[Math.floor(number / CODES_MAX) % LETTERS_MAX] ?? '';
  const code = number % CODES_MAX;
  return `${letter}${EARNINGS_PERIODS[Math.floor(code / PERIODS_MAX)] ?? ''}:${code % PERIODS_MAX}${stated}`;
}
