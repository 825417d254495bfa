import type { StateValue } from '../../decisions/decision.ts';
import type { TillEvent } from '../../events/vat-events.ts';
import type { CategoryRate } from '../rates/vat-rules.ts';

/** How much of an event's hash is remembered: enough to tell a repeat from another body. */
const HASH_DIGITS = 32;

/** What is remembered of any accepted event, under `event|<account>|<eventId>`. */
export interface RememberedEvent {
  /** First digits of the hash of the event as appended. */
  readonly h: string;
  /** Number of its decision. */
  readonly n: number;
  /** The event counted before it in its period (forget-events.ts); absent for the first. */
  readonly p?: string;
}

/** What is remembered of a sale: all that a refund or void of it needs. Compact, since it is written for every sale. */
export interface RememberedSale extends RememberedEvent {
  /** Till and sequence number. */
  readonly i: string;
  readonly q: number;
  /** Categories of the sale, each once, and the rate key that each had. */
  readonly c: readonly string[];
  readonly k: readonly string[];
  /** Lines, three values each: id, index of its category, pence paid. */
  readonly l: readonly (string | number)[];
  /** Pence given back so far by line, positive; absent while nothing is. */
  readonly r?: readonly number[];
  /** 1 once voided. */
  readonly v?: 1;
}

/** One line of a remembered sale. */
export interface RememberedLine {
  readonly index: number;
  readonly category: string;
  readonly rateKey: string;
  readonly paidPence: number;
  readonly remainingPence: number;
}

export function rememberedHash(eventHash: string): string {
  return eventHash.slice(0, HASH_DIGITS);
}

export function rememberedEventOf(value: StateValue | undefined): RememberedEvent | null {
  return value === undefined ? null : (value as unknown as RememberedEvent);
}

export function isRememberedSale(event: RememberedEvent): event is RememberedSale {
  return 'l' in event;
}

/** `sold` are the categories of the event's lines and their rates, in order. */
export function rememberSale(event: TillEvent, seen: RememberedEvent, sold: readonly CategoryRate[]): RememberedSale {
  const lines = new Array<string | number>(sold.length * 3);
  let categories = 0;
  for (let position = 0; position < sold.length; position += 1) {
    const line = event.lines[position];
    const known = sold[position];
    if (line === undefined || known === undefined) continue;
    let index = 0;
    while (index < categories && SEEN[index]?.category !== known.category) index += 1;
    if (index === categories) {
      SEEN[index] = known;
      categories += 1;
    }
    lines[position * 3] = line.id;
    lines[position * 3 + 1] = index;
    lines[position * 3 + 2] = line.paidPence;
  }
  const c = new Array<string>(categories);
  const k = new Array<string>(categories);
  for (let index = 0; index < categories; index += 1) {
    const known = SEEN[index];
    c[index] = known?.category ?? '';
    k[index] = known?.rate.key ?? '';
  }
  const { h, n, p } = seen;
  const { tillId: i, seq: q } = event;
  return p === undefined ? { h, n, i, q, c, k, l: lines } : { h, n, p, i, q, c, k, l: lines };
}

/** Categories of the sale that is being remembered. */
const SEEN: CategoryRate[] = [];

/** The line of an id, or null. */
export function rememberedLine(sale: RememberedSale, id: string): RememberedLine | null {
  for (let at = 0; at < sale.l.length; at += 3) {
    if (sale.l[at] !== id) continue;
    const index = at / 3;
    const category = Number(sale.l[at + 1]);
    const paidPence = Number(sale.l[at + 2]);
    return {
      index,
      category: sale.c[category] ?? '',
      rateKey: sale.k[category] ?? '',
      paidPence,
      remainingPence: paidPence - (sale.r?.[index] ?? 0),
    };
  }
  return null;
}

export function lineCount(sale: RememberedSale): number {
  return sale.l.length / 3;
}

/** Pence given back so far of the lines of one rate. */
export function refundedOfRate(sale: RememberedSale, rateKey: string): number {
  let sum = 0;
  sale.r?.forEach((pence, index) => {
    if (sale.k[Number(sale.l[index * 3 + 1])] === rateKey) sum += pence;
  });
  return sum;
}

/** The sale after these lines (id and positive pence) were given back, or all of it voided. */
export function afterReturn(
  sale: RememberedSale,
  lines: readonly { readonly id: string; readonly pence: number }[],
  isVoid: boolean,
): RememberedSale {
  const refunded = Array.from({ length: lineCount(sale) }, (_, index) => sale.r?.[index] ?? 0);
  for (const { id, pence } of lines) {
    const line = rememberedLine(sale, id);
    if (line !== null) refunded[line.index] = (refunded[line.index] ?? 0) + pence;
  }
  return isVoid ? { ...sale, r: refunded, v: 1 } : { ...sale, r: refunded };
}
