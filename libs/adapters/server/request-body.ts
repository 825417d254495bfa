import { isUtf8 } from 'node:buffer';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { parseJson } from '../../core/encoding/parse-json.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Client } from '../access/clients.ts';
import { Admission } from '../http/admission.ts';
import {
  BODY_BYTES_MAX,
  BODY_RATIO_FREE_BYTES,
  BODY_RATIO_MAX,
  BODY_UNCOUNTED_BYTES,
  BODY_VALUES_MAX,
  LARGE_BODY_BYTES,
} from '../http/limits.ts';
import { HttpProblem } from '../http/problem.ts';

/**
 * Put before handlers that take JSON, behind requireClient: nothing is read of a stranger. Refuses other content types
 * (CONTENT_TYPE_UNSUPPORTED), bodies above the limit (BODY_TOO_LARGE) or that inflate more than BODY_RATIO_MAX times
 * (BODY_INFLATES_TOO_FAR), what parseJson refuses (NOT_JSON, JSON_MEMBER_REPEATED, JSON_TOO_DEEP), and what there is no room for now
 * (SERVICE_BUSY, TOO_MANY_REQUESTS).
 */
export const jsonBody: readonly RequestHandler[] = [
  (request, _response, next) => {
    if (request.is('application/json') !== false) return next();
    next(new HttpProblem(415, 'CONTENT_TYPE_UNSUPPORTED', 'send the header Content-Type: application/json'));
  },
  async (request, response, next) => {
    const text = await readText(request, response);
    if (text === null) return next();
    request.body = parsed(text);
    next();
  },
];

/** The same for a body of whatever type, as text; '' where there is none. */
export const textBody: RequestHandler = async (request: Request, response: Response, next: NextFunction) => {
  request.body = (await readText(request, response)) ?? '';
  next();
};

/** Null where the request has no body at all. */
async function readText(request: Request, response: Response): Promise<string | null> {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return null;
  const length = headers['content-length'] === undefined ? null : Number(headers['content-length']);
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  assertReadable(request, encoding);
  if (length !== null && length > BODY_BYTES_MAX) throw tooLarge();
  const admission = (response.locals['admission'] as Admission | undefined) ?? UNSHARED;
  const client = (response.locals['client'] as Client | undefined)?.id ?? '';
  const letGo = await admission.admit(client, roomFor(encoding, length));
  response.once('close', letGo);
  if (response.destroyed) letGo();
  if (request.destroyed) throw aborted();
  const bytes = await readBytes(request, encoding);
  // Parsing some megabytes holds the event loop for a while: each has a turn of its own.
  if (bytes.length > LARGE_BODY_BYTES) await admission.turn();
  if (bytes.length > BODY_UNCOUNTED_BYTES) assertFewValues(bytes);
  if (!isUtf8(bytes)) throw new HttpProblem(400, 'NOT_JSON', 'the body is not UTF-8: send it in UTF-8');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;
/** Admission for handlers outside an app of createHttpApp. */
const UNSHARED = new Admission();

function assertReadable(request: Request, encoding: string): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.get('content-type') ?? '')?.[1] ?? 'utf-8';
  if (/^utf-?8$/i.test(charset) && ENCODINGS.has(encoding)) return;
  const detail = 'send application/json in UTF-8, plain, gzip, deflate or br';
  throw new HttpProblem(415, 'CONTENT_TYPE_UNSUPPORTED', detail);
}

const ENCODINGS: ReadonlySet<string> = new Set(['identity', 'gzip', 'deflate', 'br']);

/** The most that the body can come to. */
function roomFor(encoding: string, length: number | null): number {
  if (length === null) return BODY_BYTES_MAX;
  return encoding === 'identity' ? length : Math.min(BODY_BYTES_MAX, inflatedMax(length));
}

function inflatedMax(compressedBytes: number): number {
  return Math.max(BODY_RATIO_FREE_BYTES, compressedBytes * BODY_RATIO_MAX);
}

function readBytes(request: Request, encoding: string): Promise<Buffer> {
  const inflating = inflaterOf(encoding);
  const source = inflating === null ? request : request.pipe(inflating);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const fail = (problem: HttpProblem): void => {
      request.unpipe();
      inflating?.destroy();
      source.removeAllListeners('data');
      // What still comes is thrown away, so that the sender reads the answer; a request has its time at most.
      request.resume();
      reject(problem);
    };
    source.on('data', (part: Buffer) => {
      bytes += part.length;
      parts.push(part);
      if (bytes > BODY_BYTES_MAX) fail(tooLarge());
      else if (inflating !== null && bytes > inflatedMax(inflating.bytesWritten)) fail(inflatesTooFar());
    });
    source.on('end', () => resolve(Buffer.concat(parts, bytes)));
    inflating?.on('error', () => {
      fail(
        new HttpProblem(400, 'NOT_JSON', `the body is not what its Content-Encoding says (${encoding}), or ends early`),
      );
    });
    request.on('error', () => fail(aborted()));
    request.on('close', () => {
      if (!request.complete) fail(aborted());
    });
  });
}

/** Four megabytes of `{},` are a million objects, which hold the event loop for a second: no events of ours are of such small parts. */
function assertFewValues(bytes: Buffer): void {
  let count = 0;
  for (const byte of bytes) if (byte === COMMA || byte === OPENING_BRACKET || byte === OPENING_BRACE) count += 1;
  if (count <= BODY_VALUES_MAX) return;
  const detail = `the body holds more than ${BODY_VALUES_MAX} values: send fewer events in a request`;
  throw new HttpProblem(413, 'BODY_TOO_LARGE', detail);
}

const [COMMA, OPENING_BRACKET, OPENING_BRACE] = [0x2c, 0x5b, 0x7b];

function inflaterOf(encoding: string) {
  if (encoding === 'gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  return encoding === 'br' ? createBrotliDecompress() : null;
}

function parsed(text: string): unknown {
  if (text.trim() === '') throw new HttpProblem(400, 'NOT_JSON', 'the body is empty: send JSON');
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    const { code, message, facts } = error;
    const faults = typeof facts.pointer === 'string' ? [{ code, pointer: facts.pointer, detail: message }] : [];
    throw new HttpProblem(400, code, message.replace('the text', 'the body'), { faults });
  }
}

function tooLarge(): HttpProblem {
  const detail = `the body is too large (at most ${BODY_BYTES_MAX} bytes, inflated): send fewer events in a request`;
  return new HttpProblem(413, 'BODY_TOO_LARGE', detail);
}

function inflatesTooFar(): HttpProblem {
  const detail = `the body inflates to more than ${BODY_RATIO_MAX} times what was sent: send it plain`;
  return new HttpProblem(413, 'BODY_INFLATES_TOO_FAR', detail);
}

function aborted(): HttpProblem {
  return new HttpProblem(400, 'BODY_ABORTED', 'the body is not as long as its Content-Length');
}
