import { type Request, type RequestHandler, type Response, Router } from 'express';
import { assertActsFor } from '../../../libs/adapters/access/bearer.ts';
import { WORKS_NUMBER_CHARACTERS_MAX } from '../../../libs/adapters/http/limits.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { isLocalDate } from '../../../libs/core/calendar/local-date.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { isTaxYear, type TaxYear, taxYearOf } from '../../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, accountFromUrl, taxOf } from '../../../libs/core/identity/account.ts';
import { accountsOfficeReference } from '../../../libs/core/identity/accounts-office-reference.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { type EmploymentView, employmentView } from './employment-view.ts';
import { MONTH_PAYMENTS_MAX, monthView } from './month-view.ts';

export interface PayeRouterDependencies {
  readonly store: PayerStore;
  readonly rules: RuleSets;
  readonly auth: RequestHandler;
  readonly clock: CivilClock;
}

/** Where the views stand: under the payer node's own path, and under the one that a payroll system may know from elsewhere. */
const ROOTS = ['/payer/v1/paye/accounts/:ref', '/v1/paye/accounts/:ref'];
/** `2026-27-M08`, also `2026-27/M08` (encoded) and `2026-27-08`. */
const MONTH = /^(\d{4}-\d{2})[-/]M?(\d{1,2})$/;
const PAGE_DEFAULT = 100;

/** An employer's months, employments and payslips, from the payer's own verified copy (docs/http-api.md). */
export function payeRouter({ store, rules, auth, clock }: PayeRouterDependencies): Router {
  const router = Router();
  const thisYear = (): TaxYear => taxYearOf(londonDate(clock.civilMs()));
  const employmentOf = (request: Request, response: Response): EmploymentView => {
    const followed = followedAccount(store, request, response);
    const taxYear = taxYearOfQuery(request) ?? thisYear();
    const worksNumber = String(request.params['worksNumber']);
    // One that is longer than any door takes is nobody's, and too long for a key of the store.
    const isOne = worksNumber.length <= WORKS_NUMBER_CHARACTERS_MAX;
    const view = isOne ? employmentView(store, rules, followed, taxYear, worksNumber) : null;
    if (view !== null) return view;
    throw new HttpProblem(404, 'NOT_FOUND', `no payment under this works number is in the copy for ${taxYear}`);
  };
  for (const root of ROOTS) {
    router.get(`${root}/months/:month`, auth, (request, response) => {
      response.json(monthAnswer(store, rules, request, response));
    });
    router.get(`${root}/employments/:worksNumber`, auth, (request, response) => {
      response.json(employmentOf(request, response));
    });
    router.get(`${root}/employments/:worksNumber/payslips/:which`, auth, (request, response) => {
      const { payments, ...employment } = employmentOf(request, response);
      const which = String(request.params['which']);
      const found = payments.filter(({ eventId, paymentDate }) => eventId === which || paymentDate === which);
      const payslips = which === 'latest' ? payments.slice(-1) : found;
      if (payslips.length === 0) {
        const what = isLocalDate(which) ? 'of this date' : 'of this event id (or date, or "latest")';
        throw new HttpProblem(404, 'NOT_FOUND', `the employment has no payment ${what} in ${employment.taxYear}`);
      }
      response.json({ ...employment, payslips });
    });
  }
  return router;
}

function monthAnswer(store: PayerStore, rules: RuleSets, request: Request, response: Response): unknown {
  const followed = followedAccount(store, request, response);
  const month = monthOfPath(request);
  const page = { after: wholeNumber(request, 'after', 0), limit: wholeNumber(request, 'limit', PAGE_DEFAULT) };
  if (page.limit > MONTH_PAYMENTS_MAX) {
    throw new HttpProblem(422, 'INPUT_INVALID', `limit is at most ${MONTH_PAYMENTS_MAX}`);
  }
  try {
    const view = monthView(store, rules, followed, month, page);
    return { ...view, paymentReference: paymentReferenceOf(request, view.bill.referenceSuffix) };
  } catch (error) {
    if (!(error instanceof TallyError) || error.code !== 'UNSUPPORTED_TAX_YEAR') throw error;
    throw new HttpProblem(422, error.code, error.message);
  }
}

/** The Accounts Office reference stands in no event: who asks says it, and its check letter is checked. */
function paymentReferenceOf(request: Request, suffix: string): string | null {
  const text = request.query['accountsOfficeReference'];
  if (text === undefined) return null;
  try {
    return `${accountsOfficeReference(String(text))}${suffix}`;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    throw new HttpProblem(422, error.code, error.message);
  }
}

function followedAccount(store: PayerStore, request: Request, response: Response): FollowedAccount {
  const owner = accountOfPath(String(request.params['ref']));
  assertActsFor(response, owner);
  const followed = store.account(owner);
  if (followed === undefined) throw new HttpProblem(404, 'NOT_FOUND', 'this node does not follow the account');
  return followed;
}

/** `123-AB456`, `123/AB456`, with `paye:` before it or without. */
function accountOfPath(ref: string): Account {
  try {
    const owner = accountFromUrl(ref.startsWith('paye:') ? ref : `paye:${ref}`);
    if (taxOf(owner) === 'paye') return owner;
  } catch {
    // Said below, in the words of this path.
  }
  throw new HttpProblem(404, 'NOT_FOUND', 'an employer is named by its PAYE reference, such as 123-AB456');
}

function monthOfPath(request: Request): { readonly taxYear: TaxYear; readonly taxMonth: number } {
  const [, year = '', month = ''] = MONTH.exec(String(request.params['month'])) ?? [];
  const taxMonth = Number(month);
  if (!isTaxYear(year) || taxMonth < 1 || taxMonth > 12) {
    throw new HttpProblem(422, 'BAD_TAX_MONTH', 'a tax month is 1 to 12 of a tax year, such as 2026-27-M08');
  }
  return { taxYear: year, taxMonth };
}

function taxYearOfQuery(request: Request): TaxYear | null {
  const text = request.query['taxYear'];
  if (text === undefined) return null;
  if (typeof text === 'string' && isTaxYear(text)) return text;
  throw new HttpProblem(422, 'BAD_TAX_YEAR', 'a tax year is such as 2026-27');
}

function wholeNumber(request: Request, name: string, absent: number): number {
  const text = request.query[name];
  if (text === undefined) return absent;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new HttpProblem(422, 'INPUT_INVALID', `${name} is a whole number, not negative`);
  }
  return value;
}
