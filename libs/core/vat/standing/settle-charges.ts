import { type LocalDate, laterDate, localDate } from '../../calendar/local-date.ts';

/** What a filed return makes a trader owe (positive) or be paid (negative). */
export interface VatCharge {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  readonly duePence: number;
  /** The civil date on which the return came in. */
  readonly filedOn: LocalDate;
}

/** Money that came to HMRC (positive) or went back (negative). */
export interface MoneyOfTrader {
  readonly amountPence: number;
  /** Null where our copy shows the money but nothing that dates it: it is taken for early. */
  readonly received: LocalDate | null;
}

/** A part of a charge that was paid, or of a credit that was repaid or set off, and when. */
export interface Clearing {
  readonly on: LocalDate;
  readonly pence: number;
}

export interface SettledCharge<Charge extends VatCharge> {
  readonly charge: Charge;
  /** In the order of their days. */
  readonly clearings: readonly Clearing[];
  /** What is left of the charge, or of the credit; not negative. */
  readonly openPence: number;
}

export interface Settlement<Charge extends VatCharge> {
  /** In the order in which they are due; credits among them. */
  readonly charges: readonly SettledCharge<Charge>[];
  /** Money that no charge took. */
  readonly unallocatedPence: number;
}

const EARLY = localDate('1970-01-01');

interface Source {
  readonly on: LocalDate;
  leftPence: number;
  /** Of a credit; null for a payment. */
  readonly uses: Clearing[] | null;
}

/**
 * Which money settles which charge: the oldest due first (collection.md 6.3). A return's credit is set off against what is owed, from the
 * day on which both are there (VATA 1994 s.81); money paid back takes the oldest credit first. Whatever the order of the input.
 */
export function settleCharges<Charge extends VatCharge>(
  charges: readonly Charge[],
  money: readonly MoneyOfTrader[],
): Settlement<Charge> {
  const inOrder = [...charges].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  const credits = new Map(inOrder.filter(isCredit).map((charge) => [charge, sourceOf(charge)]));
  const payments = money
    .filter(({ amountPence }) => amountPence > 0)
    .map((one): Source => ({ on: dayOf(one), leftPence: one.amountPence, uses: null }));
  const repayments = money.filter(({ amountPence }) => amountPence < 0);
  payments.sort(byDay);
  for (const one of [...repayments].sort((a, b) => (dayOf(a) < dayOf(b) ? -1 : 1))) {
    take([...credits.values(), ...payments], -one.amountPence, ({ on }) => laterDate(on, dayOf(one)));
  }
  const sources = [...credits.values(), ...payments].sort(byDay);
  const owed = new Map(
    inOrder
      .filter((charge) => !isCredit(charge))
      .map((charge) => {
        const clearedOn = ({ on, uses }: Source) => (uses === null ? on : laterDate(on, charge.filedOn));
        return [charge, take(sources, charge.duePence, clearedOn)] as const;
      }),
  );
  return {
    charges: inOrder.map((charge) => {
      const clearings = [...(credits.get(charge)?.uses ?? owed.get(charge) ?? [])].sort(byDay);
      return { charge, clearings, openPence: Math.abs(charge.duePence) - clearedPence(clearings) };
    }),
    unallocatedPence: payments.reduce((sum, { leftPence }) => sum + leftPence, 0),
  };
}

/** The sum of what was cleared, by a day (inclusive) or in all. */
export function clearedPence(clearings: readonly Clearing[], by: LocalDate | null = null): number {
  return clearings.reduce((sum, { on, pence }) => sum + (by === null || on <= by ? pence : 0), 0);
}

/** Takes an amount out of sources in their order, as far as they have it. */
function take(
  sources: readonly Source[],
  amountPence: number,
  clearedOn: (source: Source) => LocalDate,
): readonly Clearing[] {
  const taken: Clearing[] = [];
  let open = amountPence;
  for (const source of sources) {
    if (open <= 0) break;
    const pence = Math.min(open, source.leftPence);
    if (pence <= 0) continue;
    const clearing = { on: clearedOn(source), pence };
    source.leftPence -= pence;
    source.uses?.push(clearing);
    taken.push(clearing);
    open -= pence;
  }
  return taken;
}

function dayOf({ received }: MoneyOfTrader): LocalDate {
  return received ?? EARLY;
}

function sourceOf({ filedOn, duePence }: VatCharge): Source {
  return { on: filedOn, leftPence: -duePence, uses: [] };
}

function isCredit({ duePence }: VatCharge): boolean {
  return duePence < 0;
}

function textOf({ due, end, start }: VatCharge): string {
  return `${due} ${end} ${start}`;
}

function byDay(a: { readonly on: LocalDate }, b: { readonly on: LocalDate }): number {
  return a.on < b.on ? -1 : a.on > b.on ? 1 : 0;
}
