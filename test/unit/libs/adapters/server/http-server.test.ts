import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(listener: RequestListener): Promise<HttpServer> {
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, listener);
  closers.push(() => server.stop(100));
  return server;
}

/** One connection, whose requests and answers are bytes: no client that would open another behind our back. */
class Connection {
  readonly #socket: Socket;
  #received = '';

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString();
    });
    this.#socket.on('error', () => undefined);
    closers.push(() => this.#socket.destroy());
  }

  ask(header = ''): void {
    this.#received = '';
    this.#socket.write(`GET / HTTP/1.1\r\nHost: here\r\n${header}\r\n`);
  }

  async answer(): Promise<string> {
    await expect.poll(() => this.#received).toContain('fine');
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed;
  }
}

describe('the HTTP server', () => {
  it('keeps a connection for longer than it tells, so that no request of a slow client meets one that is being closed', async () => {
    const { port } = await serve((_request, response) => response.end('fine'));
    const connection = new Connection(port);
    connection.ask();
    expect(await connection.answer()).toContain('Keep-Alive: timeout=5\r\n');
    await sleep(6_500);
    expect(connection.isClosed).toBe(false);
    connection.ask();
    expect(await connection.answer()).toContain('200 OK');
  });

  it('closes a connection whose client asks for that', async () => {
    const { port } = await serve((_request, response) => response.end('fine'));
    const connection = new Connection(port);
    connection.ask('Connection: close\r\n');
    expect(await connection.answer()).toContain('Connection: close\r\n');
    await expect.poll(() => connection.isClosed).toBe(true);
  });

  it('stops as soon as what is under way is answered, though the connection would be kept', async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_request, response) => {
      answers.push(() => response.end('fine'));
    });
    const connection = new Connection(server.port);
    connection.ask();
    await expect.poll(() => answers.length).toBe(1);
    let hasStopped = false;
    const stopping = server.stop(600_000).then(() => {
      hasStopped = true;
    });
    await sleep(200);
    expect(hasStopped).toBe(false);
    answers[0]?.();
    expect(await connection.answer()).toContain('200 OK');
    await stopping;
    expect(connection.isClosed).toBe(true);
  });
});
