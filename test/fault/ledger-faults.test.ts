import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { BLOCKS, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { openLedger } from '../../services/ledger/create-ledger.ts';
import { DAMAGES } from '../support/damage-file.ts';
import { KillableLog } from '../support/killable-log.ts';
import { LedgerFixture, ONE_ACCOUNT, PARTITIONS } from '../support/ledger-fixture.ts';
import { LiabilitySource } from '../support/liability-source.ts';

const ACCOUNTS: readonly Account[] = [ONE_ACCOUNT, 'vat:123456727', 'vat:100000001', 'paye:999/ZZ9', 'vat:100000002'];

let fixture: LedgerFixture;

beforeEach(async () => {
  fixture = await LedgerFixture.open();
});

afterEach(() => fixture.close());

/** Small numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    yield state >>> 8;
  }
}

function someDecisions(random: Generator<number>): readonly { readonly account: Account }[] {
  const count = 1 + ((random.next().value ?? 0) % 8);
  return Array.from({ length: count }, () => ({
    account: ACCOUNTS[(random.next().value ?? 0) % ACCOUNTS.length] ?? ONE_ACCOUNT,
  }));
}

describe('a ledger that is killed', () => {
  it.each([1, 2, 3])('between any two steps, again and again, loses and doubles nothing (seed %i)', async (seed) => {
    const random = numbers(seed);
    let decided = 0;
    const { log } = fixture;
    for (let life = 0; life < 8; life += 1) {
      const mortal = new KillableLog(log, BLOCKS);
      const mode = life % 2 === 0 ? 'after' : 'before';
      mortal.killAtAppend(1 + ((random.next().value ?? 0) % 6), mode);
      fixture.log = mortal;
      const running = await fixture.start();
      const deadline = Date.now() + 10_000;
      let isDead = false;
      void mortal.died.then(() => {
        isDead = true;
      });
      while (!isDead && Date.now() < deadline) {
        const wanted = someDecisions(random);
        await fixture.source.decide(wanted);
        decided += wanted.length;
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
      expect(isDead).toBe(true);
      await running.ledger.stop(0);
      fixture.log = log;
    }
    const last = await fixture.start();
    const checked = await fixture.sealed(last, decided);
    expect(checked).toMatchObject({ entries: decided, inFlight: 0 });
  });
});

describe('two ledgers that seal at once', () => {
  it('make one history, with every decision in it once', async () => {
    const random = numbers(7);
    const one = await fixture.start({}, 'one');
    const two = await fixture.start({}, 'two');
    let decided = 0;
    const sealedBy = () => [one, two].map(({ ledger }) => ledger.stats().stage.messagesAppended);
    const bothSeal = () => sealedBy().every((messages) => messages > 0);
    for (let round = 0; round < 60 || (round < 1_000 && !bothSeal()); round += 1) {
      const wanted = someDecisions(random);
      await fixture.source.decide(wanted);
      decided += wanted.length;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const checked = await fixture.sealed(one, decided);
    expect(checked).toMatchObject({ entries: decided, inFlight: 0 });
    await expect.poll(() => two.ledger.stats().signedLeaves).toBe(checked.signedLeaves);
    // What was read back is served once it is committed.
    const newest = await one.client.checkpoint();
    await expect.poll(() => two.client.checkpoint()).toBe(newest);
    expect(bothSeal()).toBe(true);
  });

  it('have a folder each: a second owner of the same folder is refused', async () => {
    await fixture.start({}, 'one');
    await expect(fixture.start({}, 'one')).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
  });

  it('are one that seals and one that stands by where they are of one group: it is not ready, and what it has not read is no evidence', async () => {
    const one = await fixture.start({ group: 'ledger' }, 'one');
    const two = await fixture.start({ group: 'ledger' }, 'two');
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    const { signedLeaves } = await fixture.sealed(one, 1);
    one.ledger.assertReady();
    expect(() => two.ledger.assertReady()).toThrow(expect.objectContaining({ code: 'LEDGER_STANDS_BY' }));
    const { chain } = await two.client.registerChain({ account: ONE_ACCOUNT });
    const pull = () => two.client.pull({ chains: [{ chain, from: 0 }], verified: signedLeaves });
    await expect(pull()).rejects.toMatchObject({
      code: 'LEDGER_BUSY',
      facts: { status: 503, code: 'LEDGER_BEHIND' },
    });
    await one.stop();
    await expect.poll(async () => (await pull().catch(() => null))?.checkpoint ?? null).not.toBeNull();
    two.ledger.assertReady();
  });

  it('go on when the one that sealed is gone', async () => {
    const one = await fixture.start({}, 'one');
    const two = await fixture.start({}, 'two');
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(one, 1);
    await one.stop();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    expect((await fixture.sealed(two, 3)).entries).toBe(3);
  });
});

describe('a standby that was not given what the first ledger has', () => {
  /** Its data folder, with the ledger's name and whatever else is given. */
  async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
    const keys = join(fixture.folder, 'standby', 'keys');
    await mkdir(keys, { recursive: true, mode: 0o700 });
    const all = { 'ledger-name': fixture.keys.ledgerName, ...files };
    for (const [file, text] of Object.entries(all)) await writeFile(join(keys, file), `${text}\n`, { mode: 0o600 });
    return join(fixture.folder, 'standby');
  }

  it.each([
    ['keys of its own', {}],
    ['another year of the log', { 'ledger-log-year': '1999' }],
  ])('%s: it does not start, and appends nothing', async (_, files: Readonly<Record<string, string>>) => {
    const one = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(one, 1);
    await one.stop();
    const place = { topic: BLOCKS, partition: 0 };
    const before = await fixture.log.bounds(place);
    const dataDir = await folderOf(files);
    const keys = files['ledger-log-year'] === undefined ? loadLedgerKeys(dataDir) : fixture.keys;
    const logger = createLogger({ service: 'ledger', level: 'silent' });
    const dependencies = { log: fixture.log, keys, clients: fixture.clients, metrics: createMetrics(), logger };
    const standby = openLedger({ dataDir, sealLimits: { payeAgeMs: 50 } }, dependencies);
    await expect(standby).rejects.toMatchObject({ code: 'KEY_NOT_OF_THIS_DATA' });
    expect(await fixture.log.bounds(place)).toEqual(before);
  });
});

describe('a log that was rolled back', () => {
  let other: EventLog;

  afterEach(() => other.close());

  /** The same keys, and the folders of the service where `keep` names them, on a log that has lost everything. */
  async function startOnEmptyLog(keep: 'store and signer' | 'signer') {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    await fixture.sealed(running, 2);
    await running.stop();
    // the folder that the guide lets one delete: what the signer remembers is not in it
    if (keep === 'signer') await rm(join(fixture.folder, 'main', 'ledger'), { recursive: true });
    const before = fixture.log;
    other = await openEmbeddedLog({ folder: join(fixture.folder, 'rolled-back') });
    await other.ensureTopics(
      TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
    );
    fixture.log = other;
    const again = await fixture.start();
    await new LiabilitySource(other, PARTITIONS).decide([{ account: ONE_ACCOUNT }]);
    return { again, restore: () => (fixture.log = before) };
  }

  it('is signed no more: the signer remembers what it signed', async () => {
    const { again, restore } = await startOnEmptyLog('signer');
    const halt = () => again.ledger.stats().stage.partitions[0]?.haltCode;
    await expect.poll(halt).toBe('SIGNER_AHEAD_OF_LOG');
    expect(await other.bounds({ topic: BLOCKS, partition: 0 })).toEqual({ low: 0, high: 0 });
    restore();
  });

  it('halts the ledger too where the store knows more than the log', async () => {
    const { again, restore } = await startOnEmptyLog('store and signer');
    const halt = () => again.ledger.stats().stage.partitions[0]?.haltCode;
    await expect.poll(halt).toBe('POSITION_OUT_OF_RANGE');
    expect(await other.bounds({ topic: BLOCKS, partition: 0 })).toEqual({ low: 0, high: 0 });
    restore();
  });
});

describe("a signer's memory that cannot be written for a while", () => {
  it('halts nothing: sealing goes on, and what was not signed is signed once it can be', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 1);
    const next = join(fixture.folder, 'main', 'signer', 'last-signed.next');
    await mkdir(next);
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(running.ledger.stats().stage.partitions[0]?.status).toBe('running');
    const { signedLeaves } = running.ledger.stats();
    await rm(next, { recursive: true });
    expect((await fixture.sealed(running, 3)).entries).toBe(3);
    expect(running.ledger.stats().signedLeaves).toBeGreaterThan(signedLeaves);
  });
});

describe('a ledger whose fold is damaged', () => {
  it.each(Object.entries(DAMAGES))('by %s folds blocks.v1 again by itself at the next start', async (_, spoil) => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    await fixture.sealed(running, 2);
    const checkpoint = await running.client.checkpoint();
    await running.stop();
    spoil(join(fixture.folder, 'main', 'ledger', 'store', 'data.mdb'));
    const again = await fixture.start();
    await expect.poll(() => again.client.checkpoint().catch(() => '')).toBe(checkpoint);
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    expect((await fixture.sealed(again, 3)).entries).toBe(3);
  });
});

describe("a value of a ledger's fold that is not what was written", () => {
  it.each([
    ['the heads of its chains', 'heads', 1],
    ['their accounts and keys', 'chains', 1],
    // Found when it is opened.
    ['where it stands', 'meta', 0],
  ])('%s: it is not believed, and everything is folded again', async (_, table, refolds) => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    await fixture.sealed(running, 2);
    await running.stop();
    const env = open({ path: join(fixture.folder, 'main', 'ledger', 'store'), noSubdir: false, maxDbs: 16 });
    const texts = env.openDB<string, string | number>({ name: table, encoding: 'string' });
    const spoilt = [...texts.getRange()].filter(({ key }) => key !== 'identity');
    expect(spoilt.length).toBeGreaterThan(0);
    // One digit behind the checksum.
    for (const { key, value } of spoilt) {
      await texts.put(
        key,
        value.replace(/(?<=^.{8}.*)[0-9]/, (digit) => String((Number(digit) + 1) % 10)),
      );
    }
    await env.close();
    const again = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: 'vat:123456727' }]);
    expect((await fixture.sealed(again, 4)).entries).toBe(4);
    expect(again.ledger.stats().stage.storeRefolds).toBe(refolds);
  });

  it('of an earlier format is folded again without a word', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    await fixture.sealed(running, 1);
    await running.stop();
    const env = open({ path: join(fixture.folder, 'main', 'ledger', 'store'), noSubdir: false, maxDbs: 16 });
    const meta = env.openDB<string, string>({ name: 'meta', encoding: 'string' });
    await meta.put('identity', String(meta.get('identity')).replace('"format":2', '"format":1'));
    await env.close();
    const again = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    expect((await fixture.sealed(again, 2)).entries).toBe(2);
    expect(again.ledger.stats().stage.storeRefolds).toBe(0);
  });
});

describe('a ledger that is stopped and started', () => {
  it('takes up the decisions whose blocks were still open', async () => {
    const patient = { sealLimits: { payeAgeMs: 60_000, vatAgeMs: 60_000 } };
    const running = await fixture.start(patient);
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: ONE_ACCOUNT }]);
    await expect.poll(() => running.ledger.stats().openBlocks).toBe(1);
    await running.stop();
    const again = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }]);
    expect((await fixture.sealed(again, 3)).entries).toBe(3);
  });
});
