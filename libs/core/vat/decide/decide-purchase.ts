import { dayNumber } from '../../calendar/local-date.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { PurchaseRecorded } from '../../events/vat-events.ts';
import { checkPurchaseFields } from '../check/check-purchase.ts';
import { checkVrn } from '../check/check-till.ts';
import { BEYOND_COUNTING } from '../rates/limits.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { withUnpaid } from '../schemes/unpaid-of-period.ts';
import { addAdjustment, addPurchase, type PeriodAccount } from '../state/period-account.ts';
import { unpaidPurchase, waitsForPayment } from '../state/unpaid-invoices.ts';
import { countEvent, countOutside, placeFault, placeOf } from './count-in-period.ts';
import { dateFault } from './date-fault.ts';
import { recordAssessment } from './record-assessment.ts';
import { refusedFor, type VatVerdict } from './vat-verdict.ts';

/** Assesses a purchase or a supplier's credit that was not seen before, and writes what it changes into the draft. */
export function assessPurchase(
  event: PurchaseRecorded,
  eventHash: string,
  draft: StateDraft,
  rules: VatRules,
): VatVerdict {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkPurchaseFields(event as unknown as Readonly<Record<string, unknown>>, rules, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const place = placeOf(event, dayNumber(event.taxPoint), draft, rules);
  const misplaced = placeFault(place, '/taxPoint') ?? dateFault(event, place, draft, rules);
  if (misplaced !== null) return { is: 'refused', faults: [misplaced] };
  const change = (account: PeriodAccount) => accountAfter(account, event);
  const counted =
    place.outside === null
      ? countEvent(event, place, { change, isError: false }, draft, rules)
      : countOutside(place.outside);
  if (counted === null) return refusedFor('E_AMOUNT_RANGE', '/netPence', BEYOND_COUNTING);
  const { before, ...moved } = counted;
  const assessed = { kind: 'claim' as const, basePence: event.netPence, ...moved };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, before, draft) };
}

/** Under the flat rate scheme the percentage stands for it, under cash accounting its payment counts: its sums are kept, and that it is unpaid. */
function accountAfter(account: PeriodAccount, event: PurchaseRecorded): PeriodAccount | null {
  const { netPence, vatPence } = event;
  const isCash = waitsForPayment(account.s?.c);
  if (isCash || account.s?.k === 'FRS') {
    const kept = addAdjustment(account, event.kind, netPence, vatPence, 0);
    if (kept === null || !isCash) return kept;
    return withUnpaid(kept, unpaidPurchase(netPence, vatPence, event.recoverableBasisPoints));
  }
  return addPurchase(account, netPence, vatPence, event.recoverableBasisPoints);
}
