import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import { sha256 } from '../../libs/core/encoding/sha256.ts';
import { checkVatSubmission } from '../../libs/core/vat/check/check-vat-submission.ts';
import { purchaseOf, tillEventOf } from '../../libs/core/vat/check/read-vat-submission.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { decideVat } from '../../libs/core/vat/decide/decide-vat.ts';
import { testVatRules } from '../support/vat-rules.ts';

const RULES = testVatRules();
const ID = '018f0000-0000-7000-8000-000000000001';
const SALE: Readonly<Record<string, unknown>> = {
  schema: 1,
  eventId: ID,
  vrn: '101747696',
  tillId: 'T1',
  seq: 2,
  prevHash: 'a'.repeat(64),
  type: 'SALE',
  occurredAt: '2026-11-21T10:15:00Z',
  currency: 'GBP',
  region: 'GB',
  lines: [{ id: '1', category: 'standard', qty: '1', ratePct: '20', paidPence: 1_200 }],
  totalPence: 1_200,
  vatPence: 200,
  payments: [{ method: 'card', amountPence: 1_200 }],
  originalEventId: null,
  unlinkedReason: null,
  claimedDate: null,
};
const PURCHASE: Readonly<Record<string, unknown>> = {
  type: 'PurchaseRecorded',
  eventId: ID,
  vrn: '101747696',
  kind: 'purchase',
  taxPoint: '2026-11-20',
  netPence: 10_000,
  vatPence: 2_000,
  recoverableBasisPoints: 5_000,
  supplierVrn: null,
  reference: null,
};

/** Values that tempt a checker, and any JSON. */
const tempting = fc.constantFrom(
  ...[null, true, 0, -0, -1, 0.5, 1e308, 2 ** 53, '', '0', '__proto__', 'NaN', [], [null], [[]], {}, ID, '2026-02-30'],
  ...['REFUND', 'VOID', 'Z_REPORT', 'NI', 'X'.repeat(10_000), [{ id: '1' }], [{ id: {}, paidPence: '1' }], '\ud800'],
);
const anyValue = fc.oneof({ weight: 2, arbitrary: tempting }, { weight: 1, arbitrary: fc.jsonValue() });

/** An event of which some fields were replaced, taken away or added. */
function spoilt(good: Readonly<Record<string, unknown>>): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const change = fc.tuple(fc.constantFrom(...Object.keys(good), 'extra'), fc.option(anyValue, { nil: undefined }));
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const event: Record<string, unknown> = { ...good };
    for (const [name, value] of changes) event[name] = value;
    return event;
  });
}

describe('a door', () => {
  it('refuses a spoilt event with pointers, or what it lets in can be appended and decided', () => {
    fc.assert(
      fc.property(fc.oneof(spoilt(SALE), spoilt(PURCHASE)), (json) => {
        const faults = checkVatSubmission(json, RULES);
        for (const fault of faults) {
          expect(fault.code).toMatch(/^[A-Z][A-Z_]+(:[a-zA-Z]+)?$/);
          expect(fault.pointer).toMatch(/^(\/.*)?$/s);
        }
        if (faults.length > 0) return;
        const at = { receivedAtMs: 1_800_000_000_000 };
        const text = JSON.parse(canonicalJson(JSON.parse(JSON.stringify(json))));
        const event =
          json.type === 'PurchaseRecorded' ? purchaseOf(json, at) : tillEventOf(json, tillEventHash(text, sha256), at);
        const { outcome } = decideVat(event, 'b'.repeat(64), { get: () => undefined }, RULES);
        expect(['accepted', 'held']).toContain(outcome);
      }),
      { numRuns: 3_000 },
    );
  });

  it('answers any JSON whatever', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(checkVatSubmission(json, RULES).length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
