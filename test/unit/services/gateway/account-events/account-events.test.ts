import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../../../../libs/adapters/codec/event-codec.ts';
import { nodeEd25519Verify, nodeSha256, nodeTreeHasher } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import type { GivenEvents } from '../../../../../libs/adapters/http/gateway-client.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId, uuidOf } from '../../../../../libs/core/identity/event-id.ts';
import { isInBatch, parseBatchNote } from '../../../../../libs/core/ledger/note/batch-note.ts';
import { leafOfReceipt } from '../../../../../libs/core/ledger/note/gateway-receipt.ts';
import { openNote } from '../../../../../libs/core/ledger/note/signed-note.ts';
import { rootOfLeafHashes } from '../../../../../libs/core/ledger/tree/compact-range.ts';
import { type GatewayFixture, removeData, startGateway, TRADER } from '../../../../support/gateway-fixture.ts';
import { paymentJson, saleJsons } from '../../../../support/own-events.ts';

const opened: GatewayFixture[] = [];

async function start(options: Parameters<typeof startGateway>[0] = {}): Promise<GatewayFixture> {
  const fixture = await startGateway(options);
  opened.push(fixture);
  return fixture;
}

/** Stops a gateway, has its folder changed, and starts it on it again. */
async function again(fixture: GatewayFixture, change: (dataDir: string) => void): Promise<GatewayFixture> {
  await fixture.stop();
  opened.splice(opened.indexOf(fixture), 1);
  change(fixture.dataDir);
  return await start({ dataDir: fixture.dataDir });
}

afterEach(async () => {
  for (const fixture of opened.splice(0)) {
    await fixture.stop();
    removeData(fixture);
  }
});

const askPath = (fixture: GatewayFixture, query: string, client = 'payer'): Promise<Response> =>
  fetch(`${fixture.url}/v1/events${query}`, { headers: { authorization: `Bearer key-of-${client}` } });

async function pagesOf(fixture: GatewayFixture, owner: string, client = 'payer'): Promise<readonly GivenEvents[]> {
  const pages: GivenEvents[] = [];
  for (let from = 0; pages.length < 20; ) {
    const answer = await askPath(fixture, `?account=${encodeURIComponent(owner)}&from=${from}`, client);
    expect(answer.status).toBe(200);
    const page = (await answer.json()) as GivenEvents;
    pages.push(page);
    if (!page.more) break;
    from = page.next;
  }
  return pages;
}

/** The ids of a list in its order; each event's bytes, receipt and place in it are checked. */
function provenIds(fixture: GatewayFixture, pages: readonly GivenEvents[], owner: string): readonly string[] {
  const ids: string[] = [];
  for (const { note: text, events } of pages.flatMap(({ receipts }) => receipts)) {
    const note = parseBatchNote(openNote(text, [fixture.gateway.verifierKey], nodeEd25519Verify).text, 'receipt');
    const leaves = events.map(({ account: named, eventId: id, hash, bytes }) => {
      const event = decodeEvent(Buffer.from(bytes, 'base64'));
      expect([named, event.account, uuidOf(event.eventId)]).toEqual([owner, owner, id]);
      expect(event.receivedAtMs).toBe(note.receivedAtMs);
      expect(Buffer.from(nodeSha256(Buffer.from(bytes, 'base64'))).toString('base64')).toBe(hash);
      return leafOfReceipt({ account: account(owner), eventId: eventId(id), hash: Buffer.from(hash, 'base64') });
    });
    events.forEach(({ eventId: id, index, path }, at) => {
      ids.push(id);
      const place = { index, path: (path ?? []).map((one) => Buffer.from(one, 'base64')) };
      if (path !== undefined) expect(isInBatch(note, leaves[at] ?? Buffer.alloc(0), place, nodeTreeHasher)).toBe(true);
    });
    if (events.some(({ path }) => path === undefined)) {
      const hashes = leaves.map((leaf) => nodeTreeHasher.leaf(leaf));
      expect(Buffer.from(rootOfLeafHashes(hashes, nodeTreeHasher))).toEqual(Buffer.from(note.eventsRoot));
    }
  }
  return ids;
}

const idsOf = (events: readonly object[]): readonly string[] =>
  events.map((one) => String(Reflect.get(one, 'eventId')));

describe('GET /v1/events', () => {
  it('gives every event of the account with its receipt, whoever sent it, and none of another account', async () => {
    const fixture = await start();
    const [own, others] = [saleJsons(3, 'T1'), saleJsons(2, 'T2')];
    await fixture.post('/v1/vat/events', own);
    await fixture.post('/v1/vat/events', [...others, ...saleJsons(4, 'T1', '123456727')], { client: 'agent' });
    await fixture.post('/v1/paye/events', [paymentJson(1)]);
    const ids = provenIds(fixture, await pagesOf(fixture, TRADER), TRADER);
    expect([...ids].sort()).toEqual([...idsOf(own), ...idsOf(others)].sort());
    const pay = await pagesOf(fixture, 'paye:123/AB456');
    expect(provenIds(fixture, pay, 'paye:123/AB456')).toEqual(idsOf([paymentJson(1)]));
    // a token is in its place
    expect(JSON.stringify(pay)).not.toContain('AA100001A');
    expect(Buffer.from(pay[0]?.receipts[0]?.events[0]?.bytes ?? '', 'base64').toString('latin1')).not.toContain(
      'AA100001A',
    );
  });

  it('goes on where the page before ended, each event once, also for what comes later', async () => {
    const fixture = await start();
    const sales = saleJsons(1_200);
    await fixture.post('/v1/vat/events', sales.slice(0, 600));
    await fixture.post('/v1/vat/events', sales.slice(600));
    const pages = await pagesOf(fixture, TRADER);
    expect(pages.map(({ receipts }) => receipts.flatMap(({ events }) => events).length)).toEqual([500, 500, 200]);
    expect(provenIds(fixture, pages, TRADER)).toEqual(idsOf(sales));
    const end = pages.at(-1)?.next ?? 0;
    const later = saleJsons(1, 'T9');
    await fixture.post('/v1/vat/events', later);
    const answer = await askPath(fixture, `?account=${TRADER}&from=${end}`);
    const page = (await answer.json()) as GivenEvents;
    expect(provenIds(fixture, [page], TRADER)).toEqual(idsOf(later));
    expect(page.more).toBe(false);
  });

  it('is for who acts for the account, and says what is wrong with what was asked', async () => {
    const fixture = await start();
    const codes: (readonly [number, unknown])[] = [];
    for (const [query, client] of [
      [`?account=${TRADER}`, 'stranger'],
      [`?account=${TRADER}`, 'bank'],
      [`?account=${TRADER}`, 'expired'],
      ['', 'payer'],
      ['?account=101747696', 'payer'],
      [`?account=${TRADER}&from=-1`, 'payer'],
      [`?account=${TRADER}&from=1e3`, 'payer'],
      [`?account=${TRADER}&account=vat:123456727`, 'payer'],
    ] as const) {
      const answer = await askPath(fixture, query, client);
      codes.push([answer.status, ((await answer.json()) as { code: string }).code]);
    }
    expect(codes).toEqual([
      [403, 'ACCOUNT_NOT_YOURS'],
      [403, 'ROLE_MISSING'],
      [401, 'KEY_EXPIRED'],
      [422, 'INPUT_INVALID'],
      [422, 'INPUT_INVALID'],
      [422, 'INPUT_INVALID'],
      [422, 'INPUT_INVALID'],
      [422, 'INPUT_INVALID'],
    ]);
  });

  it('has receipts for what a lost store no longer knows, signed anew for what the log holds', async () => {
    const before = await start();
    const sales = saleJsons(3);
    await before.post('/v1/vat/events', sales);
    const fixture = await again(before, (dataDir) => rmSync(join(dataDir, 'gateway'), { recursive: true }));
    expect(provenIds(fixture, await pagesOf(fixture, TRADER), TRADER)).toEqual(idsOf(sales));
  });

  it('gives a position beyond the end of the log the end, so that who asked goes back to it', async () => {
    const fixture = await start();
    await fixture.post('/v1/vat/events', saleJsons(3));
    const answer = await askPath(fixture, `?account=${TRADER}&from=900`);
    expect(await answer.json()).toEqual({ receipts: [], next: 3, more: false });
  });

  it('indexes anew where its index is of another log than this', async () => {
    const [one, other] = [await start(), await start()];
    await one.post('/v1/vat/events', saleJsons(5, 'T1'));
    await pagesOf(one, TRADER);
    const sales = saleJsons(8, 'T2');
    await other.post('/v1/vat/events', [sales[0]]);
    await other.post('/v1/vat/events', sales.slice(1));
    const index = (dataDir: string): string => join(dataDir, 'gateway-index');
    const source = await again(one, () => undefined);
    const fixture = await again(other, (dataDir) => cpSync(index(source.dataDir), index(dataDir), { recursive: true }));
    expect(provenIds(fixture, await pagesOf(fixture, TRADER), TRADER)).toEqual(idsOf(sales));
  });
});
