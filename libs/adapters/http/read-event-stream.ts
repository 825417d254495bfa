import { TallyError } from '../../core/errors/tally-error.ts';
import { STREAM_SILENCE_MS } from './limits.ts';
import { isOtherType } from './read-answer.ts';

export interface ReadEventStreamOptions {
  /** In the words of whoever reads the error: `the ledger`. */
  readonly server: string;
  /** Its address, without a path. */
  readonly url: string;
  readonly path: string;
  readonly clientKey: string;
  /** Ends the reading, quietly. */
  readonly signal: AbortSignal;
  /** Until the answer has begun. */
  readonly timeoutMs: number;
  /** Characters of one event, and of a line without an end; more is no event of ours. */
  readonly eventCharactersMax: number;
  /** A stream of ours says every 15 s that it is there: one that is silent for longer than this is cut. */
  readonly silenceMs?: number;
}

export interface ReadEventStreamDependencies {
  readonly fetch: typeof fetch;
  /** Called with an answer that is no stream, which it reads: gives the error to throw. */
  readonly refusal: (response: Response) => Promise<Error>;
}

/** The lines of one event. */
export type StreamLines = readonly string[];

/**
 * The events of a stream of server-sent events (WHATWG HTML, section 9.2), as they come. Ends where the server ends it. Throws
 * STREAM_EVENT_TOO_LONG, STREAM_SILENT, ANSWER_OF_ANOTHER_TYPE (all retriable, with fact `url`), and whatever fetch throws.
 */
export async function* readEventStream(
  options: ReadEventStreamOptions,
  dependencies: ReadEventStreamDependencies,
): AsyncGenerator<StreamLines, void> {
  const cut = new AbortController();
  const response = await opened(options, dependencies, cut);
  const silence = silenceWatch(options, cut);
  try {
    let pending = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      silence.heard();
      pending += decoder.decode(chunk, { stream: true });
      const events = pending.split('\n\n');
      pending = events.pop() ?? '';
      if (pending.length > options.eventCharactersMax) throw eventTooLong(options);
      for (const event of events) yield event.split('\n');
    }
  } catch (error) {
    throw cut.signal.aborted && !options.signal.aborted ? silent(options) : error;
  } finally {
    silence.stop();
  }
}

async function opened(
  { server, url, path, clientKey, signal, timeoutMs }: ReadEventStreamOptions,
  { fetch: get, refusal }: ReadEventStreamDependencies,
  cut: AbortController,
): Promise<Response> {
  const timer = setTimeout(() => cut.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    const headers = { authorization: `Bearer ${clientKey}`, accept: 'text/event-stream' };
    const response = await get(`${url}${path}`, { headers, signal: AbortSignal.any([signal, cut.signal]) });
    if (!response.ok) throw await refusal(response);
    if (isOtherType(response, 'text/event-stream')) {
      await response.body?.cancel();
      const message = `${server} at ${url} answered ${path} with something else than a live stream: see what answers there`;
      throw new TallyError('ANSWER_OF_ANOTHER_TYPE', message, { url }, { retriable: true });
    }
    return response;
  } finally {
    clearTimeout(timer);
  }
}

function silenceWatch({ silenceMs = STREAM_SILENCE_MS }: ReadEventStreamOptions, cut: AbortController) {
  const timer = setTimeout(() => cut.abort(), silenceMs);
  timer.unref();
  return { heard: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}

function eventTooLong({ server, url, eventCharactersMax }: ReadEventStreamOptions): TallyError {
  const message = `${server} at ${url} sent a live event of more than ${eventCharactersMax} characters: see what answers there`;
  return new TallyError('STREAM_EVENT_TOO_LONG', message, { url, eventCharactersMax }, { retriable: true });
}

function silent({ server, url, silenceMs = STREAM_SILENCE_MS }: ReadEventStreamOptions): TallyError {
  const message = `${server} at ${url} sent nothing on its live stream for ${silenceMs / 1_000} s: it is asked for again`;
  return new TallyError('STREAM_SILENT', message, { url, silenceMs }, { retriable: true });
}
