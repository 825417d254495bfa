import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

describe('the README, followed to the letter', () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = new ServiceProcess();
    await service.start();
  });
  afterAll(() => service.dispose());

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?([a-z0-9:]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => name !== 'ci');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only commands that tally has', async () => {
    const help = (await tally(['--help'])).stdout;
    const named = new Set([...readme.matchAll(/`npx tally ([a-z]+)/g)].map((match) => match[1] ?? ''));
    expect(named.size).toBeGreaterThan(5);
    for (const name of named) expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  });

  it('has one curl that sends a receipt, and a statement that then shows its VAT', { timeout: 180_000 }, async () => {
    const curl = blocks.find((block) => block.startsWith('curl')) ?? '';
    expect(curl).toContain('/payer/v1/events/vat');
    const here = curl.replace('http://127.0.0.1:8080', service.url).replaceAll('data/keys', `${service.dataDir}/keys`);
    const { stdout } = await run('sh', ['-c', here]);
    expect(JSON.parse(stdout)).toEqual({
      queued: 1,
      tills: [{ vrn: '101747696', tillId: 'T1', nextSeq: 2, nextPrevHash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    const command = blocks.find((block) => block.startsWith('npx tally statement')) ?? '';
    const args = command.trim().split(' ').slice(2);
    const shown = await eventually(
      () => tally([...args, '--data-dir', service.dataDir]),
      (result) => result.stdout.includes('output vat'),
    );
    // £12.00 at 20% holds £2.00 of VAT; £3.00 of food is zero-rated.
    expect(shown.stdout).toMatch(/output vat +│ +2\.00/);
    expect(shown.stdout).toContain('018f0000-0000-7000-8000-000000000001');
    await breakACopy(service.dataDir);
    expect(await service.stop()).toBe(0);
    expect(await checkDataFolder(service.dataDir, { complete: true })).toMatchObject({ entries: 1, chargesPence: 200 });
  });
});

/** The README's own lines: a copy that verifies, and one that was changed and does not. */
async function breakACopy(dataDir: string): Promise<void> {
  const lines = blocks.find((block) => block.includes('--export')) ?? '';
  const results: Awaited<ReturnType<typeof tally>>[] = [];
  for (const line of lines.trim().split('\n')) {
    const here = line.replaceAll(/\b(copy|altered)\.tally/g, (file) => join(dataDir, file));
    if (here.startsWith('sed')) await run('sh', ['-c', here]);
    else
      results.push(
        await tally([...here.split(' ').slice(2), ...(here.includes('verify') ? [] : ['--data-dir', dataDir])]),
      );
  }
  expect(results.map(({ code }) => code)).toEqual([0, 0, 1]);
  expect(results[1]?.stdout).toContain('\nVERIFIED');
  expect(results[2]?.stdout).toMatch(/DIFFERS: block 1 of chain [0-9a-f]{32}: PREV_DIFFERS/);
}

describe('an old Node', () => {
  it('is told what is needed, in words', async () => {
    const launcher = readFileSync('services/cli/tally.js', 'utf8').replaceAll('process.versions.node', "'18.19.0'");
    const { stderr } = await run(process.execPath, ['--input-type=module', '-e', launcher]).catch(
      (error: { stderr: string }) => error,
    );
    expect(stderr).toContain('Tallystick runs on Node.js 24 or newer, and this is 18.19.0: start it by "npm start"');
  });
});
