import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { prepareDeployment } from '../../services/cli/start/prepare-deployment.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { eventually } from '../support/service-process.ts';
import { paymentJson, saleJson } from '../support/submissions.ts';

/** What each key of a data folder is checked against: `whole` by `tally start` on that folder. */
const KEYS = [
  'ledger-name',
  'ledger-ed25519',
  'ledger-master',
  'ledger-log-year',
  'gateway-ed25519',
  'person-token-key',
  'vault-key',
  'payer-ed25519',
] as const;
const CLIENT_KEYS = ['client-payer', 'client-bank', 'client-analyst', 'client-operator'] as const;

let folder: string;
let dataDir: string;
let running: RunningTallystick | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tally-lost-keys-'));
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<RunningTallystick> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  running = await startTallystick(
    { dataDir, port: 0, furtherPorts: 0, partitions: 3 },
    { logger, clock: systemClock, onFailed: () => undefined },
  );
  return running;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = null;
}

/** A data folder with one payment and one sale, each in a block that the payer countersigned. */
async function withHistory(): Promise<void> {
  const whole = await start();
  await whole.payerNode.submit('paye', [paymentJson()]);
  await whole.payerNode.submit('vat', [saleJson()]);
  await eventually(
    () => Promise.resolve(whole.reconciliation.summary()),
    ({ state, blocks }) => state === 'agreed' && blocks.sealed >= 2 && blocks.sealed === blocks.acknowledged,
    60_000,
  );
  await stop();
}

const keyFile = (name: string): string => join(dataDir, 'keys', name);

/** Another key of the same form. */
function otherKey(name: string): string {
  if (name === 'ledger-name') return 'tallystick-00000000\n';
  return name === 'ledger-log-year' ? '1999\n' : `${'5a'.repeat(32)}\n`;
}

describe('a key that is not there although its data is', () => {
  it('refuses the start, names the file and what it is for, and makes no other one', { timeout: 300_000 }, async () => {
    await withHistory();
    const secrets = KEYS.filter((name) => name !== 'ledger-log-year');
    for (const name of [...secrets, ...CLIENT_KEYS]) {
      renameSync(keyFile(name), join(folder, name));
      const error = await start().catch((thrown: unknown) => thrown);
      await stop();
      expect({ name, error }).toMatchObject({ name, error: { code: 'KEY_MISSING_FOR_HISTORY' } });
      expect(String(error)).toContain(keyFile(name));
      expect(String(error)).toContain('backup');
      expect(readdirSync(join(dataDir, 'keys'))).not.toContain(name);
      renameSync(join(folder, name), keyFile(name));
    }
    await start();
  });

  it('refuses another one, and takes the right one again', { timeout: 300_000 }, async () => {
    await withHistory();
    for (const name of KEYS) {
      const right = readFileSync(keyFile(name));
      writeFileSync(keyFile(name), otherKey(name));
      const error = await start().catch((thrown: unknown) => thrown);
      await stop();
      expect({ name, error }).toMatchObject({ name, error: { code: 'KEY_NOT_OF_THIS_DATA' } });
      expect(String(error)).toContain(name);
      expect(readFileSync(keyFile(name), 'utf8')).toBe(otherKey(name));
      writeFileSync(keyFile(name), right);
    }
    await start();
  });

  it('refuses two that were swapped', { timeout: 120_000 }, async () => {
    await withHistory();
    const [one, two] = [readFileSync(keyFile('vault-key')), readFileSync(keyFile('person-token-key'))];
    writeFileSync(keyFile('vault-key'), two);
    writeFileSync(keyFile('person-token-key'), one);
    await expect(start()).rejects.toMatchObject({ code: 'KEY_NOT_OF_THIS_DATA' });
  });

  it('refuses what the log alone tells: stores may go, keys may not', { timeout: 300_000 }, async () => {
    await withHistory();
    for (const store of ['gateway', 'ledger', 'store', 'reconciliation']) {
      rmSync(join(dataDir, store), { recursive: true });
    }
    for (const name of ['ledger-ed25519', 'ledger-master', 'gateway-ed25519', 'person-token-key'] as const) {
      const right = readFileSync(keyFile(name));
      rmSync(keyFile(name));
      await expect(start()).rejects.toMatchObject({ code: 'KEY_MISSING_FOR_HISTORY' });
      await stop();
      writeFileSync(keyFile(name), otherKey(name), { mode: 0o600 });
      await expect(start()).rejects.toMatchObject({ code: 'KEY_NOT_OF_THIS_DATA' });
      await stop();
      writeFileSync(keyFile(name), right);
    }
    await start();
  });

  it('is made where there is nothing yet, also after a start that came to nothing', { timeout: 120_000 }, async () => {
    await start();
    await stop();
    const names = readdirSync(join(dataDir, 'keys')).sort();
    expect(names).toEqual([...KEYS, ...CLIENT_KEYS].sort());
    const kept = join(folder, 'kept');
    mkdirSync(kept);
    cpSync(join(dataDir, 'log'), join(kept, 'log'), { recursive: true });
    rmSync(dataDir, { recursive: true });
    await start();
  });
});

describe('the folders of a deployment', () => {
  const lost: readonly (readonly [string, string])[] = [
    ['operator', 'ledger-name'],
    ['operator', 'client-payer'],
    ['gateway', 'gateway-ed25519'],
  ];

  it.each(lost)('are not prepared again with a new %s/keys/%s', (service, name) => {
    prepareDeployment(folder);
    rmSync(join(folder, service, 'keys', name));
    expect(() => prepareDeployment(folder)).toThrow(expect.objectContaining({ code: 'KEY_MISSING_FOR_HISTORY' }));
    expect(readdirSync(join(folder, service, 'keys'))).not.toContain(name);
  });

  it('are prepared again without a change where all is there', () => {
    const first = prepareDeployment(folder);
    expect(prepareDeployment(folder)).toEqual(first);
  });
});
