import type { Fault } from '../../errors/fault.ts';
import { isUuid } from '../../identity/event-id.ts';
import type { TillFields } from './check-till.ts';

const ENVELOPE = ['schema', 'eventId', 'vrn', 'tillId', 'seq', 'prevHash', 'type', 'occurredAt', 'currency'] as const;

type Json = Readonly<Record<string, unknown>>;

/** Adds a fault for each field of the envelope that is absent; true where none is. */
export function checkMissingFields(json: Json, faults: Fault[]): boolean {
  const missing = ENVELOPE.filter((name) => json[name] === undefined);
  for (const name of missing) {
    faults.push({ code: `E_MISSING_FIELD:${name}`, pointer: `/${name}`, detail: 'this field is required' });
  }
  return missing.length === 0;
}

export function checkIdentity(json: Json, faults: Fault[]): void {
  if (json.schema !== 1) faults.push({ code: 'E_SCHEMA_VERSION', pointer: '/schema', detail: '1' });
  if (typeof json.eventId !== 'string' || !isUuid(json.eventId)) {
    faults.push({ code: 'E_EVENT_ID', pointer: '/eventId', detail: 'a lower-case UUID' });
  }
}

export function tillFieldsOf(json: Json): TillFields {
  return {
    vrn: json.vrn,
    tillId: json.tillId,
    seq: json.seq,
    prevHash: json.prevHash,
    type: json.type,
    occurredAt: json.occurredAt,
    currency: json.currency,
    region: json.region,
    lines: json.lines,
    totalPence: json.totalPence,
    vatPence: json.vatPence,
    payments: json.payments,
    originalEventId: json.originalEventId,
    unlinkedReason: json.unlinkedReason,
    claimedDate: json.claimedDate,
  };
}
