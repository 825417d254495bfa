import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * VAT of the Online Retail file by calendar quarter, worked out a second time in one pass from the file and the rules of issue 3, sharing
 * nothing with the importer or libs/core: what the whole import is held against. Pence by quarter `2010-10-01`.
 */
export function vatByQuarter(file: string): Map<string, number> {
  const rows = rowsOf(gunzipSync(readFileSync(file)).toString('utf8'));
  const takings = new Map<string, number>();
  const stock = new Map<string, { rate: number | null; quantity: number; pence: number }[]>();
  const add = (day: string, rate: number | null, pence: number): void => {
    if (rate === null) return;
    const key = `${quarterOf(day)} ${rate}`;
    takings.set(key, (takings.get(key) ?? 0) + pence);
  };
  for (const [invoice, lines] of grouped(rows)) {
    const day = (lines[0]?.date ?? '').slice(0, 10);
    for (const { code, quantity, price, customer, country } of lines) {
      if (['AMAZONFEE', 'CRUK', 'B'].includes(code)) continue;
      if (!invoice.startsWith('C')) {
        const pence = halfUp(quantity * price, 1000);
        if (quantity < 0) continue;
        const rate = rateOf(code, country, day);
        add(day, rate, pence);
        if (customer === '' || quantity <= 0) continue;
        const key = `${customer} ${code}`;
        stock.set(key, [...(stock.get(key) ?? []), { rate, quantity, pence }]);
        continue;
      }
      creditLine(
        { day, code, quantity: -quantity, pence: halfUp(-quantity * price, 1000), customer, country },
        stock,
        add,
      );
    }
  }
  const vat = new Map<string, number>();
  for (const [key, gross] of takings) {
    const [quarter = '', rate] = key.split(' ');
    // VAT of VAT-inclusive takings at r tenths of a per cent: gross x r / (1000 + r), half up, away from zero below it.
    const r = Number(rate);
    const sign = gross < 0 ? -1 : 1;
    vat.set(quarter, (vat.get(quarter) ?? 0) + sign * halfUp(Math.abs(gross) * r, 1000 + r));
  }
  return vat;
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
  stock: Map<string, { rate: number | null; quantity: number; pence: number }[]>,
  add: (day: string, rate: number | null, pence: number) => void,
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
    add(credit.day, sale.rate, -linked);
    rest += share - linked;
    given += share;
    sale.quantity -= step;
    sale.pence -= linked;
    if (sale.quantity === 0) sales.shift();
  }
  add(credit.day, rateOf(credit.code, credit.country, credit.day), -(rest + credit.pence - given));
}

/** Tenths of a per cent; null for what is exempt or outside the scope. The standard rate went from 17.5% to 20% on 4 January 2011. */
function rateOf(code: string, country: string, day: string): number | null {
  if (code === 'BANK CHARGES' || /^gift_0001_\d+$/.test(code)) return null;
  if (!['United Kingdom', 'Unspecified'].includes(country)) return 0;
  return day < '2011-01-04' ? 175 : 200;
}

function quarterOf(day: string): string {
  const month = Number(day.slice(5, 7));
  return `${day.slice(0, 4)}-${String(month - ((month - 1) % 3)).padStart(2, '0')}-01`;
}

/** numerator / denominator, half up, for non-negative whole numbers. */
function halfUp(numerator: number, denominator: number): number {
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
