import { z } from 'zod';
import { TallyError } from '../../core/errors/tally-error.ts';
import { JSON_ANSWER_BYTES_MAX } from './limits.ts';
import { isOtherType, readAnswer, retryAfterMsOf } from './read-answer.ts';

/** A server that we call, in the words of the person who reads the error. */
export interface CalledServer {
  /** Such as `the ledger`. */
  readonly name: string;
  /** Its address without a path: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** For the whole answer, its body too. */
  readonly timeoutMs: number;
  /** The bearer key of this client; none where the server asks for none. */
  readonly clientKey?: string | undefined;
  /** The code of the error where no whole answer came. */
  readonly unreachable: string;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** The body as it is sent; JSON where `headers` says nothing else. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The most that is read of the answer; JSON_ANSWER_BYTES_MAX where it is left out. */
  readonly bytesMax?: number;
}

/** A whole answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly bytes: Buffer;
  /** What the server asks us to wait, at most RETRY_AFTER_MS_MAX; null where it asks for nothing. */
  readonly retryAfterMs: number | null;
  /** The server's own time, in milliseconds; not a number where it tells none. */
  readonly date: number;
  /** Whether it names another content type than this one. */
  isOtherType(type: string): boolean;
}

/**
 * One request and its whole answer, within the server's time and no longer than its bound. It does not retry. Throws the server's own
 * `unreachable` code where no whole answer came (facts `url`, `timeoutMs`), ANSWER_TOO_LARGE; both are retriable.
 */
export async function call(server: CalledServer, request: HttpCall, get: typeof fetch): Promise<HttpAnswer> {
  const { name, url } = server;
  try {
    const response = await begun(server, request, get);
    const bytes = await readAnswer(response, {
      server: name,
      url,
      bytesMax: request.bytesMax ?? JSON_ANSWER_BYTES_MAX,
    });
    return {
      status: response.status,
      ok: response.ok,
      bytes,
      retryAfterMs: retryAfterMsOf(response),
      date: Date.parse(response.headers.get('date') ?? ''),
      isOtherType: (type) => isOtherType(response, type),
    };
  } catch (cause) {
    throw cause instanceof TallyError ? cause : noAnswer(server, cause);
  }
}

/** The beginning of an answer whose body the caller reads as it comes. Throws what fetch throws. */
export function begun(server: CalledServer, request: HttpCall, get: typeof fetch): Promise<Response> {
  const { clientKey, url, timeoutMs } = server;
  const { method, path, body, headers } = request;
  return get(`${url}${path}`, {
    method,
    headers: {
      ...(clientKey === undefined ? {} : { authorization: `Bearer ${clientKey}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
      ...headers,
    },
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body }),
  });
}

/** The error of a server that gave no whole answer. */
export function noAnswer({ name, url, timeoutMs, unreachable }: CalledServer, cause?: unknown): TallyError {
  const message = `no whole answer from ${name} at ${url} (it has ${timeoutMs / 1_000} s)`;
  return new TallyError(unreachable, message, { url, timeoutMs }, { retriable: true, cause });
}

const problemAnswer = z.looseObject({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  faults: z.array(z.object({ code: z.string(), pointer: z.string(), detail: z.string() })).optional(),
});

/** What a refusal says (RFC 9457 with our own code and faults); all of it is missing where the body is something else. */
export type ProblemAnswer = z.infer<typeof problemAnswer>;

export function problemIn(bytes: Buffer): ProblemAnswer {
  const parsed = problemAnswer.safeParse(jsonIn(bytes));
  return parsed.success ? parsed.data : {};
}

/** The JSON of a body; null where it is none. */
export function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
