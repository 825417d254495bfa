import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeSha256, nodeTreeHasher } from '../../libs/adapters/crypto/node-crypto.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import type { Decision, StateValue } from '../../libs/core/decisions/decision.ts';
import { storedState } from '../../libs/core/decisions/state-form.ts';
import type { PayeEvent } from '../../libs/core/events/paye-events.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { decidePaye } from '../../libs/core/paye/payment/decide-paye.ts';
import { stateFormOf } from '../../libs/core/tax/state-forms.ts';
import { vaultSeal } from '../../services/gateway/store/person-vault.ts';
import { openReservationStore } from '../../services/gateway/store/reservation-store.ts';
import { LedgerStore } from '../../services/ledger/store/ledger-store.ts';
import { PayerStore } from '../../services/payer-node/store/payer-store.ts';
import { openReconciliationStore } from '../../services/reconciliation/count/reconciliation-store.ts';
import { tableAfter } from '../support/markdown.ts';
import { testPayeRules } from '../support/paye-rules.ts';
import { idOf, samplePayment, sampleSale } from '../support/sample-events.ts';
import { line, VatBook } from '../support/vat-book.ts';
import { testVatRules } from '../support/vat-rules.ts';

const PAGE = 'docs/formats/stored-state.md';
const text = readFileSync(PAGE, 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'tally-stored-state-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** First cells of the table behind an anchor, without their backticks. */
function named(anchor: string): Set<string> {
  return new Set(tableAfter(PAGE, `id="${anchor}"`).map(([first = '']) => first.replaceAll('`', '')));
}

function tablesOf(at: string): string[] {
  const root = open({ path: at, noSubdir: false, readOnly: true, maxDbs: 32 });
  const names = [...root.getKeys()].map(String);
  void root.close();
  return names;
}

describe('docs/formats/stored-state.md names every table', () => {
  it("of the gateway's store", async () => {
    const at = join(folder, 'gateway');
    const vault = vaultSeal(new Uint8Array(32), (bytes) => new Uint8Array(bytes));
    const store = await openReservationStore({ folder: at, ledgerName: 'tallystick-00000000' }, { vault });
    await store.close();
    const tables = tablesOf(at);
    expect(tables).toContain('persons');
    expect(tables.filter((table) => !named('gateway').has(table))).toEqual([]);
  });

  it("of the ledger's store", async () => {
    const at = join(folder, 'ledger');
    const options = { folder: at, ledgerName: 'tallystick-00000000' };
    const store = new LedgerStore(options, { hasher: nodeTreeHasher, sha256: nodeSha256 });
    await store.close();
    const tables = tablesOf(at);
    expect(tables).toContain('blocks');
    expect(tables.filter((table) => !named('ledger').has(table))).toEqual([]);
  });

  it("of the payer's store", async () => {
    const at = join(folder, 'payer');
    const store = new PayerStore({ folder: at });
    await store.close();
    const tables = tablesOf(at);
    expect(tables).toContain('submitted');
    expect(tables.filter((table) => !named('payer').has(table))).toEqual([]);
  });

  it("of the reconciliation's store", async () => {
    const at = join(folder, 'reconciliation');
    const store = await openReconciliationStore({ folder: at });
    await store.close();
    const tables = tablesOf(at);
    expect(tables).toContain('sealed-exceptions');
    expect(tables.filter((table) => !named('reconciliation').has(table))).toEqual([]);
  });

  it('of the embedded log, and of the embedded state', async () => {
    const log = await openEmbeddedLog({ folder: join(folder, 'log') });
    await log.close();
    expect(tablesOf(join(folder, 'log')).sort()).toEqual(['chunks', 'topics']);
    expect([...named('embedded-log')].sort()).toEqual(['chunks', 'topics']);
    const store = await openEmbeddedStore({ folder: join(folder, 'store'), stage: 'tax' });
    await store.close();
    expect(tablesOf(join(folder, 'store', 'tax'))).toEqual(['sealed-state']);
    expect(text).toContain('one LMDB table `sealed-state`');
  });
});

/** Members of the values that decisions left, by the first part of their keys. */
function membersByKind(values: Iterable<readonly [key: string, value: StateValue]>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [key, value] of values) {
    const [kind = ''] = key.split('|');
    const members = found.get(kind) ?? new Set();
    const stored = storedState(value, stateFormOf(key));
    if (!Array.isArray(stored)) for (const member of Object.keys(stored)) members.add(member);
    found.set(kind, members);
  }
  return found;
}

function vatState(): readonly (readonly [string, StateValue])[] {
  const book = new VatBook(testVatRules());
  book.decide(sampleSale('sale', { lines: [line('1', 1_200), line('2', 300, 'food.basic')] }));
  const refund = { tillType: 'REFUND', lines: [line('1', -600)], originalEventId: idOf('sale') } as const;
  book.decide(sampleSale('refund', { ...refund, seq: 2, prevHash: 'a'.repeat(64) }));
  book.decide(sampleSale('late', { seq: 5, prevHash: 'b'.repeat(64) }));
  book.decide(sampleSale('waits', { ...refund, originalEventId: idOf('unknown'), seq: 6, prevHash: 'c'.repeat(64) }));
  return [...book.state].map(([key, value]) => [key, JSON.parse(value) as StateValue] as const);
}

function payeState(): readonly (readonly [string, StateValue])[] {
  const state = new Map<string, StateValue>();
  const decide = (event: PayeEvent): Decision => {
    const hash = Buffer.from(nodeSha256(JSON.stringify(event))).toString('hex');
    const decision = decidePaye(event, hash, { get: (key) => state.get(key) }, testPayeRules());
    for (const { key, value } of decision.changes) if (value !== null) state.set(key, value);
    return decision;
  };
  const starter = { startDate: null, declaration: null, p45PayPence: pence(100_000), p45TaxPence: pence(20_000) };
  decide(samplePayment('first', { starter, studentLoanPlan: '02', terminationAwardPence: pence(4_000_000) }));
  decide(samplePayment('director', { worksNumber: 'W2', directorsNic: 'AN' }));
  decide(samplePayment('moved', { worksNumber: 'W3', oldWorksNumber: 'W2' }));
  for (const letter of ['B', 'C', 'H', 'J', 'M'] as const) decide(samplePayment(letter, { niCategory: letter }));
  decide({
    type: 'EmployerClaimsMade',
    eventId: eventId(idOf('claims')),
    account: samplePayment('x').account,
    receivedAtMs: samplePayment('x').receivedAtMs,
    taxYear: '2026-27',
    taxMonth: 1,
    employmentAllowance: true,
    smallEmployer: false,
    statutoryPayPence: { SMP: pence(10_000) },
    cisSufferedPence: pence(0),
    levyAllowancePence: null,
    noPayment: false,
  } as PayeEvent);
  return [...state];
}

describe("docs/formats/stored-state.md names every key and member of tax's state", () => {
  const members = membersByKind([...vatState(), ...payeState()]);
  const kinds = new Set([...named('tax-keys')].map((key) => key.split('|')[0] ?? ''));

  it('has every kind of key that decisions write', () => {
    expect(members.size).toBeGreaterThanOrEqual(10);
    expect([...members.keys()].filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  it.each([
    ['employment', 'employment', 14],
    ['payeclaims', 'claims', 8],
    ['vat', 'period-account', 6],
    ['trader', 'trader', 6],
    ['till', 'till', 8],
    ['event', 'remembered-event', 9],
  ])('has every member of %s', (kind, anchor, atLeast) => {
    const written = members.get(kind) ?? new Set();
    expect(written.size).toBeGreaterThanOrEqual(atLeast);
    expect([...written].filter((member) => !named(anchor).has(member))).toEqual([]);
  });
});
