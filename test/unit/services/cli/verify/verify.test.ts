import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CopyBodyLine, printCopy } from '../../../../../libs/adapters/codec/copy-file.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { printVerifierKey } from '../../../../../libs/core/ledger/note/verifier-key.ts';
import { verifyCopy } from '../../../../../services/cli/verify/verify.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons } from '../../../../support/own-events.ts';
import { PaperHmrc } from '../../../../support/paper-hmrc.ts';
import { openPayerNode, removeFolder, until } from '../../../../support/payer-node-fixture.ts';

const VAT = account(PAYER_VAT);
const PAYE = account(PAYER_PAYE);
let folder = '';
const copies = new Map<string, string>();
const hmrc = new PaperHmrc();

/** A copy of each account: two blocks of events, a payment, receipts that two accounts share, a rejection, a countersignature. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'));
  const clients = { gateway: hmrc.gateway, ledger: hmrc.ledger, gatewayKey: printVerifierKey(hmrc.gatewaySigner.key) };
  const { node } = await openPayerNode(clients, { folder: join(folder, 'node'), pullEveryMs: 20 });
  node.start();
  await node.submit('vat', [...saleJsons(4), ...saleJsons(3, 'T1', '230123430')]);
  await node.submit('paye', [paymentJson(1), paymentJson(2)]);
  await until(() => node.counts().unsent === 0);
  hmrc.pay(VAT, 700);
  hmrc.seal();
  await until(() => node.counts().decided === 9);
  await node.submit('vat', saleJsons(2, 'T1', '101747696', 5));
  await until(() => node.counts().unsent === 0);
  hmrc.seal();
  // The account is ahead of the disk, from which the copy is made, until the batch is written.
  const isCountersigned = (owner: string): boolean => {
    const lines = [...node.copy(account(owner))].map((line) => JSON.parse(line) as { kind: string; seq?: number });
    const seqOf = (kind: string) => lines.find((line) => line.kind === kind)?.seq;
    return seqOf('acknowledgement') === seqOf('head');
  };
  await until(() => node.counts().decided === 11 && [VAT, PAYE].every(isCountersigned));
  for (const owner of [VAT, PAYE]) copies.set(owner, [...node.copy(owner)].join(''));
  await node.stop();
});

afterAll(() => removeFolder(folder));

async function verifyText(text: string | Buffer): ReturnType<typeof verifyCopy> {
  const file = join(folder, 'copy.tally');
  await writeFile(file, text);
  return await verifyCopy(file);
}

/** The copy with its lines changed and a new end line: what a forger without keys can do. */
function forged(text: string, change: (line: CopyBodyLine) => CopyBodyLine | null): string {
  const lines = text.trimEnd().split('\n').slice(0, -1);
  const changed = lines.map((line) => change(JSON.parse(line) as CopyBodyLine)).filter((line) => line !== null);
  return [...printCopy(changed)].join('');
}

const copyOf = (owner: string): string => copies.get(owner) ?? '';

describe('verifying a copy offline', () => {
  it('finds nothing wrong with a true copy, and says what it checked and what is owed', async () => {
    const report = await verifyText(copyOf(VAT));
    expect(report.findings).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.checked).toMatchObject({
      events: 6,
      receipts: 2,
      blocks: 3,
      recomputed: 6,
      unconfirmed: 1,
      awaiting: 0,
    });
    // block 0's key, the payer's key, six sales, one payment
    expect(report.totals.entries).toBe(9);
    expect(report.totals.paymentsPence).toBe(700);
    expect(report.totals.balancePence).toBe(Number(report.totals.chargesPence) - 700);
    expect(report.checked.acknowledgedSeq).toBe(2);
    expect((await verifyText(copyOf(PAYE))).ok).toBe(true);
  });

  it('holds no NINO: of personal data there are tokens alone', () => {
    expect(copyOf(PAYE)).not.toMatch(/AA10000[12]A/);
    const bytes = copyOf(PAYE)
      .match(/"bytes":"([^"]+)"/g)
      ?.map((text) => Buffer.from(text.slice(9, -1), 'base64').toString('latin1'))
      .join('');
    expect(bytes).not.toMatch(/AA10000[12]A/);
  });

  it('finds any byte that is flipped', async () => {
    const whole = Buffer.from(copyOf(PAYE));
    // in every line its first byte, its newline and some between, each in another bit
    const places: number[] = [];
    for (let start = 0; start < whole.length; ) {
      const newline = whole.indexOf(10, start);
      const step = Math.max(1, Math.floor((newline - start) / 8));
      for (let at = start; at < newline; at += step) places.push(at);
      places.push(newline);
      start = newline + 1;
    }
    for (const at of places) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const report = await verifyText(flipped);
      expect(report.ok, `byte ${at}`).toBe(false);
    }
  });

  it('finds a copy that was cut short, and one that goes on after its end', async () => {
    const whole = copyOf(PAYE);
    expect((await verifyText(whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1))).ok).toBe(false);
    expect((await verifyText(`${whole}\n`)).ok).toBe(false);
    expect((await verifyText('')).ok).toBe(false);
  });

  it('finds each thing that a forger changes who makes the file whole again', async () => {
    const text = copyOf(VAT);
    const cases: readonly [string, string, (line: CopyBodyLine) => CopyBodyLine | null][] = [
      ['an event left out', 'EVENT_UNKNOWN', (line) => (line.kind === 'event' && line.index === 0 ? null : line)],
      [
        'an event changed',
        'RECEIPT_DIFFERS',
        (line) => (line.kind === 'event' && line.index === 1 ? { ...line, bytes: flippedBase64(line.bytes) } : line),
      ],
      ['a block left out', 'SEQ_NOT_NEXT', (line) => (line.kind === 'block' && line.seq === 1 ? null : line)],
      [
        'an entry changed',
        'ENTRIES_ROOT_DIFFERS',
        (line) =>
          line.kind === 'block' && line.seq === 2 ? { ...line, entries: line.entries.map(flippedBase64) } : line,
      ],
      [
        'totals changed',
        'TOTALS_HASH_DIFFERS',
        (line) =>
          line.kind === 'block' && line.seq === 1
            ? { ...line, totals: line.totals.replace('payments 700', 'payments 701') }
            : line,
      ],
      ['the newest block left out', 'SEQ_NOT_NEXT', (line) => (line.kind === 'block' && line.seq === 2 ? null : line)],
      [
        'another place in the log',
        'BLOCK_NOT_IN_LOG',
        (line) => (line.kind === 'head' ? { ...line, index: line.index - 1 } : line),
      ],
      [
        'another acknowledged block',
        'ACKNOWLEDGEMENT_DIFFERS',
        (line) => (line.kind === 'acknowledgement' ? { ...line, seq: line.seq - 1 } : line),
      ],
      [
        'another checkpoint',
        'CHECKPOINT_REFUSED',
        (line) =>
          line.kind === 'head' ? { ...line, checkpoint: line.checkpoint.replace(/\n(\d+)\n/, '\n99\n') } : line,
      ],
      ['the head left out', 'COPY_MALFORMED', (line) => (line.kind === 'head' ? null : line)],
    ];
    for (const [what, code, change] of cases) {
      const report = await verifyText(forged(text, change));
      expect(report.ok, what).toBe(false);
      expect(
        report.findings.map((finding) => finding.code),
        what,
      ).toContain(code);
    }
    expect((await verifyText(forged(text, (line) => line))).ok).toBe(true);
  });

  it('refuses a copy of another ledger than the one that the reader knows', async () => {
    const file = join(folder, 'known.tally');
    await writeFile(file, copyOf(VAT));
    expect((await verifyCopy(file, { ledgerKey: printVerifierKey(hmrc.signer.key) })).ok).toBe(true);
    expect((await verifyCopy(file, { ledgerKey: printVerifierKey(hmrc.gatewaySigner.key) })).ok).toBe(false);
  });

  it('has a file in the form that its documentation says', async () => {
    const kinds = new Set(
      copyOf(VAT)
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { kind: string }).kind),
    );
    const documentation = await readFile('docs/formats/payers-copy.md', 'utf8');
    for (const kind of kinds) expect(documentation).toContain(`"kind":"${kind}"`);
  });
});

function flippedBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return bytes.toString('base64');
}
