import type { TaxEvent } from '../../../libs/core/events/tax-event.ts';

/**
 * The taxable base that an event itself states, pence: what its decision and its entry must show too. Worked out here and not taken from
 * tax, so that the two can differ.
 */
export function taxableBaseOf(event: TaxEvent): number {
  switch (event.type) {
    case 'PaymentMade':
      return event.taxablePayPence;
    case 'TillEvent':
      return isTaking(event.tillType) ? event.lines.reduce((sum, { paidPence }) => sum + paidPence, 0) : 0;
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade':
      return event.netPence;
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
    case 'PayeSchemeCeased':
    case 'VatPeriodClosed':
    case 'TraderRegistered':
    case 'TraderDeregistered':
    case 'MoneyMoved':
      return 0;
  }
}

function isTaking(type: string): boolean {
  return type === 'SALE' || type === 'REFUND' || type === 'VOID';
}
