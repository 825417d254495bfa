import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import type { BoxField, DeclaredReturn } from '../../../libs/core/vat/mtd/return.ts';
import { filingKey } from '../store/payer-keys.ts';
import type { PayerStore } from '../store/payer-store.ts';

/** A return that a person declared: kept for good, with what it was declared upon. */
export interface FiledReturn {
  readonly periodKey: string;
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  readonly declared: DeclaredReturn;
  /** SHA-256 hex of the canonical JSON (RFC 8785) of the body as it came. */
  readonly payloadHash: string;
  /** The newest verified block of the account then: the events that the declaration rests on; null where there was none. */
  readonly head: { readonly seq: number; readonly blockHash: string } | null;
  /** By how many pence boxes were declared other than the events came to. */
  readonly differencePence: Readonly<Partial<Record<BoxField, number>>>;
  readonly receivedAtMs: number;
  /** The civil date of receipt. */
  readonly receivedOn: LocalDate;
  readonly formBundleNumber: string;
  /** Null where nothing is to be paid. */
  readonly chargeRefNumber: string | null;
  readonly receiptId: string;
  /** Id of the event by which the period is closed for good. */
  readonly closeEventId: string;
}

/** What became of a declaration. */
export type FilingOutcome = { readonly is: 'filed' } | { readonly is: 'duplicate'; readonly before: FiledReturn };

/** The returns that were filed here, in the payer's own store: one for each period, whoever files twice. */
export class VatFilings {
  readonly #store: PayerStore;

  constructor(store: PayerStore) {
    this.#store = store;
  }

  find(accountNumber: number, periodKey: string): FiledReturn | null {
    const text = this.#store.filings.get(filingKey(accountNumber, periodKey));
    return text === undefined ? null : (JSON.parse(text) as FiledReturn);
  }

  /** Resolves once the return is durable; the first declaration of a period stands. */
  file(accountNumber: number, filed: FiledReturn): Promise<FilingOutcome> {
    return this.#store.exclusively((): FilingOutcome => {
      const before = this.find(accountNumber, filed.periodKey);
      if (before !== null) return { is: 'duplicate', before };
      void this.#store.filings.put(filingKey(accountNumber, filed.periodKey), JSON.stringify(filed));
      return { is: 'filed' };
    });
  }

  /** Oldest period key first. */
  *all(): Generator<{ readonly accountNumber: number; readonly filed: FiledReturn }> {
    for (const { key, value } of this.#store.filings.getRange()) {
      yield { accountNumber: key.readUInt32BE(0), filed: JSON.parse(value) as FiledReturn };
    }
  }
}
