import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../../../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../../../../libs/adapters/http/ledger-client.ts';
import { JSON_ANSWER_BYTES_MAX, PULL_ANSWER_BYTES_MAX } from '../../../../../libs/adapters/http/limits.ts';
import { readEventStream } from '../../../../../libs/adapters/http/read-event-stream.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { ServiceClient } from '../../../../../services/cli/client/service-client.ts';
import { followSummaries } from '../../../../../services/dashboard/follow-summaries.ts';

const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    await server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const MEBIBYTE = 1024 * 1024;
const PULL = { chains: [{ chain: '0'.repeat(32), from: 0 }], verified: 0 };
const reach = (url: string, timeoutMs = 60_000) => ({ url, clientKey: 'a-key', timeoutMs });
const ledgerAt = (url: string, timeoutMs?: number) => createLedgerClient(reach(url, timeoutMs), { fetch });
const gatewayAt = (url: string, timeoutMs?: number) => createGatewayClient(reach(url, timeoutMs), { fetch });

/** Every kind of answer that a client of ours reads, by who reads it. */
const READERS: readonly [string, number, string, (url: string, timeoutMs?: number) => Promise<unknown>][] = [
  ['a pull', PULL_ANSWER_BYTES_MAX, 'avro/binary', (url, ms) => ledgerAt(url, ms).pull(PULL)],
  ['changes', JSON_ANSWER_BYTES_MAX, 'application/json', (url, ms) => ledgerAt(url, ms).changes(0)],
  ['a checkpoint', JSON_ANSWER_BYTES_MAX, 'text/plain', (url, ms) => ledgerAt(url, ms).checkpoint()],
  ['receipts', JSON_ANSWER_BYTES_MAX, 'application/json', (url, ms) => gatewayAt(url, ms).postEvents('paye', ['{}'])],
  [
    'the command line',
    64 * MEBIBYTE,
    'application/json',
    (url, ms) => new ServiceClient({ dataDir: '', url, key: 'a-key' }).call('GET', '/any', undefined, ms),
  ],
];

describe('an answer without end', () => {
  it.each(READERS)(
    'is read no further than its bound, and refused by a code that names server and bound: %s',
    async (_what, bytesMax, type, read) => {
      let sent = 0;
      const url = await serve((_request, response) => {
        response.on('error', () => undefined);
        response.writeHead(202, { 'content-type': type });
        const chunk = Buffer.alloc(MEBIBYTE, 0x20);
        const pour = (): void => {
          while (!response.destroyed && sent < 700) {
            sent += 1;
            if (!response.write(chunk)) return void response.once('drain', pour);
          }
          response.end();
        };
        pour();
      });
      const before = process.memoryUsage().rss;
      await expect(read(url)).rejects.toMatchObject({
        code: 'ANSWER_TOO_LARGE',
        retriable: true,
        facts: { url, bytesMax },
      });
      expect(sent * MEBIBYTE, 'what the server got rid of').toBeLessThan(bytesMax + 32 * MEBIBYTE);
      expect(process.memoryUsage().rss - before).toBeLessThan(3 * bytesMax + 64 * MEBIBYTE);
    },
  );

  it.each(READERS)('is not begun where its length is said to be beyond it: %s', async (_what, bytesMax, type, read) => {
    const url = await serve((_request, response) => {
      response.on('error', () => undefined);
      response.writeHead(202, { 'content-type': type, 'content-length': String(700 * MEBIBYTE) });
      response.write('x');
    });
    await expect(read(url)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE', facts: { url, bytesMax } });
  });

  it('is bounded by what it inflates to', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MEBIBYTE, 0x20));
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    const url = await serve((_request, response) => {
      response.on('error', () => undefined);
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    });
    const before = process.memoryUsage().rss;
    await expect(ledgerAt(url).changes(0)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * MEBIBYTE);
  });

  it.each(READERS)('that comes a byte at a time ends with its time: %s', async (_what, _bytesMax, type, read) => {
    const url = await serve((_request, response) => {
      response.writeHead(202, { 'content-type': type });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const startedMs = performance.now();
    await expect(read(url, 300)).rejects.toHaveProperty('code', expect.stringMatching(/_UNREACHABLE$/));
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('has no more headers than fetch takes', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write(`x-${'h'.repeat(2_000)}: y\r\n`), 1);
      socket.on('close', () => clearInterval(timer));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const startedMs = performance.now();
    await expect(ledgerAt(url).changes(0)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE', facts: { url } });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe('an answer of another content type', () => {
  it.each([
    ['a pull', 200, (url: string) => ledgerAt(url).pull(PULL), 'LEDGER_ANSWER_INVALID'],
    ['changes', 200, (url: string) => ledgerAt(url).changes(0), 'LEDGER_ANSWER_INVALID'],
    ['receipts', 202, (url: string) => gatewayAt(url).postEvents('paye', ['{}']), 'GATEWAY_ANSWER_INVALID'],
  ] as const)('is refused by a message that names the server: %s', async (_what, status, read, code) => {
    const url = await serve((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/html' }).end('<p>hello');
    });
    await expect(read(url)).rejects.toMatchObject({ code, message: expect.stringContaining(url) });
  });
});

describe('an answer that asks us to wait', () => {
  it.each([
    ['1e12', 600_000],
    ['-5', null],
    ['soon', null],
    ['2', 2_000],
  ])('for %s is heard within reason', async (retryAfter, retryAfterMs) => {
    const url = await serve((_request, response) => {
      response.writeHead(503, { 'retry-after': retryAfter }).end();
    });
    await expect(gatewayAt(url).postEvents('paye', ['{}'])).rejects.toMatchObject({ facts: { retryAfterMs } });
    await expect(ledgerAt(url).changes(0)).rejects.toMatchObject({ facts: { retryAfterMs } });
  });
});

describe('a live stream', () => {
  const streamAt = async (url: string, more: { silenceMs?: number; timeoutMs?: number } = {}): Promise<number> => {
    let events = 0;
    const stream = readEventStream(
      {
        server: 'the ledger',
        url,
        path: '/stream',
        clientKey: 'a-key',
        signal: new AbortController().signal,
        timeoutMs: 60_000,
        eventCharactersMax: 10_000,
        ...more,
      },
      { fetch, refusal: async () => new Error('refused') },
    );
    for await (const _ of stream) events += 1;
    return events;
  };

  it('without an end of line is cut at its limit', async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      response.on('error', () => undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const pour = (): void => {
        while (!response.destroyed && sent < 700) {
          sent += 1;
          if (!response.write(Buffer.alloc(MEBIBYTE, 0x61))) return void response.once('drain', pour);
        }
      };
      pour();
    });
    await expect(streamAt(url)).rejects.toMatchObject({
      code: 'STREAM_EVENT_TOO_LONG',
      facts: { url, eventCharactersMax: 10_000 },
    });
    expect(sent).toBeLessThan(64);
  });

  it('that falls silent is cut', async () => {
    const url = await serve(
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n'),
    );
    await expect(streamAt(url, { silenceMs: 200 })).rejects.toMatchObject({ code: 'STREAM_SILENT', facts: { url } });
  });

  it('that never begins is given up', async () => {
    const url = await serve(() => undefined);
    await expect(streamAt(url, { timeoutMs: 200 })).rejects.toThrow('no answer within 200 ms');
  });

  it('that is none is refused', async () => {
    const url = await serve(
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    await expect(streamAt(url)).rejects.toMatchObject({ code: 'ANSWER_OF_ANOTHER_TYPE', facts: { url } });
  });

  it('of the reconciliation is left by the Treasury page and asked for again', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.on('error', () => undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${'1'.repeat(2_000_000)}`);
    });
    const logger = createLogger({ service: 'test', level: 'silent' });
    const source = followSummaries({ url, key: 'a-key', retryMs: 10 }, { logger });
    for (let look = 0; look < 500 && asked < 3; look += 1) await sleep(10);
    await source.stop();
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(source.latest()).toBeNull();
  });
});
