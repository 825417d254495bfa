import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeSha256 } from '../../libs/adapters/crypto/node-crypto.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { client } from '../support/gateway-fixture.ts';
import { eventually } from '../support/service-process.ts';
import { type Json, saleJson } from '../support/submissions.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'tally-flags-'));
let running: RunningTallystick;

beforeAll(async () => {
  const clientsFile = join(dataDir, 'more-clients.json');
  writeFileSync(
    clientsFile,
    JSON.stringify({ clients: [client('shop', {}), client('treasury', { accounts: '*', roles: ['analyst'] })] }),
  );
  process.env['CLIENTS_FILE'] = clientsFile;
  const logger = createLogger({ service: 'test', level: 'silent' });
  const onFailed = (error: unknown): void => {
    throw error;
  };
  running = await startTallystick({ dataDir, port: 0, furtherPorts: 0 }, { logger, clock: systemClock, onFailed });
  delete process.env['CLIENTS_FILE'];
}, 60_000);

afterAll(async () => {
  await running.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by this test alone
async function ask(path: string, body?: Json, by = 'shop'): Promise<any> {
  const headers = { authorization: `Bearer key-of-${by}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return (await fetch(new URL(path, running.url), { headers, ...sent })).json();
}

const post = (event: Json) => ask('/payer/v1/events/vat', event);

/** The event in the payer's own record, once its block is there. */
async function decided(event: Json) {
  const answer = await eventually(
    () => ask(`/payer/v1/events/${String(event.eventId)}`),
    ({ events: [one] }) => one?.status === 'decided',
    30_000,
  );
  return answer.events[0];
}

const hashOf = (event: Json): string => tillEventHash(event, nodeSha256);

describe('what is odd about a till’s event', () => {
  const first = saleJson({ tillId: 'Q' });
  const again = saleJson({ tillId: 'Q' });
  const unlinked = saleJson({ tillId: 'Q', seq: 2, prevHash: 'f'.repeat(64) });

  it('the answer to each event says what the next one of its till carries', async () => {
    const next = { vrn: '101747696', tillId: 'Q', nextSeq: 2, nextPrevHash: hashOf(first) };
    expect(await post(first)).toEqual({ queued: 1, tills: [next] });
    expect(await post(again)).toEqual({ queued: 1, tills: [next] });
    const after = { ...next, nextSeq: 3, nextPrevHash: hashOf(unlinked) };
    expect(await post(unlinked)).toEqual({ queued: 1, tills: [after] });
  });

  it('is in the answer of the payer’s node, with the hash that the next event carries', {
    timeout: 40_000,
  }, async () => {
    expect(await decided(first)).toMatchObject({ flags: [], till: { tillId: 'Q', seq: 1, hash: hashOf(first) } });
    expect((await decided(again)).flags).toContain('E_SEQ_REPLAY');
    expect(await decided(unlinked)).toMatchObject({
      flags: expect.arrayContaining(['E_CHAIN_BROKEN']),
      till: { tillId: 'Q', seq: 2, hash: hashOf(unlinked) },
    });
  });

  it('is on the statement, and in the status that an import asks for', async () => {
    const { entries } = await ask('/payer/v1/accounts/vat:101747696/statement');
    const flagged = entries.filter(({ flags }: { flags: string[] }) => flags.length > 0);
    expect(flagged.map(({ eventId }: { eventId: string }) => eventId).sort()).toEqual(
      [again.eventId, unlinked.eventId].sort(),
    );
    const asked = { account: 'vat:101747696', eventIds: [first.eventId, again.eventId] };
    const { statuses } = await ask('/payer/v1/events/status', asked);
    expect(statuses[String(first.eventId)]).toEqual({ status: 'decided' });
    expect(statuses[String(again.eventId)]).toMatchObject({
      status: 'decided',
      flags: expect.arrayContaining(['E_SEQ_REPLAY']),
    });
  });

  it('is among the analyst’s exceptions of the account, and of no other', async () => {
    const path = '/reconciliation/v1/exceptions?account=';
    const { exceptions } = await eventually(
      () => ask(`${path}vat:101747696`, undefined, 'treasury'),
      (answer) => answer.exceptions.some(({ code }: { code: string }) => code === 'E_CHAIN_BROKEN'),
      20_000,
    );
    const of = (eventId: unknown) =>
      exceptions.filter((one: { eventId: string }) => one.eventId === String(eventId).replaceAll('-', ''));
    expect(of(again.eventId)).toContainEqual(
      expect.objectContaining({ kind: 'flagged', code: 'E_SEQ_REPLAY', account: 'vat:101747696' }),
    );
    expect(of(first.eventId)).toEqual([]);
    expect((await ask(`${path}vat:210001169`, undefined, 'treasury')).exceptions).toEqual([]);
  });
});
