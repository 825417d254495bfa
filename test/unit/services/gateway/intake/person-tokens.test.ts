import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { type Draft, readSubmissions } from '../../../../../libs/adapters/submissions/submissions.ts';
import { personOf } from '../../../../../services/gateway/intake/person-tokens.ts';
import { paymentJson, saleJson } from '../../../../support/submissions.ts';

const rules = loadTaxRules();
const key = new Uint8Array(32).fill(9);

function draftOf(door: 'paye' | 'vat', json: unknown): Draft {
  const [draft] = readSubmissions(door, json, rules).drafts;
  if (draft === undefined) throw new Error('the sample is not taken');
  return draft;
}

describe('the token of a person', () => {
  it('is HMAC-SHA-256 of the NINO without spaces, cut to 16 bytes', () => {
    const expected = createHmac('sha256', key).update('AB123456C').digest('hex').slice(0, 32);
    expect(personOf(draftOf('paye', paymentJson({ nino: 'AB 12 34 56 C' })), key)).toBe(expected);
    expect(personOf(draftOf('paye', paymentJson({ nino: 'AB123456C', worksNumber: 'other' })), key)).toBe(expected);
  });

  it('without a NINO is of account and works number together', () => {
    const token = (more: object) => personOf(draftOf('paye', paymentJson({ nino: null, ...more })), key);
    expect(token({})).toBe(token({}));
    expect(token({ worksNumber: 'W-1002' })).not.toBe(token({}));
    expect(token({ payeReference: '321/AB456' })).not.toBe(token({}));
  });

  it('is another under another key, and none for an event without a person', () => {
    const draft = draftOf('paye', paymentJson());
    expect(personOf(draft, new Uint8Array(32).fill(8))).not.toBe(personOf(draft, key));
    expect(personOf(draftOf('vat', saleJson()), key)).toBe(null);
  });
});
