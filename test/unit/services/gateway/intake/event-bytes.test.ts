import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../../../../libs/adapters/codec/event-codec.ts';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { readSubmissions } from '../../../../../libs/adapters/submissions/submissions.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { eventBytes, unwritable } from '../../../../../services/gateway/intake/event-bytes.ts';
import { paymentJson, saleJson } from '../../../../support/submissions.ts';

const RULES = loadTaxRules();

function preparedOf(door: 'paye' | 'vat', json: unknown) {
  const [draft] = readSubmissions(door, json, RULES).drafts;
  if (draft === undefined) throw new Error('the sample is at fault');
  return { draft: { ...draft, index: 7 }, person: null };
}

describe('the bytes of an event', () => {
  it('are those that are read again, with the time of receipt', () => {
    expect(decodeEvent(eventBytes(preparedOf('vat', saleJson()), 1_700_000_000_000)).receivedAtMs).toBe(
      1_700_000_000_000,
    );
  });

  it('are missing by a fault of the event alone, which names its place and what was said', () => {
    // A payment whose person has no token has no form in the log.
    const prepared = preparedOf('paye', paymentJson());
    const error = (() => {
      try {
        return eventBytes(prepared, 0);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ code: 'EVENT_UNWRITABLE', facts: { code: 'PERSON_MISSING' }, retriable: false });
    expect(unwritable(prepared, error)).toEqual({ index: 7, code: 'PERSON_MISSING' });
  });

  it('are not missing by a fault of the log or the store', () => {
    expect(unwritable(preparedOf('vat', saleJson()), new TallyError('STORE_FULL', 'no room', {}))).toBe(null);
  });
});
