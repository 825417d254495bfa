import { TallyError } from '../../core/errors/tally-error.ts';
import { RETRY_AFTER_MS_MAX } from './limits.ts';

/** Whose answer it is, and how much of it is read. */
export interface AnswerBounds {
  /** In the words of whoever reads the error: `the ledger`. */
  readonly server: string;
  /** Its address, without a path. */
  readonly url: string;
  /** Bytes of the body, inflated. */
  readonly bytesMax: number;
}

/**
 * The body of an answer, read as it comes and no further than its bound: a server that errs or is hostile cannot fill our memory, compressed
 * or not. Throws ANSWER_TOO_LARGE (retriable; facts `url`, `bytesMax`), and whatever fetch throws where the connection breaks off.
 */
export async function readAnswer(response: Response, bounds: AnswerBounds): Promise<Buffer> {
  if (Number(response.headers.get('content-length') ?? 0) > bounds.bytesMax) {
    await response.body?.cancel();
    throw tooLarge(bounds);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    // Leaving the loop cancels the body and ends the connection.
    if (bytes > bounds.bytesMax) throw tooLarge(bounds);
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

/** Whether an answer names another content type than this one; one that names none may be it. */
export function isOtherType(response: Response, type: string): boolean {
  const given = response.headers.get('content-type');
  return given !== null && given.split(';')[0]?.trim().toLowerCase() !== type;
}

/** What a server asks us to wait (Retry-After in seconds), in milliseconds and at most RETRY_AFTER_MS_MAX; null where it asks for nothing. */
export function retryAfterMsOf(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : null;
}

function tooLarge({ server, url, bytesMax }: AnswerBounds): TallyError {
  const message = `${server} at ${url} answered with more than ${bytesMax} bytes, the most that is read: see what answers at that address`;
  return new TallyError('ANSWER_TOO_LARGE', message, { url, bytesMax }, { retriable: true });
}
