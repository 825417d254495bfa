import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { decodeEvent, encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { loadRules } from '../../libs/adapters/rules/load-rules.ts';
import type { StateValue, StateView } from '../../libs/core/decisions/decision.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import type { TillEvent, TillLine } from '../../libs/core/events/vat-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { decideVat } from '../../libs/core/vat/decide/decide-vat.ts';
import { sampleSale } from '../support/sample-events.ts';

/*
 * node --max-semi-space-size=64 test/bench/receipts.ts [--receipts 100000] [--traders 1000] [--rounds 7]
 *
 * Receipts of ten lines a second on one core, as tax decides them and the payer recomputes them: every check of vat.md section 9, rates by line
 * and day, the period's account, the till's chain, what is remembered for repeats and refunds, the entry, and the state (a map, new in each
 * round) with what changed. Reading the log and writing the store are not in it: events are decoded a batch at a time, as the stage does,
 * and the time of that is left out.
 */
const LINES = 10;
/** How many of a shop's goods differ in their category; a receipt has what it has. */
const CATEGORIES = [
  'food.basic',
  'food.confectionery',
  'drink.soft',
  'food.crisps',
  'print.newspaper',
  'health.toiletries',
  'standard',
  'food.bakery_cold',
  'postage.stamps',
  'home.gas_domestic',
  'clothing.children',
  'drink.alcohol',
];
const TILLS_A_TRADER = 4;
const FIRST_SALE_MS = Date.UTC(2026, 9, 5, 8);
const EVERY_MS = 500;
const BATCH = 500;

const { values } = parseArgs({
  options: {
    receipts: { type: 'string', default: '100000' },
    traders: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '7' },
  },
});
const [receipts, traders, rounds] = [Number(values.receipts), Number(values.traders), Number(values.rounds)];
const { vat: rules } = loadRules().rules;

/** A receipt as it stands in the log. */
interface Receipt {
  readonly bytes: Buffer;
  readonly hash: string;
}

/** The receipts in the order of their arrival: traders take turns, and so do a trader's tills. */
function everyReceipt(): readonly Receipt[] {
  return Array.from({ length: receipts }, (_, index) => {
    const bytes = encodeEvent(saleOf(index));
    return { bytes, hash: hashOf(bytes) };
  });
}

function saleOf(index: number): TillEvent {
  const visit = Math.floor(index / traders);
  const till = visit % TILLS_A_TRADER;
  const seq = Math.floor(visit / TILLS_A_TRADER) + 1;
  const name = `${index % traders}/${till}`;
  const occurredAtMs = FIRST_SALE_MS + index * EVERY_MS;
  return sampleSale(`sale ${index}`, {
    account: account(`vat:${vrnOf(index % traders)}`),
    receivedAtMs: occurredAtMs + 1_000,
    tillId: `T${till + 1}`,
    seq,
    prevHash: seq === 1 ? null : hashOf(`${name}/${seq - 1}`),
    hash: hashOf(`${name}/${seq}`),
    occurredAt: new Date(occurredAtMs).toISOString(),
    lines: Array.from({ length: LINES }, (_, line) => lineOf(index, line)),
  });
}

function lineOf(index: number, line: number): TillLine {
  const draw = Math.imul(index * LINES + line + 1, 0x9e3779b1) >>> 0;
  return {
    id: String(line + 1),
    category: CATEGORIES[draw % CATEGORIES.length] ?? 'standard',
    qty: '1',
    ratePct: null,
    paidPence: pence(50 + ((draw >>> 8) % 2_000)),
  };
}

/** Nine digits with the older check digits (libs/core/identity/vrn.ts). */
function vrnOf(trader: number): string {
  const seven = String(1_000_000 + trader);
  let sum = 0;
  for (let place = 0; place < 7; place += 1) sum += Number(seven[place]) * (8 - place);
  return `${seven}${String(97 - (sum % 97)).padStart(2, '0')}`;
}

function hashOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

interface Spent {
  readonly processorMs: number;
  readonly elapsedMs: number;
}

/** Decides every receipt on a new state; gives the milliseconds by the processor and by the clock. */
function decideAll(all: readonly Receipt[]): Spent {
  const state = new Map<string, StateValue>();
  let [processorMs, elapsedMs] = [0, 0];
  for (let from = 0; from < all.length; from += BATCH) {
    const batch = all.slice(from, from + BATCH).map(({ bytes, hash }) => ({ event: decodeEvent(bytes), hash }));
    const startedMs = performance.now();
    const started = process.cpuUsage();
    decideBatch(batch, state);
    const { user, system } = process.cpuUsage(started);
    processorMs += (user + system) / 1_000;
    elapsedMs += performance.now() - startedMs;
  }
  return { processorMs, elapsedMs };
}

function decideBatch(
  batch: readonly { readonly event: TaxEvent; readonly hash: string }[],
  state: Map<string, StateValue>,
): void {
  const view: StateView = { get: (key) => state.get(key) };
  for (const { event, hash } of batch) {
    if (event.type !== 'TillEvent') throw new Error('a till event is read as one');
    const { outcome, changes } = decideVat(event, hash, view, rules);
    if (outcome !== 'accepted') throw new Error(`a receipt was ${outcome}`);
    for (const { key, value } of changes) {
      if (value === null) state.delete(key);
      else state.set(key, value);
    }
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const aSecond = (ms: number): string => Math.round((receipts / ms) * 1_000).toLocaleString('en-GB');
const all = everyReceipt();
// Two rounds warm the engine up.
const measured = Array.from({ length: rounds + 2 }, () => decideAll(all)).slice(2);
for (const { processorMs, elapsedMs } of measured) {
  console.log(`  ${aSecond(processorMs)} a second of processor time, ${aSecond(elapsedMs)} by the clock`);
}
const processorMs = median(measured.map((round) => round.processorMs));
const best = Math.min(...measured.map((round) => round.processorMs));
console.log(
  `receipts of ${LINES} lines, decided: median ${aSecond(processorMs)} a second of processor time, best ${aSecond(best)}`,
);
