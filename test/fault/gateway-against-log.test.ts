import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { AppendOutcome, EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { PAYE_EVENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import {
  type Answer,
  client,
  type FixtureOptions,
  type GatewayFixture,
  startGateway,
} from '../support/gateway-fixture.ts';
import { eventually } from '../support/service-process.ts';
import { SetClock } from '../support/set-clock.ts';
import { type Json, paymentJson, saleJson } from '../support/submissions.ts';

let dataDir: string;
let backups: string;
let running: GatewayFixture | null = null;
const clock = new SetClock(1_795_254_600_000);

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tally-against-log-'));
  backups = mkdtempSync(join(tmpdir(), 'tally-backups-'));
});

afterEach(async () => {
  await running?.stop();
  running = null;
  for (const folder of [dataDir, backups]) rmSync(folder, { recursive: true, force: true });
});

/** A minute later than whatever went before, so that a second time of receipt would show. */
async function start(more: FixtureOptions = {}): Promise<GatewayFixture> {
  clock.pass(60_000);
  running = await startGateway({ ...more, dataDir, clock });
  return running;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = null;
}

/** Of folders in the data folder, made while nothing runs. */
function backUp(name: string, ...folders: readonly string[]): void {
  for (const folder of folders) cpSync(join(dataDir, folder), join(backups, name, folder), { recursive: true });
}

function restore(name: string, ...folders: readonly string[]): void {
  for (const folder of folders) {
    rmSync(join(dataDir, folder), { recursive: true, force: true });
    cpSync(join(backups, name, folder), join(dataDir, folder), { recursive: true });
  }
}

async function taken(gateway: GatewayFixture, ...events: readonly Json[]): Promise<Answer['body']> {
  const answer = await gateway.post('/v1/paye/events', events);
  expect(answer.status).toBe(202);
  return answer.body.receipts;
}

async function timesInLog(gateway: GatewayFixture, event: Json): Promise<readonly number[]> {
  const id = String(event['eventId']).replaceAll('-', '');
  const records = [...(await gateway.records(PAYE_EVENTS)), ...(await gateway.records(VAT_EVENTS))];
  return records.flatMap(({ value }) => {
    const read = value === null ? null : decodeEvent(value);
    return read?.eventId === id ? [read.receivedAtMs] : [];
  });
}

async function lookUp(gateway: GatewayFixture, event: Json): Promise<number> {
  const path = `/v1/receipts/${encodeURIComponent(String(event['payeReference']).replace(/^/, 'paye:').replace('/', '-'))}/${event['eventId']}`;
  const headers = { authorization: 'Bearer key-of-payer' };
  return (await fetch(`${gateway.url}${path}`, { headers })).status;
}

const said = (gateway: GatewayFixture, text: string): string[] => gateway.lines.filter((line) => line.includes(text));

describe('a gateway whose log was restored from an older backup', () => {
  it('gives the receipt of a lost event only for what stands in the log again, and it is the same receipt', async () => {
    const [kept, lost, also] = [paymentJson(), paymentJson(), paymentJson()];
    let gateway = await start();
    await taken(gateway, kept);
    await stop();
    backUp('older', 'log');
    gateway = await start();
    const before = await taken(gateway, lost, also);
    await stop();
    restore('older', 'log');

    gateway = await start();
    expect(await timesInLog(gateway, lost)).toEqual([]);
    expect([await lookUp(gateway, kept), await lookUp(gateway, lost)]).toEqual([200, 404]);
    expect(said(gateway, 'LOG_OLDER_THAN_STORE')).toHaveLength(1);
    expect(said(gateway, 'LOG_OLDER_THAN_STORE')[0]).toContain('"events":2');
    const again = await taken(gateway, lost);
    expect(again[0].note).toBe(before[0].note);
    expect(await timesInLog(gateway, lost)).toEqual([clock.civilMs() - 60_000]);
    expect(await timesInLog(gateway, also)).toEqual([]);
    expect(await timesInLog(gateway, kept)).toHaveLength(1);
    await stop();

    gateway = await start();
    expect(said(gateway, 'LOG_OLDER_THAN_STORE')).toEqual([]);
    expect((await taken(gateway, lost, also))[0].note).toBe(before[0].note);
    expect(await timesInLog(gateway, lost)).toHaveLength(1);
    expect(await timesInLog(gateway, also)).toEqual([clock.civilMs() - 120_000]);
  });

  it('undoes what it had itself rebuilt from the newer log, too', async () => {
    const [kept, lost] = [paymentJson(), paymentJson()];
    let gateway = await start();
    await taken(gateway, kept);
    await stop();
    backUp('older', 'log');
    gateway = await start();
    await taken(gateway, lost);
    await stop();
    rmSync(join(dataDir, 'gateway'), { recursive: true });
    await start();
    await stop();
    restore('older', 'log');

    gateway = await start();
    expect(await timesInLog(gateway, lost)).toEqual([]);
    await taken(gateway, lost);
    expect(await timesInLog(gateway, lost)).toHaveLength(1);
    await taken(gateway, kept);
    expect(await timesInLog(gateway, kept)).toHaveLength(1);
  });

  it('does so as well where its store was made before it remembered where the log ends', async () => {
    const [kept, lost] = [paymentJson(), saleJson()];
    let gateway = await start();
    await taken(gateway, kept);
    await stop();
    backUp('older', 'log');
    gateway = await start();
    expect((await gateway.post('/v1/vat/events', lost)).status).toBe(202);
    await stop();
    restore('older', 'log');
    await forgetEnds();

    gateway = await start();
    expect((await gateway.post('/v1/vat/events', lost)).status).toBe(202);
    expect(await timesInLog(gateway, lost)).toHaveLength(1);
  });
});

describe('a gateway whose clients produce to ingress topics', () => {
  it('forwards again from an older log what it had forwarded to the newer one', async () => {
    const ingress = { clients: [client('tills', { ingress: true })] };
    const sale = saleJson();
    const forwarded = async (gateway: GatewayFixture) =>
      await eventually(
        () => timesInLog(gateway, sale),
        (times) => times.length > 0,
        10_000,
      );
    let gateway = await start(ingress);
    await stop();
    const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
    const value = Buffer.from(JSON.stringify(sale));
    await log.append([{ topic: 'ingress.tills.v1', partition: 0, records: [{ key: String(sale['vrn']), value }] }]);
    await log.close();
    backUp('older', 'log');
    gateway = await start(ingress);
    const times = await forwarded(gateway);
    await stop();
    restore('older', 'log');

    gateway = await start(ingress);
    expect(await forwarded(gateway)).toEqual(times);
  });
});

describe('a gateway whose log loses records while it runs', () => {
  it('receipts nothing more and is not ready, until its next start has compared the two', async () => {
    let isCut = false;
    const around = (log: EventLog): EventLog => ({
      ...bound(log),
      append: async (appends) => {
        const outcomes = await log.append(appends);
        const first = (one: AppendOutcome): AppendOutcome => (isCut ? { status: 'appended', baseOffset: 0 } : one);
        return outcomes.map(first);
      },
    });
    let gateway = await start({ around });
    const [before, after] = [paymentJson(), paymentJson()];
    await taken(gateway, before);
    gateway.gateway.assertReady();
    isCut = true;
    expect((await gateway.post('/v1/paye/events', after)).status).toBe(503);
    isCut = false;
    expect((await gateway.post('/v1/paye/events', paymentJson())).status).toBe(503);
    expect(() => gateway.gateway.assertReady()).toThrow(expect.objectContaining({ code: 'LOG_SHRANK' }));
    await stop();
    gateway = await start();
    await taken(gateway, after);
    expect(await timesInLog(gateway, after)).toHaveLength(1);
  });
});

/** An embedded log's methods have private fields behind them. */
function bound(log: EventLog): EventLog {
  return {
    ensureTopics: (topics) => log.ensureTopics(topics),
    partitionCount: (topic) => log.partitionCount(topic),
    append: (appends) => log.append(appends),
    bounds: (partition) => log.bounds(partition),
    reader: (positions) => log.reader(positions),
    join: (options) => log.join(options),
    deleteBefore: (position) => log.deleteBefore(position),
    close: () => log.close(),
  };
}

/** The gateway's store as this release's predecessors left it. */
async function forgetEnds(): Promise<void> {
  const { open } = await import('lmdb');
  const env = open({ path: join(dataDir, 'gateway'), noSubdir: false, maxDbs: 8 });
  await env.openDB('ends', { encoding: 'json' }).clearAsync();
  const meta = env.openDB<Json, string>('meta', { encoding: 'json' });
  const { version, ledgerName, complete } = meta.get('store') as Json;
  await meta.put('store', { version, ledgerName, complete });
  await env.close();
}

describe('a gateway whose own store was restored from an older backup', () => {
  it('takes from the log what it lacks: a repeat has the hash and the time that it had, and stands in the log once', async () => {
    const [kept, newer] = [paymentJson(), paymentJson()];
    let gateway = await start();
    await taken(gateway, kept);
    await stop();
    backUp('older', 'gateway');
    gateway = await start();
    const before = await taken(gateway, newer);
    const receivedAtMs = clock.civilMs();
    await stop();
    restore('older', 'gateway');

    gateway = await start();
    expect(said(gateway, 'STORE_OLDER_THAN_LOG')).toHaveLength(1);
    const again = await taken(gateway, newer);
    expect(again[0].events[0].hash).toBe(before[0].events[0].hash);
    expect(again[0].note).toContain(`received ${new Date(receivedAtMs).toISOString()}`);
    expect(await timesInLog(gateway, newer)).toEqual([receivedAtMs]);
    const other = { ...newer, taxablePayPence: 1 };
    expect((await gateway.post('/v1/paye/events', other)).status).toBe(409);
  });

  it('says nothing after an end by kill -9: what it had reserved is no older store', async () => {
    const gateway = await start();
    await taken(gateway, paymentJson(), paymentJson());
    await gateway.crash();
    running = null;
    const again = await start();
    expect(said(again, 'STORE_OLDER_THAN_LOG')).toEqual([]);
    expect(said(again, 'LOG_OLDER_THAN_STORE')).toEqual([]);
  });
});

describe('a gateway on another log than its own', () => {
  const refused = expect.objectContaining({ code: 'LOG_NOT_OF_THIS_STORE' });

  it('refuses one that was made anew', async () => {
    const gateway = await start();
    await taken(gateway, paymentJson());
    await stop();
    rmSync(join(dataDir, 'log'), { recursive: true });
    await expect(start()).rejects.toThrow(refused);
  });

  it('refuses one of the same beginning that went on otherwise', async () => {
    let gateway = await start();
    await taken(gateway, paymentJson());
    await stop();
    backUp('both', 'log', 'gateway');
    gateway = await start();
    await taken(gateway, paymentJson());
    await stop();
    backUp('first', 'gateway');
    restore('both', 'log', 'gateway');
    gateway = await start();
    await taken(gateway, paymentJson({ taxablePayPence: 1 }), paymentJson());
    await stop();
    restore('first', 'gateway');
    await expect(start()).rejects.toThrow(refused);
  });

  it('leaves the log as it found it', async () => {
    const gateway = await start();
    await taken(gateway, paymentJson());
    await stop();
    rmSync(join(dataDir, 'log'), { recursive: true });
    await expect(start()).rejects.toThrow();
    const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
    for (let partition = 0; partition < (await log.partitionCount(PAYE_EVENTS)); partition += 1) {
      expect((await log.bounds({ topic: PAYE_EVENTS, partition })).high).toBe(0);
    }
    await log.close();
  });
});
