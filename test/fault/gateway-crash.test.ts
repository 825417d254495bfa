import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { AppendOutcome, EventLog, PartitionAppend } from '../../libs/adapters/event-log/event-log.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { type FixtureOptions, type GatewayFixture, removeData, startGateway } from '../support/gateway-fixture.ts';
import { SetClock } from '../support/set-clock.ts';
import { type Json, paymentJson, saleJson } from '../support/submissions.ts';
import { otherVatRules } from '../support/vat-rules.ts';

let running: GatewayFixture | null = null;

async function start(options: FixtureOptions): Promise<GatewayFixture> {
  running = await startGateway(options);
  return running;
}

afterEach(async () => {
  await running?.stop();
  if (running !== null) removeData(running);
  running = null;
});

const DISK_FULL = new TallyError('LOG_FULL', 'the disk is full', {}, { retriable: true });

/** A log whose appends go as the given function says, reads going through. */
function faulty(append: (appends: readonly PartitionAppend[], log: EventLog) => Promise<AppendOutcome[]>) {
  return (log: EventLog): EventLog => {
    const around: EventLog = Object.create(log);
    around.bounds = (partition) => log.bounds(partition);
    around.partitionCount = (topic) => log.partitionCount(topic);
    around.reader = (positions) => log.reader(positions);
    around.append = (appends) => append(appends, log);
    return around;
  };
}

const failAll = (appends: readonly PartitionAppend[]): AppendOutcome[] =>
  appends.map(() => ({ status: 'failed', error: DISK_FULL }));

/** Each of these strikes between the reservation and the answer. `inLog`: whether the records are in the log all the same. */
const faults: [string, boolean, (appends: readonly PartitionAppend[], log: EventLog) => Promise<AppendOutcome[]>][] = [
  ['fails', false, async (appends) => failAll(appends)],
  ['throws', false, async () => Promise.reject(DISK_FULL)],
  [
    'is reported unknown but persisted',
    true,
    async (appends, log) => {
      await log.append(appends);
      return appends.map(() => ({ status: 'unknown', error: new Error('the answer was lost') }));
    },
  ],
  [
    'is reported failed but persisted',
    true,
    async (appends, log) => {
      await log.append(appends);
      return failAll(appends);
    },
  ],
];

function receivedTimes(values: readonly (Buffer | null)[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const value of values) {
    if (value === null) continue;
    const { eventId, receivedAtMs } = decodeEvent(value);
    found.set(eventId, [...(found.get(eventId) ?? []), receivedAtMs]);
  }
  return found;
}

describe('a gateway whose append', () => {
  it.each(faults)(
    '%s answers 503; the retry gets a receipt of the first time, over the very bytes',
    async (_, inLog, fault) => {
      const clock = new SetClock(1_795_254_600_000);
      let broken = true;
      const around = faulty((appends, log) => (broken ? fault(appends, log) : log.append(appends)));
      const fixture = await start({ around, clock });
      const events = [paymentJson(), paymentJson({ payeReference: '321/ZZ9' })];
      const refused = await fixture.post('/v1/paye/events', events, { client: 'agent' });
      expect([refused.status, refused.body.code]).toEqual([503, 'LOG_UNAVAILABLE']);
      expect(refused.headers.get('retry-after')).toBe('1');

      clock.pass(60_000);
      const still = await fixture.post('/v1/paye/events', events, { client: 'agent' });
      expect(still.status).toBe(503);
      broken = false;
      const taken = await fixture.post('/v1/paye/events', events, { client: 'agent' });
      expect(taken.status).toBe(202);
      expect(taken.body.receipts[0].note).toContain('received 2026-11-21T09:50:00.000Z');
      const times = receivedTimes((await fixture.records('paye.events.v1')).map(({ value }) => value));
      expect(times.size).toBe(2);
      for (const [, each] of times) {
        // what was persisted unknown to the gateway stands there again, the same bytes: tax finds the repeat
        expect(each).toEqual(inLog ? [each[0], each[0], each[0]] : [each[0]]);
        expect(each[0]).toBe(1_795_254_600_000);
      }
    },
  );

  it('fails in one partition of two answers 503, and the retry appends only what is missing', async () => {
    let broken = true;
    const around = faulty(async (appends, log) => {
      if (!broken) return log.append(appends);
      const [first, ...rest] = appends;
      if (first === undefined) return [];
      return [...(await log.append([first])), ...failAll(rest)];
    });
    const fixture = await start({ around });
    const refs = Array.from({ length: 8 }, (_, n) => `12${n}/AB456`);
    const events = refs.map((payeReference) => paymentJson({ payeReference }));
    expect((await fixture.post('/v1/paye/events', events, { client: 'agent' })).status).toBe(503);
    const before = (await fixture.records('paye.events.v1')).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(8);
    broken = false;
    expect((await fixture.post('/v1/paye/events', events, { client: 'agent' })).status).toBe(202);
    expect(await fixture.records('paye.events.v1')).toHaveLength(8);
  });

  it('fails still refuses another body under the id that it reserved', async () => {
    const fixture = await start({ around: faulty(async (appends) => failAll(appends)) });
    const payment = paymentJson();
    expect((await fixture.post('/v1/paye/events', payment)).status).toBe(503);
    const other = await fixture.post('/v1/paye/events', { ...payment, taxablePayPence: 1 });
    expect(other.status).toBe(409);
  });
});

describe('a gateway under pressure', () => {
  it('reserves nothing on a full disk, answers 503, and takes the events when there is room', async () => {
    const fixture = await start({ gateway: { reserveBytes: Number.MAX_SAFE_INTEGER } });
    const sale = saleJson();
    const refused = await fixture.post('/v1/vat/events', sale);
    expect([refused.status, refused.body.code]).toEqual([503, 'LOG_UNAVAILABLE']);
    expect(await fixture.records('vat.events.v1')).toHaveLength(0);
    await fixture.stop();
    const roomy = await start({ dataDir: fixture.dataDir });
    // another body under the id: nothing of it was reserved
    expect((await roomy.post('/v1/vat/events', { ...sale, tillId: 'T2' })).status).toBe(202);
  });

  it('turns requests away when too many events wait for a log that hangs, and takes them all when it goes on', async () => {
    let release: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const around = faulty(async (appends, log) => {
      await hanging;
      return log.append(appends);
    });
    const fixture = await start({ around, gateway: { waitingEventsMax: 2, groupEventsMax: 3 } });
    const requests = Array.from({ length: 12 }, () => [paymentJson(), paymentJson()]);
    const answers = requests.map((events) => fixture.post('/v1/paye/events', events));
    const first = await Promise.race(answers);
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    release();
    const taken = (await Promise.all(answers)).filter(({ status }) => status === 202);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(12);
    expect(await fixture.records('paye.events.v1')).toHaveLength(taken.length * 2);
    const retried = await Promise.all(requests.map((events) => fixture.post('/v1/paye/events', events)));
    expect(retried.filter(({ status }) => status === 202).length).toBeGreaterThan(0);
  });
});

describe('a gateway that is started again', () => {
  async function restart(fixture: GatewayFixture, options: FixtureOptions = {}): Promise<GatewayFixture> {
    await fixture.stop();
    return start({ ...options, dataDir: fixture.dataDir });
  }

  it('gives the very receipt for events taken before, and appends nothing', async () => {
    const fixture = await start({});
    const events = [saleJson(), saleJson({ tillId: 'T2' })];
    const first = await fixture.post('/v1/vat/events', events);
    const again = await restart(fixture);
    expect((await again.post('/v1/vat/events', events)).body).toEqual(first.body);
    expect(await again.records('vat.events.v1')).toHaveLength(2);
  });

  it('after a crash between reserve and append completes the request at its retry, as it was reserved', async () => {
    const crashed = await start({
      around: faulty(() => new Promise(() => undefined)),
      clock: new SetClock(1_795_254_600_000),
    });
    const sale = saleJson();
    // never answered: the process dies while the append is under way
    const lost = crashed.post('/v1/vat/events', sale).catch(() => null);
    await expect.poll(() => crashed.gateway.verifierKey !== null).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await crashed.crash();
    await lost;
    const fixture = await start({ dataDir: crashed.dataDir });
    expect(await fixture.records('vat.events.v1')).toHaveLength(0);
    const answer = await fixture.post('/v1/vat/events', sale);
    expect(answer.body.receipts[0].note).toContain('received 2026-11-21T09:50:00.000Z');
    const [record, ...none] = await fixture.records('vat.events.v1');
    expect(none).toEqual([]);
    expect(decodeEvent(record?.value as Buffer).receivedAtMs).toBe(1_795_254_600_000);
  });

  it('after a crash between append and answer finds its events in the log, and appends nothing at the retry', async () => {
    const around = faulty(async (appends, log) => {
      await log.append(appends);
      return new Promise(() => undefined);
    });
    const crashed = await start({ around });
    const events: Json[] = Array.from({ length: 20 }, (_, n) => paymentJson({ payeReference: `1${10 + n}/AB456` }));
    const lost = crashed.post('/v1/paye/events', events, { client: 'agent' }).catch(() => null);
    await expect.poll(async () => (await crashed.records('paye.events.v1')).length).toBe(20);
    await crashed.crash();
    await lost;
    const fixture = await start({ dataDir: crashed.dataDir });
    expect((await fixture.post('/v1/paye/events', events, { client: 'agent' })).status).toBe(202);
    expect(await fixture.records('paye.events.v1')).toHaveLength(20);
  });

  it('under other rates gives what it took before its receipt, and refuses what is new and wrong by them', async () => {
    const fixture = await start({});
    const sale = saleJson();
    const first = await fixture.post('/v1/vat/events', sale);
    expect(first.status).toBe(202);
    const changed = await restart(fixture, { rules: { ...loadTaxRules(), vat: otherVatRules() } });
    expect((await changed.post('/v1/vat/events', sale)).body).toEqual(first.body);
    const unknown = { ...saleJson(), tillId: 'T2' };
    const mixed = await changed.post('/v1/vat/events', [sale, unknown]);
    expect([mixed.status, mixed.body.faults]).toMatchObject([
      422,
      [{ code: 'E_VAT_MISMATCH', pointer: '/1/vatPence' }],
    ]);
    // Another body under the known id is not what was taken.
    const other = await changed.post('/v1/vat/events', { ...sale, tillId: 'T9' });
    expect([other.status, other.body.faults]).toMatchObject([422, [{ code: 'E_VAT_MISMATCH', pointer: '/vatPence' }]]);
    expect(await changed.records('vat.events.v1')).toHaveLength(1);
  });

  it('without its store rebuilds the reservations from the log: repeats are known, conflicts are refused', async () => {
    const fixture = await start({ clock: new SetClock(1_795_254_600_000) });
    const events = [saleJson(), saleJson({ tillId: 'T2' })];
    const first = await fixture.post('/v1/vat/events', events);
    await fixture.stop();
    rmSync(join(fixture.dataDir, 'gateway'), { recursive: true });
    const rebuilt = await start({ dataDir: fixture.dataDir });
    const again = await rebuilt.post('/v1/vat/events', events);
    expect(again.body).toEqual(first.body);
    expect(await rebuilt.records('vat.events.v1')).toHaveLength(2);
    const third = await rebuilt.post('/v1/vat/events', events[1]);
    expect(third.body.receipts[0].note).toBe(again.body.receipts[0].note);
    const other = await rebuilt.post('/v1/vat/events', { ...events[0], tillId: 'T9' });
    expect(other.status).toBe(409);
  });

  it('refuses a store of another ledger', async () => {
    const fixture = await start({});
    await fixture.stop();
    writeFileSync(join(fixture.dataDir, 'keys', 'ledger-name'), 'tallystick-00000000\n');
    await expect(startGateway({ dataDir: fixture.dataDir })).rejects.toMatchObject({ code: 'STORE_OF_ANOTHER_LEDGER' });
    running = null;
    removeData(fixture);
  });
});
