import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** What one quarter of the file comes to, in pence, before boxes become pounds. */
export interface IndependentQuarter {
  /** Box 1: VAT within the takings, once for each rate. */
  readonly vatPence: number;
  /** Box 6: takings without VAT, zero-rated and exempt ones included. */
  readonly netPence: number;
  /** Box 8: goods dispatched to member states of the EU of the day. */
  readonly dispatchedPence: number;
}

/**
 * The Online Retail file by calendar quarter (`2010-10-01`), worked out a second time in one pass from the file and the rules of issues 3
 * and 6, sharing nothing with the importer or libs/core: what whole imports are held against.
 */
export function quartersOf(file: string, pricesIncludeVat: boolean): Map<string, IndependentQuarter> {
  const quarters = new Map<string, { vatPence: number; netPence: number; dispatchedPence: number }>();
  const of = (quarter: string) => {
    const known = quarters.get(quarter) ?? { vatPence: 0, netPence: 0, dispatchedPence: 0 };
    quarters.set(quarter, known);
    return known;
  };
  for (const [key, gross] of takingsOf(file, pricesIncludeVat)) {
    const [quarter = '', kind = ''] = key.split(' ');
    const into = of(quarter);
    if (kind === 'outside') continue;
    if (kind === 'exempt') {
      into.netPence += gross;
      continue;
    }
    if (kind === 'dispatched') into.dispatchedPence += gross;
    // VAT of VAT-inclusive takings at r tenths of a per cent: gross x r / (1000 + r), half up, away from zero below it.
    const r = kind === 'dispatched' ? 0 : Number(kind);
    const vat = Math.sign(gross) * halfUp(Math.abs(gross) * r, 1000 + r);
    into.vatPence += vat;
    into.netPence += gross - vat;
  }
  return quarters;
}

/** VAT of the file by quarter, prices taken as they stand to include it. */
export function vatByQuarter(file: string): Map<string, number> {
  return new Map([...quartersOf(file, true)].map(([quarter, { vatPence }]) => [quarter, vatPence]));
}

/** Gross takings in pence by `<quarter> <kind>`: tenths of a per cent, `dispatched`, `exempt` or `outside`. */
function takingsOf(file: string, inclusive: boolean): Map<string, number> {
  const takings = new Map<string, number>();
  const stock = new Map<string, Sold[]>();
  const add = (day: string, kind: Kind, pence: number): void => {
    const key = `${quarterOf(day)} ${kind}`;
    takings.set(key, (takings.get(key) ?? 0) + pence);
  };
  const paid = (kind: Kind, priced: number): number =>
    inclusive ? priced : priced + halfUp(priced * percentOf(kind), 1000);
  for (const [invoice, lines] of invoicesOf(file)) {
    const day = (lines[0]?.date ?? '').slice(0, 10);
    for (const { code, quantity, price, customer, country } of lines) {
      if (['AMAZONFEE', 'CRUK', 'B'].includes(code)) continue;
      if (!invoice.startsWith('C')) {
        const pence = halfUp(quantity * price, 1000);
        if (quantity < 0) continue;
        const kind = kindOf(code, country, day);
        add(day, kind, paid(kind, pence));
        if (customer === '' || quantity <= 0) continue;
        const key = `${customer} ${code}`;
        const sold: Sold = { kind, quantity, pence, given: 0 };
        const known = stock.get(key);
        if (known === undefined) stock.set(key, [sold]);
        else known.push(sold);
        continue;
      }
      const pence = halfUp(-quantity * price, 1000);
      creditLine({ day, code, quantity: -quantity, pence, customer, country }, stock, add, paid);
    }
  }
  return takings;
}

/** Tenths of a per cent, or why a line has no rate. */
type Kind = number | 'dispatched' | 'exempt' | 'outside';

interface Sold {
  readonly kind: Kind;
  quantity: number;
  pence: number;
  /** Priced pence given back so far. */
  given: number;
}

interface Credit {
  readonly day: string;
  readonly code: string;
  readonly quantity: number;
  readonly pence: number;
  readonly customer: string;
  readonly country: string;
}

/** First in, first out: each part at the rate of its own sale, never more than was paid for it; the rest at the rate of the credit's own day. */
function creditLine(
  credit: Credit,
  stock: Map<string, Sold[]>,
  add: (day: string, kind: Kind, pence: number) => void,
  paid: (kind: Kind, priced: number) => number,
): void {
  const sales = credit.customer === '' ? [] : (stock.get(`${credit.customer} ${credit.code}`) ?? []);
  let taken = 0;
  let given = 0;
  let rest = 0;
  while (taken < credit.quantity && sales.length > 0) {
    const sale = sales[0];
    if (sale === undefined) break;
    const step = Math.min(sale.quantity, credit.quantity - taken);
    taken += step;
    const share =
      taken === credit.quantity ? credit.pence - given : halfUp(credit.pence * taken, credit.quantity) - given;
    const linked = Math.min(share, sale.pence);
    // What was paid for all that was given back until now, less the same before: the parts sum to the whole.
    add(credit.day, sale.kind, paid(sale.kind, sale.given) - paid(sale.kind, sale.given + linked));
    sale.given += linked;
    rest += share - linked;
    given += share;
    sale.quantity -= step;
    sale.pence -= linked;
    if (sale.quantity === 0) sales.shift();
  }
  const kind = kindOf(credit.code, credit.country, credit.day);
  add(credit.day, kind, -paid(kind, rest + credit.pence - given));
}

/** The standard rate went from 17.5% to 20% on 4 January 2011. Whoever buys abroad in the EU is taken to be registered there. */
function kindOf(code: string, country: string, day: string): Kind {
  if (code === 'BANK CHARGES') return 'exempt';
  if (/^gift_0001_\d+$/.test(code)) return 'outside';
  if (['United Kingdom', 'Unspecified'].includes(country)) return day < '2011-01-04' ? 175 : 200;
  return IN_THE_EU.has(country) ? 'dispatched' : 0;
}

const IN_THE_EU = new Set(
  (
    'Austria,Belgium,Cyprus,Czech Republic,Denmark,EIRE,European Community,Finland,France,Germany,Greece,Italy,Lithuania,Malta,' +
    'Netherlands,Poland,Portugal,Spain,Sweden'
  ).split(','),
);

function percentOf(kind: Kind): number {
  return typeof kind === 'number' ? kind : 0;
}

function quarterOf(day: string): string {
  const month = Number(day.slice(5, 7));
  return `${day.slice(0, 4)}-${String(month - ((month - 1) % 3)).padStart(2, '0')}-01`;
}

/** numerator / denominator, half up, for non-negative whole numbers. */
function halfUp(numerator: number, denominator: number): number {
  const doubled = numerator * 2 + denominator;
  if (doubled <= Number.MAX_SAFE_INTEGER) return (doubled - (doubled % (denominator * 2))) / (denominator * 2);
  return Number((BigInt(numerator) * 2n + BigInt(denominator)) / (BigInt(denominator) * 2n));
}

interface RetailRow {
  readonly invoice: string;
  readonly code: string;
  readonly quantity: number;
  /** Thousandths of a penny's tenth: pounds x 100,000, so that quantity x price / 1000 is pence. */
  readonly price: number;
  readonly date: string;
  readonly customer: string;
  readonly country: string;
}

function* rowsOf(text: string): Generator<RetailRow> {
  const lines = text.split('\n');
  for (const line of lines.slice(1)) {
    if (line.trim() === '') continue;
    const cells = cellsOf(line.replace(/\r$/, ''));
    const [invoice = '', code = '', , quantity, date = '', price, customer = '', country = ''] = cells;
    yield {
      invoice,
      code,
      quantity: Number(quantity),
      price: Math.round(Number(price) * 100_000),
      date,
      customer,
      country,
    };
  }
}

function cellsOf(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (char === '"' && quoted && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += char;
  }
  cells.push(cell);
  return cells;
}

const read = new Map<string, [string, RetailRow[]][]>();

/** The file is read once, whatever is asked of it. */
function invoicesOf(file: string): readonly [string, RetailRow[]][] {
  const known = read.get(file);
  if (known !== undefined) return known;
  const invoices = [...grouped(rowsOf(gunzipSync(readFileSync(file)).toString('utf8')))];
  read.set(file, invoices);
  return invoices;
}

/** Rows by invoice, an invoice standing where its last row stands. */
function* grouped(rows: Iterable<RetailRow>): Generator<[string, RetailRow[]]> {
  const all = [...rows];
  const last = new Map(all.map((row, i) => [row.invoice, i]));
  const open = new Map<string, RetailRow[]>();
  for (const [i, row] of all.entries()) {
    const lines = open.get(row.invoice) ?? [];
    lines.push(row);
    open.set(row.invoice, lines);
    if (last.get(row.invoice) === i) yield [row.invoice, lines];
  }
}
