import type { StateValue } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { TillEvent } from '../../events/vat-events.ts';
import type { EventId } from '../../identity/event-id.ts';
import { ZERO_PENCE } from '../../money/pence.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  rateDayOf,
  regionOf,
  type TillFields,
  type TillTime,
} from '../check/check-till.ts';
import type { LinesReading, RateSource } from '../check/check-till-lines.ts';
import { checkTillTime, type HeldTime, plausibleTime } from '../check/till-time.ts';
import { BEYOND_COUNTING } from '../rates/limits.ts';
import { vatRate } from '../rates/vat-rate.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { addFlatRateTurnover } from '../schemes/flat-rate-turnover.ts';
import { addTakings, type PeriodAccount } from '../state/period-account.ts';
import { inSegment } from '../state/rate-segment.ts';
import { registeredOn } from '../state/registration-bounds.ts';
import {
  afterReturn,
  isRememberedSale,
  lineCount,
  type RememberedEvent,
  type RememberedSale,
  rememberedEventOf,
  rememberedHash,
  rememberSale,
} from '../state/remembered-sale.ts';
import { eventKey, tillKey } from '../state/state-keys.ts';
import { followChain, isZClosed, type TillChain, tillChainOf } from '../state/till-chain.ts';
import { listTill } from '../state/till-list.ts';
import { traderOf } from '../state/trader.ts';
import {
  type CountedEvent,
  countEvent,
  countOutside,
  type Place,
  placeFault,
  placeOf,
  segmentOfPlace,
} from './count-in-period.ts';
import { countAssessment, nextNumber } from './record-assessment.ts';
import type { VatVerdict } from './vat-verdict.ts';

/** The event was checked: what is needed to assess it. */
interface CheckedTill {
  readonly time: TillTime;
  /** What is odd about the time that the till sent. */
  readonly odd: HeldTime['flag'];
  readonly takings: LinesReading | null;
  readonly sale: RememberedSale | null;
}

const NO_EVENTS: readonly EventId[] = [];
const NO_FLAGS: readonly string[] = [];
const HAS_TAKINGS: ReadonlySet<string> = new Set(['SALE', 'REFUND', 'VOID']);
const WAITING: VatVerdict = { is: 'waiting' };
const TAKINGS_TOO_LARGE: Fault = {
  code: 'E_AMOUNT_RANGE',
  pointer: '/lines',
  detail: BEYOND_COUNTING,
};

/**
 * Assesses a till's event that was not seen before, and writes what it changes into the draft (nothing unless it is assessed). What it
 * comes to depends on earlier accepted events alone.
 */
export function assessTill(event: TillEvent, eventHash: string, draft: StateDraft, rules: VatRules): VatVerdict {
  const faults: Fault[] = [];
  const checked = checkAgainstState(event, draft, rules, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  if (checked === null) return WAITING;
  const { time, takings, sale } = checked;
  const place = placeOf(event, time.day, draft, rules);
  const misplaced = placeFault(place, '/occurredAt');
  if (misplaced !== null) return { is: 'refused', faults: [misplaced] };
  const counted = counting(event, place, takings, draft, rules);
  if (counted === null) return { is: 'refused', faults: [TAKINGS_TOO_LARGE] };
  const { taxPeriod, amounts, flags, before } = counted;
  const number = nextNumber(event, draft);
  const h = rememberedHash(eventHash);
  const seen = before === undefined ? { h, n: number } : { h, n: number, p: before };
  remember(event, seen, place.outside === null ? takings : withoutVat(takings), sale, draft);
  const assessed = {
    kind: 'charge' as const,
    taxPeriod,
    basePence: takings === null ? ZERO_PENCE : event.totalPence,
    amounts,
    links: sale === null || event.originalEventId === null ? NO_EVENTS : [event.originalEventId],
    flags: flagsOf(event, checked, flags, draft),
  };
  return { is: 'assessed', assessment: countAssessment(event, number, assessed, draft) };
}

/** Counts an event's takings in its period; outside the registration in none. Null where they can no longer be counted. */
function counting(
  event: TillEvent,
  place: Place,
  takings: LinesReading | null,
  draft: StateDraft,
  rules: VatRules,
): CountedEvent | null {
  if (place.outside !== null) return countOutside(place.outside);
  const change = (account: PeriodAccount) => accountAfter(account, place, takings, rules);
  const isError = takings !== null && place.own.start !== place.counted.start;
  return countEvent(event, place, { change, isError }, draft, rules);
}

/** What was sold outside the registration bore no VAT: nor does what comes back of it. */
function withoutVat(takings: LinesReading | null): LinesReading | null {
  if (takings === null) return null;
  return { ...takings, sold: takings.sold.map(({ category }) => ({ category, rate: OUTSIDE_SCOPE })) };
}

const OUTSIDE_SCOPE = vatRate('O', 0);

/** Null where nothing is wrong but the sale that the event names is not known yet. */
function checkAgainstState(event: TillEvent, draft: StateDraft, rules: VatRules, faults: Fault[]): CheckedTill | null {
  const fields = fieldsOf(event);
  const { time, flag: odd } = timeOf(event, fields, draft, rules, faults);
  const day = rateDayOf(fields, time, faults);
  const named = event.tillType === 'SALE' ? null : event.originalEventId;
  const original = named === null ? null : rememberedEventOf(draft.get(eventKey(event.account, named)));
  const sale = original !== null && isRememberedSale(original) ? original : null;
  const source = rateSourceOf(event, sale, day, rules);
  const takings = checkTillTakings(fields, source, faults);
  checkTillLinks(fields, faults);
  if (takings === null || named === null) return { time, odd, takings, sale: null };
  if (original !== null && sale === null) {
    faults.push({ code: 'E_ORIGINAL_UNKNOWN', pointer: '/originalEventId', detail: 'the event named is not a sale' });
  }
  if (sale !== null) checkSale(event, sale, draft, faults);
  return sale === null ? null : { time, odd, takings, sale };
}

/** The event's time as it counts: a till's clock that is wrong opens no period. */
function timeOf(event: TillEvent, fields: TillFields, draft: StateDraft, rules: VatRules, faults: Fault[]): HeldTime {
  const time = checkTillTime(fields, checkTillEnvelope(fields, faults), rules, faults);
  if (Number.isNaN(time.day)) return { time, flag: null };
  return plausibleTime(time, event.receivedAtMs, () => registeredOn(traderOf(event.account, draft)), rules);
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
  if (event.lines.length !== lineCount(sale)) add('E_VOID_NOT_EXACT', 'a void has every line of its sale');
}

/** The period's account with the event's takings, or null where they can no longer be counted. */
function accountAfter(
  account: PeriodAccount,
  place: Place,
  takings: LinesReading | null,
  rules: VatRules,
): PeriodAccount | null {
  if (takings === null) return { ...account, n: account.n + 1 };
  const counted = addTakings(account, takings.rates, takings.grossPence);
  const scheme = account.s;
  if (counted === null || scheme === undefined) return counted;
  if (scheme.x !== undefined) return inSegment(counted, segmentOfPlace(place, rules), { g: sumsByRate(takings) });
  if (scheme.k !== 'FRS') return counted;
  let turnoverPence = 0;
  takings.rates.forEach((rate, index) => {
    if (rate.treatment !== 'O') turnoverPence += takings.grossPence[index] ?? 0;
  });
  return addFlatRateTurnover(counted, turnoverPence, place, rules);
}

function sumsByRate({ rates, grossPence }: LinesReading): Readonly<Record<string, number>> {
  return Object.fromEntries(rates.map(({ key }, index) => [key, grossPence[index] ?? 0]));
}

function remember(
  event: TillEvent,
  seen: RememberedEvent,
  takings: LinesReading | null,
  sale: RememberedSale | null,
  draft: StateDraft,
): void {
  const isSale = event.tillType === 'SALE' && takings !== null;
  const value = isSale ? rememberSale(event, seen, takings.sold) : seen;
  draft.put(eventKey(event.account, event.eventId), value as unknown as StateValue);
  if (sale === null || event.originalEventId === null) return;
  const given = event.lines.map((line) => ({ id: line.id, pence: -line.paidPence }));
  const after = afterReturn(sale, given, event.tillType === 'VOID');
  draft.put(eventKey(event.account, event.originalEventId), after as unknown as StateValue);
}

/** Follows the till's chain and says what is odd about the event without refusing it. */
function flagsOf(
  event: TillEvent,
  { time, odd }: CheckedTill,
  counted: readonly string[],
  draft: StateDraft,
): readonly string[] {
  const key = tillKey(event.account, event.tillId);
  const before = tillChainOf(draft.get(key));
  if (before.s === 0) listTill(event.account, event.tillId, draft);
  const followed = followChain(before, {
    seq: event.seq,
    hash: event.hash,
    prevHash: event.prevHash,
    occurredAtMs: time.occurredAtMs,
    isZReport: event.tillType === 'Z_REPORT',
    takenPence: HAS_TAKINGS.has(event.tillType) ? event.totalPence : 0,
    statedPence: statedOf(event),
  });
  draft.put(key, followed.chain satisfies TillChain as unknown as StateValue);
  const unlinked = event.tillType === 'REFUND' && event.originalEventId === null;
  if (!unlinked && odd === null && counted.length === 0) return followed.flags.length === 0 ? NO_FLAGS : followed.flags;
  const flags: string[] = [...followed.flags, ...counted];
  if (unlinked) flags.push('UNLINKED_REFUND');
  if (odd !== null) flags.push(odd);
  return flags;
}

/** The total that a Z report states, or null for one that states none. */
function statedOf(event: TillEvent): number | null {
  if (event.tillType !== 'Z_REPORT') return null;
  const isBlank = event.totalPence === 0 && event.lines.length === 0 && event.payments.length === 0;
  return isBlank ? null : event.totalPence;
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
