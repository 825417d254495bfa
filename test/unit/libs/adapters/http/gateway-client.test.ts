import { afterEach, describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../../../../libs/adapters/http/gateway-client.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';

let server: HttpServer | null = null;

afterEach(async () => {
  await server?.stop(0);
  server = null;
});

/** A gateway that gives this one answer, and what was sent to it. */
async function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  const seen: { path: string; authorization: string; body: string }[] = [];
  server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers: sent } = request;
      seen.push({ path: url, authorization: sent.authorization ?? '', body: Buffer.concat(chunks).toString() });
      response.writeHead(status, headers).end(body);
    });
  });
  const client = createGatewayClient({ url: server.url, clientKey: 'k', timeoutMs: 60_000 }, { fetch });
  return { client, seen };
}

describe('the client of the gateway', () => {
  it('posts texts as one JSON array under its key and gives the receipts', async () => {
    const event = { eventId: 'e', account: 'vat:101747696', hash: 'h', index: 0, path: ['p'] };
    const { client, seen } = await answering(202, JSON.stringify({ receipts: [{ note: 'n', events: [event] }] }));
    expect(await client.postEvents('vat', ['{"a":1}', '{"b":2}'])).toEqual({
      kind: 'receipts',
      receipts: [{ note: 'n', events: [event] }],
    });
    expect(seen).toEqual([
      { path: '/v1/vat/events?paths=needed', authorization: 'Bearer k', body: '[{"a":1},{"b":2}]' },
    ]);
  });

  it('gives the faults of a refusal with their pointers, or one fault of the whole', async () => {
    const faults = [{ code: 'E_TOTAL', pointer: '/3/totalPence', detail: 'differs' }];
    const listed = await answering(422, JSON.stringify({ code: 'INPUT_INVALID', faults }));
    expect(await listed.client.postEvents('vat', ['{}'])).toEqual({
      kind: 'refused',
      status: 422,
      code: 'INPUT_INVALID',
      faults,
    });
    await server?.stop(0);
    const plain = await answering(413, 'too large');
    expect(await plain.client.postEvents('vat', ['{}'])).toMatchObject({
      kind: 'refused',
      faults: [{ code: 'HTTP_413', pointer: '' }],
    });
  });

  it('takes an account that is not ours for a fault of the event, and a role that we lack for a fault of the setting', async () => {
    const faults = [{ code: 'ACCOUNT_NOT_YOURS', pointer: '/0/vrn', detail: 'not bound' }];
    const account = await answering(403, JSON.stringify({ code: 'ACCOUNT_NOT_YOURS', faults }));
    expect(await account.client.postEvents('vat', ['{}'])).toMatchObject({ kind: 'refused', faults });
    await server?.stop(0);
    const role = await answering(403, JSON.stringify({ code: 'ROLE_MISSING' }));
    await expect(role.client.postEvents('vat', ['{}'])).rejects.toMatchObject({
      code: 'GATEWAY_UNAUTHORIZED',
      retriable: true,
    });
  });

  it.each([
    [401, {}, 'GATEWAY_UNAUTHORIZED', null],
    [429, { 'retry-after': '3' }, 'GATEWAY_BUSY', 3_000],
    [503, {}, 'GATEWAY_BUSY', null],
    [400, {}, 'GATEWAY_ANSWER_INVALID', null],
    [202, {}, 'GATEWAY_ANSWER_INVALID', null],
  ] as const)('asks to be tried again after %i without sense', async (status, headers, code, retryAfterMs) => {
    const { client } = await answering(status, 'no JSON', headers);
    const error = await client.postEvents('paye', ['{}']).catch((fault: unknown) => fault);
    expect(error).toMatchObject({ code, retriable: true });
    if (code === 'GATEWAY_BUSY') expect(error).toMatchObject({ facts: { status, retryAfterMs } });
  });

  it('says that nobody answered', async () => {
    const { client } = await answering(202, '{}');
    await server?.stop(0);
    await expect(client.postEvents('paye', ['{}'])).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      retriable: true,
    });
  });
});
