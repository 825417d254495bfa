import type { PaymentMade, YearToDate } from '../../events/paye-events.ts';
import type { DirectorState, EmploymentState } from './employment-state.ts';

/**
 * The state of an employment that another software worked out until now, before its first payment here: the figures to date that the employer
 * states. A figure that is not stated is nothing.
 *
 * @param directorWeeks weeks of a director's annual earnings period, which takes in the balance.
 */
export function openedState(event: PaymentMade, balance: YearToDate, directorWeeks: number): EmploymentState {
  const earnings = balance.nicableEarningsByLetter;
  const state: EmploymentState = {
    lastPayDay: event.paymentDate,
    taxablePayPence: balance.taxablePayPence ?? 0,
    taxPence: balance.incomeTaxPence ?? 0,
    niEarningsPence: Object.values(earnings).reduce((sum, pence) => sum + pence, 0),
    employeeNicsPence: balance.employeeNicsPence ?? 0,
    employerNicsPence: balance.employerNicsPence ?? 0,
    studentLoanPence: balance.studentLoanPence ?? 0,
    postgraduateLoanPence: balance.postgraduateLoanPence ?? 0,
    seenMarks: '',
    pools: [],
  };
  if (event.directorsNic === null) return state;
  const director: DirectorState = {
    method: event.directorsNic,
    weeks: directorWeeks,
    earningsByLetter: earnings,
    employeeNicsPence: state.employeeNicsPence,
    employerNicsPence: state.employerNicsPence,
  };
  return { ...state, director };
}
