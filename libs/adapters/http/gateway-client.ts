import { z } from 'zod';
import type { Fault } from '../../core/errors/fault.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Account, Tax } from '../../core/identity/account.ts';
import { type CalledServer, call, type HttpAnswer, jsonIn, problemIn } from './call.ts';

export interface GatewayClientOptions {
  /** Address of the gateway without a path: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The bearer key of this client. */
  readonly clientKey: string;
  readonly timeoutMs: number;
}

export interface GatewayClientDependencies {
  readonly fetch: typeof fetch;
}

/** One event of a receipt: where its leaf stands in the tree whose root the note signs. */
export interface ReceiptedEvent {
  /** As the gateway wrote it: a UUID. */
  readonly eventId: string;
  readonly account: string;
  /** Base64 SHA-256 of the bytes appended. */
  readonly hash: string;
  readonly index: number;
  /** Base64 hashes of the inclusion path; left out where the answer names every event of the receipt. */
  readonly path?: readonly string[] | undefined;
  /** 32 hex, PAYE only. */
  readonly person?: string | undefined;
}

export interface GatewayReceipt {
  readonly note: string;
  readonly events: readonly ReceiptedEvent[];
}

/** An event with its receipt and the bytes that were appended, whoever sent it. */
export interface GivenEvent extends ReceiptedEvent {
  /** Base64. */
  readonly bytes: string;
}

/** A page of the events that the gateway took for one account. */
export interface GivenEvents {
  readonly receipts: readonly { readonly note: string; readonly events: readonly GivenEvent[] }[];
  /** Position of the next page. */
  readonly next: number;
  readonly more: boolean;
}

/** What a batch came to: receipts for every event of it, or faults that refuse it whole. Anything else is an error. */
export type GatewayAnswer =
  | { readonly kind: 'receipts'; readonly receipts: readonly GatewayReceipt[] }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly faults: readonly Fault[] };

export interface GatewayClient {
  /**
   * Posts events as a JSON array. Throws GATEWAY_UNREACHABLE (retriable) where no answer came and it is unknown whether the events
   * were taken; GATEWAY_BUSY (retriable, fact `retryAfterMs`) for 429 and 5xx; GATEWAY_UNAUTHORIZED (retriable, once the key is
   * mended) for 401 and 403; GATEWAY_ANSWER_INVALID where the answer is not what docs/http-api.md says, ANSWER_TOO_LARGE (retriable)
   * where it is longer than any that it says.
   */
  postEvents(tax: Tax, events: readonly string[]): Promise<GatewayAnswer>;
  /**
   * A page of the events of an account from a position on, 0 first. Throws as postEvents does, and ACCOUNT_NOT_YOURS where the client key is not
   * bound to the account.
   */
  eventsOf(owner: Account, from: number): Promise<GivenEvents>;
}

const receiptedEvent = z.object({
  eventId: z.string(),
  account: z.string(),
  hash: z.string(),
  index: z.number().int().nonnegative(),
  path: z.array(z.string()).optional(),
  person: z.string().optional(),
});

const receiptAnswer = z.object({
  receipts: z.array(z.object({ note: z.string(), events: z.array(receiptedEvent) })),
});

const givenAnswer = z.object({
  receipts: z.array(z.object({ note: z.string(), events: z.array(receiptedEvent.extend({ bytes: z.base64() })) })),
  next: z.number().int().nonnegative(),
  more: z.boolean(),
});

/** Statuses by which the gateway says that the events themselves are at fault: sending them again would change nothing. */
const REFUSALS: ReadonlySet<number> = new Set([409, 413, 422]);

/** A client of the gateway's HTTP interface (docs/http-api.md). It does not retry: the outbox that holds the events does. */
export function createGatewayClient(
  options: GatewayClientOptions,
  dependencies: GatewayClientDependencies,
): GatewayClient {
  const gateway: CalledServer = { name: 'the gateway', unreachable: 'GATEWAY_UNREACHABLE', ...options };
  return {
    async postEvents(tax, events) {
      const path = `/v1/${tax}/events?paths=needed`;
      const answer = await call(gateway, { method: 'POST', path, body: `[${events.join(',')}]` }, dependencies.fetch);
      if (answer.status === 202)
        return { kind: 'receipts', receipts: receiptsIn(answer, receiptAnswer, options.url).receipts };
      const isRefusal = REFUSALS.has(answer.status) || answer.status === 403;
      const refusal = isRefusal ? refusalOf(answer) : null;
      if (refusal !== null) return refusal;
      throw faultOfStatus(answer);
    },
    async eventsOf(owner, from) {
      const path = `/v1/events?account=${encodeURIComponent(owner)}&from=${from}`;
      const answer = await call(gateway, { method: 'GET', path }, dependencies.fetch);
      if (answer.status === 200) return receiptsIn(answer, givenAnswer, options.url);
      const refusal = answer.status === 403 ? refusalOf(answer) : null;
      if (refusal === null) throw faultOfStatus(answer);
      const message = 'the client key of this node is not bound to the account at the gateway';
      throw new TallyError('ACCOUNT_NOT_YOURS', message, { account: owner });
    },
  };
}

/** The answer in the form that docs/http-api.md gives it. Throws GATEWAY_ANSWER_INVALID (retriable). */
function receiptsIn<Answer>(answer: HttpAnswer, form: z.ZodType<Answer>, url: string): Answer {
  const { status } = answer;
  if (answer.isOtherType('application/json')) {
    throw answerInvalid(`the gateway at ${url} answered ${status} with something else than application/json`, { url });
  }
  const parsed = form.safeParse(jsonIn(answer.bytes));
  if (!parsed.success) throw answerInvalid(`the gateway answered ${status} without receipts`, {});
  return parsed.data;
}

/** Null where it is not the events that are refused but the client itself. */
function refusalOf({ status, bytes }: HttpAnswer): GatewayAnswer | null {
  const problem = problemIn(bytes);
  const code = problem.code ?? `HTTP_${status}`;
  const detail = problem.detail ?? problem.title ?? `the gateway refused the request with status ${status}`;
  if (status === 403 && code !== 'ACCOUNT_NOT_YOURS') return null;
  const faults = problem.faults === undefined || problem.faults.length === 0 ? null : problem.faults;
  return { kind: 'refused', status, code, faults: faults ?? [{ code, pointer: '', detail }] };
}

function faultOfStatus({ status, retryAfterMs }: HttpAnswer): TallyError {
  if (status === 401 || status === 403) {
    const message = 'the gateway does not take our client key';
    return new TallyError('GATEWAY_UNAUTHORIZED', message, { status }, { retriable: true });
  }
  if (status === 429 || status === 408 || status >= 500) {
    const facts = { status, retryAfterMs };
    return new TallyError('GATEWAY_BUSY', `the gateway answered ${status}`, facts, { retriable: true });
  }
  return answerInvalid(`the gateway answered ${status}`, { status });
}

function answerInvalid(message: string, facts: { readonly url?: string; readonly status?: number }): TallyError {
  return new TallyError('GATEWAY_ANSWER_INVALID', message, facts, { retriable: true });
}
