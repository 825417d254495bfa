import type { Tax } from '../../../libs/core/identity/account.ts';
import { AgedTally, type AgedTallySnapshot } from './aged-tally.ts';
import type { Stage } from './tables.ts';
import { newTally, type Tally } from './tally.ts';

export const TAXES: readonly Tax[] = ['paye', 'vat'];

/** What is counted of one tax since the log began. */
export interface TaxFigures {
  /** Every record of its topics, repeats and unreadable ones included. */
  received: Tally;
  unreadable: number;
  repeats: number;
  rejected: number;
  /** Held now. */
  held: Tally;
  accepted: Tally;
  hmrcCopy: Tally;
  payerCopy: Tally;
  /** Decisions whose payer stated something else, and stated less assessed by head. */
  stated: Tally;
  /** Matched but not the same, by stage. */
  differs: Record<Stage, number>;
  rejectedByCode: Record<string, number>;
  flags: Record<string, number>;
  /** Unmatched by stage, by age. */
  readonly unmatched: Record<Stage, AgedTally>;
  /** Unacknowledged blocks by the time they were closed. */
  readonly unacknowledged: AgedTally;
}

export interface Figures {
  readonly taxes: Record<Tax, TaxFigures>;
  /** Assessed on events received on a civil day in London: the last days, by `YYYY-MM-DD`. */
  days: Record<string, Record<Tax, Tally>>;
  blocks: number;
  acknowledgedBlocks: number;
  chains: number;
  divergentCopies: number;
  /** Ranges of till numbers that are missing now. */
  tillGaps: number;
  /** As the first block names it. */
  ledgerName: string | null;
  /** Exceptions of each kind ever, of which the last EXCEPTIONS_KEPT are kept. */
  exceptions: Record<string, number>;
}

interface StoredTax extends Omit<TaxFigures, 'unmatched' | 'unacknowledged'> {
  readonly unmatched: Record<Stage, AgedTallySnapshot>;
  readonly unacknowledged: AgedTallySnapshot;
}

/** Plain JSON of the figures. */
export interface StoredFigures extends Omit<Figures, 'taxes'> {
  readonly taxes: Record<Tax, StoredTax>;
}

export function newFigures(): Figures {
  return {
    taxes: { paye: newTaxFigures(), vat: newTaxFigures() },
    days: {},
    blocks: 0,
    acknowledgedBlocks: 0,
    chains: 0,
    divergentCopies: 0,
    tillGaps: 0,
    ledgerName: null,
    exceptions: {},
  };
}

export function storedFigures(figures: Figures): StoredFigures {
  return { ...figures, taxes: { paye: storedTax(figures.taxes.paye), vat: storedTax(figures.taxes.vat) } };
}

export function figuresOf(stored: StoredFigures): Figures {
  return { ...stored, taxes: { paye: taxFiguresOf(stored.taxes.paye), vat: taxFiguresOf(stored.taxes.vat) } };
}

/** Every tally that splits what is unmatched by age. */
export function agedTallies({ taxes }: Figures): readonly AgedTally[] {
  return TAXES.flatMap((tax) => [...Object.values(taxes[tax].unmatched), taxes[tax].unacknowledged]);
}

function newTaxFigures(): TaxFigures {
  return {
    received: newTally(),
    unreadable: 0,
    repeats: 0,
    rejected: 0,
    held: newTally(),
    accepted: newTally(),
    hmrcCopy: newTally(),
    payerCopy: newTally(),
    stated: newTally(),
    differs: { decision: 0, hmrcCopy: 0, payerCopy: 0 },
    rejectedByCode: {},
    flags: {},
    unmatched: { decision: new AgedTally(), hmrcCopy: new AgedTally(), payerCopy: new AgedTally() },
    unacknowledged: new AgedTally(),
  };
}

function storedTax(tax: TaxFigures): StoredTax {
  const { decision, hmrcCopy, payerCopy } = tax.unmatched;
  return {
    ...tax,
    unmatched: { decision: decision.snapshot(), hmrcCopy: hmrcCopy.snapshot(), payerCopy: payerCopy.snapshot() },
    unacknowledged: tax.unacknowledged.snapshot(),
  };
}

function taxFiguresOf(stored: StoredTax): TaxFigures {
  const { decision, hmrcCopy, payerCopy } = stored.unmatched;
  return {
    ...stored,
    unmatched: {
      decision: new AgedTally(decision),
      hmrcCopy: new AgedTally(hmrcCopy),
      payerCopy: new AgedTally(payerCopy),
    },
    unacknowledged: new AgedTally(stored.unacknowledged),
  };
}
