import { type Pence, pence } from '../../money/pence.ts';
import { rateOfKey, vatRate, vatWithin } from '../rates/vat-rate.ts';
import { flatRateTurnover, retailVatOf, taxableOf } from '../schemes/retail-vat.ts';
import { inputVatOf, type PeriodAccount } from '../state/period-account.ts';
import { unpaidDueIn } from '../state/unpaid-invoices.ts';
import { adjustmentHits } from './adjustment-kinds.ts';
import { type PoundsRule, type VatReturn, wholePounds } from './vat-return.ts';

/** What a period comes to so far: its boxes 3 and 4. */
export interface PeriodDue {
  readonly outputVatPence: Pence;
  readonly inputVatPence: Pence;
}

/** Boxes 3 and 4 of all that an account counts, errors of filed returns among it. */
export function countedDueOf(account: PeriodAccount): PeriodDue {
  return { outputVatPence: outputVatOf(account), inputVatPence: inputVatOf(account) };
}

/** Boxes 1 and 2. Most accounts have takings alone. */
function outputVatOf(account: PeriodAccount): Pence {
  if (
    account.a === undefined &&
    account.v === undefined &&
    account.m === undefined &&
    account.b === undefined &&
    account.u === undefined &&
    account.h === undefined
  ) {
    return retailVatOf(account);
  }
  const [box1, box2] = outputBoxes(account);
  return pence(box1 + box2);
}

/** The nine boxes of all that an account counts, errors of filed returns among it (vat.md section 6). */
export function countedBoxesOf(account: PeriodAccount, poundsRule: PoundsRule): VatReturn {
  const [box1, box2] = outputBoxes(account);
  const box3 = box1 + box2;
  const box4 = inputVatOf(account);
  const net = netBoxes(account);
  const due = box3 - box4;
  return {
    boxes: {
      1: pence(box1),
      2: pence(box2),
      3: pence(box3),
      4: box4,
      5: pence(Math.abs(due)),
      6: wholePounds(net[6], poundsRule),
      7: wholePounds(net[7], poundsRule),
      8: wholePounds(net[8], poundsRule),
      9: wholePounds(net[9], poundsRule),
    },
    direction: due > 0 ? 'PAY' : due < 0 ? 'RECLAIM' : 'NIL',
  };
}

function outputBoxes(account: PeriodAccount): readonly [box1: number, box2: number] {
  const boxes = { 1: retailVatOf(account) + marginOutputVatOf(account), 2: 0 };
  for (const [kind, [, vatPence]] of Object.entries(account.a ?? {})) {
    const { vat, sign } = adjustmentHits(kind, account.s);
    for (const box of vat) if (box !== 4) boxes[box] += sign * vatPence;
  }
  boxes[1] += (unpaidDueIn(account)?.[1] ?? 0) + stockSupplied(account)[1];
  return [boxes[1], boxes[2]];
}

/** Boxes 6 to 9 in pence, before they become pounds. */
function netBoxes(account: PeriodAccount): Record<6 | 7 | 8 | 9, number> {
  const net = { 6: retailNetOf(account), 7: account.p, 8: dispatchedOf(account), 9: 0 };
  for (const [kind, [netPence]] of Object.entries(account.a ?? {})) {
    const hits = adjustmentHits(kind, account.s);
    for (const box of hits.net) net[box] += hits.sign * netPence;
    // The whole price less the VAT on the margin (Notice 718).
    if (kind === 'margin_sale' || kind === 'margin_pool_sale') net[6] += netPence;
  }
  net[6] -= marginOutputVatOf(account);
  const [sales, , purchases] = unpaidDueIn(account) ?? [0, 0, 0];
  net[6] += sales + stockSupplied(account)[0];
  net[7] += purchases;
  return net;
}

/** Goods on hand when the registration ended, as far as they are supplied: all of them, or none. */
function stockSupplied({ h }: PeriodAccount): readonly [netPence: number, vatPence: number] {
  return h === undefined || Math.abs(h[1]) <= h[2] ? [0, 0] : [h[0], h[1]];
}

/** Takings without their VAT, exempt ones included; under the flat rate scheme turnover with it. */
function retailNetOf(account: PeriodAccount): number {
  if (account.s?.k === 'FRS') return flatRateTurnover(account);
  return taxableOf(account.g) + exemptOf(account) - retailVatOf(account);
}

function exemptOf(account: PeriodAccount): number {
  let exempt = 0;
  for (const [key, amount] of Object.entries(account.g)) if (key[0] === 'E') exempt += amount;
  return exempt;
}

/** Takings of goods dispatched to the EU: they are in box 6 already, and stand in box 8 too. */
function dispatchedOf({ g }: PeriodAccount): number {
  let dispatched = 0;
  for (const [key, amount] of Object.entries(g)) if (key.endsWith('D')) dispatched += amount;
  return dispatched;
}

/** Output VAT of the margin scheme: of single items and of the pool. */
export function marginOutputVatOf(account: PeriodAccount): number {
  return marginVatOf(account) + poolVatOf(account);
}

/** VAT within the margins of single items, once per rate. */
function marginVatOf(account: PeriodAccount): number {
  let vat = 0;
  for (const [key, margin] of Object.entries(account.v ?? {})) vat += vatWithin(margin, rateOfKey(key));
  return vat;
}

/** VAT within what a pool's sales are above its purchases; nothing where they are below. */
function poolVatOf({ m }: PeriodAccount): number {
  return m === undefined ? 0 : vatWithin(Math.max(0, m[0] - m[1]), vatRate('S', m[2]));
}
