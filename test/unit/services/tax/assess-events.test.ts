import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeEvent, topicOfType } from '../../../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../../../libs/adapters/codec/liabilities-codec.ts';
import type { RecordBatch } from '../../../../libs/adapters/event-log/event-log.ts';
import { loadTaxRules } from '../../../../libs/adapters/rules/load-rules.ts';
import { localDate } from '../../../../libs/core/calendar/local-date.ts';
import type { DecisionOfRecord } from '../../../../libs/core/decisions/liability-message.ts';
import { assert } from '../../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../../../libs/core/events/tax-event.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import type { DatedPayeRules } from '../../../../libs/core/paye/rates/dated-paye-rules.ts';
import type { TaxRules } from '../../../../libs/core/tax/decide-event.ts';
import { createAssessEvents } from '../../../../services/tax/assess-events.ts';
import type { RulesFailure } from '../../../../services/tax/quarantine.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { idOf, samplePayment, sampleSale } from '../../../support/sample-events.ts';

const RULES = loadTaxRules();
const SHOP = account('vat:101747696');
const EMPLOYER = account('paye:123/AB456');
const NOW_MS = Date.parse('2026-11-30T12:00:00Z');

let failures: RulesFailure[];
beforeEach(() => {
  failures = [];
});

/** What becomes of events of one batch, as it is read back from what was printed. */
async function decisionsOn(
  events: readonly TaxEvent[],
  rules: TaxRules = RULES,
  store: MemoryStore = new MemoryStore(),
): Promise<readonly DecisionOfRecord[]> {
  const sha256Hex = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  const program = createAssessEvents(
    { partition: 0, partitionCount: 1 },
    { rules, store, clock: { civilMs: () => NOW_MS }, sha256Hex, onRulesFailed: (failure) => failures.push(failure) },
  );
  const batches = events.map((event, offset): RecordBatch => {
    const record = { offset, timestampMs: NOW_MS, key: event.account, value: encodeEvent(event), headers: {} };
    const topic = topicOfType(event.type);
    return {
      topic,
      partition: 0,
      records: [record],
      fromOffset: offset,
      nextOffset: offset + 1,
      highOffset: offset + 1,
    };
  });
  const link = { id: '1'.repeat(32), previous: '0'.repeat(32) };
  return (await program.decide(batches)).flatMap(({ body }) => {
    const value = liabilitiesCodec.encode(link, [], body);
    return liabilitiesCodec.decode({ offset: 0, timestampMs: 0, key: null, value, headers: {} }).body.decisions;
  });
}

const codesOf = (decisions: readonly DecisionOfRecord[]): readonly string[] =>
  decisions.map(({ outcome, rejections }) => [outcome, ...rejections.map(({ code }) => code)].join(' '));

function closeOf(periodStart: string, periodEnd: string): TaxEvent {
  return {
    type: 'VatPeriodClosed',
    eventId: idOf(`close ${periodEnd}`),
    account: SHOP,
    receivedAtMs: NOW_MS,
    periodStart: localDate(periodStart),
    periodEnd: localDate(periodEnd),
    close: 'hard',
  };
}

/** Rules under which every PAYE decision throws. */
function throwing(error: () => Error): TaxRules {
  const paye = new Proxy(RULES.paye, {
    get(target, name, receiver) {
      if (name === 'payDays' || name === 'years') throw error();
      return Reflect.get(target, name, receiver);
    },
  });
  return { ...RULES, paye };
}

/** Rules under which an employer's month comes to no number: deciding goes well, printing does not. */
function unprintable(): TaxRules {
  const broken = (dated: DatedPayeRules): DatedPayeRules => ({
    ...dated,
    employer: { ...dated.employer, levyBasisPoints: Number.NaN },
  });
  const years = new Map([...RULES.paye.years].map(([year, dated]) => [year, dated.map(broken)] as const));
  return { ...RULES, paye: { ...RULES.paye, years, payDays: new Map() } };
}

const sale = sampleSale('sale');
const later = sampleSale('later', { seq: 2, prevHash: sale.hash });

describe('a record on which the rules throw', () => {
  it('with a period at the end of the calendar is rejected for its date, and those about it are decided', async () => {
    const poison = closeOf('9999-10-01', '9999-12-31');
    expect(codesOf(await decisionsOn([sale, poison, later]))).toEqual(['accepted', 'rejected E_DATE', 'accepted']);
    expect(codesOf(await decisionsOn([closeOf('0001-01-01', '0001-03-31'), sale]))).toEqual([
      'rejected E_DATE',
      'accepted',
    ]);
    expect(failures).toEqual([]);
  });

  it('with a time of receipt beyond the calendar stops nothing: its keys cannot be named, and it is rejected by its fault', async () => {
    const payment = { ...samplePayment('beyond'), receivedAtMs: 8e15 };
    const ofTill = sampleSale('beyond', { occurredAt: '9999-12-31T23:59:59-23:59', tillId: 'T9' });
    const decisions = await decisionsOn([sale, payment, ofTill, later]);
    expect(codesOf(decisions)).toEqual(['accepted', 'rejected DATE_INVALID', 'rejected E_TIME_FORMAT', 'accepted']);
    expect(failures.map(({ step, topic, offset }) => [step, topic, offset])).toEqual([['keys', 'paye.events.v1', 1]]);
  });

  it('by a fault of ours is RULES_FAILED, named without anything that the event says', async () => {
    const secret = 'W-SECRET';
    const payment = samplePayment('secret', { worksNumber: secret });
    const decisions = await decisionsOn(
      [sale, payment, later],
      throwing(() => new TypeError(`cannot read W of ${secret}`)),
    );
    expect(codesOf(decisions)).toEqual(['accepted', 'rejected RULES_FAILED', 'accepted']);
    expect(decisions[1]).toMatchObject({
      topic: 'paye.events.v1',
      rejections: [{ account: EMPLOYER, eventId: payment.eventId, facts: { step: 'deciding', error: 'TypeError' } }],
    });
    expect(failures).toMatchObject([{ step: 'deciding', topic: 'paye.events.v1', partition: 0, offset: 1 }]);
    expect(failures[0]?.frames.length).toBeGreaterThan(0);
    expect(JSON.stringify([failures, decisions])).not.toContain(secret);
  });

  it('by an assertion that failed is RULES_FAILED too', async () => {
    const decisions = await decisionsOn(
      [samplePayment('asserted'), sale],
      throwing(() => {
        try {
          assert(false, 'never');
        } catch (error) {
          return error as Error;
        }
        return new Error('not reached');
      }),
    );
    expect(codesOf(decisions)).toEqual(['rejected RULES_FAILED', 'accepted']);
    expect(failures).toMatchObject([{ error: 'TallyError ASSERTION_FAILED' }]);
  });

  it('where its decision is printed is decided anew without it, and what rests on it leaves no trace', async () => {
    const close = (id: string, taxMonth: number): TaxEvent => ({
      type: 'PayePeriodClosed',
      eventId: idOf(id),
      account: EMPLOYER,
      receivedAtMs: NOW_MS,
      taxYear: '2025-26',
      taxMonth,
    });
    const decisions = await decisionsOn([sale, close('month 12', 12), close('month 11', 11), later], unprintable());
    expect(codesOf(decisions)).toEqual(['accepted', 'rejected RULES_FAILED', 'rejected RULES_FAILED', 'accepted']);
    expect(decisions.flatMap(({ changes }) => changes).filter(({ key }) => key.includes(EMPLOYER))).toEqual([]);
    expect(failures.map(({ step }) => step)).toEqual(['printing', 'printing']);
  });

  it('is no record where the store does not answer: that is let through, to be tried again', async () => {
    const store = new MemoryStore();
    store.get = async () => {
      throw new TallyError('STORE_UNAVAILABLE', 'away', {}, { retriable: true });
    };
    await expect(decisionsOn([sale], RULES, store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(failures).toEqual([]);
  });
});
