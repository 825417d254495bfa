import { epochMsOfRfc3339 } from '../../libs/core/calendar/london-time.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { nextEventId, refusals, type Submitted } from './product-accounts.ts';
import { handed, list, record, type VectorInput, type VectorKind } from './vector-case.ts';
import { type SentLine, TRADER_VRN, VectorTrader } from './vector-trader.ts';

/** A till's event and what was before it: what the context tells is sent first, then the event itself through the door and to tax. */
export const eventKinds: Readonly<Record<string, VectorKind>> = {
  event: [{ by: 'readSubmissions → decideVat', answer: eventResult }],
};

const NOON = Date.UTC(2026, 10, 21, 12);
const HASH = /^[0-9a-f]{64}$/;
/** After so long a refund no longer waits for its sale. */
const WAITED_MS = 400 * 86_400_000;

function eventResult(input: VectorInput): unknown {
  const event = record(input.event);
  const context = record(input.context ?? {});
  const trader = new VectorTrader();
  const occurredAtMs = epochMsOfRfc3339(String(event.occurredAt));
  const receivedAtMs =
    context.receivedAt === undefined
      ? Number.isNaN(occurredAtMs)
        ? NOON
        : occurredAtMs
      : epochMsOfRfc3339(String(context.receivedAt));
  const original = context.original === undefined ? null : record(context.original);
  const knownIds = list(context.knownIds).map(String);
  if (knownIds.includes(String(event.originalEventId))) sendOriginal(event, original, trader);
  sendTill(event, context, trader);
  const json = handed(event);
  if (list(context.seenIds).map(String).includes(String(event.eventId))) {
    trader.accounts.submit('vat', json, receivedAtMs);
  }
  const codes = [...new Set(codesOf(trader.accounts.submit('vat', json, receivedAtMs), trader, receivedAtMs))];
  return { valid: codes.length === 0, codes };
}

/** What refuses an event, and what flags one that is accepted, as vat-tables.json lists both. */
function codesOf(submitted: Submitted, trader: VectorTrader, receivedAtMs: number): readonly string[] {
  const { decision } = submitted;
  switch (decision?.outcome) {
    case undefined:
    case 'rejected':
      return refusals(submitted);
    case 'repeat':
      return ['E_DUPLICATE_EVENT'];
    case 'held':
      return expired(submitted, trader, receivedAtMs);
    case 'accepted':
      return decision.results.flatMap(({ flags }) => flags).filter((flag) => flag.startsWith('E_'));
  }
}

/** A refund whose sale is not known waits for it; what it is refused with in the end, when a later event of the account comes. */
function expired({ event }: Submitted, trader: VectorTrader, receivedAtMs: number): readonly string[] {
  const at = new Date(receivedAtMs + WAITED_MS).toISOString();
  const { decision } = trader.take(at, 'zero', 100, { tillId: 'LATER' });
  return decision.rejections.filter(({ eventId }) => eventId === event?.eventId).map(({ code }) => code);
}

/** The sale that the event names: the lines that the event gives back, at their whole price, and another line for the rest of its total. */
function sendOriginal(event: VectorInput, original: VectorInput | null, trader: VectorTrader): void {
  const given = list(event.lines).map(record);
  const back = given.reduce((sum, line) => sum + Math.abs(Number(line.paidPence)), 0);
  const totalPence = original === null ? back : Number(original.totalPence);
  if (original?.tillVrn !== undefined && original.tillVrn !== event.vrn)
    throw new Error('the sale is of another trader');
  const lines: SentLine[] = given.map(({ id, category, paidPence }) => ({
    id: String(id),
    category: String(category),
    paidPence: Math.abs(Number(paidPence)),
  }));
  if (totalPence > back) lines.push({ id: 'rest', category: 'zero', paidPence: totalPence - back });
  const at = String(original?.occurredAt ?? event.occurredAt);
  const originalEventId = String(event.originalEventId);
  const till = { tillId: 'ORIGINAL', at };
  trader.sell({ type: 'SALE', lines, eventId: originalEventId, ...till });
  const refunded = takenBack(lines, Number(original?.refundedPence ?? 0));
  if (refunded.length > 0) trader.sell({ type: 'REFUND', lines: refunded, originalEventId, ...till });
  if (original?.voided === true) {
    const negated = lines.map((line) => ({ ...line, paidPence: -line.paidPence }));
    trader.sell({ type: 'VOID', lines: negated, originalEventId, ...till });
  }
  if (original?.zClosed === true) trader.sell({ type: 'Z_REPORT', ...till });
}

/** Of a sale, so much that came back before: its last lines first. */
function takenBack(lines: readonly SentLine[], pence: number): readonly SentLine[] {
  let left = pence;
  const taken: SentLine[] = [];
  for (const line of [...lines].reverse()) {
    const part = Math.min(left, line.paidPence);
    if (part > 0) taken.push({ ...line, paidPence: -part });
    left -= part;
  }
  return taken;
}

/** The till's events before: up to the number that the context tells, or that the event says it follows. */
function sendTill(event: VectorInput, context: VectorInput, trader: VectorTrader): void {
  const seq = Number(event.seq);
  const lastSeq = context.lastSeq === undefined ? seq - 1 : Number(context.lastSeq);
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(lastSeq) || lastSeq < 1) return;
  const follows = HASH.test(String(event.prevHash)) ? String(event.prevHash) : 'f'.repeat(64);
  const lastHash = context.lastHash === undefined ? follows : String(context.lastHash);
  // A number that is used already is used twice, not filled in.
  for (const used of new Set([Math.min(seq, lastSeq), lastSeq])) {
    const tillId = String(event.tillId);
    const { event: made } = trader.accounts.read('vat', noSale(tillId, used), NOON);
    if (made?.type === 'TillEvent') trader.accounts.decide({ ...made, hash: lastHash } satisfies TaxEvent);
  }
}

function noSale(tillId: string, seq: number): VectorInput {
  return {
    schema: 1,
    eventId: nextEventId(),
    vrn: TRADER_VRN,
    tillId,
    seq,
    prevHash: seq === 1 ? null : 'e'.repeat(64),
    type: 'NO_SALE',
    occurredAt: '2020-01-02T12:00:00Z',
    currency: 'GBP',
  };
}
