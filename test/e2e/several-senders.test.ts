import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capability } from '../support/capabilities.ts';
import { canRunKafkaWhole } from '../support/kafka-whole.ts';
import { settled, summaryOf, verifiedCopies } from '../support/operate-service.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons } from '../support/own-events.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

interface StatementAnswer {
  readonly entriesSince0: number;
  readonly balancePence: number;
  readonly acknowledgedSeq: number | null;
  readonly head: { readonly seq: number } | null;
  readonly haltedBy: number | null;
  readonly entries: readonly { readonly ground: string }[];
}

const [PAYE, VAT] = [PAYER_PAYE.replace('/', '-'), PAYER_VAT];

/** The statement of an account once so many entries of it are stored and countersigned; fails at once where its chain stopped. */
async function statementAt(service: ServiceProcess, owner: string, entries: number): Promise<StatementAnswer> {
  const path = `/payer/v1/accounts/${owner}/statement?limit=1000`;
  const ask = async () => (await service.call<StatementAnswer>('payer', 'GET', path)).body;
  const isDone = ({ haltedBy, entriesSince0, head, acknowledgedSeq }: StatementAnswer): boolean => {
    expect(haltedBy ?? null).toBeNull();
    return entriesSince0 === entries && head?.seq === acknowledgedSeq;
  };
  return await eventually(ask, isDone);
}

describe('an account with several senders', { timeout: 300_000 }, () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = new ServiceProcess({ env: { ACCOUNTS: `${PAYER_PAYE},${PAYER_VAT}` } });
    await service.start();
  });
  afterAll(() => service.dispose());

  it("has one chain of what went through the payer's node and what went to the gateway", async () => {
    const [own, others] = [saleJsons(3, 'T1'), saleJsons(4, 'T2')];
    expect((await service.call('payer', 'POST', '/payer/v1/events/vat', own)).status).toBe(202);
    expect((await service.call('payer', 'POST', '/v1/vat/events', others)).status).toBe(202);
    expect((await service.call('payer', 'POST', '/v1/paye/events', [paymentJson(1), paymentJson(2)])).status).toBe(202);
    expect((await service.call('payer', 'POST', '/payer/v1/events/paye', [paymentJson(3)])).status).toBe(202);
    // with the entries of two keys each
    const vat = await statementAt(service, VAT, 9);
    await statementAt(service, PAYE, 5);
    expect(new Set(vat.entries.map(({ ground }) => ground))).toEqual(new Set(['recomputed', 'formal']));
    expect(await settled(service, { vat: 7, paye: 3 })).toMatchObject({ state: 'agreed' });
    expect(await verifiedCopies(service)).toMatchObject({ entries: 10, recomputed: 10 });
  });

  it("is whole again where the payer's node lost its folder and kept its keys", async () => {
    const before = [await statementAt(service, VAT, 9), await statementAt(service, PAYE, 5)];
    expect(await service.stop()).toBe(0);
    rmSync(join(service.dataDir, 'payer-node'), { recursive: true });
    await service.start();
    expect([await statementAt(service, VAT, 9), await statementAt(service, PAYE, 5)]).toEqual(before);
    expect(await verifiedCopies(service)).toMatchObject({ entries: 10, recomputed: 10 });
    expect(await service.stop()).toBe(0);
    expect(await checkDataFolder(service.dataDir, { complete: true })).toMatchObject({ entries: 10 });
  });
});

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

function shell(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', text], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${text} ended with ${code}`))));
  });
}

describe.skipIf(!canRunKafkaWhole || !capability('kcat').available)(
  'README, "Send it something of your own", in order on one clean folder with Kafka',
  { timeout: 600_000 },
  () => {
    let service: ServiceProcess;
    beforeAll(async () => {
      service = new ServiceProcess({ args: ['--empty', '--kafka'] });
      await service.start();
    }, 600_000);
    afterAll(() => service.dispose());

    it('goes on over curl, then kcat, to one statement and a page without differences', async () => {
      const curl = blocks.find((block) => block.startsWith('curl')) ?? '';
      const url = service.urlOf('/payer/v1/events/vat');
      const posted = curl.replace('http://127.0.0.1:8080', url).replaceAll('data/keys', `${service.dataDir}/keys`);
      expect(JSON.parse(await shell(posted))).toMatchObject({ queued: 1 });
      const kcat = blocks.find((block) => block.includes('kcat -P')) ?? '';
      const printed = async () => /Kafka at (127\.0\.0\.1:\d+),/.exec(service.output)?.[1];
      const broker = (await eventually(printed, (one) => one !== undefined, 30_000)) ?? '';
      const produced = kcat.replace('127.0.0.1:9092', broker).replace('kcat', capability('kcat').path);
      await shell(produced);
      await statementAt(service, VAT, 4);
      const shown = await tally(['statement', VAT, '--entries', '--data-dir', service.dataDir]);
      expect(shown).toMatchObject({ code: 0 });
      // £12.00 at 20% holds £2.00 of VAT, twice; food is zero-rated.
      expect(shown.stdout).toMatch(/output vat +│ +4\.00/);
      for (const id of ['1', '2']) expect(shown.stdout).toContain(`018f0000-0000-7000-8000-00000000000${id}`);
      // and the other way round, for an account that the node has not heard of: by Kafka first, then by the node
      const [other, third] = ['123456727', '018f0000-0000-7000-8000-000000000003'];
      await shell(produced.replaceAll('101747696', other).replace('018f0000-0000-7000-8000-000000000002', third));
      await service.call('payer', 'POST', '/payer/v1/events/vat', saleJsons(1, 'T1', other));
      await statementAt(service, `vat:${other}`, 4);
      await settled(service, { vat: 4 });
      expect((await summaryOf(service)).state).toBe('agreed');
    });
  },
);
