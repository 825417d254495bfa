import { halfUpShare } from '../../money/half-up.ts';
import { type Pence, pence } from '../../money/pence.ts';

/** How boxes 6 to 9 become whole pounds: pence dropped after summing (default), or to the nearest, half away from zero (vat.md section 6). */
export type PoundsRule = 'truncate' | 'nearest';

/** Boxes 1 to 9 in pence; 6 to 9 whole pounds. */
export type VatBoxes = Readonly<Record<1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9, Pence>>;

/** The nine boxes and which way the money goes: PAY where box 3 is above box 4, RECLAIM where below. */
export interface VatReturn {
  readonly boxes: VatBoxes;
  readonly direction: 'PAY' | 'RECLAIM' | 'NIL';
}

/** Boxes 6 to 9 in whole pounds, as pence. */
export function wholePounds(sumPence: number, rule: PoundsRule): Pence {
  switch (rule) {
    case 'truncate':
      return pence(Math.trunc(sumPence / 100) * 100);
    case 'nearest':
      return pence(halfUpShare(sumPence, 1, 100) * 100);
  }
}
