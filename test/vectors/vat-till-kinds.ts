import { addMonths, isLocalDate, type LocalDate } from '../../libs/core/calendar/local-date.ts';
import { epochMsOfRfc3339, londonDate, timeFault } from '../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { VatRegion } from '../../libs/core/events/vat-events.ts';
import {
  type AssessedRate,
  type AssessedSale,
  assessSale,
  type Sale,
  saleTotals,
} from '../../libs/till/assess-sale.ts';
import { shareByLargestRemainder } from '../../libs/till/largest-remainder.ts';
import { ONE_UNIT, quantity } from '../../libs/till/quantity.ts';
import { type ReturnedLine, refundSale, voidSale } from '../../libs/till/refund-sale.ts';
import { ROUNDINGS } from '../../libs/till/round-vat.ts';
import { productRules, type Submitted } from './product-accounts.ts';
import { leaveOut, list, NOT_ASKED, record, type VectorInput, type VectorKind } from './vector-case.ts';
import { type RateTakings, type SentLine, takingsOf, VectorTrader } from './vector-trader.ts';

const PRODUCT = 'decideVat → returnOfPeriod';

/** Sales, and what comes back of them: put to the package of tills, and, priced by it, as events to the product. */
export const tillKinds: Readonly<Record<string, VectorKind>> = {
  rate: [{ by: PRODUCT, answer: rateOfProduct }],
  sale: [
    { by: 'libs/till assessSale', answer: saleOfTill },
    { by: PRODUCT, answer: saleOfProduct },
  ],
  refund: [
    { by: 'libs/till refundSale', answer: refundOfTill },
    { by: PRODUCT, answer: refundOfProduct },
  ],
  void: [
    { by: 'libs/till voidSale', answer: voidOfTill },
    { by: PRODUCT, answer: voidOfProduct },
  ],
};

/** By which rate a sale of the category counts. */
function rateOfProduct(input: VectorInput): unknown {
  const trader = new VectorTrader();
  const region = regionOf(input.region);
  const { event } = trader.take(String(input.date), String(input.category), 600, { region });
  const [row] = takingsOf([trader.returnOn(taxDateOf(event.type === 'TillEvent' ? event.occurredAt : ''))]);
  if (row === undefined) throw new Error('a sale without takings');
  const { treatment, ratePct, numerator, denominator } = row.rate;
  return { treatment, ratePct, vatFraction: `${numerator}/${denominator}` };
}

function saleOfTill(input: VectorInput): unknown {
  const { byRate, lines } = assessSale(saleOf(input), productRules().vat);
  return {
    taxDate: taxDateOf(input.taxPoint),
    byRate: byRate.map(rateRow),
    ...saleTotals(byRate),
    lines: lines.map(({ id, rate, paidPence }) => ({
      id,
      treatment: rate.treatment,
      ratePct: rate.ratePct,
      paidPence,
    })),
  };
}

/** A sale that a till priced, as what it sends: an event for each tax point and region. */
interface SentSale {
  readonly at: string;
  readonly region: VatRegion;
  readonly lines: readonly SentLine[];
}

/**
 * The lines that the till made go in as sales. VAT is compared where the till rounds by receipt, as the product does once for each rate
 * (Notice 727/3); otherwise the takings alone.
 */
function saleOfProduct(input: VectorInput): unknown {
  const priced = pricedBy(input);
  if (priced === null) return NOT_ASKED;
  const trader = new VectorTrader();
  for (const { at, region, lines } of priced.sent) trader.sell({ type: 'SALE', at, region, lines });
  const days = priced.sent.map(({ at }) => taxDateOf(at));
  const returns = new Map(days.map((day) => trader.returnOn(day)).map((one) => [one.period.start, one]));
  return productRows(takingsOf([...returns.values()]), priced.sale.rounding === 'receipt');
}

function productRows(rows: readonly RateTakings[], hasVat: boolean): unknown {
  const grossPence = rows.reduce((sum, row) => sum + row.grossPence, 0);
  const vatPence = rows.reduce((sum, row) => sum + row.vatPence, 0);
  return {
    byRate: rows.map(({ rate: { treatment, ratePct }, grossPence: gross, vatPence: vat }) => ({
      treatment,
      ratePct,
      grossPence: gross,
      ...(hasVat ? { netPence: gross - vat, vatPence: vat } : {}),
    })),
    grossPence,
    ...(hasVat ? { netPence: grossPence - vatPence, vatPence } : {}),
  };
}

/** What a till makes of a sale. Null where it refuses to price it: for its own reasons, of which the product knows nothing. */
function pricedBy(input: VectorInput): { readonly sale: Sale; readonly sent: readonly SentSale[] } | null {
  const times = new Map(
    list(input.lines)
      .map(record)
      .map((line) => [String(line.id), line.taxPoint ?? input.taxPoint]),
  );
  const unpriced = (): SentSale[] => [
    {
      at: String(input.taxPoint),
      region: regionOf(input.region),
      lines: list(input.lines).map((line) => ({
        id: String(record(line).id),
        category: String(record(line).category),
        paidPence: 100,
      })),
    },
  ];
  let sale: Sale;
  let assessed: AssessedSale;
  try {
    sale = saleOf(input);
    assessed = assessSale(sale, productRules().vat);
  } catch (error) {
    if (!(error instanceof TallyError) || !OF_THE_PRODUCT.has(error.code)) return null;
    return { sale: { rounding: 'receipt' } as Sale, sent: unpriced() };
  }
  const gross = grossOfLines(sale, assessed);
  const groups = new Map<string, { at: string; region: VatRegion; lines: SentLine[] }>();
  sale.lines.forEach(({ id, category, region }, index) => {
    const at = String(times.get(id));
    const group = groups.get(`${at} ${region}`) ?? { at, region, lines: [] };
    groups.set(`${at} ${region}`, group);
    group.lines.push({ id, category, paidPence: gross[index] ?? 0 });
  });
  return { sale, sent: [...groups.values()] };
}

/** What the product refuses too, whatever a till makes of the prices. */
const OF_THE_PRODUCT: ReadonlySet<string> = new Set([
  'E_LINE_ID_DUP',
  'E_RATE_UNKNOWN',
  'E_RATE_NOT_IN_FORCE',
  'E_REGION',
  'E_TIME_FORMAT',
  'E_TIME_NO_OFFSET',
]);

/** Prices with VAT, line by line: a till whose prices are without it shares each rate's VAT out over its lines. */
function grossOfLines(sale: Sale, { lines, byRate }: AssessedSale): readonly number[] {
  const gross = lines.map(({ paidPence }): number => paidPence);
  if (sale.pricing === 'inclusive') return gross;
  for (const { rate, vatPence } of byRate) {
    const own = lines.flatMap((line, index) => (line.rate.key === rate.key ? [index] : []));
    if (vatPence === 0) continue;
    const shares = shareByLargestRemainder(
      vatPence,
      own.map((index) => lines[index]?.paidPence ?? 0),
    );
    own.forEach((index, at) => {
      gross[index] = (gross[index] ?? 0) + (shares[at] ?? 0);
    });
  }
  return gross;
}

function refundOfTill(input: VectorInput): unknown {
  const refund = refundOf(input, list(input.history), input.lines);
  return { lines: refund.lines, byRate: refund.byRate.map(rateRow), ...saleTotals(refund.byRate) };
}

function refundOf(input: VectorInput, history: readonly unknown[], lines: unknown) {
  const sale = saleOf(record(input.original));
  const before = history.map((refund) => list(refund).map(returnedLine));
  return refundSale(assessSale(sale, productRules().vat), sale, before, list(lines).map(returnedLine));
}

/** The sale goes in, what came back before, and this refund: by how much the takings and their VAT moved. */
function refundOfProduct(input: VectorInput): unknown {
  const sold = soldInOne(record(input.original));
  if (sold === null) return NOT_ASKED;
  const history = list(input.history);
  history.forEach((refund, index) => {
    sold.give('REFUND', returnedFor(refundOf(input, history.slice(0, index), refund).lines, sold.lines));
  });
  let lines: readonly SentLine[];
  try {
    lines = returnedFor(refundOf(input, history, input.lines).lines, sold.lines);
  } catch (error) {
    if (!(error instanceof TallyError) || error.code !== 'E_REFUND_UNKNOWN_LINE') return NOT_ASKED;
    lines = list(input.lines).map((line) => ({ id: String(record(line).id), category: 'standard', paidPence: -1 }));
  }
  return sold.moved('REFUND', lines);
}

function returnedFor(lines: readonly { readonly id: string; readonly paidPence: number }[], sold: readonly SentLine[]) {
  return lines.map(({ id, paidPence }) => ({
    id,
    category: sold.find((line) => line.id === id)?.category ?? '',
    paidPence,
  }));
}

function voidOfTill(input: VectorInput): unknown {
  const byRate = voidSale(assessSale(saleOf(record(input.original)), productRules().vat));
  return { byRate: byRate.map(rateRow), ...saleTotals(byRate) };
}

function voidOfProduct(input: VectorInput): unknown {
  const sold = soldInOne(record(input.original));
  if (sold === null) return NOT_ASKED;
  return sold.moved(
    'VOID',
    sold.lines.map((line) => ({ ...line, paidPence: -line.paidPence })),
  );
}

/**
 * A sale of one event at the product, of which something comes back in the next period: there the takings and VAT of what comes back stand by
 * themselves (vat.md 4.3: parts rounded so that they sum to the whole). Null where the sale is of several events, or its prices are without VAT.
 */
function soldInOne(original: VectorInput) {
  const priced = pricedBy(original);
  const sent = priced?.sent[0];
  if (priced === null || sent === undefined || priced.sent.length > 1 || priced.sale.pricing !== 'inclusive')
    return null;
  const { at, region, lines } = sent;
  const trader = new VectorTrader();
  const originalEventId = uuidOf(trader.sell({ type: 'SALE', at, region, lines }).event.eventId);
  const later = addMonths(taxDateOf(at), 3);
  const now = () => takingsOf([trader.returnOn(later)]);
  const give = (type: string, back: readonly SentLine[]): Submitted =>
    trader.sell({ type, at: later, region, lines: back, originalEventId });
  const moved = (type: string, back: readonly SentLine[]): unknown => {
    const before = now();
    give(type, back);
    const rows = now().map((row) => {
      const old = before.find(({ rate }) => rate.key === row.rate.key);
      const [grossPence, vatPence] = [row.grossPence - (old?.grossPence ?? 0), row.vatPence - (old?.vatPence ?? 0)];
      return { rate: row.rate, grossPence, vatPence };
    });
    return productRows(
      rows.filter(({ grossPence }) => grossPence !== 0),
      true,
    );
  };
  return { lines, give, moved };
}

/** An event's id as the door takes it. */
export function uuidOf(eventId: string): string {
  return eventId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function saleOf(input: VectorInput): Sale {
  const taxPoint = taxDateOf(input.taxPoint);
  const pricing = input.pricing ?? 'inclusive';
  if (pricing !== 'inclusive' && pricing !== 'exclusive') throw new TallyError('E_PRICING', 'inclusive or exclusive');
  const rounding = ROUNDINGS.find((known) => known === (input.rounding ?? 'receipt'));
  if (rounding === undefined) throw new TallyError('E_ROUNDING', `one of ${ROUNDINGS.join(', ')}`);
  const lines = list(input.lines).map(record);
  const isVoided = (line: VectorInput) => line.voided === true;
  // A line that was voided before the sale ended never counts.
  for (const line of lines.filter(isVoided)) leaveOut(line);
  return {
    pricing,
    rounding,
    lines: lines
      .filter((line) => !isVoided(line))
      .map((line) => ({
        id: String(line.id),
        category: String(line.category),
        quantity: line.qty === undefined ? ONE_UNIT : quantity(String(line.qty)),
        unitPence: Number(line.unitPence),
        discountPence: line.discountPence === undefined ? null : Number(line.discountPence),
        discountPct: line.discountPct === undefined ? null : String(line.discountPct),
        taxPoint: line.taxPoint === undefined ? taxPoint : taxDateOf(line.taxPoint),
        region: regionOf(line.region ?? input.region),
      })),
    deals: list(input.deals).map((deal) => ({
      lines: list(record(deal).lines).map(String),
      pricePence: Number(record(deal).pricePence),
    })),
    basketDiscountPence: input.basketDiscountPence === undefined ? null : Number(input.basketDiscountPence),
    basketDiscountPct: input.basketDiscountPct === undefined ? null : String(input.basketDiscountPct),
    discountExcludes: list(input.discountExcludes).map(String),
  };
}

function returnedLine(value: unknown): ReturnedLine {
  const line = record(value);
  return { id: String(line.id), quantity: line.qty === undefined ? null : quantity(String(line.qty)) };
}

function rateRow({ rate, grossPence, netPence, vatPence }: AssessedRate): unknown {
  return { treatment: rate.treatment, ratePct: rate.ratePct, grossPence, netPence, vatPence };
}

/** A date as it is; a time by its civil date in the United Kingdom. */
export function taxDateOf(value: unknown): LocalDate {
  const text = String(value);
  if (isLocalDate(text)) return text;
  const fault = timeFault(text);
  if (fault !== null) throw new TallyError(fault, 'RFC 3339 with its offset, or a civil date');
  return londonDate(epochMsOfRfc3339(text));
}

function regionOf(value: unknown): VatRegion {
  if (value === undefined || value === 'GB') return 'GB';
  if (value === 'NI') return 'NI';
  throw new TallyError('E_REGION', 'GB or NI');
}
