import { createHash } from 'node:crypto';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { rfc3339OfLondonTime } from '../../../libs/core/calendar/london-civil-time.ts';
import { epochMsOfRfc3339, londonDate } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { multiplyDecimal, parseDecimal, penceOfPounds } from '../../../libs/core/money/decimal-text.ts';
import { type VatRate, vatOnTop } from '../../../libs/core/vat/rates/vat-rate.ts';
import { type Row, readRows } from '../rows/read-rows.ts';
import { CreditMatcher, type LinkedPart, type SoldLine } from './match-credit-notes.ts';
import type { SalesMapping } from './sales-mapping.ts';

/** One invoice of the file as the till events that it becomes, or why it cannot become any. */
export interface ImportedDocument {
  /** Invoice number, or works number and date: what a person finds in the file. */
  readonly name: string;
  readonly line: number;
  readonly events: readonly Record<string, unknown>[];
  readonly refusal: { readonly code: string; readonly reason: string } | null;
}

export interface SalesImportOptions {
  readonly file: string;
  readonly mapping: SalesMapping;
  readonly vrn: string;
  /** SHA-256 hex of the RFC 8785 JSON of a till event: the `prevHash` of the next. */
  readonly hashOf: (event: Record<string, unknown>) => string;
  /** Rate of a category on a civil date in London: needed where prices are without VAT. Throws E_RATE_UNKNOWN, E_RATE_NOT_IN_FORCE. */
  readonly rateOf: (category: string, date: LocalDate) => VatRate;
}

interface InvoiceLine {
  readonly line: number;
  readonly code: string;
  /** Thousandths of a unit. */
  readonly quantity: number;
  /** Quantity times unit price, pence. */
  readonly pence: number;
}

/** How many rows each invoice has: a first reading of the file, so that the second can let go of an invoice at its last row. */
export async function countInvoiceRows(file: string, mapping: SalesMapping): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  for await (const row of readRows({ file, columns: columnsOf(mapping) })) {
    const invoice = row.values[mapping.columns.invoice] ?? '';
    rows.set(invoice, (rows.get(invoice) ?? 0) + 1);
  }
  return rows;
}

/**
 * Reads a file of sales, invoice by invoice, into the events of one till in the order of the file. An invoice with a bad line is refused
 * whole, naming the line; the till's sequence counts only what is not refused. The same file gives the same events, ids included, so that an import can be
 * run again after any interruption.
 */
export async function* salesDocuments(
  options: SalesImportOptions,
  rowsOf: ReadonlyMap<string, number>,
): AsyncGenerator<ImportedDocument> {
  const writer = new TillWriter(options);
  const open = new Map<string, Row[]>();
  for await (const row of readRows({ file: options.file, columns: columnsOf(options.mapping) })) {
    const invoice = row.values[options.mapping.columns.invoice] ?? '';
    const rows = open.get(invoice) ?? [];
    rows.push(row);
    if (rows.length < (rowsOf.get(invoice) ?? 0)) {
      open.set(invoice, rows);
      continue;
    }
    open.delete(invoice);
    yield documentOf(invoice, rows, writer);
  }
}

function documentOf(invoice: string, rows: readonly Row[], writer: TillWriter): ImportedDocument {
  const line = rows[0]?.line ?? 0;
  try {
    if (invoice === '') throw new TallyError('INVOICE_NUMBER_MISSING', 'the row names no invoice', {});
    return { name: invoice, line, events: writer.write(invoice, rows), refusal: null };
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return { name: invoice, line, events: [], refusal: { code: error.code, reason: error.message } };
  }
}

function columnsOf(mapping: SalesMapping): string[] {
  return Object.values(mapping.columns).filter((column) => column !== undefined);
}

/** Turns invoices into the chain of events of one till. */
class TillWriter {
  readonly #options: SalesImportOptions;
  readonly #matcher = new CreditMatcher();
  readonly #categories: readonly { readonly pattern: RegExp; readonly category: string }[];
  readonly #notSupplies: readonly RegExp[];
  #seq = 0;
  #prevHash: string | null = null;

  constructor(options: SalesImportOptions) {
    this.#options = options;
    this.#categories = options.mapping.categories.map((rule) => ({
      pattern: whole(rule.code),
      category: rule.category,
    }));
    this.#notSupplies = options.mapping.notSupplies.map((rule) => whole(rule.code));
  }

  write(invoice: string, rows: readonly Row[]): Record<string, unknown>[] {
    const { mapping } = this.#options;
    const first = rows[0]?.values ?? {};
    const lines = rows.map((row) => lineOf(row, mapping));
    const occurredAt = at(rows[0]?.line ?? 0, () => rfc3339OfLondonTime(first[mapping.columns.occurredAt] ?? ''));
    const customer = mapping.columns.customer === undefined ? '' : (first[mapping.columns.customer] ?? '').trim();
    const country = mapping.columns.country === undefined ? null : (first[mapping.columns.country] ?? '').trim();
    const isCredit = invoice.startsWith(mapping.creditNotePrefix);
    const supplies = lines.filter((line) => this.#isSupply(line, isCredit));
    const invoiceOf = { invoice, occurredAt, customer, goesTo: this.#goesTo(country) };
    return isCredit ? this.#creditNote(invoiceOf, supplies) : this.#sale(invoiceOf, supplies);
  }

  #isSupply(line: InvoiceLine, isCredit: boolean): boolean {
    if (this.#notSupplies.some((pattern) => pattern.test(line.code))) return false;
    return isCredit || !(line.quantity < 0 && line.pence === 0);
  }

  #sale(of: InvoiceOf, lines: readonly InvoiceLine[]): Record<string, unknown>[] {
    for (const line of lines) {
      if (line.pence < 0)
        throw new TallyError('NEGATIVE_SALE_LINE', `line ${line.line}: a negative amount outside a credit note`, {
          line: line.line,
        });
    }
    if (lines.length === 0) return [this.#event(of, 'NO_SALE', 0, [], {})];
    const eventLines = lines.map((line, i) => {
      const category = this.#categoryOf(line.code, of.goesTo);
      const paidPence = this.#paidPence(line.pence, category, of.occurredAt);
      return { id: String(i + 1), category, qty: quantityText(line.quantity), paidPence };
    });
    const total = eventLines.reduce((sum, line) => sum + line.paidPence, 0);
    const event = this.#event(of, 'SALE', 0, eventLines, { payments: [{ method: 'account', amountPence: total }] });
    for (const [i, line] of lines.entries()) {
      const written = eventLines[i];
      if (written === undefined) continue;
      const sold: SoldLine = {
        eventId: String(event['eventId']),
        lineId: written.id,
        category: written.category,
        remainingQuantity: line.quantity,
        remainingPence: line.pence,
        pricedPence: line.pence,
        soldAt: of.occurredAt,
      };
      this.#matcher.remember(of.customer, line.code, sold);
    }
    return [event];
  }

  /** One linked refund for each sale that the credit note reaches back to, then one unlinked refund for what reaches none. */
  #creditNote(of: InvoiceOf, lines: readonly InvoiceLine[]): Record<string, unknown>[] {
    for (const line of lines) {
      if (line.quantity > 0 || line.pence > 0)
        throw new TallyError('POSITIVE_CREDIT_LINE', `line ${line.line}: a positive amount in a credit note`, {
          line: line.line,
        });
    }
    const linked = new Map<string, Map<string, { category: string; pence: number }>>();
    const unlinked = new Map<string, number>();
    for (const line of lines) {
      for (const part of this.#matcher.split(of.customer, line.code, -line.quantity, -line.pence)) {
        if (part.sold === null) {
          const category = this.#categoryOf(line.code, of.goesTo);
          const paidPence = this.#paidPence(part.pence, category, of.occurredAt);
          unlinked.set(category, (unlinked.get(category) ?? 0) + paidPence);
          continue;
        }
        const ofSale = linked.get(part.sold.eventId) ?? new Map<string, { category: string; pence: number }>();
        const before = ofSale.get(part.sold.lineId)?.pence ?? 0;
        ofSale.set(part.sold.lineId, { category: part.sold.category, pence: before + this.#givenBackPence(part) });
        linked.set(part.sold.eventId, ofSale);
      }
    }
    const events: Record<string, unknown>[] = [];
    for (const [originalEventId, ofSale] of linked) {
      const eventLines = [...ofSale].map(([id, { category, pence }]) => ({ id, category, paidPence: -pence }));
      events.push(this.#event(of, 'REFUND', events.length, eventLines, { originalEventId }));
    }
    if (unlinked.size > 0) {
      const eventLines = [...unlinked].map(([category, pence], i) => ({
        id: String(i + 1),
        category,
        paidPence: -pence,
      }));
      const unlinkedReason =
        of.customer === '' ? 'the file names no customer' : 'no earlier sale of the item to this customer in the file';
      events.push(this.#event(of, 'REFUND', events.length, eventLines, { unlinkedReason }));
    }
    return events.length > 0 ? events : [this.#event(of, 'NO_SALE', 0, [], {})];
  }

  #categoryOf(code: string, goesTo: string | null): string {
    const { mapping } = this.#options;
    const category = this.#categories.find((rule) => rule.pattern.test(code))?.category ?? mapping.defaultCategory;
    return goesTo !== null && category === mapping.defaultCategory ? goesTo : category;
  }

  /** The category of goods that leave the United Kingdom for a country; null for one that is in it. */
  #goesTo(country: string | null): string | null {
    const { homeCountries, dispatches, abroadCategory } = this.#options.mapping;
    if (country === null || homeCountries.includes(country)) return null;
    return dispatches?.countries.includes(country) === true ? dispatches.category : abroadCategory;
  }

  /** What the customer pays for a line: the price, or the price and its VAT, rounded to the penny per line (vat.md section 4; VATREC12020). */
  #paidPence(pricedPence: number, category: string, occurredAt: string): number {
    if (this.#options.mapping.pricesIncludeVat) return pricedPence;
    return pricedPence + vatOnTop(pricedPence, this.#options.rateOf(category, londonDateOf(occurredAt)));
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
    of: InvoiceOf,
    type: string,
    part: number,
    lines: readonly { paidPence: number }[],
    more: Record<string, unknown>,
  ): Record<string, unknown> {
    const { vrn, mapping, hashOf } = this.#options;
    const totalPence = lines.reduce((sum, line) => sum + line.paidPence, 0);
    const event: Record<string, unknown> = {
      schema: 1,
      eventId: importedEventId(['sales', vrn, mapping.tillId, of.invoice, String(part)]),
      vrn,
      tillId: mapping.tillId,
      seq: this.#seq + 1,
      prevHash: this.#prevHash,
      type,
      occurredAt: of.occurredAt,
      currency: 'GBP',
      lines,
      totalPence,
      payments: type === 'REFUND' ? [{ method: 'account', amountPence: totalPence }] : [],
      ...more,
    };
    this.#seq += 1;
    this.#prevHash = hashOf(event);
    return event;
  }
}

interface InvoiceOf {
  readonly invoice: string;
  readonly occurredAt: string;
  readonly customer: string;
  /** Category of what leaves the United Kingdom; null for a customer in it. */
  readonly goesTo: string | null;
}

function lineOf(row: Row, mapping: SalesMapping): InvoiceLine {
  if (row.fault !== undefined)
    throw new TallyError('ROW_UNREADABLE', `line ${row.line}: ${row.fault}`, { line: row.line });
  const { columns } = mapping;
  const code = (row.values[columns.code] ?? '').trim();
  if (code === '')
    throw new TallyError('ITEM_CODE_MISSING', `line ${row.line}: column "${columns.code}" is empty`, {
      line: row.line,
    });
  const quantity = at(row.line, () => parseDecimal(row.values[columns.quantity] ?? ''), columns.quantity);
  const price = at(row.line, () => parseDecimal(row.values[columns.unitPrice] ?? ''), columns.unitPrice);
  if (quantity.scale > 3)
    throw new TallyError('QUANTITY_TOO_FINE', `line ${row.line}: a quantity has at most 3 decimals`, {
      line: row.line,
    });
  return {
    line: row.line,
    code,
    quantity: Number(quantity.units) * 10 ** (3 - quantity.scale),
    pence: at(row.line, () => penceOfPounds(multiplyDecimal(quantity, price)), columns.unitPrice),
  };
}

function at<T>(line: number, read: () => T, column?: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    const where = column === undefined ? `line ${line}` : `line ${line}, column "${column}"`;
    throw new TallyError(error.code, `${where}: ${error.message}`, { ...error.facts, line });
  }
}

function quantityText(thousandths: number): string {
  return String(thousandths / 1000);
}

function londonDateOf(occurredAt: string): LocalDate {
  return londonDate(epochMsOfRfc3339(occurredAt));
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

/** A UUID (version 8, RFC 9562) made of what identifies the event in its file: the same file gives the same ids. */
export function importedEventId(parts: readonly string[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(['tallystick/import/v1', ...parts]))
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex').slice(0, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
