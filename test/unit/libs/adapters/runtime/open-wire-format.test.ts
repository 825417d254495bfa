import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../../../../libs/adapters/codec/event-codec.ts';
import { openWireFormat } from '../../../../../libs/adapters/runtime/open-wire-format.ts';
import { sampleSale } from '../../../../support/sample-events.ts';

/** A registry in memory: an id for each text, from `firstId` on; the first `failures` calls have no good answer. */
function registryServer(
  firstId: number,
  failures = 0,
): { server: Server; calls: string[]; authorizations: Set<unknown> } {
  const ids = new Map<string, number>();
  const calls: string[] = [];
  const authorizations = new Set<unknown>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    calls.push(`${request.method} ${request.url}`);
    authorizations.add(request.headers.authorization);
    if (calls.length <= failures) {
      response.writeHead(503).end('starting');
      return;
    }
    const { schema } = JSON.parse(body) as { schema?: string };
    if (schema !== undefined && !ids.has(schema)) ids.set(schema, firstId + ids.size);
    response.end(JSON.stringify(schema === undefined ? JSON.parse(body) : { id: ids.get(schema) }));
  });
  return { server, calls, authorizations };
}

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-wire-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function urlOf({ server }: { server: Server }): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SALE = encodeEvent(sampleSale('registry'));

describe('the wire format of values', () => {
  it('is single-object encoding where no registry was ever named', async () => {
    expect(await openWireFormat(folder, {})).toBe(null);
  });

  it('is a zero byte, the id in four bytes and the same body, and goes back to the same bytes', async () => {
    const format = await openWireFormat(folder, { SCHEMA_REGISTRY_URL: `${await urlOf(registryServer(70_000))}/` });
    const wire = format?.toWire(SALE) ?? Buffer.alloc(0);
    expect(wire[0]).toBe(0);
    expect(wire.readUInt32BE(1)).toBeGreaterThanOrEqual(70_000);
    expect(wire.subarray(5)).toEqual(SALE.subarray(10));
    expect(format?.fromWire(wire)).toEqual(SALE);
    expect(format?.fromWire(SALE)).toBe(SALE);
    const unknown = Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), SALE.subarray(10)]);
    expect(format?.fromWire(unknown)).toBe(unknown);
    const foreign = Buffer.from('{"json":1}');
    expect(format?.toWire(foreign)).toBe(foreign);
  });

  it('waits for a registry that is starting, says who it is, and keeps the ids without it', async () => {
    const registry = registryServer(1, 2);
    writeFileSync(join(folder, 'password'), 'secret\n');
    const env = {
      SCHEMA_REGISTRY_URL: await urlOf(registry),
      SCHEMA_REGISTRY_USERNAME: 'tally',
      SCHEMA_REGISTRY_PASSWORD_FILE: join(folder, 'password'),
    };
    const format = await openWireFormat(folder, env);
    expect([...registry.authorizations]).toEqual([`Basic ${Buffer.from('tally:secret').toString('base64')}`]);
    expect(registry.calls.slice(0, 3)).toEqual(Array(3).fill(registry.calls[0]));
    const later = await openWireFormat(folder, {});
    expect(later?.fromWire(format?.toWire(SALE) ?? SALE)).toEqual(SALE);
    expect(later?.toWire(SALE)).toBe(SALE);
    expect(readFileSync(join(folder, 'schema-ids.json'), 'utf8')).not.toContain('secret');
  });

  it('is refused of a registry that gives an id in use to another schema, and taken of one that only gives new ids', async () => {
    const first = await openWireFormat(folder, { SCHEMA_REGISTRY_URL: await urlOf(registryServer(1)) });
    await expect(openWireFormat(folder, { SCHEMA_REGISTRY_URL: await urlOf(registryServer(2)) })).rejects.toMatchObject(
      {
        code: 'SCHEMA_IDS_DIFFER',
      },
    );
    const moved = await openWireFormat(folder, { SCHEMA_REGISTRY_URL: await urlOf(registryServer(500)) });
    expect(moved?.toWire(SALE)).not.toEqual(first?.toWire(SALE));
    expect(moved?.fromWire(first?.toWire(SALE) ?? SALE)).toEqual(SALE);
  });
});
