import type { Decision, StateView } from '../decisions/decision.ts';
import type { TaxEvent } from '../events/tax-event.ts';
import { decidePaye, payeStateKeys } from '../paye/payment/decide-paye.ts';
import type { PayeRules } from '../paye/rates/paye-rules.ts';
import { decideVat, vatStateKeys } from '../vat/decide/decide-vat.ts';
import type { VatRules } from '../vat/rates/vat-rules.ts';
import { decideMoneyMoved, moneyStateKeys } from './decide-money-moved.ts';

/** The rule sets in force: every dated rate of both taxes, each under the hash that its decisions record. */
export interface TaxRules {
  readonly paye: PayeRules;
  readonly vat: VatRules;
}

/**
 * Decides one event on top of the state of its account. Tax and the payer call this same function: that is what makes a liability
 * checkable by whom it concerns.
 *
 * @param eventHash SHA-256 (64 lower-case hex) of the event as appended to the log: tells a repeat from a conflict.
 */
export function decideEvent(event: TaxEvent, eventHash: string, view: StateView, rules: TaxRules): Decision {
  switch (event.type) {
    case 'PaymentMade':
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
    case 'PayeSchemeCeased':
      return decidePaye(event, eventHash, view, rules.paye);
    case 'TillEvent':
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade':
    case 'VatPeriodClosed':
    case 'TraderRegistered':
    case 'TraderDeregistered':
      return decideVat(event, eventHash, view, rules.vat);
    case 'MoneyMoved':
      return decideMoneyMoved(event, eventHash, view);
  }
}

/** The keys of state that a decision on this event most likely reads: a hint for loading them together. */
export function stateKeysOf(event: TaxEvent): readonly string[] {
  switch (event.type) {
    case 'PaymentMade':
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
    case 'PayeSchemeCeased':
      return payeStateKeys(event);
    case 'TillEvent':
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade':
    case 'VatPeriodClosed':
    case 'TraderRegistered':
    case 'TraderDeregistered':
      return vatStateKeys(event);
    case 'MoneyMoved':
      return moneyStateKeys(event);
  }
}
