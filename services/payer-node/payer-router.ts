import { once } from 'node:events';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { assertActsFor, clientOf, requireClient } from '../../libs/adapters/access/bearer.ts';
import { type Client, type ClientRegistry, mayActFor } from '../../libs/adapters/access/clients.ts';
import { HttpProblem } from '../../libs/adapters/http/problem.ts';
import type { RuleSets } from '../../libs/adapters/rules/rule-sets.ts';
import { jsonBody } from '../../libs/adapters/server/request-body.ts';
import type { CivilClock } from '../../libs/adapters/time/clock.ts';
import { hasCode } from '../../libs/core/errors/tally-error.ts';
import { type Account, accountForUrl, accountFromUrl, type Tax } from '../../libs/core/identity/account.ts';
import { type EventId, eventId, uuidOf } from '../../libs/core/identity/event-id.ts';
import type { LedgerFollower } from './follow/follow-ledger.ts';
import { eventStatuses } from './outbox/event-statuses.ts';
import { BATCH_EVENTS_MAX, type Outbox, type OutboxCounts } from './outbox/outbox.ts';
import { nextOfTills, tillLinkOf } from './outbox/till-heads.ts';
import { payeRouter } from './paye/paye-router.ts';
import { flagsOf } from './store/event-flags.ts';
import { eventKey } from './store/payer-keys.ts';
import type {
  EventStatus,
  FollowedAccount,
  RefusedEvent,
  RejectedEvent,
  StoredDivergence,
} from './store/payer-records.ts';
import type { PayerStore } from './store/payer-store.ts';
import { readPlace } from './store/payer-values.ts';
import { accountState } from './views/account-state.ts';
import { STATEMENT_ENTRIES_MAX, type Statement } from './views/account-statement.ts';

/** What the node shows of itself. */
export interface NodeView {
  counts(): OutboxCounts;
  accounts(): readonly FollowedAccount[];
  /** Null for an account that is not followed. */
  statement(owner: Account, page: { readonly limit: number; readonly beforeSeq: number | null }): Statement | null;
  /** Lines of the copy (docs/formats/payers-copy.md). Throws ACCOUNT_UNKNOWN, COPY_EMPTY. */
  copy(owner: Account): Generator<string>;
  divergences(): Iterable<StoredDivergence>;
}

export interface PayerRouterDependencies {
  readonly node: NodeView;
  readonly outbox: Outbox;
  readonly follower: LedgerFollower;
  readonly store: PayerStore;
  readonly rules: RuleSets;
  readonly clients: ClientRegistry;
  readonly clock: CivilClock;
}

/** The payer node's HTTP interface (docs/http-api.md): for the payer's own systems and people. */
export function payerRouter(dependencies: PayerRouterDependencies): Router {
  const { node, store } = dependencies;
  const router = Router();
  const auth = requireClient({ clients: dependencies.clients, clock: dependencies.clock }, 'payer', 'operator');
  router.post('/payer/v1/events/status', auth, ...jsonBody, (request, response) => {
    response.json({ statuses: eventStatuses(store, clientOf(response), request.body) });
  });
  router.post('/payer/v1/events/:tax', auth, ...jsonBody, (request, response) =>
    postEvents(dependencies, request, response),
  );
  router.get('/payer/v1/outbox', auth, (_request, response) => void response.json(node.counts()));
  router.post('/payer/v1/outbox/resend', auth, ...jsonBody, async (request, response) => {
    const client = clientOf(response);
    const resent = await dependencies.outbox.resend(sinceOf(request.body), (owner) => mayActFor(client, owner));
    response.status(202).json({ resent });
  });
  router.get('/payer/v1/accounts', auth, (_request, response) => {
    const client = clientOf(response);
    const mine = node.accounts().filter((one) => mayActFor(client, one.account));
    response.json({ accounts: mine.map(accountLine) });
  });
  router.get('/payer/v1/accounts/:account/statement', auth, (request, response) => {
    const statement = node.statement(ownAccount(request, response), pageOf(request));
    if (statement === null) throw notFollowed();
    response.json(statement);
  });
  router.get('/payer/v1/accounts/:account/copy', auth, (request, response) => sendCopy(node, request, response));
  router.post('/payer/v1/accounts/:account/state', auth, ...jsonBody, (request, response) => {
    response.json({ values: accountState(store, store.account(ownAccount(request, response)), request.body) });
  });
  router.use(payeRouter({ store, rules: dependencies.rules, auth, clock: dependencies.clock }));
  divergenceRoutes(router, auth, dependencies);
  router.get('/payer/v1/events/:eventId', auth, (request, response) => {
    const events = findEvents(store, clientOf(response), idOf(request));
    if (events.length === 0) throw new HttpProblem(404, 'NOT_FOUND', 'no event of this id is in the record');
    response.json({ events });
  });
  return router;
}

function divergenceRoutes(
  router: Router,
  auth: RequestHandler,
  { node, follower, store }: PayerRouterDependencies,
): void {
  const readable = (request: Request, response: Response): StoredDivergence => {
    const number = Number(request.params['number']);
    const stored = Number.isSafeInteger(number) && number > 0 ? store.divergences.get(number) : undefined;
    if (stored !== undefined && mayRead(clientOf(response), stored)) return stored;
    throw new HttpProblem(404, 'NOT_FOUND', 'there is no such divergence');
  };
  router.get('/payer/v1/divergences', auth, (_request, response) => {
    const client = clientOf(response);
    const mine = [...node.divergences()].filter((one) => mayRead(client, one));
    response.json({ divergences: mine.map(({ report, own, ...line }) => line), waiting: follower.waiting });
  });
  router.get('/payer/v1/divergences/:number', auth, (request, response) => {
    response.json(readable(request, response));
  });
  router.post('/payer/v1/divergences/:number/retry', auth, async (request, response) => {
    const { number } = readable(request, response);
    await follower.retry(number);
    response.status(202).json({ retried: number });
  });
}

async function postEvents(dependencies: PayerRouterDependencies, request: Request, response: Response): Promise<void> {
  const tax = taxOfPath(request);
  const body: unknown = request.body;
  const events: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (events.length === 0 || events.length > BATCH_EVENTS_MAX) {
    throw new HttpProblem(422, 'INPUT_INVALID', `expected 1 to ${BATCH_EVENTS_MAX} events, not ${events.length}`);
  }
  const client = clientOf(response);
  const mayPost = (owner: Account): boolean => mayActFor(client, owner);
  const result = await dependencies.outbox.submit(tax, events, { whole: true, mayPost });
  if (result.refused.length > 0) {
    const isOne = !Array.isArray(body);
    const faults = result.refused
      .flatMap((refused) => refused.faults)
      .map((fault) => (isOne ? { ...fault, pointer: fault.pointer.slice(2) } : fault));
    const conflict = faults.every((fault) => fault.code === 'EVENT_ID_CONFLICT');
    const status = conflict ? 409 : 422;
    throw new HttpProblem(status, conflict ? 'EVENT_ID_CONFLICT' : 'INPUT_INVALID', 'nothing was queued', { faults });
  }
  const tills = nextOfTills(dependencies.store, events);
  response.status(202).json({ queued: result.queued + result.repeated, ...(tills.length > 0 ? { tills } : {}) });
}

async function sendCopy(node: PayerRouterDependencies['node'], request: Request, response: Response): Promise<void> {
  const owner = ownAccount(request, response);
  let lines: Generator<string>;
  try {
    lines = node.copy(owner);
  } catch (error) {
    if (hasCode(error, 'ACCOUNT_UNKNOWN')) throw notFollowed();
    if (hasCode(error, 'COPY_EMPTY')) throw new HttpProblem(404, 'COPY_EMPTY', error.message);
    throw error;
  }
  response.status(200).set({
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'Content-Disposition': `attachment; filename="${accountForUrl(owner).replace(':', '-')}.tally"`,
    'Cache-Control': 'no-store',
  });
  let pending = '';
  for (const line of lines) {
    pending += line;
    if (pending.length < COPY_CHUNK_CHARACTERS) continue;
    if (!response.write(pending)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    pending = '';
    if (response.destroyed) {
      lines.return(undefined);
      return;
    }
  }
  response.end(pending);
}

const COPY_CHUNK_CHARACTERS = 256 * 1024;

function accountLine(followed: FollowedAccount): Readonly<Record<string, unknown>> {
  const { account, chain, head, acknowledgedSeq, haltedBy } = followed;
  return {
    account,
    chain,
    seq: head?.seq ?? null,
    entries: head?.entriesSince0 ?? 0,
    balancePence: head?.balancePence ?? 0,
    acknowledgedSeq,
    haltedBy,
  };
}

/** Ids of one account mean nothing to another: an id may stand in several. */
function findEvents(store: PayerStore, client: Client, id: EventId): readonly unknown[] {
  const found: unknown[] = [];
  for (const followed of store.accounts()) {
    const key = eventKey(followed.number, id);
    const submitted = store.submitted.get(key);
    if (!store.hasEvent(key) || !mayActFor(client, followed.account)) continue;
    const place = store.entries.get(key);
    const refused = store.refused.get(key);
    const rejected = store.rejected.get(key);
    const appended = store.appendedEvent(key);
    found.push({
      eventId: uuidOf(id),
      account: followed.account,
      status: statusOf(place !== undefined, rejected !== undefined, refused !== undefined, appended !== undefined),
      // Another sender's event has no JSON here: its bytes are in the copy.
      event: submitted === undefined ? null : (JSON.parse(submitted) as unknown),
      hash: appended?.hash.toString('base64') ?? null,
      receipt: appended === undefined ? null : (store.receipt(appended.receiptKey)?.note ?? null),
      entry: place === undefined ? null : readPlace(place),
      flags: flagsOf(store, key),
      till: submitted === undefined ? null : tillLinkOf(JSON.parse(submitted)),
      refused: refused === undefined ? null : (JSON.parse(refused) as RefusedEvent),
      rejected: rejected === undefined ? null : (JSON.parse(rejected) as RejectedEvent),
    });
  }
  return found;
}

function statusOf(inBlock: boolean, rejected: boolean, refused: boolean, appended: boolean): EventStatus {
  if (inBlock) return 'decided';
  if (rejected) return 'rejected';
  if (refused) return 'refused';
  return appended ? 'receipted' : 'unsent';
}

function mayRead(client: Client, stored: StoredDivergence): boolean {
  return stored.account === null || mayActFor(client, stored.account);
}

function ownAccount(request: Request, response: Response): Account {
  let owner: Account;
  try {
    owner = accountFromUrl(String(request.params['account']));
  } catch {
    throw new HttpProblem(404, 'NOT_FOUND', 'an account is paye:123-AB456 or vat:123456789');
  }
  assertActsFor(response, owner);
  return owner;
}

/** The `since` of a body, ms since 1970: 0 where it is left out. */
function sinceOf(body: unknown): number {
  const since = typeof body === 'object' && body !== null && 'since' in body ? body.since : undefined;
  if (since === undefined) return 0;
  const sinceMs = typeof since === 'string' ? Date.parse(since) : Number.NaN;
  if (Number.isSafeInteger(sinceMs) && sinceMs >= 0) return sinceMs;
  throw new HttpProblem(422, 'INPUT_INVALID', 'since is a time such as 2026-11-21T10:15:00Z, or left out');
}

function taxOfPath(request: Request): Tax {
  const tax = request.params['tax'];
  if (tax === 'paye' || tax === 'vat') return tax;
  throw new HttpProblem(404, 'NOT_FOUND', 'events go to /payer/v1/events/paye or /payer/v1/events/vat');
}

function pageOf(request: Request): { readonly limit: number; readonly beforeSeq: number | null } {
  const number = (name: string, most: number): number | null => {
    const text = request.query[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0 || value > most) {
      throw new HttpProblem(422, 'INPUT_INVALID', `${name} is a whole number from 0 to ${most}`);
    }
    return value;
  };
  return {
    limit: number('limit', STATEMENT_ENTRIES_MAX) ?? 100,
    beforeSeq: number('before', Number.MAX_SAFE_INTEGER),
  };
}

function idOf(request: Request): EventId {
  try {
    return eventId(String(request.params['eventId']));
  } catch {
    throw new HttpProblem(404, 'NOT_FOUND', 'an event id is a lower-case UUID');
  }
}

function notFollowed(): HttpProblem {
  const way = 'send an event of it through this node, or name it in ACCOUNTS and start the node again';
  return new HttpProblem(404, 'NOT_FOUND', `this node does not follow the account: ${way}`);
}
