import { addMonths, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate } from '../../calendar/london-time.ts';
import type { StateView } from '../../decisions/decision.ts';
import type { Fault } from '../../errors/fault.ts';
import type { PurchaseRecorded, VatAdjustmentMade } from '../../events/vat-events.ts';
import { BOUNDED_REVISION, findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import { dueDateOf } from '../return/return-of-period.ts';
import { traderOf } from '../state/trader.ts';
import type { Place } from './count-in-period.ts';

/** Entries by which input VAT comes back for the first time. */
const CLAIMS: ReadonlySet<string> = new Set(['purchase', 'import_vat_paid', 'frs_capital', 'cash_paid']);

/**
 * Why the tax point of an invoice or of an adjustment cannot be taken, or null where it can: it is after the day of receipt, further back
 * than any assessment goes, or its VAT is claimed more than four years after the return was due in which it could first have been (VAT
 * Regulations 1995, regulation 29(1A); VRM8300).
 */
export function dateFault(
  event: PurchaseRecorded | VatAdjustmentMade,
  place: Place,
  view: StateView,
  rules: VatRules,
): Fault | null {
  if (rules.revision < BOUNDED_REVISION) return null;
  const received = londonDate(event.receivedAtMs);
  const implausible = taxPointFault(event.taxPoint, received, rules);
  if (implausible !== null) return implausible;
  if (place.outside !== null || !CLAIMS.has(event.kind) || event.vatPence <= 0) return null;
  const years = findVatParameter(rules, 'claim.yearsMax', received);
  if (years === null) return null;
  const last = addMonths(dueDateOf(traderOf(event.account, view), place.own), 12 * years);
  return received > last
    ? faultOf('E_CLAIM_TOO_LATE', `could be claimed until ${last}, ${years} years after its return was due`)
    : null;
}

/** Why a tax point is none that an entry received on this day can have: after it, or further back than any assessment goes; or null. */
export function taxPointFault(taxPoint: LocalDate, received: LocalDate, rules: VatRules): Fault | null {
  if (rules.revision < BOUNDED_REVISION) return null;
  if (taxPoint > received) return faultOf('E_DATE_FUTURE', `not after the day of receipt, ${received}`);
  const years = findVatParameter(rules, 'tillTime.yearsBackMax', received) ?? 0;
  const first = addMonths(received, -12 * years);
  return taxPoint < first ? faultOf('E_DATE_PAST', `not before ${first}: no assessment goes back further`) : null;
}

function faultOf(code: string, detail: string): Fault {
  return { code, pointer: '/taxPoint', detail };
}
