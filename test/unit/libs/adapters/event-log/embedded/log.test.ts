import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../../libs/adapters/event-log/embedded/log.ts';
import type { AppendOutcome, EventLog } from '../../../../../../libs/adapters/event-log/event-log.ts';
import { openEmbeddedStore } from '../../../../../../libs/adapters/state-store/embedded-store.ts';
import type { TallyError } from '../../../../../../libs/core/errors/tally-error.ts';
import { capability } from '../../../../../support/capabilities.ts';
import { mountSmallDisk } from '../../../../../support/small-disk.ts';

const TOPIC = 'x.v1';
const READ = { maxBytes: 1e9, maxRecords: 1e6, waitMs: 0 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-log-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function openWithTopic(options: { folder: string; reserveBytes?: number }): Promise<EventLog> {
  const log = await openEmbeddedLog(options);
  await log.ensureTopics([{ topic: TOPIC, partitions: 1 }]);
  return log;
}

function append(log: EventLog, bytes: number, count = 1): Promise<AppendOutcome[]> {
  const records = Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(bytes, 7) }));
  return log.append([{ topic: TOPIC, partition: 0, records }]);
}

async function countRecords(log: EventLog): Promise<number> {
  const reader = log.reader([{ topic: TOPIC, partition: 0, offset: 0 }]);
  let count = 0;
  for (;;) {
    const batches = await reader.poll(READ);
    if (batches.length === 0) {
      await reader.close();
      return count;
    }
    count += batches.reduce((sum, batch) => sum + batch.records.length, 0);
  }
}

describe('the embedded log', () => {
  it('keeps its folder to itself: a second opening says who holds it', async () => {
    const log = await openWithTopic({ folder });
    await expect(openEmbeddedLog({ folder })).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      facts: { folder, pid: process.pid },
    });
    await log.close();
    await (await openEmbeddedLog({ folder })).close();
  });

  it('refuses every call once closed', async () => {
    const log = await openWithTopic({ folder });
    await log.close();
    await expect(append(log, 1)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await expect(log.bounds({ topic: TOPIC, partition: 0 })).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    await log.close();
  });

  it('commits what is asked for at once together, and answers everyone', async () => {
    const log = await openWithTopic({ folder });
    const outcomes = (await Promise.all(Array.from({ length: 500 }, () => append(log, 100)))).flat();
    expect(outcomes.map((outcome) => (outcome.status === 'appended' ? outcome.baseOffset : -1))).toEqual(
      Array.from({ length: 500 }, (_, index) => index),
    );
    await log.close();
  });

  it('reads what is larger than a chunk, from any position in it', async () => {
    const log = await openWithTopic({ folder });
    await append(log, 3_000, 400);
    for (const offset of [0, 1, 86, 87, 88, 200, 399]) {
      const reader = log.reader([{ topic: TOPIC, partition: 0, offset }]);
      const [batch] = await reader.poll({ ...READ, maxRecords: 1 });
      expect(batch?.records[0]?.offset).toBe(offset);
      await reader.close();
    }
    expect(await countRecords(log)).toBe(400);
    await log.close();
  });

  it('ends a waiting poll when the reader or the log is closed', async () => {
    const log = await openWithTopic({ folder });
    const reader = log.reader([{ topic: TOPIC, partition: 0, offset: 0 }]);
    const waiting = reader.poll({ ...READ, waitMs: 60_000 });
    const other = log.reader([{ topic: TOPIC, partition: 0, offset: 0 }]).poll({ ...READ, waitMs: 60_000 });
    await reader.close();
    expect(await waiting).toEqual([]);
    await log.close();
    expect(await other).toEqual([]);
  });

  it('finds a chunk whose bytes have changed on the disk, and does not pass it on', async () => {
    const log = await openWithTopic({ folder });
    await append(log, 100, 3);
    await append(log, 100, 3);
    await log.close();
    const env = open({ path: folder, noSubdir: false, maxDbs: 4 });
    const chunks = env.openDB<Buffer, Buffer>('chunks', { encoding: 'binary', keyEncoding: 'binary' });
    const [first] = [...chunks.getRange({ limit: 1 })];
    const bytes = Buffer.from(first?.value ?? []);
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    await chunks.put(Buffer.from(first?.key ?? []), bytes);
    await env.close();
    const again = await openEmbeddedLog({ folder });
    const reader = again.reader([{ topic: TOPIC, partition: 0, offset: 0 }]);
    await expect(reader.poll(READ)).rejects.toMatchObject({ code: 'LOG_CORRUPT', facts: { topic: TOPIC, offset: 0 } });
    await again.close();
  });

  it('has everything it acknowledged after SIGKILL, and its store is whole and not ahead of it', async () => {
    const script = join(import.meta.dirname, '../../../../../support/append-until-killed.ts');
    let acknowledged = -1;
    for (let round = 0; round < 2; round += 1) {
      const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      let fault = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString();
      });
      child.stderr.on('data', (data: Buffer) => {
        fault += data.toString();
      });
      const exited = once(child, 'exit');
      while (said.split('\n').length < 150 && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill('SIGKILL');
      await exited;
      acknowledged = Math.max(acknowledged, ...said.split('\n').slice(0, -1).map(Number));
      expect(fault).toBe('');
      const log = await openEmbeddedLog({ folder: join(folder, 'log') });
      const store = await openEmbeddedStore({ folder: join(folder, 'store'), stage: 'killed' });
      const { high } = await log.bounds({ topic: 'killed.v1', partition: 0 });
      expect(high).toBeGreaterThan(acknowledged);
      expect((await log.bounds({ topic: 'killed.v1', partition: 1 })).high).toBe(2 * high);
      const checkpoint = await store.checkpoint(0);
      expect(checkpoint?.tipOffset).toBeLessThan(high);
      const { values } = await store.get(
        0,
        Array.from({ length: 50 }, (_, index) => `k${index}`),
      );
      expect(new Set(values)).toEqual(new Set([String(checkpoint?.tipOffset)]));
      await log.close();
      await store.close();
    }
  }, 540_000);

  it('refuses appends before the last of the disk is used, and takes them again when there is room', async () => {
    const log = await openWithTopic({ folder, reserveBytes: Number.MAX_SAFE_INTEGER });
    expect(await append(log, 10)).toMatchObject([{ status: 'failed', error: { code: 'LOG_FULL', retriable: true } }]);
    await log.close();
    const roomy = await openWithTopic({ folder });
    expect(await append(roomy, 10)).toEqual([{ status: 'appended', baseOffset: 0 }]);
    await roomy.close();
  });
});

const tmpfs = capability('tmpfs');
if (!tmpfs.available) {
  console.log(`skipped: the embedded log on a full disk: ${tmpfs.reason}`);
}

describe.skipIf(!tmpfs.available)('the embedded log on a disk of 8 MiB', () => {
  let disk: string;
  let unmount: () => void;
  let log: EventLog;
  const broken: TallyError[] = [];

  beforeEach(async () => {
    disk = join(folder, 'disk');
    unmount = mountSmallDisk(disk, 8);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(3_000_000));
    broken.length = 0;
    log = await openEmbeddedLog(
      { folder: join(disk, 'log'), reserveBytes: 0 },
      { onBroken: (error) => broken.push(error) },
    );
    await log.ensureTopics([{ topic: TOPIC, partitions: 1 }]);
  });
  afterEach(async () => {
    await log.close();
    unmount();
  });

  it('fails appends with LOG_FULL, stays readable and whole, and goes on when space returns', async () => {
    let kept = 0;
    let outcome: AppendOutcome | undefined;
    for (let tries = 0; tries < 500; tries += 1) {
      [outcome] = await append(log, 50_000, 2);
      if (outcome?.status !== 'appended') {
        break;
      }
      kept += 2;
    }
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'LOG_FULL', facts: { folder: join(disk, 'log') } },
    });
    expect(await log.bounds({ topic: TOPIC, partition: 0 })).toEqual({ low: 0, high: kept });
    expect(await countRecords(log)).toBe(kept);
    expect((await append(log, 50_000, 2))[0]?.status).toBe('failed');
    await unlink(join(disk, 'ballast'));
    expect(await append(log, 50_000, 2)).toEqual([{ status: 'appended', baseOffset: kept }]);
    await log.close();
    log = await openEmbeddedLog({ folder: join(disk, 'log'), reserveBytes: 0 });
    expect(await countRecords(log)).toBe(kept + 2);
    expect(broken).toEqual([]);
  });

  it('heals likewise where LMDB itself runs out in the middle of a commit', async () => {
    // What a check before the commit can not see: the space goes while the commit is under way.
    const before = (await append(log, 1_000))[0]?.status;
    const { bavail, bsize } = await statfs(disk);
    const pending = append(log, 60_000, 10);
    await writeFile(join(disk, 'more'), Buffer.alloc(bavail * bsize - 100_000)).catch(() => undefined);
    const [outcome] = await pending;
    expect(before).toBe('appended');
    expect(['appended', 'failed']).toContain(outcome?.status);
    await unlink(join(disk, 'more'));
    const { high } = await log.bounds({ topic: TOPIC, partition: 0 });
    expect(high).toBe(outcome?.status === 'appended' ? 11 : 1);
    expect(await append(log, 1_000)).toEqual([{ status: 'appended', baseOffset: high }]);
    expect(await countRecords(log)).toBe(high + 1);
    expect(broken).toEqual([]);
  });

  it('is broken for good where a commit fails and the disk is not full: the process is told, nothing more is written', async () => {
    await log.close();
    // With a reserve below nothing the disk never counts as full, so that LMDB's failure must be another.
    log = await openEmbeddedLog(
      { folder: join(disk, 'log'), reserveBytes: Number.MIN_SAFE_INTEGER },
      { onBroken: (error) => broken.push(error) },
    );
    const [outcome] = await append(log, 800_000, 10);
    expect(outcome).toMatchObject({ status: 'unknown', error: { code: 'LOG_BROKEN', retriable: false } });
    expect(broken).toHaveLength(1);
    await expect(append(log, 1)).rejects.toMatchObject({ code: 'LOG_BROKEN' });
    await expect(log.bounds({ topic: TOPIC, partition: 0 })).rejects.toMatchObject({ code: 'LOG_BROKEN' });
  });
});
