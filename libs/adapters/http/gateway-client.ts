import { z } from 'zod';
import type { Fault } from '../../core/errors/fault.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Tax } from '../../core/identity/account.ts';
import { JSON_ANSWER_BYTES_MAX } from './limits.ts';
import { isOtherType, readAnswer, retryAfterMsOf } from './read-answer.ts';

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
}

const receiptAnswer = z.object({
  receipts: z.array(
    z.object({
      note: z.string(),
      events: z.array(
        z.object({
          eventId: z.string(),
          account: z.string(),
          hash: z.string(),
          index: z.number().int().nonnegative(),
          path: z.array(z.string()).optional(),
          person: z.string().optional(),
        }),
      ),
    }),
  ),
});

const problemAnswer = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  faults: z.array(z.object({ code: z.string(), pointer: z.string(), detail: z.string() })).optional(),
});

/** Statuses by which the gateway says that the events themselves are at fault: sending them again would change nothing. */
const REFUSALS: ReadonlySet<number> = new Set([409, 413, 422]);

/** A client of the gateway's HTTP interface (docs/http-api.md). It does not retry: the outbox that holds the events does. */
export function createGatewayClient(
  options: GatewayClientOptions,
  dependencies: GatewayClientDependencies,
): GatewayClient {
  return {
    async postEvents(tax, events) {
      const response = await send(options, dependencies, tax, events);
      if (response.status === 202) return { kind: 'receipts', receipts: parsedReceipts(response.text) };
      const isRefusal = REFUSALS.has(response.status) || response.status === 403;
      const refusal = isRefusal ? refusalOf(response.status, response.text) : null;
      if (refusal !== null) return refusal;
      throw faultOfStatus(response);
    },
  };
}

interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | null;
}

async function send(
  options: GatewayClientOptions,
  dependencies: GatewayClientDependencies,
  tax: Tax,
  events: readonly string[],
): Promise<RawAnswer> {
  try {
    const response = await dependencies.fetch(`${options.url}/v1/${tax}/events?paths=needed`, {
      method: 'POST',
      headers: { authorization: `Bearer ${options.clientKey}`, 'content-type': 'application/json; charset=utf-8' },
      body: `[${events.join(',')}]`,
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    return {
      status: response.status,
      text: await textOf(response, options.url),
      retryAfterMs: retryAfterMsOf(response),
    };
  } catch (cause) {
    if (cause instanceof TallyError) throw cause;
    const { url, timeoutMs } = options;
    const message = `no whole answer from the gateway at ${url} (it has ${timeoutMs / 1_000} s)`;
    throw new TallyError('GATEWAY_UNREACHABLE', message, { url, timeoutMs }, { retriable: true, cause });
  }
}

async function textOf(response: Response, url: string): Promise<string> {
  const bytes = await readAnswer(response, { server: 'the gateway', url, bytesMax: JSON_ANSWER_BYTES_MAX });
  if (response.status === 202 && isOtherType(response, 'application/json')) {
    const message = `the gateway at ${url} answered 202 with something else than application/json`;
    throw new TallyError('GATEWAY_ANSWER_INVALID', message, { url }, { retriable: true });
  }
  return bytes.toString('utf8');
}

function parsedReceipts(text: string): readonly GatewayReceipt[] {
  const parsed = receiptAnswer.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new TallyError(
      'GATEWAY_ANSWER_INVALID',
      'the gateway answered 202 without receipts',
      {},
      { retriable: true },
    );
  }
  return parsed.data.receipts;
}

/** Null where it is not the events that are refused but the client itself. */
function refusalOf(status: number, text: string): GatewayAnswer | null {
  const parsed = problemAnswer.safeParse(jsonOf(text));
  const problem = parsed.success ? parsed.data : {};
  const code = problem.code ?? `HTTP_${status}`;
  const detail = problem.detail ?? problem.title ?? `the gateway refused the request with status ${status}`;
  if (status === 403 && code !== 'ACCOUNT_NOT_YOURS') return null;
  const faults = problem.faults === undefined || problem.faults.length === 0 ? null : problem.faults;
  return { kind: 'refused', status, code, faults: faults ?? [{ code, pointer: '', detail }] };
}

function faultOfStatus(answer: RawAnswer): TallyError {
  if (answer.status === 401 || answer.status === 403) {
    const facts = { status: answer.status };
    return new TallyError('GATEWAY_UNAUTHORIZED', 'the gateway does not take our client key', facts, {
      retriable: true,
    });
  }
  if (answer.status === 429 || answer.status === 408 || answer.status >= 500) {
    const facts = { status: answer.status, retryAfterMs: answer.retryAfterMs };
    return new TallyError('GATEWAY_BUSY', `the gateway answered ${answer.status}`, facts, { retriable: true });
  }
  return new TallyError(
    'GATEWAY_ANSWER_INVALID',
    `the gateway answered ${answer.status}`,
    { status: answer.status },
    {
      retriable: true,
    },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
