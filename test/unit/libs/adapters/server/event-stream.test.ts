import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { problemOf } from '../../../../../libs/adapters/http/problem.ts';
import { createEventStream, type EventStream } from '../../../../../libs/adapters/server/event-stream.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';

let server: HttpServer | null = null;
let stream: EventStream | null = null;
afterEach(async () => {
  stream?.close();
  await server?.stop(100);
});

async function serve(options: Parameters<typeof createEventStream>[0]): Promise<{ url: string; stream: EventStream }> {
  const made = createEventStream(options);
  const app = express();
  app.get('/stream', (request, response) => {
    try {
      made.serve(request, response);
    } catch (error) {
      response.status(problemOf(error).status).end();
    }
  });
  stream = made;
  server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  return { url: `${server.url}/stream`, stream: made };
}

/** Reads until a text has come. */
async function readUntil(response: Response, end: string): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (reader !== undefined && !text.includes(end)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader?.cancel();
  return text;
}

describe('a stream of server-sent events', () => {
  it('sends events as they come, with ids, uncached and unbuffered', async () => {
    const { url, stream } = await serve({});
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    stream.publish({ event: 'checkpoint', id: 7, data: { size: 7 } });
    expect(await readUntil(response, 'size')).toContain('event: checkpoint\nid: 7\ndata: {"size":7}\n\n');
  });

  it('replays what came after Last-Event-ID, of what is still kept', async () => {
    const { url, stream } = await serve({ replayEventsMax: 3 });
    for (let id = 1; id <= 5; id += 1) stream.publish({ event: 'n', id, data: id });
    const text = await readUntil(await fetch(url, { headers: { 'last-event-id': '3' } }), 'data: 5');
    expect(text.match(/id: \d/g)).toEqual(['id: 4', 'id: 5']);
    const fresh = await readUntil(await fetch(url), 'data: 5');
    expect(fresh.match(/id: \d/g)).toEqual(['id: 3', 'id: 4', 'id: 5']);
  });

  it('says that it is alive while nothing happens', async () => {
    const { url } = await serve({ heartbeatMs: 20 });
    expect(await readUntil(await fetch(url), 'still here')).toContain(': still here\n\n');
  });

  it('forgets a reader that left, and turns further ones away at its limit', async () => {
    const { url, stream } = await serve({ clientsMax: 1 });
    const leaving = new AbortController();
    await fetch(url, { signal: leaving.signal });
    expect(stream.readers).toBe(1);
    expect((await fetch(url)).status).toBe(503);
    leaving.abort();
    await expect.poll(() => stream.readers).toBe(0);
    expect((await fetch(url)).status).toBe(200);
  });

  it('ends when it is closed, so that the server can stop', async () => {
    const { url, stream } = await serve({});
    const response = await fetch(url);
    stream.close();
    await expect(response.text()).resolves.toContain('retry: 2000');
    await expect(server?.stop(5_000)).resolves.toBe(undefined);
  });
});

describe('the HTTP server', () => {
  it('takes the next free port where it may, and says where it listens', async () => {
    const first = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, (_, response) =>
      response.end(),
    );
    server = await startHttpServer({ host: '127.0.0.1', port: first.port, furtherPorts: 20 }, (_, response) =>
      response.end('second'),
    );
    expect(server.port).toBeGreaterThan(first.port);
    expect(await (await fetch(server.url)).text()).toBe('second');
    const taken = startHttpServer({ host: '127.0.0.1', port: first.port, furtherPorts: 0 }, () => undefined);
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.stop(100);
  });

  it('lets an answer under way finish when it stops, and cuts what is late', async () => {
    server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, (request, response) => {
      if (request.url === '/slow') setTimeout(() => response.end('done'), 100);
    });
    const slow = fetch(`${server.url}/slow`).then((response) => response.text());
    const never = fetch(`${server.url}/never`).catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop(400);
    expect(await slow).toBe('done');
    expect(await never).toBe('cut');
  });
});

describe('places of a stream', () => {
  it('are not all for readers without a key, nor for one address, nor for one client', async () => {
    const made = createEventStream({ clientsMax: 20 });
    const app = express();
    app.set('trust proxy', true);
    app.get('/stream', (request, response) => {
      const id = request.get('x-client');
      if (id !== undefined) response.locals['client'] = { id };
      try {
        made.serve(request, response);
      } catch (error) {
        response.status(problemOf(error).status).end();
      }
    });
    stream = made;
    server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
    const url = `${server.url}/stream`;
    // Kept: an answer that nobody holds is collected, and its place is free.
    const held: Response[] = [];
    const ask = async (headers: Record<string, string>): Promise<number> => {
      const response = await fetch(url, { headers });
      held.push(response);
      return response.status;
    };
    const from = (address: number) => ask({ 'x-forwarded-for': `10.0.0.${address}` });
    const flood: number[] = [];
    for (let n = 0; n < 50; n += 1) flood.push(await from(1));
    expect(flood.filter((status) => status === 200)).toHaveLength(5);
    for (let n = 0; n < 50; n += 1) flood.push(await from(2 + (n % 25)));
    expect(
      flood.filter((status) => status === 200),
      'four fifths of the places',
    ).toHaveLength(16);
    const ofOne = [];
    for (let n = 0; n < 6; n += 1) ofOne.push(await ask({ 'x-client': n < 3 ? 'one' : 'two' }));
    expect(ofOne).toEqual([200, 200, 200, 200, 503, 503]);
    expect(held.filter(({ ok }) => ok)).toHaveLength(20);
    expect(made.readers).toBe(20);
  });
});
