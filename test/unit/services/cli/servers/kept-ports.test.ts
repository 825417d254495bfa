import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { freePorts } from '../../../../../services/cli/servers/free-port.ts';
import { keptPorts, type WantedPort } from '../../../../../services/cli/servers/kept-ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'kept-ports-'));
const file = join(folder, 'ports.json');
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(file, { force: true });
});

async function portsOf(wanted: readonly WantedPort[]): Promise<{ ports: number[]; told: string[] }> {
  const told: string[] = [];
  const ports = await keptPorts(file, wanted, (line) => told.push(line));
  return { ports: wanted.map(({ name }) => ports.get(name) ?? 0), told };
}

async function take(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

const TWO = [{ name: 'gateway' }, { name: 'tax' }];

it('gives each name a port of its own, and the same at the next start', async () => {
  const first = await portsOf(TWO);
  expect(new Set(first.ports).size).toBe(2);
  expect(first.told).toEqual([]);
  expect(await portsOf([...TWO].reverse())).toEqual({ ports: first.ports.toReversed(), told: [] });
});

it('says which port is used where the one that was kept is taken, and keeps that', async () => {
  const { ports } = await portsOf(TWO);
  const [gateway = 0, tax = 0] = ports;
  await take(gateway);
  const second = await portsOf(TWO);
  const [instead = 0] = second.ports;
  expect(instead).not.toBe(gateway);
  expect(second).toEqual({
    ports: [instead, tax],
    told: [`port ${gateway} of gateway is taken by another program: gateway is at port ${instead} now`],
  });
  servers.splice(0).forEach((server) => void server.close());
  expect(await portsOf(TWO)).toEqual({ ports: [instead, tax], told: [] });
});

it('puts a port that the person gave before the one that was kept, and says where it is taken', async () => {
  const [given = 0, usual = 0] = await freePorts(2);
  await portsOf([{ name: 'dashboard' }]);
  expect(await portsOf([{ name: 'dashboard', given, usual }])).toEqual({ ports: [given], told: [] });
  await take(given);
  const { ports, told } = await portsOf([{ name: 'dashboard', given, usual }]);
  expect(ports).toEqual([usual]);
  expect(told).toEqual([`port ${given} of dashboard is taken by another program: dashboard is at port ${usual} now`]);
});

it('takes the usual port at the first start, and never one port for two names', async () => {
  const [usual = 0] = await freePorts(1);
  const { ports } = await portsOf([
    { name: 'kafka', usual },
    { name: 'redis', usual },
  ]);
  expect(ports[0]).toBe(usual);
  expect(ports[1]).not.toBe(usual);
});

it.each(['', '[]', '{"gateway":"x"}', '{"gateway":99999}', 'no JSON'])(
  'begins anew where the file says %j',
  async (text) => {
    writeFileSync(file, text);
    const { ports, told } = await portsOf(TWO);
    expect(ports.every((port) => port > 0 && port <= 65_535)).toBe(true);
    expect(told).toEqual([]);
    expect((await portsOf(TWO)).ports).toEqual(ports);
  },
);
