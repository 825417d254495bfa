import { z } from 'zod';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Account } from '../../core/identity/account.ts';
import { decodePullAnswer, type PullAnswer } from '../codec/pull-answer.ts';
import { type CalledServer, call as callServer, type HttpAnswer, jsonIn, noAnswer, problemIn } from './call.ts';
import { JSON_ANSWER_BYTES_MAX, PULL_ANSWER_BYTES_MAX } from './limits.ts';
import { readAnswer, retryAfterMsOf } from './read-answer.ts';
import { readEventStream, type StreamLines } from './read-event-stream.ts';

export interface LedgerClientOptions {
  /** Address of the ledger without a path: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The bearer key of this client. */
  readonly clientKey: string;
  readonly timeoutMs: number;
}

export interface LedgerClientDependencies {
  readonly fetch: typeof fetch;
}

/** What a payer gets of its chain. */
export interface ChainRegistration {
  readonly account: Account;
  /** 32 lower-case hex. */
  readonly chain: string;
  /** 32 bytes: the working keys of the chain come from it (ledger.md section 3). */
  readonly chainKey: Uint8Array;
  readonly ledger: { readonly name: string; readonly verifierKey: string; readonly origin: string };
}

/** Of many accounts, one that the ledger does not let us follow. */
export interface ChainRefusal {
  readonly account: Account;
  readonly code: string;
  readonly detail: string;
}

export interface ChainRegistrations {
  readonly ledger: ChainRegistration['ledger'];
  readonly registered: readonly ChainRegistration[];
  readonly refused: readonly ChainRefusal[];
}

export interface PullRequest {
  readonly chains: readonly {
    readonly chain: string;
    /** The first seq wanted. */
    readonly from: number;
    /** The cursor of an earlier answer (`rejectionsNext`); 0 at first. Rejections are left out where it is not given. */
    readonly rejectionsFrom?: number;
  }[];
  /** The size of the checkpoint that the payer verified last; 0 at first. */
  readonly verified: number;
  readonly maxBytes?: number;
}

export interface ChainChanges {
  /** Where to go on: not included. */
  readonly to: number;
  readonly size: number;
  /** 32 lower-case hex each. */
  readonly chains: readonly string[];
}

export interface AcknowledgementRequest {
  /** Signed note of the payer (ledger.md section 3). */
  readonly note: string;
  readonly heads: readonly { readonly chain: string; readonly seq: number; readonly blockHash: Uint8Array }[];
}

/**
 * A client of the ledger's HTTP interface (docs/http-api.md). It does not retry and verifies nothing: whoever holds the copy does.
 * Every method throws LEDGER_UNREACHABLE (retriable) where no answer came, LEDGER_BUSY (retriable, fact `retryAfterMs`) for 408, 429
 * and 5xx, LEDGER_REFUSED (facts `status`, `code`, `faults`) for any other refusal, LEDGER_ANSWER_INVALID for an answer that is not
 * what the interface says, and ANSWER_TOO_LARGE (retriable) for one that is longer than any that it says.
 */
export interface LedgerClient {
  /**
   * Idempotent. `verifierKey` is the payer's, in the form of ledger.md section 3, and `proof` shows that it is its own (proveKey); without
   * them nothing is registered.
   */
  registerChain(request: {
    readonly account: Account;
    readonly verifierKey?: string;
    readonly proof?: string;
  }): Promise<ChainRegistration>;
  /** The same for at most REGISTRATIONS_MAX accounts in one request, a proof for each; what is refused for one holds up no other. */
  registerChains(request: {
    readonly accounts: readonly Account[];
    readonly verifierKey?: string;
    readonly proofs?: readonly string[];
  }): Promise<ChainRegistrations>;
  /** Fact `code` VERIFIED_AHEAD of LEDGER_REFUSED: the ledger's newest checkpoint (fact `checkpoint`) is smaller than `verified`. */
  pull(request: PullRequest): Promise<PullAnswer>;
  /**
   * Which chains of ours have blocks in the log from `from` to `to`, a part of what stands under the newest checkpoint, which has `size`
   * leaves. A hint: nothing in it is signed.
   */
  changes(from: number): Promise<ChainChanges>;
  /** The newest signed checkpoint, or null before the first. */
  checkpoint(): Promise<string | null>;
  consistency(fromSize: number, toSize: number): Promise<readonly Uint8Array[]>;
  acknowledge(request: AcknowledgementRequest): Promise<void>;
  /** Calls `onCheckpoint` with each new size until aborted; a nudge to pull. Resolves when aborted, rejects when the stream breaks. */
  follow(options: { readonly signal: AbortSignal; readonly onCheckpoint: (size: number) => void }): Promise<void>;
}

export function createLedgerClient(options: LedgerClientOptions, dependencies: LedgerClientDependencies): LedgerClient {
  const server: CalledServer = { name: 'the ledger', unreachable: 'LEDGER_UNREACHABLE', ...options };
  const call = (request: Call): Promise<HttpAnswer> => send(server, request, dependencies.fetch);
  return {
    async registerChain(request) {
      const answer = await call({ method: 'POST', path: '/ledger/v1/chains', body: request });
      const parsed = parsedAs(registrationAnswer, answer);
      return { ...parsed, account: request.account, chainKey: Buffer.from(parsed.chainKey, 'base64') };
    },
    async registerChains(request) {
      const answer = await call({ method: 'POST', path: '/ledger/v1/chain-registrations', body: request });
      return registrationsOf(parsedAs(registrationsAnswer, answer), request.accounts);
    },
    async pull(request) {
      const answer = await call({ method: 'POST', path: '/ledger/v1/pull', body: request, type: 'avro/binary' });
      try {
        return decodePullAnswer(answer.bytes);
      } catch (cause) {
        throw answerInvalid('the pull answer cannot be read', cause);
      }
    },
    async changes(from) {
      const answer = await call({ method: 'GET', path: `/ledger/v1/changes?from=${from}` });
      return parsedAs(changesAnswer, answer);
    },
    async checkpoint() {
      const answer = await call({
        method: 'GET',
        path: '/ledger/v1/checkpoint',
        absentIsNull: true,
        type: 'text/plain',
      });
      return answer.status === 404 ? null : answer.bytes.toString('utf8');
    },
    async consistency(fromSize, toSize) {
      const answer = await call({ method: 'GET', path: `/ledger/v1/consistency?from=${fromSize}&to=${toSize}` });
      return parsedAs(consistencyAnswer, answer).proof.map((hash) => Buffer.from(hash, 'base64'));
    },
    async acknowledge(request) {
      const heads = request.heads.map((head) => ({
        ...head,
        blockHash: Buffer.from(head.blockHash).toString('base64'),
      }));
      await call({ method: 'POST', path: '/ledger/v1/acknowledgements', body: { note: request.note, heads } });
    },
    follow: ({ signal, onCheckpoint }) => followStream(server, dependencies.fetch, signal, onCheckpoint),
  };
}

/** Accounts of one registerChains. */
export const REGISTRATIONS_MAX = 1_000;

function registrationsOf(answer: z.infer<typeof registrationsAnswer>, asked: readonly Account[]): ChainRegistrations {
  const registered: ChainRegistration[] = [];
  const refused: ChainRefusal[] = [];
  for (const [index, account] of asked.entries()) {
    const one = answer.chains[index];
    if (one?.account !== account) throw answerInvalid('the ledger answered for other accounts than were asked for');
    if ('code' in one) refused.push({ account, code: one.code, detail: one.detail });
    else {
      const { chain } = one;
      registered.push({ account, chain, chainKey: Buffer.from(one.chainKey, 'base64'), ledger: answer.ledger });
    }
  }
  return { ledger: answer.ledger, registered, refused };
}

const chainOfAnswer = z.object({
  account: z.string(),
  chain: z.string().regex(/^[0-9a-f]{32}$/),
  chainKey: z.string(),
});

const registrationsAnswer = z.object({
  ledger: z.object({ name: z.string(), verifierKey: z.string(), origin: z.string() }),
  chains: z.array(z.union([chainOfAnswer, z.object({ account: z.string(), code: z.string(), detail: z.string() })])),
});

const registrationAnswer = z.object({
  account: z.string(),
  chain: z.string().regex(/^[0-9a-f]{32}$/),
  chainKey: z.string(),
  ledger: z.object({ name: z.string(), verifierKey: z.string(), origin: z.string() }),
});

const changesAnswer = z.object({ to: z.int(), size: z.int(), chains: z.array(z.string()) });

const consistencyAnswer = z.object({ proof: z.array(z.string()) });

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** 404 is an answer, not a refusal. */
  readonly absentIsNull?: boolean;
  /** Content type of the answer, JSON where left out. */
  readonly type?: string;
}

async function send(server: CalledServer, request: Call, get: typeof fetch): Promise<HttpAnswer> {
  const { method, path, type = 'application/json' } = request;
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const bytesMax = type === 'avro/binary' ? PULL_ANSWER_BYTES_MAX : JSON_ANSWER_BYTES_MAX;
  const answer = await callServer(server, { method, path, body, bytesMax }, get);
  if (answer.ok && answer.isOtherType(type)) {
    throw answerInvalid(`the ledger at ${server.url} answered ${path} with something else than ${type}`);
  }
  if (answer.ok || (request.absentIsNull === true && answer.status === 404)) return answer;
  throw refusal(answer);
}

function refusal({ status, retryAfterMs, bytes }: Pick<HttpAnswer, 'status' | 'retryAfterMs' | 'bytes'>): TallyError {
  const problem = problemIn(bytes);
  const code = problem.code ?? `HTTP_${status}`;
  if (status === 408 || status === 429 || status >= 500) {
    const facts = { status, code, retryAfterMs };
    return new TallyError('LEDGER_BUSY', `the ledger answered ${status} ${code}`, facts, { retriable: true });
  }
  const detail = problem.detail ?? `the ledger refused the request with status ${status}`;
  return new TallyError('LEDGER_REFUSED', detail, { ...problem, status, code, faults: problem.faults ?? [] });
}

/** Tells the size of each new checkpoint: the `id:` of an event that is named so. */
async function followStream(
  server: CalledServer,
  get: typeof fetch,
  signal: AbortSignal,
  onCheckpoint: (size: number) => void,
): Promise<void> {
  const { name, url, clientKey = '', timeoutMs } = server;
  const stream = { server: name, url, path: '/ledger/v1/stream', clientKey, signal, timeoutMs };
  const refused = async (response: Response): Promise<Error> => {
    const bytes = await readAnswer(response, { server: name, url, bytesMax: JSON_ANSWER_BYTES_MAX });
    return refusal({ status: response.status, retryAfterMs: retryAfterMsOf(response), bytes });
  };
  try {
    const events = readEventStream(
      { ...stream, eventCharactersMax: STREAM_EVENT_CHARACTERS_MAX },
      { fetch: get, refusal: refused },
    );
    for await (const lines of events) {
      const size = sizeOfEvent(lines);
      if (size !== null) onCheckpoint(size);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof TallyError ? error : noAnswer(server, error);
  }
  if (!signal.aborted) throw noAnswer(server);
}

const STREAM_EVENT_CHARACTERS_MAX = 10_000;

function sizeOfEvent(lines: StreamLines): number | null {
  if (!lines.includes('event: checkpoint')) return null;
  const id = lines.find((line) => line.startsWith('id: '))?.slice('id: '.length) ?? '';
  return /^\d{1,15}$/.test(id) ? Number(id) : null;
}

function parsedAs<Parsed>(schema: z.ZodType<Parsed>, answer: HttpAnswer): Parsed {
  const parsed = schema.safeParse(jsonIn(answer.bytes));
  if (!parsed.success)
    throw answerInvalid('the ledger answered something else than docs/http-api.md says', parsed.error);
  return parsed.data;
}

function answerInvalid(what: string, cause?: unknown): TallyError {
  return new TallyError('LEDGER_ANSWER_INVALID', what, {}, { retriable: true, cause });
}
