import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesUnder, searchFor } from '../support/find-values.ts';
import { type ImportResult, importFile } from '../support/operate-service.ts';
import { type ServiceProcess, tally } from '../support/service-process.ts';
import type { Whole } from '../support/whole.ts';

/** Employees with a NINO each; one in three writes it with spaces, one in three in small letters. */
const EMPLOYEES = 60;
const PREFIXES = ['AB', 'CE', 'HJ', 'WX'];
export const NINOS = Array.from({ length: EMPLOYEES }, (_, i) => {
  const digits = createHash('sha256').update(`nino ${i}`).digest().readUInt32BE(0) % 1_000_000;
  return `${PREFIXES[i % PREFIXES.length]}${String(digits).padStart(6, '0')}${'ABCD'[i % 4]}`;
});
/** What a careless sender might add: names, and a works number that is a NINO. */
export const NAME = 'Wilhelmina Featherstonehaugh';
const STRAY_NINO = 'RS472816B';

const written = (nino: string, i: number): string => {
  if (i % 3 === 0) return nino;
  if (i % 3 === 1) return nino.toLowerCase();
  return `${nino.slice(0, 2)} ${nino.slice(2, 4)} ${nino.slice(4, 6)} ${nino.slice(6, 8)} ${nino.slice(8)}`;
};

export const found = searchFor([...NINOS, STRAY_NINO, NAME]);

export interface PersonalDataOptions<W extends Whole> {
  readonly open: (env: NodeJS.ProcessEnv) => Promise<W>;
  /** What is sent by further ways while everything runs; gives how many payments of it are accepted. */
  readonly sendMore?: (whole: W) => Promise<number>;
  /** Where else the run may have left something, beside the data folder, once the house is stopped. */
  readonly elsewhere?: (whole: W) => Promise<readonly (readonly [string, Buffer])[]>;
}

/** No personal value of a run is anywhere but in the payer's own store and in ingress: on the embedded engines, and on Kafka and Redis. */
export function personalDataStaysOut<W extends Whole>({ open, sendMore, elsewhere }: PersonalDataOptions<W>): void {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-privacy-'));
  let whole: W;
  beforeAll(async () => {
    whole = await open({ LOG_LEVEL: 'trace' });
    await whole.service.start();
  }, 720_000);
  afterAll(async () => {
    await whole?.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 360_000);

  it('no NINO and no name of a run is in any topic, store, log line or metric outside the payer’s own store', {
    timeout: 540_000,
  }, async () => {
    const { service } = whole;
    const accepted = await importPayroll(service, folder);
    await sendWhatIsRefused(service);
    const more = (await sendMore?.(whole)) ?? 0;
    const metrics = await metricsOf(service);
    const answers = await Promise.all(
      ['/reconciliation/v1/summary', '/reconciliation/v1/exceptions?limit=1000', '/tax/v1/rejections'].map(
        async (path) => JSON.stringify(await service.call('operator', 'GET', path)),
      ),
    );
    const copy = join(folder, 'copy.tally');
    await tally(['statement', 'paye:961/HMRC13', '--export', copy, '--data-dir', service.dataDir]);
    await whole.end({ paye: accepted + more });

    expect(found(Buffer.from(metrics), 'metrics')).toEqual([]);
    expect(found(Buffer.from(whole.logs()), 'log')).toEqual([]);
    expect(found(Buffer.from(answers.join('\n')), 'answers')).toEqual([]);
    expect(found(readFileSync(copy), 'the copy that a payer gives away')).toEqual([]);
    const files = filesUnder(service.dataDir);
    const isOwn = (name: string): boolean => name.startsWith('payer-node/');
    const places = [...files.filter(([name]) => !isOwn(name)), ...((await elsewhere?.(whole)) ?? [])];
    expect(places.flatMap(([name, bytes]) => found(bytes, name))).toEqual([]);
    // The search finds what is there: the payer's own record holds its own people.
    const own = files.filter(([name]) => isOwn(name)).flatMap(([name, bytes]) => found(bytes, name));
    expect(own.length).toBeGreaterThan(0);
    expect(files.map(([name]) => name)).toContain('gateway/data.mdb');
  });
}

/** Gives how many payments were accepted. */
async function importPayroll(service: ServiceProcess, folder: string): Promise<number> {
  const payroll = join(folder, 'payroll.csv');
  const header =
    'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan';
  const rows = NINOS.map(
    (nino, i) => `961/HMRC13,W${i},${written(nino, i)},2026-04-30,M1,1,1257L,no,2500.00,2500.00,A,,no`,
  );
  writeFileSync(payroll, `${[header, ...rows].join('\n')}\n`);
  const imported = await importFile('payroll', payroll, service);
  // Small letters are refused at the door, row by row; the others go in.
  const small = EMPLOYEES / 3;
  const result = JSON.parse(imported.stdout) as ImportResult;
  expect(result).toMatchObject({ read: EMPLOYEES, accepted: EMPLOYEES - small, rejected: small });
  expect(new Set(result.rejections.map(({ code }) => code))).toEqual(new Set(['BAD_NINO_FORMAT']));
  expect(found(Buffer.from(imported.stdout + imported.stderr), 'what the import prints')).toEqual([]);
  return EMPLOYEES - small;
}

async function sendWhatIsRefused(service: ServiceProcess): Promise<void> {
  const pay = { ...PAYMENT, nino: NINOS[0] };
  const refused: readonly [string, object][] = [
    ['a field that we do not know', { ...pay, employeeName: NAME }],
    ['a name for a field', { ...pay, [NAME]: 1 }],
    ['a name where a code belongs', { ...pay, taxCode: NAME }],
    ['a works number that is a NINO', { ...PAYMENT, worksNumber: STRAY_NINO }],
    ['a NINO that is none', { ...pay, nino: `${STRAY_NINO}X` }],
  ];
  for (const [what, body] of refused) {
    for (const path of ['/v1/paye/events', '/payer/v1/events/paye']) {
      const answer = await service.call('payer', 'POST', path, body);
      expect({ what, path, status: answer.status }).toEqual({ what, path, status: 422 });
    }
  }
  for (const path of [NINOS[0], encodeURIComponent(NAME)]) {
    await service.call('payer', 'GET', `/payer/v1/accounts/${path}/statement`);
    await service.call('analyst', 'GET', `/reconciliation/v1/exceptions?account=${path}`);
  }
}

/** Of every process of the house. */
async function metricsOf(service: ServiceProcess): Promise<string> {
  const urls = new Set(['/v1/', '/payer/', '/tax/', '/ledger/', '/reconciliation/'].map((path) => service.urlOf(path)));
  const texts = await Promise.all([...urls].map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.join('\n');
}

export const PAYMENT = {
  type: 'PaymentMade',
  eventId: '018f0000-0000-7000-8000-000000000001',
  payeReference: '961/HMRC13',
  worksNumber: 'W1',
  paymentDate: '2026-04-30',
  payFrequency: 'M1',
  period: 1,
  taxCode: '1257L',
  taxablePayPence: 250_000,
  nicableEarningsPence: 250_000,
  niCategory: 'A',
};
