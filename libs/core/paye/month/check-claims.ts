import { isLocalDate } from '../../calendar/local-date.ts';
import { isTaxYear, taxYearOf } from '../../calendar/tax-calendar.ts';
import type { Fault } from '../../errors/fault.ts';
import type { EmployerClaimsMade, PayePeriodClosed, PayeSchemeCeased } from '../../events/paye-events.ts';
import { type PayeRules, rulesAtYearEnd } from '../rates/paye-rules.ts';
import { ratesNotKnown } from '../rates/rates-not-known.ts';

/** Limits of an employer's claims at every door: a year's pay bill of the largest employers fits. */
const CLAIM_PENCE_MAX = 1_000_000_000_000;

/**
 * Everything that is wrong with an employer's claims or the close of its month; empty where nothing is. Codes: UNSUPPORTED_TAX_YEAR,
 * BAD_TAX_MONTH, RATES_NOT_KNOWN, NOT_RECOVERABLE, NOT_INTEGER_PENCE, AMOUNT_OUT_OF_RANGE.
 */
export function checkClaims(event: EmployerClaimsMade | PayePeriodClosed, rules: PayeRules): readonly Fault[] {
  const faults: Fault[] = [];
  const { taxYear, taxMonth } = event;
  if (!Number.isInteger(taxMonth) || taxMonth < 1 || taxMonth > 12) {
    faults.push({ code: 'BAD_TAX_MONTH', pointer: '/taxMonth', detail: 'expected a tax month, 1 to 12' });
  }
  if (!isTaxYear(taxYear) || !rules.years.has(taxYear)) {
    const detail = `expected one of the tax years ${rules.taxYears.join(', ')}`;
    faults.push({ code: 'UNSUPPORTED_TAX_YEAR', pointer: '/taxYear', detail });
    return faults;
  }
  if (event.type === 'PayePeriodClosed') return faults;
  const { employer, notKnown } = rulesAtYearEnd(rules, taxYear);
  const { recoverableKinds } = employer;
  if (event.smallEmployer && notKnown.has('statutoryPay.compensation')) {
    const { code, message } = ratesNotKnown('statutoryPay.compensation', taxYear);
    faults.push({ code, pointer: '/smallEmployer', detail: message });
  }
  for (const [kind, amount] of Object.entries(event.statutoryPayPence)) {
    const pointer = `/statutoryPayPence/${kind.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!recoverableKinds.includes(kind)) {
      faults.push({ code: 'NOT_RECOVERABLE', pointer, detail: `expected one of ${recoverableKinds.join(' ')}` });
    } else {
      checkAmount(amount, pointer, faults);
    }
  }
  checkAmount(event.cisSufferedPence, '/cisSufferedPence', faults);
  if (event.levyAllowancePence !== null) checkAmount(event.levyAllowancePence, '/levyAllowancePence', faults);
  return faults;
}

/** What is wrong with the end of a scheme; empty where nothing is. Codes: BAD_DATE, UNSUPPORTED_TAX_YEAR. */
export function checkSchemeCeased({ ceasedOn }: PayeSchemeCeased, rules: PayeRules): readonly Fault[] {
  const pointer = '/ceasedOn';
  if (!isLocalDate(ceasedOn)) return [{ code: 'BAD_DATE', pointer, detail: 'expected a date YYYY-MM-DD' }];
  if (rules.years.has(taxYearOf(ceasedOn))) return [];
  const detail = `expected a date of one of the tax years ${rules.taxYears.join(', ')}`;
  return [{ code: 'UNSUPPORTED_TAX_YEAR', pointer, detail }];
}

function checkAmount(amountPence: number, pointer: string, faults: Fault[]): void {
  if (!Number.isSafeInteger(amountPence)) {
    faults.push({ code: 'NOT_INTEGER_PENCE', pointer, detail: 'expected a whole number of pence' });
  } else if (amountPence < 0 || amountPence > CLAIM_PENCE_MAX) {
    faults.push({ code: 'AMOUNT_OUT_OF_RANGE', pointer, detail: 'expected an amount from 0 to ten billion pounds' });
  }
}
