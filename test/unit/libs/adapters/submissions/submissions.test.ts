import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent, encodeEvent } from '../../../../../libs/adapters/codec/event-codec.ts';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { type Door, eventOf, readSubmissions } from '../../../../../libs/adapters/submissions/submissions.ts';
import { canonicalJson } from '../../../../../libs/core/encoding/canonical-json.ts';
import { personToken } from '../../../../../libs/core/identity/event-id.ts';
import { moneyJson, paymentJson, saleJson } from '../../../../support/submissions.ts';

const rules = loadTaxRules();
const read = (door: Door, json: unknown) => readSubmissions(door, json, rules);
const said = (door: Door, json: unknown) => read(door, json).faults.map(({ pointer, code }) => `${pointer} ${code}`);
const person = personToken('ab'.repeat(16));

describe('readSubmissions', () => {
  it('reads a payment with everything in it, the NINO apart from the event', () => {
    const json = paymentJson({
      week1Month1: true,
      payrolledBenefitsPence: 1_000,
      studentLoanPlan: '02',
      postgraduateLoan: true,
      starter: { startDate: '2026-11-01', declaration: null, p45PayPence: 100, p45TaxPence: 20 },
      leavingDate: '2026-11-20',
      directorsNic: 'AN',
      directorAppointedWeek: 3,
      oldWorksNumber: 'OLD-1',
      lateReason: 'A',
      stated: { incomeTaxPence: 29_000 },
    });
    const { drafts, faults } = read('paye', json);
    expect(faults).toEqual([]);
    expect(drafts[0]?.nino).toBe('AB123456C');
    expect(JSON.stringify(drafts[0]?.event)).not.toContain('AB123456C');
    const event = drafts[0] && eventOf(drafts[0], { receivedAtMs: 5, person });
    expect(event).toMatchObject({
      account: 'paye:123/AB456',
      receivedAtMs: 5,
      person,
      starter: { startDate: '2026-11-01', declaration: null, p45PayPence: 100, p45TaxPence: 20 },
      stated: { incomeTaxPence: 29_000, employeeNicsPence: null },
    });
    expect(event && decodeEvent(encodeEvent(event))).toEqual(event);
  });

  it('hashes a till’s event as the till did: SHA-256 of its RFC 8785 JSON', () => {
    const json = saleJson();
    const event = read('vat', json).drafts[0]?.event;
    const hash = createHash('sha256').update(canonicalJson(json)).digest('hex');
    expect(event).toMatchObject({ type: 'TillEvent', hash, account: 'vat:101747696' });
  });

  it('reads purchases, claims, closed months and money', () => {
    const id = '018f0000-0000-7000-8000-000000000001';
    const purchase = {
      type: 'PurchaseRecorded',
      eventId: id,
      vrn: '101747696',
      kind: 'purchase',
      taxPoint: '2026-11-20',
      netPence: 100,
      vatPence: 20,
    };
    const claims = {
      type: 'EmployerClaimsMade',
      eventId: id,
      payeReference: '123/AB456',
      taxYear: '2026-27',
      taxMonth: 8,
      statutoryPayPence: { SMP: 100 },
    };
    const closed = {
      type: 'PayePeriodClosed',
      eventId: id,
      payeReference: '123/AB456',
      taxYear: '2026-27',
      taxMonth: 8,
    };
    expect(read('vat', [purchase]).drafts[0]?.event).toMatchObject({
      recoverableBasisPoints: 10_000,
      supplierVrn: null,
    });
    expect(read('paye', [claims, closed]).drafts.map(({ event }) => event)).toMatchObject([
      { statutoryPayPence: { SMP: 100 }, cisSufferedPence: 0, levyAllowancePence: null, noPayment: false },
      { type: 'PayePeriodClosed', taxMonth: 8 },
    ]);
    expect(read('payments', moneyJson()).drafts[0]?.event).toMatchObject({
      type: 'MoneyMoved',
      amountPence: 120_000,
      reference: null,
    });
    expect(said('paye', { ...claims, taxYear: '2026-28', taxMonth: 13 })).toEqual([
      '/taxYear BAD_TAX_YEAR',
      '/taxMonth BAD_TAX_MONTH',
    ]);
    // What tax would reject is refused at the door: sick pay is not recoverable, 2030-31 has no rates.
    expect(said('paye', { ...claims, statutoryPayPence: { SMP: -1, SSP: 100 }, cisSufferedPence: -1 })).toEqual([
      '/statutoryPayPence/SMP AMOUNT_OUT_OF_RANGE',
      '/statutoryPayPence/SSP NOT_RECOVERABLE',
      '/cisSufferedPence AMOUNT_OUT_OF_RANGE',
    ]);
    expect(said('paye', { ...closed, taxYear: '2030-31' })).toEqual(['/taxYear UNSUPPORTED_TAX_YEAR']);
    expect(said('paye', { ...claims, statutoryPayPence: { SSP: 'much' } })).toEqual([
      '/statutoryPayPence/SSP FIELD_TYPE',
    ]);
  });

  it('gives the drafts without fault beside the faults of the others, by their place', () => {
    const { drafts, faults } = read('paye', [paymentJson(), paymentJson({ period: 13 }), paymentJson()]);
    expect(drafts.map(({ index }) => index)).toEqual([0, 2]);
    expect(faults).toEqual([{ code: 'BAD_PERIOD', pointer: '/1/period', detail: expect.any(String) }]);
  });

  it('says once what is wrong with a field, and does not judge others by what it could not read', () => {
    expect(said('paye', paymentJson({ paymentDate: 'soon', payFrequency: 'daily', period: 40 }))).toEqual([
      '/paymentDate BAD_DATE',
      '/payFrequency BAD_PAY_FREQUENCY',
    ]);
    expect(
      said('paye', paymentJson({ starter: { p45PayPence: 'much', p45TaxPence: 1, extra: 1 }, stated: 7 })),
    ).toEqual(['/starter/p45PayPence FIELD_TYPE', '/starter/extra UNKNOWN_FIELD', '/stated FIELD_TYPE']);
  });

  it('escapes pointers as RFC 6901 says, and cuts a name that is long', () => {
    expect(said('paye', paymentJson({ 'a/b~c': 1 }))).toEqual(['/a~1b~0c UNKNOWN_FIELD']);
    expect(said('paye', paymentJson({ ['x'.repeat(500)]: 1 }))[0]?.length).toBeLessThan(100);
  });

  it('reads no field from the prototype of an object', () => {
    const json = Object.assign(Object.create({ taxCode: '1257L' }), { ...paymentJson(), taxCode: undefined });
    delete json.taxCode;
    expect(said('paye', json)).toEqual(['/taxCode FIELD_MISSING']);
    expect(said('paye', JSON.parse('{"__proto__": {"type": "PaymentMade"}}'))[0]).toBe('/type FIELD_MISSING');
  });

  it('refuses half a surrogate pair wherever it stands', () => {
    expect(said('paye', paymentJson({ worksNumber: 'W\ud800' }))).toContain('/worksNumber FIELD_TEXT');
    expect(
      said(
        'vat',
        saleJson({
          type: 'REFUND',
          unlinkedReason: '\udfff',
          lines: [{ id: '1', category: 'standard', paidPence: -6 }],
          totalPence: -6,
          vatPence: -1,
          payments: [{ method: 'cash', amountPence: -6 }],
        }),
      ),
    ).toEqual(['/unlinkedReason FIELD_TYPE']);
  });

  it('throws at nothing, whatever JSON comes; what it lets through can be written and read back', () => {
    const base = fc.constantFrom(paymentJson(), saleJson(), moneyJson());
    const mutated = fc
      .tuple(base, fc.array(fc.tuple(fc.string(), fc.jsonValue()), { maxLength: 3 }), fc.nat(), fc.jsonValue())
      .map(([json, more, at, value]) => {
        const names = Object.keys(json);
        return { ...json, [names[at % names.length] ?? '']: value, ...Object.fromEntries(more) };
      });
    const door = fc.constantFrom<Door>('paye', 'vat', 'payments');
    fc.assert(
      fc.property(door, fc.oneof(fc.jsonValue(), mutated), (at, json) => {
        const { drafts, faults } = read(at, JSON.parse(JSON.stringify(json)));
        if (!Array.isArray(json)) expect(drafts.length + Math.min(faults.length, 1)).toBe(1);
        for (const draft of drafts) {
          const event = eventOf(draft, { receivedAtMs: 1, person });
          expect(decodeEvent(encodeEvent(event))).toEqual(event);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never repeats the value of a personal field', () => {
    const { faults } = read(
      'paye',
      paymentJson({ nino: 'ZZ999999Z', worksNumber: 'AB123456C', oldWorksNumber: 'CE 123456 A' }),
    );
    expect(faults.map(({ code }) => code)).toEqual(['BAD_NINO_FORMAT', 'WORKS_NUMBER_IS_NINO', 'WORKS_NUMBER_IS_NINO']);
    expect(JSON.stringify(faults)).not.toMatch(/ZZ999999Z|AB123456C|CE 123456/);
  });
});
