import { join } from 'node:path';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import { assertActsFor, clientOf, requireClient } from '../../libs/adapters/access/bearer.ts';
import { type Client, type ClientRegistry, mayActFor } from '../../libs/adapters/access/clients.ts';
import type { GatewayKeys } from '../../libs/adapters/access/key-files.ts';
import { nodeRandom } from '../../libs/adapters/crypto/node-crypto.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import type { LogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { newestRecordMs } from '../../libs/adapters/event-log/newest-record.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { REQUESTS_PER_CLIENT_SECOND_MAX } from '../../libs/adapters/http/limits.ts';
import { HttpProblem, problemOf } from '../../libs/adapters/http/problem.ts';
import { RequestWindows } from '../../libs/adapters/http/request-windows.ts';
import { failure, type Service } from '../../libs/adapters/runtime/service.ts';
import { jsonBody } from '../../libs/adapters/server/request-body.ts';
import { type Door, type Draft, idConflict, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { Clock, ElapsedClock } from '../../libs/adapters/time/clock.ts';
import type { Fault } from '../../libs/core/errors/fault.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { type Account, isAccount } from '../../libs/core/identity/account.ts';
import { eventId, isUuid, type PersonToken } from '../../libs/core/identity/event-id.ts';
import type { VerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import { AccountIndex } from './account-events/account-index.ts';
import { type AccountEventsPage, giveAccountEvents } from './account-events/give-account-events.ts';
import { checkKeysOfStore, rememberKeys } from './check-gateway-keys.ts';
import { forwardIngress, type IngressForwarder } from './ingress/forward-ingress.ts';
import { countTaken, type GatewayMetrics, gatewayMetrics } from './intake/gateway-metrics.ts';
import type { IssuedReceipt } from './intake/issue-receipt.ts';
import { personOf } from './intake/person-tokens.ts';
import type { TakeResult } from './intake/plan-group.ts';
import type { PreparedEvent } from './intake/prepared-event.ts';
import { restoreReservations } from './intake/restore-reservations.ts';
import { Intake } from './intake/take-events.ts';
import { vaultSeal } from './store/person-vault.ts';
import { openReservationStore, type ReservationStore } from './store/reservation-store.ts';

export interface GatewayOptions {
  /** The gateway's store is `<dataDir>/gateway`. */
  readonly dataDir: string;
  readonly keys: GatewayKeys;
  /** Events of all requests that are appended together. */
  readonly groupEventsMax?: number;
  /** Events that may wait for the log before requests are turned away (503, Retry-After). */
  readonly waitingEventsMax?: number;
  /** Free bytes of the disk below which new events are turned away. */
  readonly reserveBytes?: number;
}

export interface GatewayDependencies {
  /** Its topics exist. */
  readonly log: EventLog;
  /** What that log knows of itself. */
  readonly register: LogRegister;
  readonly clients: ClientRegistry;
  readonly rules: TaxRules;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The door of the system: what payers and banks send is checked, reserved, made durable in the log and receipted. */
export interface Gateway extends Service {
  /** Whose signature receipts carry: payers check by it. */
  readonly verifierKey: VerifierKey;
  /** Throws NOT_READY after stop, LOG_SHRANK where the log lost records under it, STORE_FULL where its disk is full. */
  assertReady(): void;
  /** The NINO that a token of this gateway replaces, null where it has none: for those who may see it. Throws VAULT_DAMAGED, NOT_READY. */
  ninoOf(person: PersonToken): string | null;
}

const GROUP_EVENTS_MAX = 10_000;
const WAITING_EVENTS_MAX = 50_000;
/** The topics that the gateway alone appends to. */
export const EVENT_TOPICS = [PAYE_EVENTS, VAT_EVENTS, PAYMENTS] as const;

/**
 * Opens the store and brings it to what the log holds. Throws LOG_NOT_OF_THIS_STORE, KEY_NOT_OF_THIS_DATA, STORE_OF_ANOTHER_LEDGER,
 * DATA_FOLDER_IN_USE.
 */
export async function openGateway(options: GatewayOptions, dependencies: GatewayDependencies): Promise<Gateway> {
  const metrics = gatewayMetrics(dependencies.metrics);
  const { failed, fail } = failure();
  const store = await openStore(options, fail);
  const parts = await openParts(options, dependencies, metrics, store).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const { index, ingress } = parts;
  let intake: Intake | null = parts.intake;
  const opened = (): Intake => {
    if (intake === null) throw new TallyError('NOT_READY', 'the gateway is stopping', {}, { retriable: true });
    return intake;
  };
  const given = async (owner: Account, from: number): Promise<AccountEventsPage> => {
    opened();
    const { ledgerName, signer } = options.keys;
    return await giveAccountEvents(owner, from, { ledgerName, signer, log: dependencies.log, store, index });
  };
  return {
    router: gatewayRouter(options, dependencies, metrics, { opened, given }),
    failed,
    verifierKey: options.keys.signer.key,
    assertReady() {
      opened().checkLog();
      store.assertRoom();
    },
    ninoOf(person) {
      opened();
      return store.ninoOf(person);
    },
    async stop(deadlineMs) {
      const stopping = intake;
      intake = null;
      await byDeadline(drained(ingress, stopping), deadlineMs);
      await index.close();
      await store.close();
    },
  };
}

interface GatewayParts {
  readonly intake: Intake;
  readonly index: AccountIndex;
  readonly ingress: IngressForwarder | null;
}

async function openParts(
  options: GatewayOptions,
  dependencies: GatewayDependencies,
  metrics: GatewayMetrics,
  store: ReservationStore,
): Promise<GatewayParts> {
  const partitions = await eventPartitions(dependencies.log);
  const intake = await checkedIntake(options, dependencies, store, partitions);
  const { log, clock, logger } = dependencies;
  const onDiscarded = (error: TallyError): void => logger.error({ err: error }, error.message);
  const folder = join(options.dataDir, 'gateway-index');
  const index = new AccountIndex({ folder, partitions }, { log, clock, onDiscarded });
  metrics.receiptsPending.set({}, intake.pendingReceipts);
  await sayClockBehind(dependencies);
  const clients = dependencies.clients.clients.filter((client) => client.ingress === true);
  if (clients.length === 0) return { intake, index, ingress: null };
  const { personTokenKey } = options.keys;
  const forwarding = { ...dependencies, metrics, store, intake };
  return { intake, index, ingress: await forwardIngress({ clients, personTokenKey }, forwarding) };
}

/** The store of reservations; `fail` is told that its disk failed: nothing more is taken then. */
function openStore({ dataDir, keys, reserveBytes }: GatewayOptions, fail: (error: unknown) => void) {
  const reserve = reserveBytes === undefined ? {} : { reserveBytes };
  const vault = vaultSeal(keys.vaultKey, nodeRandom);
  const folder = join(dataDir, 'gateway');
  return openReservationStore({ folder, ledgerName: keys.ledgerName, ...reserve }, { vault, onBroken: fail });
}

const LIMIT_WINDOW_MS = 1_000;
const CLOCK_BEHIND_MS = 60_000;

/** A clock that is behind what was received before gives receipts whose times are wrong: said at the start, since it is no jump that a process sees. */
async function sayClockBehind({ log, clock, logger }: GatewayDependencies): Promise<void> {
  const newestMs = await newestRecordMs(log, EVENT_TOPICS).catch((error: unknown) => {
    logger.warn({ err: error }, 'the newest record of the log is not known: the clock is not held against it');
    return null;
  });
  const behindMs = newestMs === null ? 0 : newestMs - clock.civilMs();
  if (behindMs < CLOCK_BEHIND_MS) return;
  const seconds = Math.round(behindMs / 1_000);
  const what = `the clock of this machine is ${seconds} s behind the newest record of the log`;
  logger.warn({ code: 'CLOCK_BEHIND_LOG', seconds }, `${what}: put it right, or receipts carry times that have been`);
}

/** The forwarder first: what it has under way goes through the intake. */
async function drained(ingress: IngressForwarder | null, intake: Intake | null): Promise<void> {
  await ingress?.stop();
  await intake?.drain();
}

async function byDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** The intake of a store whose keys and log are the right ones. Nothing is entered in a log before it is known to be the store's own. */
async function checkedIntake(
  options: GatewayOptions,
  dependencies: GatewayDependencies,
  store: ReservationStore,
  partitions: ReadonlyMap<string, number>,
): Promise<Intake> {
  checkKeysOfStore(options.keys, store);
  const intake = await openIntake(options, dependencies, store, partitions);
  await rememberKeys(options.keys, { ...dependencies, store });
  return intake;
}

/** How many partitions each event topic has. */
async function eventPartitions(log: EventLog): Promise<ReadonlyMap<string, number>> {
  const counts = await Promise.all(EVENT_TOPICS.map((topic) => log.partitionCount(topic)));
  return new Map<string, number>(EVENT_TOPICS.map((topic, index) => [topic, counts[index] ?? 0]));
}

async function openIntake(
  options: GatewayOptions,
  dependencies: GatewayDependencies,
  store: ReservationStore,
  partitions: ReadonlyMap<string, number>,
): Promise<Intake> {
  const { log, clock, logger, register } = dependencies;
  const open = await restoreReservations({ log, store, partitions, logId: register.logId, logger });
  return new Intake(
    {
      ledgerName: options.keys.ledgerName,
      signer: options.keys.signer,
      partitions,
      groupEventsMax: options.groupEventsMax ?? GROUP_EVENTS_MAX,
      waitingEventsMax: options.waitingEventsMax ?? WAITING_EVENTS_MAX,
    },
    { log, store, clock, logger },
    open,
  );
}

interface OpenedParts {
  /** Throws NOT_READY. */
  readonly opened: () => Intake;
  readonly given: (owner: Account, from: number) => Promise<AccountEventsPage>;
}

function gatewayRouter(
  options: GatewayOptions,
  dependencies: GatewayDependencies,
  metrics: GatewayMetrics,
  { opened, given }: OpenedParts,
): Router {
  const door = (name: Door) => async (request: Request, response: Response) => {
    const intake = opened();
    const prepared = prepare(name, request.body, clientOf(response), {
      personTokenKey: options.keys.personTokenKey,
      rules: dependencies.rules,
      intake,
      receivedAtMs: dependencies.clock.civilMs(),
    });
    const startedMs = dependencies.clock.elapsedMs();
    const result = await intake.take(prepared, request.query.paths === 'needed' ? 'needed' : 'all');
    metrics.eventsWaiting.set({}, intake.waitingEvents);
    metrics.receiptsPending.set({}, intake.pendingReceipts);
    const receipts = receiptsOf(result, Array.isArray(request.body));
    metrics.acceptSeconds.observe({}, (dependencies.clock.elapsedMs() - startedMs) / 1000);
    if (result.kind === 'taken') countTaken(metrics, prepared, result.fresh);
    response.status(202).json({ receipts });
  };
  const router = Router();
  const limit = perClientLimit(dependencies.clock);
  router.post('/v1/paye/events', requireClient(dependencies, 'payer', 'operator'), limit, ...jsonBody, door('paye'));
  router.post('/v1/vat/events', requireClient(dependencies, 'payer', 'operator'), limit, ...jsonBody, door('vat'));
  router.post('/v1/payments', requireClient(dependencies, 'bank'), limit, ...jsonBody, door('payments'));
  router.get(
    '/v1/receipts/:account/:eventId',
    requireClient(dependencies, 'payer', 'operator'),
    (request, response) => {
      response.json({ receipts: [lookUp(opened(), request, response)] });
    },
  );
  router.get('/v1/events', requireClient(dependencies, 'payer', 'operator'), limit, async (request, response) => {
    const { owner, from } = askedEvents(request);
    assertActsFor(response, owner);
    response.json(await given(owner, from));
  });
  router.use(['/v1/paye/events', '/v1/vat/events', '/v1/payments'], (request, response) => {
    response.set('Allow', 'POST');
    throw new HttpProblem(405, 'METHOD_NOT_ALLOWED', `${request.method} is not allowed here: POST events`);
  });
  router.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => {
    countRefused(metrics, problemOf(error));
    next(error);
  });
  return router;
}

/** A receipt for who lost the answer. */
function lookUp(intake: Intake, { params: asked }: Request, response: Response): IssuedReceipt {
  const [owner, id] = [String(asked.account).replace('-', '/'), String(asked.eventId)];
  const known = isAccount(owner) && isUuid(id);
  if (known) assertActsFor(response, owner);
  const receipt = known ? intake.receiptOf(owner, eventId(id)) : null;
  if (receipt === null)
    throw new HttpProblem(404, 'NOT_FOUND', 'no such event is in the log with a receipt: send it again');
  return receipt;
}

/** The account and position of `GET /v1/events`. Throws INPUT_INVALID (422). */
function askedEvents({ query }: Request): { readonly owner: Account; readonly from: number } {
  const owner = String(query['account'] ?? '');
  if (!isAccount(owner)) {
    throw new HttpProblem(422, 'INPUT_INVALID', 'account is paye:123/AB456 or vat:123456789, percent-encoded');
  }
  const text = String(query['from'] ?? '0');
  const from = Number(text);
  if (!/^\d{1,15}$/.test(text)) {
    throw new HttpProblem(422, 'INPUT_INVALID', 'from is 0, or the next of the page before');
  }
  return { owner, from };
}

interface PrepareBy {
  readonly personTokenKey: Uint8Array;
  readonly rules: TaxRules;
  readonly intake: Intake;
  readonly receivedAtMs: number;
}

/** Reads, checks and binds a request. Throws the problem with every fault of all its events. */
function prepare(
  door: Door,
  body: unknown,
  client: Client,
  { personTokenKey, rules, intake, receivedAtMs }: PrepareBy,
): readonly PreparedEvent[] {
  if (body === undefined)
    throw new HttpProblem(400, 'NOT_JSON', 'the body is empty: send one event or an array of them');
  const read = readSubmissions(door, body, rules, receivedAtMs);
  const prepared = (draft: Draft): PreparedEvent => ({ draft, person: personOf(draft, personTokenKey) });
  // A repeat of what was received under other rates is the event that it was: its sender gets the receipt that it missed.
  const known = read.doubtful.filter(({ draft }) => intake.isReserved(prepared(draft)));
  const excused = new Set(known.flatMap(({ faults }) => faults));
  const faults = read.faults.filter((fault) => !excused.has(fault));
  const drafts =
    known.length === 0
      ? read.drafts
      : [...read.drafts, ...known.map(({ draft }) => draft)].sort((a, b) => a.index - b.index);
  const foreign = drafts.filter(({ event }) => !mayActFor(client, event.account));
  const all = [...faults, ...foreign.map((draft) => foreignFault(door, draft, Array.isArray(body)))];
  if (faults.length > 0) throw new HttpProblem(422, 'INPUT_INVALID', countedDetail(all), { faults: all });
  if (all.length > 0) throw new HttpProblem(403, 'ACCOUNT_NOT_YOURS', countedDetail(all), { faults: all });
  return drafts.map(prepared);
}

function countedDetail(faults: readonly Fault[]): string {
  return `${faults.length === 1 ? 'one fault' : `${faults.length} faults`}: nothing of this request was taken`;
}

const ACCOUNT_FIELD: Readonly<Record<Door, string>> = { paye: 'payeReference', vat: 'vrn', payments: 'account' };

function foreignFault(door: Door, draft: Draft, isArray: boolean): Fault {
  const pointer = `${isArray ? `/${draft.index}` : ''}/${ACCOUNT_FIELD[door]}`;
  return { code: 'ACCOUNT_NOT_YOURS', pointer, detail: 'this client key is not bound to this account' };
}

function receiptsOf(result: TakeResult, isArray: boolean): readonly IssuedReceipt[] {
  switch (result.kind) {
    case 'taken':
      return result.receipts;
    case 'conflicts': {
      const faults = result.indexes.map((index) => idConflict(isArray ? `/${index}` : ''));
      throw new HttpProblem(409, 'EVENT_ID_CONFLICT', countedDetail(faults), { faults });
    }
    case 'unwritable': {
      const faults = result.events.map(({ index, code }) => ({
        code,
        pointer: isArray ? `/${index}` : '',
        detail: 'this event has no form in the log: correct it and send it under a new id',
      }));
      throw new HttpProblem(422, 'INPUT_INVALID', countedDetail(faults), { faults });
    }
    case 'unavailable':
      throw new HttpProblem(503, 'LOG_UNAVAILABLE', 'the events are not durable yet: send the same request again', {
        retryAfterSeconds: 1,
        cause: result.cause,
      });
  }
}

function countRefused(metrics: GatewayMetrics, problem: HttpProblem): void {
  metrics.requestsRefused.add({ code: problem.code });
  for (const fault of problem.faults) metrics.faults.add({ code: fault.code });
}

function perClientLimit(clock: ElapsedClock) {
  return rateLimit({
    windowMs: LIMIT_WINDOW_MS,
    store: new RequestWindows(LIMIT_WINDOW_MS, clock),
    limit: REQUESTS_PER_CLIENT_SECOND_MAX,
    keyGenerator: (_request, response) => clientOf(response).id,
    standardHeaders: false,
    legacyHeaders: false,
    handler: () => {
      throw new HttpProblem(429, 'TOO_MANY_REQUESTS', 'send events in batches, at most 1,000 in a request', {
        retryAfterSeconds: 1,
      });
    },
  });
}
