import { hash as digest } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';

export interface GenerateOptions {
  readonly file: string;
  readonly events: number;
  /** Accounts of both taxes, that 4 of 7 events (tills) and 3 of 7 (payrolls) are spread over, in the same shares. */
  readonly accounts: number;
  /** `even`: each account as likely. `zipf`: the account of rank k as likely as 1/k. */
  readonly law: 'even' | 'zipf';
  /** `payroll`: payments alone. `employments`: one payment of each of as many employments, a hundred an employer, whatever the accounts. */
  readonly mix: 'both' | 'payroll' | 'employments';
  readonly seed: number;
}

export interface GeneratedEvents {
  readonly file: string;
  readonly events: number;
  /** Three a sale, one a payment. */
  readonly lines: number;
}

/** Design section 9: 4,000 receipts and 3,000 payments a second at the nation's peak. */
const SALES_OF_SEVEN = 4;
const LINES_A_SALE = 3;
const PEOPLE_AT_ONCE = 100;
const MONTHS = 12;
const CATEGORIES = ['standard', 'food.basic', 'standard', 'reduced', 'zero'];

/** Writes the events in the order in which they are sent. What it writes depends on its options alone. */
export async function generateEvents(options: GenerateOptions): Promise<GeneratedEvents> {
  const fraction = drawsOf(options.seed);
  const share = (of: number): number => Math.max(1, Math.round((options.accounts * of) / 7));
  const traders = placesOf(options.law, share(SALES_OF_SEVEN), fraction);
  const employers =
    options.mix === 'employments'
      ? employersInTurn()
      : placesOf(options.law, options.mix === 'payroll' ? options.accounts : share(3), fraction);
  const tills = new Map<number, { seq: number; prevHash: string | null }>();
  const payrolls = new Map<number, number>();
  const out = createWriteStream(options.file);
  let lines = 0;
  let text = '';
  for (let index = 0; index < options.events; index += 1) {
    if (options.mix === 'both' && index % 7 < SALES_OF_SEVEN) {
      const trader = traders();
      const till = tills.get(trader) ?? { seq: 0, prevHash: null };
      const sale = saleOf(index, trader, till.seq + 1, till.prevHash, fraction);
      tills.set(trader, { seq: till.seq + 1, prevHash: digest('sha256', canonicalJson(sale), 'hex') });
      text += `v${JSON.stringify(sale)}\n`;
      lines += LINES_A_SALE;
    } else {
      const employer = employers();
      const number = payrolls.get(employer) ?? 0;
      payrolls.set(employer, number + 1);
      text += `p${JSON.stringify(paymentOf(index, employer, number, fraction))}\n`;
      lines += 1;
    }
    if (text.length < 1_000_000) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await finished(out);
  return { file: options.file, events: options.events, lines };
}

/** A sale of three lines at till T1 of a trader. */
function saleOf(index: number, trader: number, seq: number, prevHash: string | null, fraction: () => number) {
  const lines = Array.from({ length: LINES_A_SALE }, (_, line) => ({
    id: String(line + 1),
    category: CATEGORIES[Math.floor(fraction() * CATEGORIES.length)] ?? 'standard',
    paidPence: 50 + Math.floor(fraction() * 2_000),
  }));
  const totalPence = lines.reduce((sum, line) => sum + line.paidPence, 0);
  return {
    schema: 1,
    eventId: uuidOf(index),
    vrn: vrnOf(trader),
    tillId: 'T1',
    seq,
    prevHash,
    type: 'SALE',
    occurredAt: new Date(Date.UTC(2026, 3, 6, 8) + seq * 7_000).toISOString().replace('.000', ''),
    currency: 'GBP',
    lines,
    totalPence,
    payments: [{ method: 'card', amountPence: totalPence }],
  };
}

/** A monthly payment of one of an employer's people: a hundred are paid for twelve months, then the next hundred. */
function paymentOf(index: number, employer: number, number: number, fraction: () => number) {
  const person = Math.floor(number / (PEOPLE_AT_ONCE * MONTHS)) * PEOPLE_AT_ONCE + (number % PEOPLE_AT_ONCE);
  const month = 1 + (Math.floor(number / PEOPLE_AT_ONCE) % MONTHS);
  const payPence = 120_000 + Math.floor(fraction() * 480_000);
  return {
    type: 'PaymentMade',
    eventId: uuidOf(index),
    payeReference: `${String(101 + (employer % 899))}/B${String(100_000 + employer)}`,
    nino: ninoOf(employer * 7_919 + person),
    worksNumber: String(person + 1),
    paymentDate: payDateOf(month),
    payFrequency: 'M1',
    period: month,
    taxCode: '1257L',
    week1Month1: false,
    taxablePayPence: payPence,
    nicableEarningsPence: payPence,
    niCategory: 'A',
    postgraduateLoan: false,
  };
}

/** The 25th of a tax month of 2025-26. */
function payDateOf(taxMonth: number): string {
  const month = ((taxMonth + 2) % 12) + 1;
  return `${taxMonth <= 9 ? 2025 : 2026}-${String(month).padStart(2, '0')}-25`;
}

/** Nine digits with the older check digits (libs/core/identity/vrn.ts). */
function vrnOf(trader: number): string {
  const seven = String(1_000_000 + trader);
  let sum = 0;
  for (let place = 0; place < 7; place += 1) sum += Number(seven[place]) * (8 - place);
  return `${seven}${String(97 - (sum % 97)).padStart(2, '0')}`;
}

const PREFIXES = ['AB', 'CE', 'EH', 'HK', 'JL', 'KM', 'LP', 'MR', 'PS', 'RT', 'SW', 'TX', 'WY', 'XZ', 'YA', 'ZC'];

function ninoOf(person: number): string {
  const prefix = PREFIXES[Math.floor(person / 1_000_000) % PREFIXES.length] ?? 'AB';
  return `${prefix}${String(person % 1_000_000).padStart(6, '0')}${'ABCD'[person % 4]}`;
}

/** A UUID of version 8 (RFC 9562) that spreads over the range as a random one does. */
function uuidOf(index: number): string {
  const hex = digest('sha256', `event ${index}`, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Draws the place of an account. Zipf: rank k with probability 1/k over the harmonic number, found by bisection. */
function placesOf(law: GenerateOptions['law'], accounts: number, fraction: () => number): () => number {
  if (law === 'even') return () => Math.floor(fraction() * accounts);
  const upTo = new Float64Array(accounts);
  let sum = 0;
  for (let rank = 0; rank < accounts; rank += 1) {
    sum += 1 / (rank + 1);
    upTo[rank] = sum;
  }
  return () => {
    const wanted = fraction() * sum;
    let low = 0;
    let high = accounts - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Each as often as it has people. */
function employersInTurn(): () => number {
  let paid = 0;
  return () => {
    paid += 1;
    return Math.floor((paid - 1) / PEOPLE_AT_ONCE);
  };
}

/** mulberry32, as the feed draws. */
function drawsOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
