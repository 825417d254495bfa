import { describe, expect, it } from 'vitest';
import {
  assertEntry,
  chargesOf,
  ENTRY_LIMITS,
  type LedgerEntry,
  paymentsOf,
  restsOnRules,
} from '../../../../../../libs/core/ledger/entry/ledger-entry.ts';
import type { pence } from '../../../../../../libs/core/money/pence.ts';
import { entry, seededBytes } from '../../../../../support/ledger-chain.ts';

const ENTRY = entry(1);
const amount = (head: LedgerEntry['amounts'][number]['head'], value: number) => ({
  head,
  pence: value as ReturnType<typeof pence>,
});
const id = ENTRY.eventId;
const commitment = seededBytes('commitment', 32);

describe('what an entry must be', () => {
  it('an ordinary entry passes', () => assertEntry(ENTRY));

  it.each([
    ['amounts', { amounts: [amount('employeeNics', 1), amount('incomeTax', 1)] }],
    ['amounts', { amounts: [amount('incomeTax', 1), amount('incomeTax', 1)] }],
    ['amounts', { amounts: [amount('incomeTax', 0)] }],
    ['amounts', { amounts: [amount('incomeTax', 0.5)] }],
    ['amounts', { amounts: [amount('tips' as 'incomeTax', 1)] }],
    ['kind', { kind: 'gift' as 'charge' }],
    ['version', { version: 2 as unknown as 1 }],
    ['number', { number: -1 }],
    ['basePence', { basePence: 0.1 as ReturnType<typeof pence> }],
    ['salt', { salt: new Uint8Array(15) }],
    ['links', { links: Array(ENTRY_LIMITS.links + 1).fill(id) }],
    ['taxPeriod', { taxPeriod: 'x'.repeat(65) }],
    ['detail', { detail: 'x'.repeat(1025) }],
    ['commitments', { commitments: [{ name: 'name', commitment: new Uint8Array(31) }] }],
    [
      'commitments',
      {
        commitments: [
          { name: 'b', commitment },
          { name: 'a', commitment },
        ],
      },
    ],
    [
      'commitments',
      {
        commitments: [
          { name: 'a', commitment },
          { name: 'a', commitment },
        ],
      },
    ],
  ] as const)('%s is refused: %j', (field, change) => {
    expect(() => assertEntry({ ...ENTRY, ...(change as Partial<LedgerEntry>) })).toThrow(
      expect.objectContaining({ code: 'ENTRY_INVALID', facts: { field } }),
    );
  });
});

describe('sums of an entry', () => {
  it('charges are all amounts that are not payments, payments the rest', () => {
    const mixed = { amounts: [amount('outputVat', 2000), amount('inputVat', -500), amount('payment', 700)] };
    expect(chargesOf(mixed)).toBe(2000 - 500);
    expect(paymentsOf(mixed)).toBe(700);
    expect([chargesOf({ amounts: [] }), paymentsOf({ amounts: [] })]).toEqual([0, 0]);
  });

  it('only what was assessed rests on rules', () => {
    expect((['charge', 'claim', 'reversal', 'penalty', 'interest'] as const).every(restsOnRules)).toBe(true);
    expect((['payment', 'repayment', 'key event', 'dispute'] as const).some(restsOnRules)).toBe(false);
  });
});
