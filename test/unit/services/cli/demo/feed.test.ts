import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { dateOfDayNumber } from '../../../../../libs/core/calendar/local-date.ts';
import { canonicalJson } from '../../../../../libs/core/encoding/canonical-json.ts';
import { isNino } from '../../../../../libs/core/identity/nino.ts';
import { createFeed, type FeedEvent, type FeedState } from '../../../../../services/cli/demo/feed.ts';
import type { DecidePayment } from '../../../../../services/cli/demo/payroll-feed.ts';

const START_MS = Date.UTC(2026, 10, 21, 10, 0, 0);

/** Takes a tenth of the pay to date as tax, so that the figures to date matter; keeps them under the works number. */
const decideTenth: DecidePayment = (payment, _hash, view) => {
  const before = view.get(payment.worksNumber) as { readonly pay: number; readonly tax: number } | undefined;
  const pay = (before?.pay ?? 0) + payment.taxablePayPence;
  const tax = Math.floor(pay / 10);
  const amounts = [{ head: 'incomeTax', pence: tax - (before?.tax ?? 0) }];
  return {
    outcome: 'accepted',
    results: [{ ...payment, kind: 'charge', number: 1, taxPeriod: '', basePence: 0, amounts, links: [], flags: [] }],
    rejections: [],
    changes: [{ key: payment.worksNumber, value: { pay, tax } }],
  } as unknown as ReturnType<DecidePayment>;
};

function start(seed: string, saved: FeedState | null = null, eventsPerSecond = 400) {
  let timeMs = START_MS;
  return createFeed(
    { seed, eventsPerSecond },
    {
      clock: { civilMs: () => timeMs, elapsedMs: () => timeMs },
      londonDate: (at) => dateOfDayNumber(Math.floor(at / 86_400_000)),
      wait: async (forMs) => {
        timeMs += forMs;
      },
      decide: decideTenth,
    },
    saved,
  );
}

async function take(feed: ReturnType<typeof createFeed>, count: number) {
  const events: FeedEvent[] = [];
  const states: FeedState[] = [];
  for await (const batch of feed.batches()) {
    events.push(...batch.events);
    states.push(batch.state);
    if (events.length >= count) break;
  }
  return { events, states };
}

const bodies = (events: readonly FeedEvent[]): string[] => events.map(({ json }) => JSON.stringify(json));

describe('createFeed', () => {
  it('says the same under the same seed and something else under another', async () => {
    const [one, two, other] = await Promise.all([take(start('a'), 800), take(start('a'), 800), take(start('b'), 800)]);
    expect(bodies(one.events)).toEqual(bodies(two.events));
    expect(bodies(one.events)).not.toEqual(bodies(other.events));
  });

  it('keeps to its rate', async () => {
    const feed = start('a', null, 20);
    const { events, states } = await take(feed, 100);
    expect(events).toHaveLength(100);
    expect(states).toHaveLength(20);
  });

  it('speaks for six employers and for eight tills, each with numbers and hashes without a gap', async () => {
    const { events } = await take(start('tills'), 6_000);
    const chains = new Map<string, { seq: number; hash: string | null }>();
    for (const { json } of events.filter(({ json: { seq } }) => seq !== undefined)) {
      const key = `${json.vrn}/${json.tillId}`;
      const last = chains.get(key) ?? { seq: 0, hash: null };
      expect(json.seq, key).toBe(last.seq + 1);
      expect(json.prevHash, key).toBe(last.hash);
      const hash = createHash('sha256').update(canonicalJson(json)).digest('hex');
      chains.set(key, { seq: last.seq + 1, hash });
    }
    expect(chains.size).toBe(8);
    expect(new Set(events.filter(({ kind }) => kind === 'paye').map((event) => event.account)).size).toBe(6);
    expect(new Set(events.map(({ json }) => json.eventId)).size).toBe(events.length);
  });

  it('shows everything that happens at a till', async () => {
    const { events } = await take(start('kinds'), 12_000);
    const kinds = new Set(events.map(({ json }) => json.type ?? json.direction));
    for (const kind of ['SALE', 'REFUND', 'VOID', 'NO_SALE', 'X_REPORT', 'Z_REPORT', 'PurchaseRecorded', 'received']) {
      expect(kinds).toContain(kind);
    }
  });

  it('refunds and voids only what was sold and not more of it, and voids before the Z report', async () => {
    const { events } = await take(start('refunds'), 12_000);
    const left = new Map<unknown, { pence: number; till: string }>();
    let refunded = 0;
    for (const { json } of events) {
      const till = `${json.vrn}/${json.tillId}`;
      if (json.type === 'SALE') left.set(json.eventId, { pence: Number(json.totalPence), till });
      if (json.originalEventId === undefined) continue;
      const sale = left.get(json.originalEventId);
      expect(sale?.till).toBe(till);
      const remains = (sale?.pence ?? 0) + Number(json.totalPence);
      expect(remains).toBeGreaterThanOrEqual(0);
      if (json.type === 'VOID') expect(remains).toBe(0);
      left.set(json.originalEventId, { pence: remains, till });
      refunded++;
    }
    expect(refunded).toBeGreaterThan(100);
  });

  it('pays whom it hired, once a pay day, with NINOs of the right shape', async () => {
    const { events } = await take(start('pay'), 4_000);
    const payments = events.filter(({ kind }) => kind === 'paye').map(({ json }) => json);
    expect(payments.length).toBeGreaterThan(800);
    expect(payments.every(({ nino }) => isNino(String(nino)))).toBe(true);
    expect(new Set(payments.map((json) => `${json.worksNumber} ${json.paymentDate}`)).size).toBe(payments.length);
    expect(payments.every(({ paymentDate }) => String(paymentDate) <= '2026-11-21')).toBe(true);
    expect(payments.some(({ leavingDate }) => leavingDate !== undefined)).toBe(true);
    expect(payments.some(({ taxCode }) => String(taxCode).startsWith('S'))).toBe(true);
    expect(payments.some(({ starter }) => starter !== undefined)).toBe(true);
  });

  it('states deductions to date that are right but for one in forty', async () => {
    const { events } = await take(start('stated'), 6_000);
    const toDate = new Map<unknown, { pay: number; tax: number }>();
    let wrong = 0;
    const payments = events.filter(({ kind }) => kind === 'paye');
    for (const { json } of payments) {
      const before = toDate.get(json.worksNumber) ?? { pay: 0, tax: 0 };
      const pay = before.pay + Number(json.taxablePayPence);
      const tax = Math.floor(pay / 10);
      const stated = json.stated as { readonly incomeTaxPence: number };
      if (stated.incomeTaxPence !== tax - before.tax) wrong++;
      toDate.set(json.worksNumber, { pay, tax });
    }
    expect(wrong / payments.length).toBeGreaterThan(0.005);
    expect(wrong / payments.length).toBeLessThan(0.06);
  });

  it('goes on where it stopped: the last batch again, byte for byte, then what would have come', async () => {
    const whole = await take(start('resume'), 3_000);
    const before = await take(start('resume'), 1_500);
    const saved = JSON.parse(JSON.stringify(before.states.at(-1))) as FeedState;
    const after = await take(start('resume', saved), 1_000);
    const again = saved.unsent.length;
    expect(bodies(after.events.slice(0, again))).toEqual(bodies(before.events.slice(-again)));
    // What is said does not depend on the restart; when it is said does.
    const timeless = (events: readonly FeedEvent[]) =>
      events.map(({ json: { eventId, seq, totalPence, stated } }) => ({ eventId, seq, totalPence, stated }));
    const from = before.events.length - again;
    expect(timeless(after.events)).toEqual(timeless(whole.events.slice(from, from + after.events.length)));
  });

  it('starts afresh where the state is of another seed', async () => {
    const { states } = await take(start('one'), 200);
    const other = await take(start('two', states.at(-1) ?? null), 200);
    expect(bodies(other.events)).toEqual(bodies((await take(start('two'), 200)).events));
  });

  it('stops when told to', async () => {
    const feed = start('stop');
    let batches = 0;
    for await (const _ of feed.batches()) {
      batches++;
      feed.stop();
    }
    expect(batches).toBe(1);
  });
});
