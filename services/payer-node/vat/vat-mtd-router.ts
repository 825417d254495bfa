import { type NextFunction, type Request, type Response, Router } from 'express';
import { type BearerDependencies, clientOfRequest, withAccess } from '../../../libs/adapters/access/bearer.ts';
import { type Client, type ClientRegistry, hasRole, mayActFor } from '../../../libs/adapters/access/clients.ts';
import { HttpProblem, problemOf } from '../../../libs/adapters/http/problem.ts';
import { textBody } from '../../../libs/adapters/server/request-body.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { account } from '../../../libs/core/identity/account.ts';
import { type MtdErrorCode, type MtdRefusal, mtdRefusal } from '../../../libs/core/vat/mtd/error.ts';
import { financialDetailsAnswer } from '../../../libs/core/vat/mtd/financial-details.ts';
import { informationAnswer } from '../../../libs/core/vat/mtd/information.ts';
import { liabilitiesAnswer, paymentsAnswer } from '../../../libs/core/vat/mtd/money.ts';
import { obligationsAnswer } from '../../../libs/core/vat/mtd/obligations.ts';
import { penaltiesAnswer } from '../../../libs/core/vat/mtd/penalties.ts';
import { declaredDuePence, isPeriodKey, viewRefusal } from '../../../libs/core/vat/mtd/return.ts';
import type { VatRules } from '../../../libs/core/vat/rates/vat-rules.ts';
import type { VatCharge } from '../../../libs/core/vat/standing/settle-charges.ts';
import { NEW_TRADER, traderOf } from '../../../libs/core/vat/state/trader.ts';
import { OwnState } from '../store/own-state.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { fileVatReturn } from './file-vat-return.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';
import type { TraderMoney } from './vat-money.ts';
import { obligationOf, periodsOfTrader, type TraderPeriod } from './vat-periods.ts';
import { type NamedStanding, NO_STANDING, standingOfTrader } from './vat-standing.ts';

export interface MtdRouterDependencies {
  readonly store: PayerStore;
  readonly filings: VatFilings;
  readonly money: TraderMoney;
  readonly rules: VatRules;
  readonly clients: ClientRegistry;
  readonly clock: CivilClock;
  readonly logger: Logger;
  readonly onFiled: () => void;
}

const ACCEPT = 'application/vnd.hmrc.1.0+json';
const VRN = /^\d{9}$/;
const PATH = '/organisations/vat/:vrn';

/**
 * HMRC's MTD VAT API 1.0 under its own paths (vat.md section 7), for software that files with HMRC: answered from the payer's own record and
 * recomputed state. Errors are HMRC's, code and message; a bearer key is bound to the VRNs that it acts for.
 */
export function mtdVatRouter(dependencies: MtdRouterDependencies): Router {
  const { store, filings, money, clock } = dependencies;
  const router = Router();
  const door = mtdDoor(dependencies);
  const today = () => londonDate(clock.civilMs());
  const followedOf = (request: Request): FollowedAccount | null =>
    store.account(account(`vat:${vrnOf(request)}`)) ?? null;
  const periodsOf = (request: Request): readonly TraderPeriod[] => {
    const followed = followedOf(request);
    return followed === null ? [] : periodsOfTrader(store, filings, followed, today());
  };
  router.get(`${PATH}/obligations`, door, (request, response) => {
    const query = { ...rangeQuery(request), status: textQuery(request, 'status') };
    const owed = periodsOf(request).filter(({ isOwed, filed }) => isOwed || filed !== null);
    send(response, obligationsAnswer(query, owed.map(obligationOf)));
  });
  router.post(`${PATH}/returns`, door, textBody, async (request, response) => {
    const body: unknown = request.body;
    const filed = await fileVatReturn(
      vrnOf(request),
      typeof body === 'string' ? body : '',
      followedOf(request),
      dependencies,
    );
    if ('status' in filed) send(response, filed);
    else sendReceipt(response, filed);
  });
  router.get(`${PATH}/returns/:periodKey`, door, (request, response) => {
    send(response, returnAnswer(String(request.params['periodKey']), periodsOf(request), today()));
  });
  router.get(`${PATH}/liabilities`, door, async (request, response) => {
    const paid = await money.of(followedOf(request));
    send(response, liabilitiesAnswer(rangeQuery(request), today(), periodsOf(request).flatMap(chargesOf), paid));
  });
  router.get(`${PATH}/payments`, door, async (request, response) => {
    send(response, paymentsAnswer(rangeQuery(request), today(), await money.of(followedOf(request))));
  });
  addStandingRoutes(router, door, dependencies, { followedOf, periodsOf });
  router.use(PATH, (_request: Request, response: Response) => void send(response, mtdRefusal('NOT_FOUND')));
  router.use(PATH, mtdErrors(dependencies.logger));
  return router;
}

interface TraderOf {
  readonly followedOf: (request: Request) => FollowedAccount | null;
  readonly periodsOf: (request: Request) => readonly TraderPeriod[];
}

/** What follows from returns and money: penalties, a charge's details; and what the trader registered. */
function addStandingRoutes(
  router: Router,
  door: ReturnType<typeof mtdDoor>,
  { store, rules, money, clock }: MtdRouterDependencies,
  { followedOf, periodsOf }: TraderOf,
): void {
  const today = () => londonDate(clock.civilMs());
  const standingOf = async (request: Request, followed: FollowedAccount): Promise<NamedStanding> => {
    const paid = await money.of(followed);
    return standingOfTrader(store, rules, followed, { periods: periodsOf(request), money: paid }, today());
  };
  router.get(`${PATH}/penalties`, door, async (request, response) => {
    const followed = followedOf(request);
    if (followed === null) {
      send(response, {});
      return;
    }
    const { standing, namesOf } = await standingOf(request, followed);
    send(response, penaltiesAnswer(standing, namesOf, today()));
  });
  router.get(`${PATH}/financial-details/:chargeReference`, door, async (request, response) => {
    const followed = followedOf(request);
    const standing = followed === null ? NO_STANDING : (await standingOf(request, followed)).standing;
    send(response, financialDetailsAnswer(String(request.params['chargeReference']), standing, today(), rules));
  });
  router.get(`${PATH}/information`, door, (request, response) => {
    const followed = followedOf(request);
    const trader = followed === null ? NEW_TRADER : traderOf(followed.account, new OwnState(store, followed.number));
    send(response, informationAnswer(trader, today()));
  });
}

const ROLES = ['payer', 'operator'] as const;

/** What HMRC's platform checks before the API: the Accept header, who calls, the VRN, and whether the caller acts for it. */
function mtdDoor({ clients, clock }: MtdRouterDependencies) {
  return withAccess(ROLES, (request: Request, response: Response, next: NextFunction): void => {
    response.set('X-CorrelationId', String(response.locals['correlationId'] ?? ''));
    const refusal = doorRefusal(request, response, { clients, clock });
    if (refusal === null) next();
    else send(response, mtdRefusal(refusal));
  });
}

function doorRefusal(request: Request, response: Response, dependencies: BearerDependencies): MtdErrorCode | null {
  if (request.get('accept') !== ACCEPT) return 'ACCEPT_HEADER_INVALID';
  const client = callerOf(request, response, dependencies);
  if (typeof client === 'string') return client;
  const vrn = vrnOf(request);
  if (!VRN.test(vrn)) return 'VRN_INVALID';
  const mayAct = mayActFor(client, account(`vat:${vrn}`)) && ROLES.some((role) => hasRole(client, role));
  return mayAct ? null : 'CLIENT_OR_AGENT_NOT_AUTHORISED';
}

/** The client, or why there is none in HMRC's words. */
function callerOf(request: Request, response: Response, dependencies: BearerDependencies): Client | MtdErrorCode {
  try {
    return clientOfRequest(dependencies, request, response);
  } catch (error) {
    if (!(error instanceof HttpProblem)) {
      if (error instanceof TallyError) return 'INVALID_CREDENTIALS';
      throw error;
    }
    if (error.retryAfterSeconds !== null) response.set('Retry-After', String(error.retryAfterSeconds));
    return error.status === 429 ? 'MESSAGE_THROTTLED_OUT' : 'INVALID_CREDENTIALS';
  }
}

function returnAnswer(
  periodKey: string,
  periods: readonly TraderPeriod[],
  today: ReturnType<typeof londonDate>,
): FiledReturn['declared'] | MtdRefusal {
  if (!isPeriodKey(periodKey)) return mtdRefusal('PERIOD_KEY_INVALID');
  const filed = periods.find((period) => period.periodKey === periodKey)?.filed ?? null;
  if (filed === null) return mtdRefusal('NOT_FOUND');
  return viewRefusal(filed.end, today) ?? filed.declared;
}

function chargesOf({ filed }: TraderPeriod): readonly VatCharge[] {
  if (filed === null) return [];
  const { start, end, due, declared, receivedOn } = filed;
  return [{ start, end, due, duePence: declaredDuePence(declared), filedOn: receivedOn }];
}

function sendReceipt(response: Response, filed: FiledReturn): void {
  const at = new Date(filed.receivedAtMs).toISOString();
  response
    .status(201)
    .set({ 'Receipt-ID': filed.receiptId, 'Receipt-Timestamp': at })
    .json({
      processingDate: at,
      formBundleNumber: filed.formBundleNumber,
      ...(filed.chargeRefNumber === null ? {} : { chargeRefNumber: filed.chargeRefNumber }),
    });
}

function send(response: Response, answer: object | MtdRefusal): void {
  if (isRefusal(answer)) response.status(answer.status).json(answer.body);
  else response.status(200).json(answer);
}

function isRefusal(answer: object): answer is MtdRefusal {
  return 'status' in answer && 'body' in answer;
}

/** What went wrong on our side, in HMRC's words; the correlation id leads to the log. */
function mtdErrors(logger: Logger) {
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    if (response.headersSent) {
      next(error);
      return;
    }
    // A path that is no UTF-8 is express's own error.
    const problem = error instanceof URIError ? problemOf(error) : error;
    if (problem instanceof HttpProblem && problem.status !== 500) {
      if (problem.retryAfterSeconds !== null) response.set('Retry-After', String(problem.retryAfterSeconds));
      send(response, mtdRefusal(codeOfProblem(problem.status)));
      return;
    }
    logger.error({ err: error, correlationId: response.locals['correlationId'] }, 'the MTD VAT API failed');
    const retriable = error instanceof TallyError && error.retriable;
    send(response, mtdRefusal(retriable ? 'SERVICE_UNAVAILABLE' : 'INTERNAL_SERVER_ERROR'));
  };
}

/** What textBody refuses: too large, cut short, not UTF-8, or no room for it now. */
function codeOfProblem(status: number): MtdErrorCode {
  if (status === 503) return 'SERVICE_UNAVAILABLE';
  return status === 429 ? 'MESSAGE_THROTTLED_OUT' : 'INVALID_REQUEST';
}

function rangeQuery(request: Request): { readonly from: string | undefined; readonly to: string | undefined } {
  return { from: textQuery(request, 'from'), to: textQuery(request, 'to') };
}

/** A query value that stands there twice is not a text, and fails as one. */
function textQuery(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return value === undefined ? undefined : String(value);
}

function vrnOf(request: Request): string {
  return String(request.params['vrn']);
}
