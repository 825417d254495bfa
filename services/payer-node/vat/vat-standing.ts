import { createHash } from 'node:crypto';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import type { NamedReturn, ReturnNames } from '../../../libs/core/vat/mtd/penalties.ts';
import { declaredDuePence } from '../../../libs/core/vat/mtd/return.ts';
import type { VatRules } from '../../../libs/core/vat/rates/vat-rules.ts';
import type { LateReturn } from '../../../libs/core/vat/standing/late-return-points.ts';
import type { MoneyOfTrader } from '../../../libs/core/vat/standing/settle-charges.ts';
import { type TraderStanding, traderStanding } from '../../../libs/core/vat/standing/trader-standing.ts';
import { registrationOn, traderOf } from '../../../libs/core/vat/state/trader.ts';
import { OwnState } from '../store/own-state.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { TraderPeriod } from './vat-periods.ts';

/** A trader's points, penalties and interest, with the names of its returns. */
export interface NamedStanding {
  readonly standing: TraderStanding<NamedReturn>;
  readonly namesOf: (late: LateReturn) => ReturnNames;
}

/**
 * Where a trader stands with its returns and payments on a day: from the returns filed here, the periods as recomputed here, and the money
 * in the verified copy.
 */
export function standingOfTrader(
  store: PayerStore,
  rules: VatRules,
  followed: FollowedAccount,
  { periods, money }: { readonly periods: readonly TraderPeriod[]; readonly money: readonly MoneyOfTrader[] },
  today: LocalDate,
): NamedStanding {
  const trader = traderOf(followed.account, new OwnState(store, followed.number));
  const owed = periods.filter(({ isOwed, filed }) => isOwed || filed !== null);
  const returns = owed.map((one): NamedReturn => {
    const { period, due } = one.return;
    const { filed, isOwed } = one;
    return {
      start: period.start,
      end: period.end,
      due: filed?.due ?? due,
      registration: registrationOn(trader, period.start),
      isOwed,
      filedOn: filed?.receivedOn ?? null,
      duePence: filed === null ? null : declaredDuePence(filed.declared),
      number: numberOf(followed, one),
      formBundleNumber: filed?.formBundleNumber ?? null,
      chargeRefNumber: filed?.chargeRefNumber ?? null,
    };
  });
  const byStart = new Map(returns.map((one) => [one.start, one]));
  const standing = traderStanding(returns, money, today, rules);
  return { standing, namesOf: ({ due }) => byStart.get(due.start) ?? NO_NAMES };
}

/** Of a trader that this node knows nothing of. */
export const NO_STANDING: Pick<TraderStanding<NamedReturn>, 'charges' | 'unallocatedPence'> = {
  charges: [],
  unallocatedPence: 0,
};

const NO_NAMES: ReturnNames = { number: '', formBundleNumber: null, chargeRefNumber: null };

/** Fourteen digits, made of account and period, so that whoever asks, and whenever, has the same number. */
function numberOf({ account }: FollowedAccount, { periodKey, return: { period } }: TraderPeriod): string {
  const text = JSON.stringify(['tallystick/vat-late-return/v1', account, periodKey, period.text]);
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return (BigInt(`0x${hex}`) % 10n ** 14n).toString().padStart(14, '0');
}
