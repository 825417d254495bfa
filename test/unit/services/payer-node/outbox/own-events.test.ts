import { expect, it } from 'vitest';
import { decodeEvent } from '../../../../../libs/adapters/codec/event-codec.ts';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import type { Tax } from '../../../../../libs/core/identity/account.ts';
import { ownEventsOf } from '../../../../../services/payer-node/outbox/own-events.ts';
import { paymentJson } from '../../../../support/own-events.ts';
import { saleJson } from '../../../../support/submissions.ts';

const RECEIVED_AT_MS = Date.UTC(2026, 10, 21);
const PERSON = 'ab'.repeat(16);
const rules = loadTaxRules();

it.each<readonly [Tax, unknown, string | null]>([
  ['paye', paymentJson(1, 1), PERSON],
  ['vat', saleJson(), null],
])(
  'an event of %s has the same bytes by what was read at the door, by a second receipt and by its text alone',
  (tax, json, person) => {
    const own = ownEventsOf(rules);
    const [read] = own.read(tax, [json]);
    if (read?.readable !== true) throw new Error('the door refused it');
    const atTheReceipt = own.encode(tax, read.text, RECEIVED_AT_MS, person);
    expect(own.encode(tax, read.text, RECEIVED_AT_MS, person)).toEqual(atTheReceipt);
    expect(ownEventsOf(rules).encode(tax, read.text, RECEIVED_AT_MS, person)).toEqual(atTheReceipt);
    expect(decodeEvent(atTheReceipt)).toMatchObject({ receivedAtMs: RECEIVED_AT_MS, account: read.account });
  },
);

it("what one tax read is not the other tax's event", () => {
  const own = ownEventsOf(rules);
  const [read] = own.read('vat', [saleJson()]);
  if (read?.readable !== true) throw new Error('the door refused it');
  expect(() => own.encode('paye', read.text, RECEIVED_AT_MS, PERSON)).toThrow(
    expect.objectContaining({ code: 'EVENT_UNREADABLE' }),
  );
});

it('keeps what it read within a bound: the first of more than ten thousand events is read again, to the same bytes', () => {
  const own = ownEventsOf(rules);
  const read = Array.from({ length: 11 }, (_, batch) =>
    own.read(
      'paye',
      Array.from({ length: 1_000 }, (_, index) => paymentJson(1 + batch * 1_000 + index, 1)),
    ),
  ).flat();
  const texts = read.flatMap((one) => (one.readable ? [one.text] : []));
  expect(texts).toHaveLength(11_000);
  const fresh = ownEventsOf(rules);
  for (const text of [texts[0] ?? '', texts[10_999] ?? '']) {
    expect(own.encode('paye', text, RECEIVED_AT_MS, PERSON)).toEqual(
      fresh.encode('paye', text, RECEIVED_AT_MS, PERSON),
    );
  }
});
