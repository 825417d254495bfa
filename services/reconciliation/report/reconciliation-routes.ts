import { Router } from 'express';
import { type BearerDependencies, requireClient } from '../../../libs/adapters/access/bearer.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { EventStream } from '../../../libs/adapters/server/event-stream.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { type Account, accountFromUrl, isAccount } from '../../../libs/core/identity/account.ts';
import type { ExceptionsAnswer } from './exceptions.ts';
import type { Summary } from './summary.ts';

export interface ReconciliationRoutesDependencies extends BearerDependencies {
  readonly summary: () => Summary;
  readonly exceptions: (account: Account | null, limit: number) => ExceptionsAnswer;
  readonly stream: EventStream;
  /** Forgets what is stored; resolves when the log is read again to its end. */
  readonly rebuild: () => Promise<void>;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;

/** `/reconciliation/v1/…` of docs/http-api.md: for HMRC's analysts and operators; no payer sees another's exceptions here. */
export function reconciliationRoutes(dependencies: ReconciliationRoutesDependencies): Router {
  const router = Router();
  const analyst = requireClient(dependencies, 'analyst', 'operator');
  router.get('/reconciliation/v1/summary', analyst, (_request, response) => {
    response.set('Cache-Control', 'no-store').json(dependencies.summary());
  });
  router.get('/reconciliation/v1/exceptions', analyst, (request, response) => {
    const { account, limit } = exceptionsQuery(request.query);
    response.set('Cache-Control', 'no-store').json(dependencies.exceptions(account, limit));
  });
  router.post('/reconciliation/v1/rebuild', requireClient(dependencies, 'operator'), async (_request, response) => {
    await dependencies.rebuild();
    response.json({ stage: 'reconciliation', rebuilt: true });
  });
  router.get('/reconciliation/v1/live', analyst, (request, response) => dependencies.stream.serve(request, response));
  return router;
}

/** Throws INPUT_INVALID with every fault. */
function exceptionsQuery(query: Readonly<Record<string, unknown>>): { account: Account | null; limit: number } {
  const faults: Fault[] = [];
  const account = accountOf(query['account']);
  if (account === undefined) {
    const detail = 'expected an account such as paye:123-AB456 or vat:123456789';
    faults.push({ code: 'ACCOUNT_INVALID', pointer: '/account', detail });
  }
  const limit = limitOf(query['limit']);
  if (limit === undefined) {
    faults.push({ code: 'LIMIT_INVALID', pointer: '/limit', detail: `expected a whole number from 1 to ${LIMIT_MAX}` });
  }
  if (account === undefined || limit === undefined) {
    throw new HttpProblem(422, 'INPUT_INVALID', 'the query is at fault', { faults });
  }
  return { account, limit };
}

function accountOf(given: unknown): Account | null | undefined {
  if (given === undefined || given === '') return null;
  if (typeof given !== 'string') return undefined;
  try {
    return isAccount(given) ? given : accountFromUrl(given);
  } catch {
    return undefined;
  }
}

function limitOf(given: unknown): number | undefined {
  if (given === undefined) return LIMIT_DEFAULT;
  const limit = typeof given === 'string' && /^\d{1,4}$/.test(given) ? Number(given) : Number.NaN;
  return limit >= 1 && limit <= LIMIT_MAX ? limit : undefined;
}
