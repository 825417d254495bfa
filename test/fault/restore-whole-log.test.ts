import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DATA_STORES } from '../../libs/adapters/lmdb/data-stores.ts';
import { DAMAGES } from '../support/damage-file.ts';
import { endWhole, settled } from '../support/operate-service.ts';
import { paymentJson, saleJsons } from '../support/own-events.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';

/** Events of each tax in one step of the story; the PAYE and the VAT account are the same in all. */
const STEP = 20;

let running: ServiceProcess;
let backups = '';
beforeEach(() => {
  running = new ServiceProcess();
  backups = mkdtempSync(join(tmpdir(), 'tallystick-backups-'));
});
afterEach(async () => {
  await running.dispose();
  rmSync(backups, { recursive: true, force: true });
});

const inData = (path: string): string => join(running.dataDir, path);
const signed = (): string => readFileSync(inData('signer/last-signed'), 'utf8');

async function send(step: number): Promise<void> {
  const payments = Array.from({ length: STEP }, (_, i) => paymentJson(step * STEP + i));
  for (const [tax, events] of [
    ['paye', payments],
    ['vat', saleJsons(STEP, 'T1', undefined, step * STEP + 1)],
  ] as const) {
    expect((await running.call('payer', 'POST', `/payer/v1/events/${tax}`, events)).status).toBe(202);
  }
}

/** Resolves once the gateway has given its receipt for everything that was sent. */
async function receipted(): Promise<void> {
  const counts = async () => (await running.call<{ unsent: number }>('payer', 'GET', '/payer/v1/outbox')).body;
  await eventually(counts, ({ unsent }) => unsent === 0);
}

const events = (steps: number) => ({ paye: steps * STEP, vat: steps * STEP });

/** While the process is stopped, as the guide says. */
function backUp(name: string): void {
  for (const folder of ['log', 'gateway']) cpSync(inData(folder), join(backups, name, folder), { recursive: true });
}

function putBack(name: string, folder: 'log' | 'gateway'): void {
  rmSync(inData(folder), { recursive: true });
  cpSync(join(backups, name, folder), inData(folder), { recursive: true });
}

/** The folders that step 3 of the guide has an operator of the embedded way delete. */
function cachesInGuide(): readonly string[] {
  const section = readFileSync('docs/operations.md', 'utf8').split('### Restoring the log')[1] ?? '';
  const step = /^3\. [\s\S]*?(?=^4\. )/m.exec(section)?.[0] ?? '';
  const list = /embedded ([^.]*)\./.exec(step)?.[1] ?? '';
  return [...list.matchAll(/`([a-z-]+)\/`/g)].map(([, folder = '']) => folder);
}

/** Steps 2 and 3 of the guide. */
function restoreLog(name: string): void {
  putBack(name, 'log');
  const caches = cachesInGuide();
  expect(caches).toEqual(DATA_STORES.filter(({ isCache }) => isCache).map(({ path }) => path.split('/')[0]));
  for (const cache of caches) rmSync(inData(cache), { recursive: true });
}

async function sendAgain(): Promise<number> {
  const { code, stdout } = await tally(['outbox', 'resend', '--json', '--data-dir', running.dataDir]);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { resent: number }).resent;
}

/** Codes of what the payer's node holds against the ledger. */
async function reported(): Promise<readonly string[]> {
  const path = '/payer/v1/divergences';
  const { body } = await running.call<{ divergences: readonly { findings: readonly { code: string }[] }[] }>(
    'operator',
    'GET',
    path,
  );
  return body.divergences.flatMap(({ findings }) => findings.map(({ code }) => code));
}

/**
 * Backs up, sends a step, and fails the power once its receipts are out and before a block of it is closed (2 s) and signed. Where the
 * machine was too slow for that, the step is settled and it begins again. Gives how many steps the backup has.
 */
async function loseUnsigned(): Promise<number> {
  for (let steps = 1; steps <= 5; steps += 1) {
    backUp('newest');
    const before = signed();
    await running.start();
    await send(steps);
    await receipted();
    await running.kill();
    if (signed() === before) return steps;
    await running.start();
    await settled(running, events(steps + 1));
    expect(await running.stop()).toBe(0);
  }
  throw new Error('every block was signed before the power could fail');
}

/** Every accepted event is in exactly one block of both copies, and no amount differs. */
async function endSound(steps: number): Promise<void> {
  const { ledger, copies } = await endWhole(running, events(steps));
  const ids = [...ledger.eventIds.values()].flat();
  expect([ids.length, new Set(ids).size, copies.entries]).toEqual(Array(3).fill(2 * steps * STEP));
}

describe('the log restored as the guide says', () => {
  it('goes on from a backup that has all that was signed: what was lost is sent again, once into both copies', {
    timeout: 540_000,
  }, async () => {
    await running.start();
    await send(0);
    await settled(running, events(1));
    expect(await running.stop()).toBe(0);
    const steps = await loseUnsigned();
    DAMAGES['a zeroed page'](inData('log/data.mdb'));
    await expect(running.start()).rejects.toThrow(/STORE_DAMAGED/);
    restoreLog('newest');
    await running.start();
    expect(running.output).toContain('LOG_OLDER_THAN_STORE');
    await settled(running, events(steps));
    expect(await sendAgain()).toBe(2 * STEP);
    await settled(running, events(steps + 1));
    await send(steps + 1);
    expect(await reported()).toEqual([]);
    await endSound(steps + 2);
  });

  it('signs nothing on a backup older than what was signed, and goes on with the newer log', {
    timeout: 540_000,
  }, async () => {
    await running.start();
    await send(0);
    await settled(running, events(1));
    expect(await running.stop()).toBe(0);
    backUp('older');
    await running.start();
    await send(1);
    await settled(running, events(2));
    expect(await running.stop()).toBe(0);
    backUp('newer');
    const before = signed();

    restoreLog('older');
    const started = running.start().catch((error: unknown) => error);
    await eventually(
      async () => running.output,
      (output) => output.includes('SIGNER_AHEAD_OF_LOG'),
    );
    await eventually(
      async () => existsSync(inData('running.json')),
      (isServed) => isServed,
    );
    const health = await eventually(
      async () => (await fetch(`${running.url}/health/ready`)).text(),
      (text) => text.includes('LEDGER_HALTED'),
    );
    expect(health).toContain('SIGNER_AHEAD_OF_LOG');
    // The payer has verified blocks that this log lacks: it reports that and keeps them, and has nothing to send again.
    await eventually(reported, (codes) => codes.length > 0);
    expect(await reported()).toEqual(['CHECKPOINT_BEHIND']);
    expect(await sendAgain()).toBe(0);
    await send(2);
    await receipted();
    await running.stop();
    await started;
    expect(signed()).toBe(before);

    // The gateway has taken events into the older log: its own store goes on from that history, until its backup is put back too.
    restoreLog('newer');
    await expect(running.start()).rejects.toThrow(/LOG_NOT_OF_THIS_STORE/);
    putBack('newer', 'gateway');
    await running.start();
    await settled(running, events(2));
    expect(await sendAgain()).toBe(2 * STEP);
    await settled(running, events(3));
    await send(3);
    // The report stays: it is evidence of what the ledger once said.
    expect(await reported()).toEqual(['CHECKPOINT_BEHIND']);
    await endSound(4);
  });
});
