import { HEADS, type Head, headOfNumber } from '../../../libs/core/decisions/heads.ts';
import { addSums, negateSum, type PenceSum } from '../../../libs/core/money/pence-sum.ts';

/**
 * How many, on what taxable base, and how much under each head: what is compared between stages. Numbers in one flat row so that
 * millions are added cheaply and stored as they are: [count, base, pence of head 1, pence of head 2, …]. Over a nation and its years sums may
 * leave the safe integers; they stay exact (PenceSum).
 */
export type Tally = PenceSum[];

/** A sum under a head. */
export interface HeadSum {
  readonly head: Head;
  readonly pence: PenceSum;
}

const BASE = 1;
const HEADS_FROM = 1;
const LENGTH = HEADS_FROM + 1 + Math.max(...Object.values(HEADS));

export function newTally(): Tally {
  return new Array<PenceSum>(LENGTH).fill(0);
}

/** One event's: count 1. */
export function tallyOf(basePence: number, amounts: readonly HeadSum[] = []): Tally {
  const tally = newTally();
  tally[0] = 1;
  tally[BASE] = basePence;
  for (const { head, pence: amountPence } of amounts) add(tally, HEADS_FROM + HEADS[head], amountPence);
  return tally;
}

export function addTally(to: Tally, from: readonly PenceSum[], sign: 1 | -1 = 1): void {
  for (let index = 0; index < from.length; index++) {
    const value = from[index] ?? 0;
    add(to, index, sign === 1 ? value : negateSum(value));
  }
}

export function countOf(tally: readonly PenceSum[]): number {
  return Number(tally[0] ?? 0);
}

export function basePenceOf(tally: readonly PenceSum[]): PenceSum {
  return tally[BASE] ?? 0;
}

/** Heads with an amount, in the order of their numbers. */
export function amountsOf(tally: readonly PenceSum[]): HeadSum[] {
  const amounts: HeadSum[] = [];
  for (let number = 1; HEADS_FROM + number < LENGTH; number++) {
    const head = headOfNumber(number);
    const value = tally[HEADS_FROM + number] ?? 0;
    if (head !== undefined && value !== 0) amounts.push({ head, pence: value });
  }
  return amounts;
}

export function penceOf(tally: readonly PenceSum[], head: Head): PenceSum {
  return tally[HEADS_FROM + HEADS[head]] ?? 0;
}

/** True where number, base and every head are the same. */
export function sameTally(a: readonly PenceSum[], b: readonly PenceSum[]): boolean {
  return a.every((value, index) => value === (b[index] ?? 0)) && a.length >= b.length;
}

function add(tally: Tally, index: number, value: PenceSum): void {
  tally[index] = addSums(tally[index] ?? 0, value);
}
