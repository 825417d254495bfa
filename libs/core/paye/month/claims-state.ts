import { stateForm } from '../../decisions/state-form.ts';
import type { Account } from '../../identity/account.ts';

/** What an employer claimed in a tax year as last stated, and what of it the ledger has, pence to date. */
export interface ClaimsState {
  /** Events seen (employment-state.ts). */
  readonly seenMarks: string;
  /** The latest tax month settled; 0 for none. */
  readonly settledMonth: number;
  readonly employmentAllowance: boolean;
  readonly smallEmployer: boolean;
  /** Statutory pay to date by kind. */
  readonly statutoryPayPence: Readonly<Record<string, number>>;
  readonly cisSufferedPence: number;
  /** This scheme's share of the levy allowance; null for the whole. */
  readonly levyAllowancePence: number | null;
  readonly taken: readonly [allowance: number, recovered: number, compensation: number, levy: number, cis: number];
}

/** Names in the log and the stores. */
export const CLAIMS_FORM = stateForm<ClaimsState>({
  seenMarks: 'h',
  settledMonth: 'm',
  employmentAllowance: 'a',
  smallEmployer: 's',
  statutoryPayPence: 'p',
  cisSufferedPence: 'c',
  levyAllowancePence: 'l',
  taken: 't',
});

export const NO_CLAIMS: ClaimsState = {
  seenMarks: '',
  settledMonth: 0,
  employmentAllowance: false,
  smallEmployer: false,
  statutoryPayPence: {},
  cisSufferedPence: 0,
  levyAllowancePence: null,
  taken: [0, 0, 0, 0, 0],
};

export function claimsKey(account: Account, year: string): string {
  return `payeclaims|${account}|${year}`;
}
