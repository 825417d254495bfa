import { addDays, addMonths, type LocalDate } from '../calendar/local-date.ts';
import { londonDate } from '../calendar/london-time.ts';
import type { Fault } from '../errors/fault.ts';
import type { TaxEvent } from '../events/tax-event.ts';
import { taxPointFault } from '../vat/decide/date-fault.ts';
import type { VatRules } from '../vat/rates/vat-rules.ts';

/** How far ahead a payroll is sent of its pay day, months: three cover the advance of any annual or quarterly payroll. */
const PAY_DAY_AHEAD_MONTHS = 3;
/** How far ahead of its receipt a bank may book money, days. */
const BOOKED_AHEAD_DAYS = 31;

/**
 * The faults of an event's dates on the day on which a door receives it, in the United Kingdom: such as only a wrong clock or a slip makes.
 * What an account's own registration bounds is tax's to judge.
 */
export function dateFaultsOf(event: TaxEvent, receivedAtMs: number, rules: VatRules): readonly Fault[] {
  const received = londonDate(receivedAtMs);
  switch (event.type) {
    case 'PaymentMade': {
      const last = addMonths(received, PAY_DAY_AHEAD_MONTHS);
      return notAfter(event.paymentDate, last, 'PAY_DAY_FUTURE', '/paymentDate');
    }
    case 'MoneyMoved': {
      const last = addDays(received, BOOKED_AHEAD_DAYS);
      return notAfter(event.bookedOn, last, 'DATE_FUTURE', '/bookedOn');
    }
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade': {
      const fault = taxPointFault(event.taxPoint, received, rules);
      return fault === null ? [] : [fault];
    }
    default:
      return [];
  }
}

function notAfter(date: LocalDate, last: LocalDate, code: string, pointer: string): readonly Fault[] {
  return date <= last ? [] : [{ code, pointer, detail: `a date not after ${last}: look at the year` }];
}
