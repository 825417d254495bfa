import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { endWhole, type ImportResult, importFile } from '../support/operate-service.ts';
import { ServiceProcess, tally } from '../support/service-process.ts';

const service = new ServiceProcess({ env: { LOG_LEVEL: 'trace' } });
const folder = mkdtempSync(join(tmpdir(), 'tallystick-privacy-'));

afterAll(async () => {
  await service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Employees with a NINO each; one in three writes it with spaces, one in three in small letters. */
const EMPLOYEES = 60;
const PREFIXES = ['AB', 'CE', 'HJ', 'WX'];
const NINOS = Array.from({ length: EMPLOYEES }, (_, i) => {
  const digits = createHash('sha256').update(`nino ${i}`).digest().readUInt32BE(0) % 1_000_000;
  return `${PREFIXES[i % PREFIXES.length]}${String(digits).padStart(6, '0')}${'ABCD'[i % 4]}`;
});
/** What a careless sender might add: names, and a works number that is a NINO. */
const NAME = 'Wilhelmina Featherstonehaugh';
const STRAY_NINO = 'RS472816B';

const written = (nino: string, i: number): string => {
  if (i % 3 === 0) return nino;
  if (i % 3 === 1) return nino.toLowerCase();
  return `${nino.slice(0, 2)} ${nino.slice(2, 4)} ${nino.slice(4, 6)} ${nino.slice(6, 8)} ${nino.slice(8)}`;
};

it('no NINO and no name of a run is in any topic, store, log line or metric outside the payer’s own store', {
  timeout: 120_000,
}, async () => {
  await service.start();
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
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  const answers = await Promise.all(
    ['/reconciliation/v1/summary', '/reconciliation/v1/exceptions?limit=1000', '/tax/v1/rejections'].map(async (path) =>
      JSON.stringify(await service.call('operator', 'GET', path)),
    ),
  );
  const copy = join(folder, 'copy.tally');
  await tally(['statement', 'paye:961/HMRC13', '--export', copy, '--data-dir', service.dataDir]);
  await endWhole(service, { paye: EMPLOYEES - small });

  expect(found(Buffer.from(metrics), 'metrics')).toEqual([]);
  expect(found(Buffer.from(service.output), 'log')).toEqual([]);
  expect(found(Buffer.from(answers.join('\n')), 'answers')).toEqual([]);
  expect(found(readFileSync(copy), 'the copy that a payer gives away')).toEqual([]);
  const files = filesUnder(service.dataDir);
  const leaks = files
    .filter(([name]) => !name.startsWith('payer-node/'))
    .flatMap(([name, bytes]) => found(bytes, name));
  expect(leaks).toEqual([]);
  // The search finds what is there: the payer's own record holds its own people.
  const own = files.filter(([name]) => name.startsWith('payer-node/')).flatMap(([name, bytes]) => found(bytes, name));
  expect(own.length).toBeGreaterThan(0);
  expect(files.map(([name]) => name)).toEqual(expect.arrayContaining(['log/data.mdb', 'gateway/data.mdb']));
});

const PAYMENT = {
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

/** Each personal value in every form in which a program would let it slip: as written, its letters small, hex, base64 at each alignment, hashed. */
const NEEDLES: readonly (readonly [string, Buffer])[] = [...NINOS, STRAY_NINO, NAME].flatMap((value) => formsOf(value));

function formsOf(value: string): readonly (readonly [string, Buffer])[] {
  const spaced = value.replace(/^(..)(..)(..)(..)(.)$/, '$1 $2 $3 $4 $5');
  const texts = [value, value.toLowerCase(), value.slice(0, 8), spaced, encodeURIComponent(value)];
  const bytes = Buffer.from(value);
  // The characters of base64 that depend on the value alone, whatever stands before and after it.
  const base64 = [0, 1, 2].map((skip) => {
    const text = Buffer.concat([Buffer.alloc(skip), bytes, Buffer.alloc(3)]).toString('base64');
    return text.slice(Math.ceil((skip * 8) / 6), Math.floor(((skip + bytes.length) * 8) / 6));
  });
  const hashes = ['sha256', 'sha1', 'md5'].map((name) => createHash(name).update(bytes).digest());
  return [
    ...[...texts, bytes.toString('hex'), bytes.toString('utf16le'), ...base64].map((text) => Buffer.from(text)),
    ...hashes,
    ...hashes.map((hash) => Buffer.from(hash.toString('hex'))),
  ].map((needle) => [value, needle] as const);
}

function found(haystack: Buffer, name: string): string[] {
  return NEEDLES.filter(([, needle]) => haystack.includes(needle)).map(
    ([value, needle]) => `${name}: ${value} as ${needle.toString('latin1')}`,
  );
}

function filesUnder(root: string): [string, Buffer][] {
  const found: [string, Buffer][] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.push([relative(root, path), readFileSync(path)]);
  }
  return found;
}
