import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { epochMsOfRfc3339, londonDate } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type VatRate, vatOnTop } from '../../../libs/core/vat/rates/vat-rate.ts';
import { shareByLargestRemainder } from '../../../libs/till/largest-remainder.ts';
import type { SalesMapping } from '../mapping/sales-mapping.ts';
import { documentEventId, type ImportedEvent } from './imported-document.ts';
import type { CreditMatcher, LinkedPart } from './match-credit-notes.ts';
import type { Invoice, InvoiceLine } from './read-invoice.ts';

export interface SaleWriterOptions {
  readonly mapping: SalesMapping;
  readonly vrn: string;
  /** Rate of a category on a civil date in London: needed where prices are without VAT. Throws E_RATE_UNKNOWN, E_RATE_NOT_IN_FORCE. */
  readonly rateOf: (category: string, date: LocalDate) => VatRate;
  readonly matcher: CreditMatcher;
}

interface TillLine {
  readonly id: string;
  readonly category: string;
  readonly qty?: string;
  readonly paidPence: number;
}

/** Ids of the events of a document, by part. */
type IdOf = (part: number) => string;

/** Turns invoices into events of one till; number and hash of the event before are given to each when it is sent. */
export class SaleWriter {
  readonly #options: SaleWriterOptions;

  constructor(options: SaleWriterOptions) {
    this.#options = options;
  }

  /** All events of an invoice that was never sent; what it sold can be given back from then on. */
  write(invoice: Invoice, identity: readonly string[], version: number): readonly ImportedEvent[] {
    const idOf = (part: number): string => documentEventId(identity, version, part);
    const sale = this.saleOf(invoice, idOf(0));
    const events = sale === null ? [] : [sale];
    if (sale !== null) this.remember(invoice, sale);
    events.push(...this.#givenBack(invoice, identity, (part) => idOf(events.length + part)));
    if (sale !== null && invoice.refundedPence > 0)
      events.push(this.refundOf(invoice, sale, invoice.refundedPence, idOf(events.length)));
    return events.length > 0 ? events : [this.#event(invoice, 'NO_SALE', idOf(0), [], {})];
  }

  /** The sale alone, or null where the invoice sells nothing. Changes nothing. */
  saleOf(invoice: Invoice, eventId: string): ImportedEvent | null {
    if (invoice.sold.length === 0) return null;
    const lines = invoice.sold.map((line, index) => ({
      id: String(index + 1),
      category: this.#categoryOf(line, invoice),
      qty: String(line.quantity / 1000),
      paidPence: this.#paidPence(line.pence, this.#categoryOf(line, invoice), invoice.occurredAt),
    }));
    const payments = [{ method: 'account', amountPence: totalOf(lines) }];
    return this.#event(invoice, 'SALE', eventId, lines, { payments });
  }

  /** A refund of part of a sale that names no item: shared over its lines by what was paid for them. */
  refundOf(invoice: Invoice, sale: ImportedEvent, pence: number, eventId: string): ImportedEvent {
    const lines = sale['lines'] as readonly TillLine[];
    if (pence > totalOf(lines)) {
      throw new TallyError('REFUND_EXCEEDS', `${invoice.first.place}: more was given back than was paid`, {});
    }
    const shares = shareByLargestRemainder(
      pence,
      lines.map(({ paidPence }) => paidPence),
    );
    const given = lines.map(({ id, category }, index) => ({ id, category, paidPence: -(shares[index] ?? 0) }));
    return this.#event(
      invoice,
      'REFUND',
      eventId,
      given.filter(({ paidPence }) => paidPence < 0),
      { originalEventId: sale['eventId'] },
    );
  }

  /** Undoes a sale wholly, at its own time. */
  voidOf(sale: ImportedEvent, eventId: string): ImportedEvent {
    const lines = (sale['lines'] as readonly TillLine[]).map(({ id, category, paidPence }) => ({
      id,
      category,
      paidPence: -paidPence,
    }));
    const totalPence = totalOf(lines);
    return {
      ...sale,
      eventId,
      type: 'VOID',
      lines,
      totalPence,
      payments: [{ method: 'account', amountPence: totalPence }],
      originalEventId: sale['eventId'],
    };
  }

  /** What the invoice sold can be given back by later credit notes. */
  remember(invoice: Invoice, sale: ImportedEvent): void {
    const lines = sale['lines'] as readonly TillLine[];
    for (const [index, line] of invoice.sold.entries()) {
      const written = lines[index];
      if (written === undefined) continue;
      this.#options.matcher.remember(invoice.customer, line.code, {
        eventId: String(sale['eventId']),
        lineId: written.id,
        category: written.category,
        remainingQuantity: line.quantity,
        remainingPence: line.pence,
        pricedPence: line.pence,
        soldAt: invoice.occurredAt,
        givenBy: [],
      });
    }
  }

  /** A sale that was undone can be given back no more. */
  forget(invoice: Invoice, sale: ImportedEvent): void {
    for (const { code } of invoice.sold) this.#options.matcher.forget(invoice.customer, code, String(sale['eventId']));
  }

  /** Takes what a credit note of an earlier run gave back out of what may be given back, where that was not kept. */
  takeAgain(invoice: Invoice, identity: readonly string[]): void {
    for (const line of invoice.givenBack) {
      const given = givenBackOf(line, invoice, identity);
      if (!this.#options.matcher.hasTaken(given)) this.#options.matcher.split(given);
    }
  }

  /** One linked refund for each sale that is reached back to, then one unlinked refund for what reaches none. */
  #givenBack(invoice: Invoice, identity: readonly string[], idOf: IdOf): readonly ImportedEvent[] {
    const linked = new Map<string, Map<string, { category: string; pence: number }>>();
    const unlinked = new Map<string, number>();
    for (const line of invoice.givenBack) {
      for (const part of this.#options.matcher.split(givenBackOf(line, invoice, identity))) {
        if (part.sold === null) {
          const category = this.#categoryOf(line, invoice);
          const paidPence = this.#paidPence(part.pence, category, invoice.occurredAt);
          unlinked.set(category, (unlinked.get(category) ?? 0) + paidPence);
          continue;
        }
        const ofSale = linked.get(part.sold.eventId) ?? new Map<string, { category: string; pence: number }>();
        const before = ofSale.get(part.sold.lineId)?.pence ?? 0;
        ofSale.set(part.sold.lineId, { category: part.sold.category, pence: before + this.#givenBackPence(part) });
        linked.set(part.sold.eventId, ofSale);
      }
    }
    const events: ImportedEvent[] = [];
    for (const [originalEventId, ofSale] of linked) {
      const lines = [...ofSale].map(([id, { category, pence }]) => ({ id, category, paidPence: -pence }));
      events.push(this.#event(invoice, 'REFUND', idOf(events.length), lines, { originalEventId }));
    }
    if (unlinked.size > 0) events.push(this.#unlinkedRefund(invoice, unlinked, idOf(events.length)));
    return events;
  }

  #unlinkedRefund(invoice: Invoice, unlinked: ReadonlyMap<string, number>, eventId: string): ImportedEvent {
    const lines = [...unlinked].map(([category, pence], i) => ({ id: String(i + 1), category, paidPence: -pence }));
    const unlinkedReason =
      invoice.customer === ''
        ? 'the file names no customer'
        : 'no earlier sale of the item to this customer in the file';
    return this.#event(invoice, 'REFUND', eventId, lines, { unlinkedReason });
  }

  /** What leaves the United Kingdom is of the category of where it goes, unless a rule of the mapping names its own. */
  #categoryOf({ category }: InvoiceLine, { destination }: Invoice): string {
    return destination !== null && category === this.#options.mapping.defaultCategory ? destination : category;
  }

  /** What the customer pays for a line: the price, or the price and its VAT, rounded to the penny per line (VAT Notice 700, 17.6; VATREC12020). */
  #paidPence(pricedPence: number, category: string, occurredAt: string): number {
    if (this.#options.mapping.pricesIncludeVat) return pricedPence;
    const day = londonDate(epochMsOfRfc3339(occurredAt));
    return pricedPence + vatOnTop(pricedPence, this.#options.rateOf(category, day));
  }

  /**
   * What a customer gets back of a line that was sold: its price and VAT at the rate of that day, by cumulative rounding, so that the parts
   * of a refund sum to what was paid.
   */
  #givenBackPence({ sold, pence: pricedPence, givenBeforePence }: LinkedPart): number {
    const paid = (priced: number): number => this.#paidPence(priced, sold.category, sold.soldAt);
    return paid(givenBeforePence + pricedPence) - paid(givenBeforePence);
  }

  #event(
    { occurredAt }: Invoice,
    type: string,
    eventId: string,
    lines: readonly TillLine[],
    more: Readonly<Record<string, unknown>>,
  ): ImportedEvent {
    const { vrn, mapping } = this.#options;
    const totalPence = totalOf(lines);
    return {
      schema: 1,
      eventId,
      vrn,
      tillId: mapping.tillId,
      seq: 0,
      prevHash: null,
      type,
      occurredAt,
      currency: 'GBP',
      lines,
      totalPence,
      payments: type === 'REFUND' ? [{ method: 'account', amountPence: totalPence }] : [],
      ...more,
    };
  }
}

function givenBackOf(line: InvoiceLine, { customer }: Invoice, identity: readonly string[]) {
  return { by: documentEventId(identity, 0, 0), customer, code: line.code, quantity: line.quantity, pence: line.pence };
}

function totalOf(lines: readonly { readonly paidPence: number }[]): number {
  return lines.reduce((sum, line) => sum + line.paidPence, 0);
}
