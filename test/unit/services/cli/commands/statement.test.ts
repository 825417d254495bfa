import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { statement } from '../../../../../services/cli/commands/statement.ts';

const EMPTY = {
  account: 'vat:101747696',
  chain: '00112233445566778899aabbccddeeff',
  head: null,
  acknowledgedSeq: null,
  entriesSince0: 0,
  heads: {},
  chargesPence: 0,
  paymentsPence: 0,
  balancePence: 0,
  haltedBy: null,
  entries: [],
  olderBefore: null,
};

/** What the command prints on this answer of a payer's node, and its exit code. */
async function printedOn(answer: object): Promise<{ readonly text: string; readonly code: unknown }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  const exitCode = process.exitCode;
  try {
    process.exitCode = undefined;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await statement('vat:101747696', { url, key: 'key-of-the-test', dataDir: 'nowhere' });
    return { text: lines.join('\n'), code: process.exitCode };
  } finally {
    process.exitCode = exitCode;
    server.close();
  }
}

afterEach(() => vi.restoreAllMocks());

describe('tally statement', () => {
  it('says that a chain is stopped also where there is no block yet, with exit code 1', async () => {
    const { text, code } = await printedOn({ ...EMPTY, haltedBy: 3 });
    expect(text).toContain('no block yet');
    expect(text).toContain('THIS CHAIN IS STOPPED by divergence 3');
    expect(code).toBe(1);
  });

  it('says nothing of it where the chain goes on', async () => {
    const { text, code } = await printedOn(EMPTY);
    expect(text).toContain('no block yet');
    expect(text).not.toContain('STOPPED');
    expect(code).toBeUndefined();
  });
});
