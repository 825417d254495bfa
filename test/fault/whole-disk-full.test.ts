import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { capability } from '../support/capabilities.ts';
import { endWhole, settled } from '../support/operate-service.ts';
import { paymentJson } from '../support/own-events.ts';
import { eventually, ServiceProcess } from '../support/service-process.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

/** The log keeps 64 MiB free; the disk has room for a little above that. */
const DISK_MIB = 120;
const RESERVE_BYTES = 64 * 1024 ** 2;
let folder = '';
let service: ServiceProcess | null = null;
let unmount: (() => void) | null = null;

afterEach(() => service?.kill());
afterAll(() => {
  unmount?.();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!capability('tmpfs').available)('a disk that is full', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tallystick-disk-'));
    unmount = mountSmallDisk(folder, DISK_MIB);
  });

  it('is said so, stops nothing for good, and loses nothing that was acknowledged', { timeout: 540_000 }, async () => {
    const running = new ServiceProcess({ dataDir: join(folder, 'data') });
    service = running;
    await running.start();
    expect(await statusOf(running, 0)).toBe(202);
    await settled(running, { paye: BATCH });

    // Something else takes the disk but for a little less than the log keeps free.
    fill(RESERVE_BYTES - 1024 ** 2);
    const refused = await post(running, 1);
    expect(refused).toMatchObject({ status: 503, body: { code: 'LOG_UNAVAILABLE' } });
    // The payer's own outbox still takes them: they wait there.
    const taken = await running.call('payer', 'POST', '/payer/v1/events/paye', batch(2));
    expect(taken.status).toBe(202);
    expect((await running.call('payer', 'GET', '/payer/v1/outbox')).body).toMatchObject({ unsent: BATCH });
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);

    rmSync(join(folder, 'filler'));
    expect((await post(running, 1)).status).toBe(202);
    // What went straight to the gateway the payer's node knows once it is posted there too: under the receipt that it has.
    expect(await statusOf(running, 1)).toBe(202);
    await settled(running, { paye: 3 * BATCH });
    const { ledger, summary } = await endWhole(running);
    expect(ledger.entries).toBe(3 * BATCH);
    expect(summary.taxes.paye.repeats).toBe(0);
  });

  it('to the last byte is waited out or ends the process by its name, and what was acknowledged is there afterwards', {
    timeout: 540_000,
  }, async () => {
    const running = new ServiceProcess({ dataDir: join(folder, 'data') });
    service = running;
    await running.start();
    // The payer's own door keeps 16 MiB free.
    fill(8 * 1024 ** 2);
    const refused = await running.call('payer', 'POST', '/payer/v1/events/paye', batch(3));
    expect(refused).toMatchObject({ status: 503, body: { code: 'DISK_FULL' } });
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    rmSync(join(folder, 'filler'));
    // Events are under way in every store when something else takes the last byte.
    const taken = await Promise.all([3, 4, 5, 6, 7, 8].map((number) => statusOf(running, number)));
    expect(taken).toEqual([202, 202, 202, 202, 202, 202]);
    fill(0);
    // It may wait for room, or end: then with the name of what is wrong, and is started again as a supervisor would.
    await sleep(5_000);
    await eventually(
      async () => running.output,
      (said) => /"code":"(DISK_FULL|LOG_FULL)"/.test(said),
    );
    const { output } = running;
    expect(output).not.toContain('Node.js v');
    rmSync(join(folder, 'filler'));
    const failures = () => running.output.split('a part of the service ended').length - 1;
    let endings = 0;
    const takenAgain = async (number: number): Promise<number> => {
      // It still answers while it drains: once it said so it is waited for.
      if (failures() > endings) {
        expect(await running.ended(240_000)).toBe(1);
        endings += 1;
        await running.start();
      }
      return statusOf(running, number);
    };
    for (let number = 3; number < 9; number++) {
      await eventually(
        () => takenAgain(number),
        (status) => status === 202,
      );
    }
    console.log(endings === 0 ? 'it waited for room' : 'it ended by the name of what is wrong');
    const { ledger } = await endWhole(running, { paye: 9 * BATCH });
    expect(ledger.entries).toBe(9 * BATCH);
  });
});

const BATCH = 200;

function batch(number: number): readonly object[] {
  return Array.from({ length: BATCH }, (_, i) => paymentJson(number * BATCH + i));
}

/** Straight to the gateway's door. */
function post(running: ServiceProcess, number: number) {
  return running.call<{ code?: string }>('payer', 'POST', '/v1/paye/events', batch(number));
}

async function statusOf(running: ServiceProcess, number: number): Promise<number> {
  try {
    return (await running.call('payer', 'POST', '/payer/v1/events/paye', batch(number))).status;
  } catch {
    return 0;
  }
}

/** Takes all of the disk but so many bytes. */
function fill(leaveBytes: number): void {
  const { bavail, blocks, bsize } = statfsSync(folder);
  if (blocks * bsize > 2 * DISK_MIB * 1024 ** 2) throw new Error('this is not the small disk: it is left alone');
  const bytes = bavail * bsize - leaveBytes;
  const file = join(folder, 'filler');
  writeFileSync(file, '');
  try {
    execFileSync('sh', ['-c', 'head -c "$1" /dev/zero >"$0"', file, String(bytes)], { stdio: 'ignore' });
  } catch (error) {
    // Others write at the same time: then the last bytes are theirs.
    if (leaveBytes > 0) throw error;
  }
}
