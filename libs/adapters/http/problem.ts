import type { Response } from 'express';
import type { Fault } from '../../core/errors/fault.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import { FAULTS_LISTED_MAX } from './limits.ts';

/** What an error means over HTTP: an RFC 9457 problem, thrown anywhere in a handler. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { readonly faults?: readonly Fault[]; readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HttpProblem';
    this.status = status;
    this.code = code;
    this.faults = more.faults ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

/** Status and title of every code that is not simply a fault of input (422) or ours (500). */
const STATUSES: Readonly<Record<string, readonly [number, string]>> = {
  PATH_INVALID: [400, 'The path cannot be read'],
  NOT_JSON: [400, 'The body is not JSON'],
  JSON_MEMBER_REPEATED: [400, 'The body names a member twice'],
  JSON_TOO_DEEP: [400, 'The body is nested too deep'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  BODY_INFLATES_TOO_FAR: [413, 'The body inflates too far'],
  BODY_ABORTED: [400, 'The body ended early'],
  CONTENT_TYPE_UNSUPPORTED: [415, 'The content type is not application/json'],
  INPUT_INVALID: [422, 'The input is at fault'],
  KEY_MISSING: [401, 'No client key was given'],
  KEY_UNKNOWN: [401, 'The client key is not known'],
  KEY_EXPIRED: [401, 'The client key has expired'],
  ROLE_MISSING: [403, 'The client may not do this'],
  ACCOUNT_NOT_YOURS: [403, 'The account is not bound to this client'],
  EVENT_ID_CONFLICT: [409, 'An event id is known with another body'],
  NOT_FOUND: [404, 'There is nothing here'],
  METHOD_NOT_ALLOWED: [405, 'The method is not allowed here'],
  TOO_MANY_REQUESTS: [429, 'Too many requests'],
  TOO_MANY_WRONG_KEYS: [429, 'Too many wrong keys'],
  SERVICE_BUSY: [503, 'Too much is under way now'],
  TOO_MANY_STREAMS: [503, 'Too many live streams'],
  LOG_UNAVAILABLE: [503, 'The event log does not take events now'],
  NOT_READY: [503, 'The service is starting or stopping'],
  INTERNAL: [500, 'Something went wrong on our side'],
};

/** The problem of any error. What is not ours to explain becomes INTERNAL, without its message. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof URIError) return new HttpProblem(400, 'PATH_INVALID', 'the path is not percent-encoded UTF-8');
  if (error instanceof TallyError) {
    const known = STATUSES[error.code];
    if (known !== undefined) return new HttpProblem(known[0], error.code, error.message, retryAfter(error));
    if (error.retriable) return new HttpProblem(503, error.code, error.message, { retryAfterSeconds: 1, cause: error });
  }
  return new HttpProblem(500, 'INTERNAL', 'an unexpected error; quote the correlation id', { cause: error });
}

/** Writes `application/problem+json` with every fault at once (at most FAULTS_LISTED_MAX, the rest counted). */
export function sendProblem(response: Response, problem: HttpProblem, correlationId: string): void {
  const { status, code, faults, retryAfterSeconds } = problem;
  if (retryAfterSeconds !== null) response.set('Retry-After', String(retryAfterSeconds));
  if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="tallystick"');
  const left = faults.length - FAULTS_LISTED_MAX;
  const body = {
    type: `urn:tallystick:problem:${code}`,
    title: STATUSES[code]?.[1] ?? 'The request was refused',
    status,
    code,
    detail: left > 0 ? `${problem.message} (and ${left} further faults that are not listed)` : problem.message,
    correlationId,
    ...(faults.length > 0 ? { faults: faults.slice(0, FAULTS_LISTED_MAX) } : {}),
  };
  response.status(status).set('Content-Type', 'application/problem+json; charset=utf-8').send(JSON.stringify(body));
}

function retryAfter(error: TallyError): { readonly retryAfterSeconds?: number; readonly cause: unknown } {
  return error.retriable ? { retryAfterSeconds: 1, cause: error } : { cause: error };
}
