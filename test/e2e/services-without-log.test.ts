import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'without-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly fatal: { readonly code: string; readonly message: string } | undefined;
}

/** A service alone in a process, with nothing set of the log but what is given. */
function run(service: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const { KAFKA_BROKERS: _brokers, EVENT_LOG: _log, ...rest } = process.env;
  const dataDir = join(folder, service);
  const child = spawn(process.execPath, [`services/${service}/main.ts`], {
    env: { ...rest, DATA_DIR: dataDir, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const lines = text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { level: string; err?: Ended['fatal'] });
      resolve({ code, fatal: lines.find(({ level }) => level === 'fatal')?.err });
    });
  });
}

describe.each(['gateway', 'tax', 'ledger', 'reconciliation'])('%s alone in a process', (service) => {
  it('does not start without KAFKA_BROKERS, makes no log of its own, and says what to set', {
    timeout: 60_000,
  }, async () => {
    const { code, fatal } = await run(service, {});
    expect(fatal).toMatchObject({ code: 'SETTING_MISSING', message: expect.stringContaining('set KAFKA_BROKERS') });
    expect(fatal?.message).toContain('EVENT_LOG=embedded');
    expect(code).toBe(1);
    expect(existsSync(join(folder, service, 'log'))).toBe(false);
  });
});

it('does not start on two logs at once, or on one that there is not', { timeout: 60_000 }, async () => {
  const both = await run('gateway', { KAFKA_BROKERS: '127.0.0.1:1', EVENT_LOG: 'embedded' });
  const none = await run('gateway', { EVENT_LOG: 'pulsar' });
  for (const { code, fatal } of [both, none]) {
    expect(fatal).toMatchObject({ code: 'SETTING_INVALID', message: expect.stringContaining('EVENT_LOG') });
    expect(code).toBe(1);
  }
});
