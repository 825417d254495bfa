import type { SalesMapping } from '../mapping/sales-mapping.ts';
import { type Comparison, documentEventId, type ImportedEvent, type Standing } from './imported-document.ts';
import type { Invoice } from './read-invoice.ts';
import type { SaleWriter } from './write-sale.ts';

export interface ComparedInvoice {
  readonly invoice: Invoice;
  readonly identity: readonly string[];
  readonly writer: SaleWriter;
  readonly mapping: SalesMapping;
}

const NOT_BY_IMPORT = 'an import cannot undo what was given back: put it right by a credit note or a further invoice';

/**
 * Compares an invoice with what an earlier import made of it. A sale that differs is undone by a VOID at its own time and sold anew; money
 * given back since of an order is a further refund.
 */
export function compareInvoice(compared: ComparedInvoice, standing: Standing): Comparison {
  const { invoice, identity, writer } = compared;
  const stood = standing.events.find(({ type }) => type === 'SALE') ?? null;
  const sale = writer.saleOf(invoice, String(stood?.['eventId'] ?? ''));
  const isReturned = standing.events.some(({ type }) => type === 'REFUND') || invoice.givenBack.length > 0;
  const what = saleDifference(sale, stood);
  if (what !== null) {
    const correct = isReturned ? NOT_BY_IMPORT : () => replaced(compared, stood, standing.version + 1);
    return { is: 'changed', what, correct };
  }
  if (sale !== null) writer.remember(invoice, sale);
  const difference = givenBackPence(compared, sale) - refundedPence(standing.events);
  if (!compared.mapping.pricesIncludeVat && invoice.refundedPence === 0) return same(compared);
  if (difference === 0) return same(compared);
  const whatRefund = `${pounds(refundedPence(standing.events) + difference)} given back instead of ${pounds(refundedPence(standing.events))}`;
  if (sale === null || stood === null || difference < 0 || invoice.givenBack.length > 0) {
    return { is: 'changed', what: whatRefund, correct: NOT_BY_IMPORT };
  }
  const correct = () => [
    writer.refundOf(invoice, stood, difference, documentEventId(identity, standing.version, standing.events.length)),
  ];
  return { is: 'changed', what: whatRefund, correct };
}

function same({ invoice, identity, writer }: ComparedInvoice): Comparison {
  writer.takeAgain(invoice, identity);
  return { is: 'same' };
}

function replaced(
  { invoice, identity, writer }: ComparedInvoice,
  stood: ImportedEvent | null,
  version: number,
): readonly ImportedEvent[] {
  if (stood === null) return writer.write(invoice, identity, version);
  writer.forget(invoice, stood);
  return [
    writer.voidOf(stood, documentEventId(identity, version, 'reversal')),
    ...writer.write(invoice, identity, version),
  ];
}

function givenBackPence({ invoice, mapping }: ComparedInvoice, sale: ImportedEvent | null): number {
  const goods = mapping.pricesIncludeVat ? invoice.givenBack.reduce((sum, { pence }) => sum + pence, 0) : 0;
  return goods + (sale === null ? 0 : invoice.refundedPence);
}

function refundedPence(events: readonly ImportedEvent[]): number {
  return events.reduce((sum, event) => (event['type'] === 'REFUND' ? sum - Number(event['totalPence']) : sum), 0);
}

/** In the words of the file, and without an item of it; null where the sale is the same. */
function saleDifference(sale: ImportedEvent | null, stood: ImportedEvent | null): string | null {
  if (sale === null || stood === null) {
    if (sale === stood) return null;
    return sale === null ? 'nothing sold instead of a sale' : 'a sale instead of nothing sold';
  }
  const [total, before] = [Number(sale['totalPence']), Number(stood['totalPence'])];
  if (total !== before) return `a total of ${pounds(total)} instead of ${pounds(before)}`;
  if (sale['occurredAt'] !== stood['occurredAt']) return 'another time of sale';
  return linesOf(sale) === linesOf(stood) ? null : 'other lines or categories';
}

/** Whatever their order in the file. */
function linesOf(sale: ImportedEvent): string {
  const lines = sale['lines'] as readonly { readonly id: string }[];
  return JSON.stringify(lines.map(({ id, ...line }) => JSON.stringify(line)).sort());
}

function pounds(pence: number): string {
  return (pence / 100).toFixed(2);
}
