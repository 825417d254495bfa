import type { Fault } from '../errors/fault.ts';
import { accountCounter, accountKey, decisionsOf } from '../events/account-counter.ts';
import type { Assessment, HeadAmount, StateValue } from '../events/decision.ts';
import type { StateDraft } from '../events/state-draft.ts';
import type { TillEvent } from '../events/vat-events.ts';
import type { EventId } from '../identity/event-id.ts';
import { type Pence, ZERO_PENCE } from '../money/pence.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  rateDayOf,
  regionOf,
  type TillFields,
  type TillTime,
} from './check-till.ts';
import type { LinesReading, RateSource } from './check-till-lines.ts';
import {
  afterReturn,
  eventKey,
  isRememberedSale,
  lineCount,
  type RememberedSale,
  rememberedEventOf,
  rememberedHash,
  rememberSale,
} from './remembered-sale.ts';
import { addTakings, periodAccountOf, periodKey } from './takings.ts';
import { followChain, isZClosed, type TillChain, tillChainOf, tillKey } from './till-chain.ts';
import { CLOCK_AHEAD_MAX_MS } from './vat-limits.ts';
import { DEFAULT_STAGGER, vatPeriodOfDay } from './vat-period.ts';
import type { VatRules } from './vat-rules.ts';

/** What a till's event comes to on top of the state: an assessment, every refusing code, or that its sale is not there yet. */
export type TillVerdict =
  | { readonly is: 'assessed'; readonly assessment: Assessment }
  | { readonly is: 'refused'; readonly faults: readonly Fault[] }
  | { readonly is: 'waiting' };

/** The event was checked: what is needed to assess it. */
interface CheckedTill {
  readonly time: TillTime;
  readonly takings: LinesReading | null;
  readonly sale: RememberedSale | null;
}

const NO_EVENTS: readonly EventId[] = [];
const NO_FLAGS: readonly string[] = [];
const NO_AMOUNTS: readonly HeadAmount[] = [];
const WAITING: TillVerdict = { is: 'waiting' };
const BEYOND_COUNTING: Fault = {
  code: 'E_AMOUNT_RANGE',
  pointer: '/lines',
  detail: 'the takings of the period would leave what can be counted',
};

/**
 * Assesses a till's event that was not seen before, and writes what it changes into the draft (nothing unless it is assessed). What it
 * comes to depends on earlier accepted events alone.
 */
export function assessTill(event: TillEvent, eventHash: string, draft: StateDraft, rules: VatRules): TillVerdict {
  const faults: Fault[] = [];
  const checked = checkAgainstState(event, draft, rules, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  if (checked === null) return WAITING;
  const { time, takings, sale } = checked;
  const period = vatPeriodOfDay(time.day, DEFAULT_STAGGER);
  const outputVatPence = takings === null ? ZERO_PENCE : countTakings(event, takings, period.start, draft);
  if (outputVatPence === null) return { is: 'refused', faults: [BEYOND_COUNTING] };
  const number = decisionsOf(event.account, draft) + 1;
  draft.put(accountKey(event.account), accountCounter(number));
  remember(event, rememberedHash(eventHash), number, takings, sale, draft);
  const assessment: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'charge',
    number,
    taxPeriod: period.text,
    basePence: takings === null ? ZERO_PENCE : event.totalPence,
    amounts: outputVatPence === 0 ? NO_AMOUNTS : [{ head: 'outputVat', pence: outputVatPence }],
    person: null,
    links: sale === null || event.originalEventId === null ? NO_EVENTS : [event.originalEventId],
    flags: flagsOf(event, time, draft),
    stated: NO_AMOUNTS,
    receivedAtMs: event.receivedAtMs,
  };
  return { is: 'assessed', assessment };
}

/** Null where nothing is wrong but the sale that the event names is not known yet. */
function checkAgainstState(event: TillEvent, draft: StateDraft, rules: VatRules, faults: Fault[]): CheckedTill | null {
  const fields = fieldsOf(event);
  const time = checkTillEnvelope(fields, faults);
  const day = rateDayOf(fields, time, faults);
  const named = event.tillType === 'SALE' ? null : event.originalEventId;
  const original = named === null ? null : rememberedEventOf(draft.get(eventKey(event.account, named)));
  const sale = original !== null && isRememberedSale(original) ? original : null;
  const source = rateSourceOf(event, sale, day, rules);
  const takings = checkTillTakings(fields, source, faults);
  checkTillLinks(fields, faults);
  if (takings === null || named === null) return { time, takings, sale: null };
  if (original !== null && sale === null) {
    faults.push({ code: 'E_ORIGINAL_UNKNOWN', pointer: '/originalEventId', detail: 'the event named is not a sale' });
  }
  if (sale !== null) checkSale(event, sale, draft, faults);
  return sale === null ? null : { time, takings, sale };
}

function rateSourceOf(event: TillEvent, sale: RememberedSale | null, day: number, rules: VatRules): RateSource {
  if (sale !== null) return { by: 'sale', sale, isVoid: event.tillType === 'VOID' };
  const linked = event.tillType !== 'SALE' && event.originalEventId !== null;
  if (linked || Number.isNaN(day)) return { by: 'none' };
  return { by: 'day', rules, day, region: regionOf(event.region) };
}

/** What concerns the sale as a whole; its lines are checked one by one (check-till-lines.ts). */
function checkSale(event: TillEvent, sale: RememberedSale, draft: StateDraft, faults: Fault[]): void {
  const add = (code: string, detail: string) => faults.push({ code, pointer: '/originalEventId', detail });
  if (sale.v === 1) add('E_ALREADY_VOIDED', 'the sale was voided');
  if (event.tillType !== 'VOID') return;
  const till = tillChainOf(draft.get(tillKey(event.account, sale.i)));
  if (isZClosed(till, sale.q, sale.i === event.tillId ? event.seq : null)) {
    add('E_VOID_AFTER_Z', 'after the Z report it must be a refund');
  }
  if (event.lines.length !== lineCount(sale) && !faults.some((fault) => fault.code === 'E_VOID_NOT_EXACT')) {
    add('E_VOID_NOT_EXACT', 'a void has every line of its sale');
  }
}

/** By how much the output VAT of the period moved, or null where its takings can no longer be counted. */
function countTakings(event: TillEvent, takings: LinesReading, periodStart: string, draft: StateDraft): Pence | null {
  const key = periodKey(event.account, periodStart);
  const step = addTakings(periodAccountOf(draft.get(key)), takings.rates, takings.grossPence);
  if (step === null) return null;
  draft.put(key, step.account as unknown as StateValue);
  return step.outputVatPence;
}

function remember(
  event: TillEvent,
  hash: string,
  number: number,
  takings: LinesReading | null,
  sale: RememberedSale | null,
  draft: StateDraft,
): void {
  const isSale = event.tillType === 'SALE' && takings !== null;
  const value = isSale ? rememberSale(event, hash, number, takings.lineRates) : { h: hash, n: number };
  draft.put(eventKey(event.account, event.eventId), value as unknown as StateValue);
  if (sale === null || event.originalEventId === null) return;
  const given = event.lines.map((line) => ({ id: line.id, pence: -line.paidPence }));
  const after = afterReturn(sale, given, event.tillType === 'VOID');
  draft.put(eventKey(event.account, event.originalEventId), after as unknown as StateValue);
}

/** Follows the till's chain and says what is odd about the event without refusing it. */
function flagsOf(event: TillEvent, time: TillTime, draft: StateDraft): readonly string[] {
  const key = tillKey(event.account, event.tillId);
  const followed = followChain(tillChainOf(draft.get(key)), {
    seq: event.seq,
    hash: event.hash,
    prevHash: event.prevHash,
    occurredAtMs: time.occurredAtMs,
    isZReport: event.tillType === 'Z_REPORT',
  });
  draft.put(key, followed.chain satisfies TillChain as unknown as StateValue);
  const unlinked = event.tillType === 'REFUND' && event.originalEventId === null;
  const early = time.occurredAtMs > event.receivedAtMs + CLOCK_AHEAD_MAX_MS;
  if (!unlinked && !early) return followed.flags.length === 0 ? NO_FLAGS : followed.flags;
  const flags: string[] = [...followed.flags];
  if (unlinked) flags.push('UNLINKED_REFUND');
  if (early) flags.push('E_TIME_FUTURE');
  return flags;
}

function fieldsOf(event: TillEvent): TillFields {
  return {
    vrn: event.account.slice(4),
    tillId: event.tillId,
    seq: event.seq,
    prevHash: event.prevHash,
    type: event.tillType,
    occurredAt: event.occurredAt,
    currency: event.currency,
    region: event.region,
    lines: event.lines,
    totalPence: event.totalPence,
    vatPence: event.vatPence,
    payments: event.payments,
    originalEventId: event.originalEventId,
    unlinkedReason: event.unlinkedReason,
    claimedDate: event.claimedDate,
  };
}
