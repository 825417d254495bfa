import type { StateView } from '../../decisions/decision.ts';
import type { Account } from '../../identity/account.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { retailVatOf, taxableOf } from '../schemes/retail-vat.ts';
import { outputVatOf, type PeriodAccount, periodAccountOf } from '../state/period-account.ts';
import { periodKey } from '../state/state-keys.ts';
import { marginOutputVatOf } from './counted-boxes.ts';

/**
 * Supplies to others that an adjustment tells of, by the sign of its net value. Services received under the reverse charge are left out:
 * the law makes them supplies of the receiver, but not for a scheme's limits. Of the margin scheme the price counts, less the VAT within.
 */
const SUPPLIES: Readonly<Record<string, 1 | -1>> = {
  sale: 1,
  sale_zero: 1,
  sale_export: 1,
  sale_refund: -1,
  drc_sale: 1,
  ni_dispatch: 1,
  own_use: 1,
  margin_sale: 1,
  margin_pool_sale: 1,
};

/** Taxable supplies of a period without their VAT, when they were made and not when they were paid; exempt ones are left out. */
export function taxableTurnoverOf(account: PeriodAccount): Pence {
  let net = retailTurnoverOf(account) - marginOutputVatOf(account);
  for (const [kind, [netPence]] of Object.entries(account.a ?? {})) net += (SUPPLIES[kind] ?? 0) * netPence;
  return pence(net);
}

/** Taxable takings of the tills without their VAT. The flat rate is a way to pay VAT, not the VAT within the prices. */
export function retailTurnoverOf(account: PeriodAccount): Pence {
  const vat = account.s?.k === 'FRS' ? outputVatOf(account) : retailVatOf(account);
  return pence(taxableOf(account.g) - vat);
}

/** The account of a period as it stands in the state; an empty one where it has no event. */
export function periodAccountAt(owner: Account, start: string, view: StateView): PeriodAccount {
  return periodAccountOf(view.get(periodKey(owner, start)));
}
