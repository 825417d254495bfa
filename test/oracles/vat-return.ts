import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { halfUpQuotient, halfUpShare } from '../../libs/core/money/half-up.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { basisPointsOfPercent, vatRate, vatWithin } from '../../libs/core/vat/rates/vat-rate.ts';
import { RETURN_HITS } from '../../libs/core/vat/return/adjustment-kinds.ts';
import { type PoundsRule, type VatReturn, wholePounds } from '../../libs/core/vat/return/vat-return.ts';

/** Something that goes into a return. Amounts in pence; credits and refunds are given positive and reduce. */
export interface ReturnEntry {
  readonly kind: string;
  readonly netPence: number;
  readonly vatPence: number;
  /** Share of the VAT that can be recovered, basis points. */
  readonly recoverableBasisPoints: number;
  readonly grossPence: number;
  /** Of retail takings: gross pence by percentage. */
  readonly grossByRate: Readonly<Record<string, number>>;
  readonly turnoverPence: number;
  /** Of the flat rate scheme: decimal text. */
  readonly pct: string;
}

const PARTS = 10_000n;

/** Exact sums before the one rounding of each. */
interface Sums {
  readonly vat: Record<1 | 2, number>;
  /** Box 4 in ten-thousandths of a penny: recovered shares are rounded once. */
  recovered: bigint;
  readonly net: Record<6 | 7 | 8 | 9, number>;
  readonly takings: Map<string, number>;
}

/**
 * The nine boxes: a pure fold of the period's entries, whatever their order.
 *
 * @param capitalGoodsMinimumPence gross price from which the flat rate scheme gives VAT on capital goods back.
 * Throws E_ENTRY_KIND, E_RATE_UNKNOWN (a percentage that is none).
 */
export function vatReturnOf(
  entries: readonly ReturnEntry[],
  poundsRule: PoundsRule,
  capitalGoodsMinimumPence: number,
): VatReturn {
  const sums: Sums = { vat: { 1: 0, 2: 0 }, recovered: 0n, net: { 6: 0, 7: 0, 8: 0, 9: 0 }, takings: new Map() };
  for (const entry of entries) addEntry(sums, entry, capitalGoodsMinimumPence);
  for (const [percent, gross] of sums.takings) {
    const vat = vatWithin(gross, vatRate('S', percentOf(percent)));
    sums.vat[1] += vat;
    sums.net[6] += gross - vat;
  }
  const [box1, box2] = [pence(sums.vat[1]), pence(sums.vat[2])];
  const box3 = pence(box1 + box2);
  const box4 = halfUpQuotient(sums.recovered, PARTS);
  const net = box3 - box4;
  return {
    boxes: {
      1: box1,
      2: box2,
      3: box3,
      4: box4,
      5: pence(Math.abs(net)),
      6: wholePounds(sums.net[6], poundsRule),
      7: wholePounds(sums.net[7], poundsRule),
      8: wholePounds(sums.net[8], poundsRule),
      9: wholePounds(sums.net[9], poundsRule),
    },
    direction: net > 0 ? 'PAY' : net < 0 ? 'RECLAIM' : 'NIL',
  };
}

function addEntry(sums: Sums, entry: ReturnEntry, capitalGoodsMinimumPence: number): void {
  switch (entry.kind) {
    case 'retail_takings':
      for (const [percent, gross] of Object.entries(entry.grossByRate)) {
        sums.takings.set(percent, (sums.takings.get(percent) ?? 0) + gross);
      }
      return;
    case 'retail_exempt_takings':
      sums.net[6] += entry.grossPence;
      return;
    case 'frs':
      // Under the flat rate scheme box 6 is turnover with its VAT (Notice 733).
      sums.vat[1] += halfUpShare(entry.turnoverPence, percentOf(entry.pct), 10_000);
      sums.net[6] += entry.turnoverPence;
      return;
    case 'frs_capital':
      if (entry.grossPence < capitalGoodsMinimumPence) return;
      sums.recovered += BigInt(entry.vatPence) * PARTS;
      sums.net[7] += entry.grossPence - entry.vatPence;
      return;
    default:
      addHits(sums, entry);
  }
}

function addHits(sums: Sums, entry: ReturnEntry): void {
  const hit = RETURN_HITS.get(entry.kind);
  if (hit === undefined) {
    throw new TallyError('E_ENTRY_KIND', `"${entry.kind.slice(0, 40)}" is not a kind of return entry`, {});
  }
  for (const box of hit.vat) {
    if (box === 4) sums.recovered += BigInt(hit.sign * entry.vatPence) * BigInt(entry.recoverableBasisPoints);
    else sums.vat[box] += hit.sign * entry.vatPence;
  }
  for (const box of hit.net) sums.net[box] += hit.sign * entry.netPence;
}

function percentOf(text: string): number {
  const basisPoints = basisPointsOfPercent(text);
  if (Number.isNaN(basisPoints))
    throw new TallyError('E_RATE_UNKNOWN', 'a percentage is decimal text such as "17.5"', {});
  return basisPoints;
}
