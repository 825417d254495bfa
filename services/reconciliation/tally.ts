import type { HeadAmount } from '../../libs/core/events/decision.ts';
import { HEADS, type Head, headOfNumber } from '../../libs/core/events/heads.ts';
import { type Pence, pence } from '../../libs/core/money/pence.ts';

/**
 * How many, on what taxable base, and how much under each head: what is compared between stages. Numbers in one flat row so that
 * millions are added cheaply and stored as they are: [count, base, pence of head 1, pence of head 2, …].
 */
export type Tally = number[];

const BASE = 1;
const HEADS_FROM = 1;
const LENGTH = HEADS_FROM + 1 + Math.max(...Object.values(HEADS));

export function newTally(): Tally {
  return new Array<number>(LENGTH).fill(0);
}

/** One event's: count 1. */
export function tallyOf(basePence: number, amounts: readonly HeadAmount[] = []): Tally {
  const tally = newTally();
  tally[0] = 1;
  tally[BASE] = basePence;
  for (const { head, pence: amountPence } of amounts) add(tally, HEADS_FROM + HEADS[head], amountPence);
  return tally;
}

export function addTally(to: Tally, from: readonly number[], sign: 1 | -1 = 1): void {
  for (let index = 0; index < from.length; index++) add(to, index, sign * (from[index] ?? 0));
}

export function countOf(tally: readonly number[]): number {
  return tally[0] ?? 0;
}

export function basePenceOf(tally: readonly number[]): Pence {
  return pence(tally[BASE] ?? 0);
}

/** Heads with an amount, in the order of their numbers. */
export function amountsOf(tally: readonly number[]): HeadAmount[] {
  const amounts: HeadAmount[] = [];
  for (let number = 1; HEADS_FROM + number < LENGTH; number++) {
    const head = headOfNumber(number);
    const value = tally[HEADS_FROM + number] ?? 0;
    if (head !== undefined && value !== 0) amounts.push({ head, pence: pence(value) });
  }
  return amounts;
}

export function penceOf(tally: readonly number[], head: Head): Pence {
  return pence(tally[HEADS_FROM + HEADS[head]] ?? 0);
}

/** True where number, base and every head are the same. */
export function sameTally(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, index) => value === (b[index] ?? 0)) && a.length >= b.length;
}

function add(tally: Tally, index: number, value: number): void {
  tally[index] = (tally[index] ?? 0) + value;
}
