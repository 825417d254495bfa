import type { Request, Response } from 'express';
import type { Client } from '../access/clients.ts';
import {
  STREAM_ANONYMOUS_SHARE,
  STREAM_BACKLOG_BYTES_MAX,
  STREAM_CLIENTS_MAX,
  STREAM_HEARTBEAT_MS,
  STREAM_HOLDER_SHARE,
  STREAM_REPLAY_EVENTS_MAX,
} from '../http/limits.ts';
import { networkOf } from '../http/network-of.ts';
import { HttpProblem } from '../http/problem.ts';

interface StreamEvent {
  readonly event: string;
  /** Grows with each event of the stream: what a reader sends back as Last-Event-ID. */
  readonly id: number;
  /** Sent as JSON. */
  readonly data: unknown;
}

export interface EventStreamOptions {
  readonly heartbeatMs?: number;
  readonly replayEventsMax?: number;
  readonly clientsMax?: number;
}

/** One stream of server-sent events to any number of readers. */
export interface EventStream {
  publish(event: StreamEvent): void;
  /** A handler for `GET …/stream`: replays what came after Last-Event-ID and is still kept, then goes on live. */
  serve(request: Request, response: Response): void;
  readonly readers: number;
  /** Ends every reader's answer; they come back by themselves when the service does. */
  close(): void;
}

/** Makes a stream. A reader that is too slow is cut and comes back with its Last-Event-ID. */
export function createEventStream(options: EventStreamOptions = {}): EventStream {
  const kept: StreamEvent[] = [];
  const readers = new Map<Response, Holder>();
  const keptMax = options.replayEventsMax ?? STREAM_REPLAY_EVENTS_MAX;
  const clientsMax = options.clientsMax ?? STREAM_CLIENTS_MAX;
  let closed = false;
  const hasPlace = (holder: Holder): boolean => {
    const all = [...readers.values()];
    const own = all.filter((one) => one.name === holder.name).length;
    const anonymous = all.filter((one) => !one.hasKey).length;
    if (all.length >= clientsMax || own >= Math.max(1, clientsMax * STREAM_HOLDER_SHARE)) return false;
    return holder.hasKey || anonymous < Math.max(1, clientsMax * STREAM_ANONYMOUS_SHARE);
  };
  const heartbeat = setInterval(() => {
    for (const reader of readers.keys()) write(reader, ': still here\n\n');
  }, options.heartbeatMs ?? STREAM_HEARTBEAT_MS);
  heartbeat.unref();
  return {
    publish(event) {
      kept.push(event);
      if (kept.length > keptMax) kept.shift();
      const text = printEvent(event);
      for (const reader of readers.keys()) write(reader, text);
    },
    serve(request, response) {
      const holder = holderOf(request, response);
      if (closed || !hasPlace(holder)) {
        throw new HttpProblem(503, 'TOO_MANY_STREAMS', 'no further live stream now', { retryAfterSeconds: 5 });
      }
      // It stays for hours: it has its own limit.
      (response.locals['leaveWork'] as (() => void) | undefined)?.();
      response.status(200).set({
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store, no-transform',
        'X-Accel-Buffering': 'no',
      });
      response.flushHeaders();
      const lastSeen = lastEventId(request);
      write(response, 'retry: 2000\n\n');
      for (const event of kept) if (event.id > lastSeen) write(response, printEvent(event));
      readers.set(response, holder);
      response.on('close', () => readers.delete(response));
    },
    get readers() {
      return readers.size;
    },
    close() {
      closed = true;
      clearInterval(heartbeat);
      for (const reader of readers.keys()) reader.end();
      readers.clear();
    },
  };
}

/** Who reads: a client by its id, anybody else by the address that the connection comes from. */
interface Holder {
  readonly name: string;
  readonly hasKey: boolean;
}

function holderOf(request: Request, response: Response): Holder {
  const client = response.locals['client'] as Client | undefined;
  if (client !== undefined) return { name: `client ${client.id}`, hasKey: true };
  return { name: `address ${networkOf(request.ip)}`, hasKey: false };
}

function printEvent({ event, id, data }: StreamEvent): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

function write(reader: Response, text: string): void {
  if (reader.writableLength > STREAM_BACKLOG_BYTES_MAX) reader.destroy();
  else reader.write(text);
}

/** A reader without Last-Event-ID is new: it gets the newest events that are kept. */
function lastEventId(request: Request): number {
  const given = Number(request.get('last-event-id') ?? Number.NaN);
  return Number.isSafeInteger(given) ? given : -1;
}
