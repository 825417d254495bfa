import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePullAnswer } from '../../../../../libs/adapters/codec/pull-answer.ts';
import { createLedgerClient, type LedgerClient } from '../../../../../libs/adapters/http/ledger-client.ts';

const PULL = { chains: [{ chain: '0'.repeat(32), from: 0 }], verified: 0 };
const NOTHING = { checkpoint: null, consistency: [], chains: [], rejectionsNote: null };

describe('createLedgerClient', () => {
  let server: Server;
  let client: LedgerClient;
  let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let seen: { readonly method: string; readonly url: string; readonly key: string; readonly body: string }[];

  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts).toString();
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, key: headers.authorization ?? '', body });
        answer(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = clientWithin(60_000);
  });

  function clientWithin(timeoutMs: number): LedgerClient {
    const { port } = server.address() as AddressInfo;
    return createLedgerClient({ url: `http://127.0.0.1:${port}`, clientKey: 'a-key', timeoutMs }, { fetch });
  }

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const json = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    answer = (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

  it('pulls with its key and reads the answer', async () => {
    answer = (_request, response) => response.end(encodePullAnswer(NOTHING));
    expect(await client.pull(PULL)).toEqual(NOTHING);
    expect(seen).toEqual([{ method: 'POST', url: '/ledger/v1/pull', key: 'Bearer a-key', body: JSON.stringify(PULL) }]);
  });

  it('refuses an answer that is not Avro', async () => {
    json(200, {});
    await expect(client.pull(PULL)).rejects.toMatchObject({ code: 'LEDGER_ANSWER_INVALID', retriable: true });
  });

  it('registers a chain and gives its key as bytes', async () => {
    const ledger = { name: 'ledger', verifierKey: 'ledger+0+k', origin: 'ledger/2026' };
    const chainKey = Buffer.alloc(32, 5);
    json(200, { account: 'vat:123456727', chain: 'ab'.repeat(16), chainKey: chainKey.toString('base64'), ledger });
    const registration = await client.registerChain({ account: 'vat:123456727' });
    expect(registration).toEqual({ account: 'vat:123456727', chain: 'ab'.repeat(16), chainKey, ledger });
    json(200, { account: 'vat:123456727', chain: 'not hex', chainKey: '', ledger });
    await expect(client.registerChain({ account: 'vat:123456727' })).rejects.toMatchObject({
      code: 'LEDGER_ANSWER_INVALID',
    });
  });

  it('registers many chains and gives what is refused apart', async () => {
    const ledger = { name: 'ledger', verifierKey: 'ledger+0+k', origin: 'ledger/2026' };
    const chainKey = Buffer.alloc(32, 5);
    const taken = { account: 'vat:123456727', chain: 'ab'.repeat(16), chainKey: chainKey.toString('base64') };
    const refused = { account: 'vat:101747696', code: 'PAYER_KEY_DIFFERS', detail: 'another key' };
    const accounts = ['vat:123456727', 'vat:101747696'] as const;
    json(200, { ledger, chains: [taken, refused] });
    expect(await client.registerChains({ accounts, verifierKey: 'k' })).toEqual({
      ledger,
      registered: [{ account: 'vat:123456727', chain: 'ab'.repeat(16), chainKey, ledger }],
      refused: [refused],
    });
    json(200, { ledger, chains: [refused, taken] });
    await expect(client.registerChains({ accounts })).rejects.toMatchObject({ code: 'LEDGER_ANSWER_INVALID' });
    json(200, { ledger, chains: [taken] });
    await expect(client.registerChains({ accounts })).rejects.toMatchObject({ code: 'LEDGER_ANSWER_INVALID' });
  });

  it('gives null where the ledger has signed nothing yet', async () => {
    json(404, { code: 'CHECKPOINT_NONE' });
    expect(await client.checkpoint()).toBeNull();
    answer = (_request, response) => response.end('note\n');
    expect(await client.checkpoint()).toBe('note\n');
  });

  it('sends block hashes as base64', async () => {
    json(202, { heads: 1 });
    const blockHash = Buffer.alloc(32, 9);
    await client.acknowledge({ note: 'n', heads: [{ chain: '0'.repeat(32), seq: 4, blockHash }] });
    const heads = [{ chain: '0'.repeat(32), seq: 4, blockHash: blockHash.toString('base64') }];
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ note: 'n', heads });
  });

  it.each([
    [
      503,
      { 'retry-after': '2' },
      { code: 'LEDGER_BUSY', retriable: true, facts: { status: 503, retryAfterMs: 2_000 } },
    ],
    [429, {}, { code: 'LEDGER_BUSY', retriable: true, facts: { status: 429, retryAfterMs: null } }],
    [409, {}, { code: 'LEDGER_REFUSED', retriable: false, facts: { status: 409, code: 'A_CODE' } }],
    [403, {}, { code: 'LEDGER_REFUSED', retriable: false, facts: { status: 403, code: 'A_CODE' } }],
  ])('turns the status %i into what can be done about it', async (status, headers, expected) => {
    json(status, { code: 'A_CODE', detail: 'so' }, headers);
    await expect(client.pull(PULL)).rejects.toMatchObject(expected);
  });

  it('says that the ledger cannot be reached where no answer comes', async () => {
    const hasty = clientWithin(300);
    answer = (request) => request.destroy();
    await expect(hasty.checkpoint()).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE', retriable: true });
    answer = () => undefined;
    await expect(hasty.consistency(0, 1)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE', retriable: true });
  });

  it('follows the stream, whatever way its bytes are cut, and knows nothing but checkpoints', async () => {
    const text =
      ': hello\n\nretry: 2000\n\nevent: checkpoint\nid: 5\ndata: {}\n\nevent: other\nid: 6\ndata: {}\n\nevent: checkpoint\nid: 17\ndata: {}\n\n';
    answer = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const character of text) response.write(character);
      await new Promise((resolve) => setTimeout(resolve, 20));
      response.end();
    };
    const sizes: number[] = [];
    const following = client.follow({
      signal: new AbortController().signal,
      onCheckpoint: (size) => sizes.push(size),
    });
    await expect(following).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    expect(sizes).toEqual([5, 17]);
  });

  it('ends the stream quietly when it is aborted', async () => {
    answer = (_request, response) => response.writeHead(200).write(': hello\n\n');
    const stop = new AbortController();
    const following = client.follow({ signal: stop.signal, onCheckpoint: () => undefined });
    setTimeout(() => stop.abort(), 30);
    await following;
  });
});
