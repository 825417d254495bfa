import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import type { StateValue } from '../../../../../libs/core/decisions/decision.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import type { EmployerClaimsMade } from '../../../../../libs/core/events/paye-events.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId } from '../../../../../libs/core/identity/event-id.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { Outbox } from '../../../../../services/payer-node/outbox/outbox.ts';
import { ownEventsOf } from '../../../../../services/payer-node/outbox/own-events.ts';
import { MonthCloser } from '../../../../../services/payer-node/paye/close-months.ts';
import { stateKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { PayeBook, paymentMade } from '../../../../support/paye-payments.ts';
import { until } from '../../../../support/payer-node-fixture.ts';

const { rules } = loadRules();
const EMPLOYER = account('paye:123/AB456');
/** Nothing holds closes. */
const FREE = { leftMs: async () => 0 };
let folder: string;
let store: PayerStore;
let nowMs: number;
const faults: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'close-months-'));
  store = new PayerStore({ folder });
  nowMs = Date.UTC(2026, 4, 20);
  faults.length = 0;
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function closerOf(): MonthCloser {
  const outbox = new Outbox({ store, events: ownEventsOf(rules), wake: () => undefined, follow: () => undefined });
  return new MonthCloser({
    store,
    outbox,
    clock: { civilMs: () => nowMs },
    rules: rules.paye,
    hold: FREE,
    onFault: ({ code }) => faults.push(code),
  });
}

/** The state that a claim of this month leaves. */
async function claim(taxMonth: number, taxYear = '2026-27'): Promise<void> {
  const { eventId: id, receivedAtMs } = paymentMade();
  const claims: EmployerClaimsMade = {
    type: 'EmployerClaimsMade',
    eventId: id,
    account: EMPLOYER,
    receivedAtMs,
    taxYear,
    taxMonth,
    employmentAllowance: true,
    smallEmployer: false,
    statutoryPayPence: {},
    cisSufferedPence: pence(0),
    levyAllowancePence: null,
    noPayment: false,
  };
  const book = new PayeBook(rules.paye);
  book.decide(claims);
  await store.commit(() => {
    const { number } = store.addAccount(EMPLOYER);
    for (const [key, value] of book.state) void store.state.put(stateKey(number, key), value as StateValue);
  });
}

/** Year and month of every close in the outbox. */
function closes(): string[] {
  return [...store.submitted.getRange()].map(({ value }) => {
    const { type, taxYear, taxMonth } = JSON.parse(value) as { type: string; taxYear: string; taxMonth: number };
    expect(type).toBe('PayePeriodClosed');
    return `${taxYear}/${taxMonth}`;
  });
}

describe('a month', () => {
  it('is closed on the 20th after it, by the London day, once', async () => {
    await claim(1);
    nowMs = Date.UTC(2026, 4, 19, 22, 59, 59);
    expect(await closerOf().closeDue()).toBe(0);
    nowMs = Date.UTC(2026, 4, 19, 23);
    expect(await closerOf().closeDue()).toBe(1);
    expect(await closerOf().closeDue()).toBe(0);
    expect(closes()).toEqual(['2026-27/1']);
  });

  it('that passed while the node was down is closed in its turn, none before the claim', async () => {
    await claim(3);
    nowMs = Date.UTC(2026, 8, 20);
    expect(await closerOf().closeDue()).toBe(3);
    expect(closes().sort()).toEqual(['2026-27/3', '2026-27/4', '2026-27/5']);
  });

  it('is closed for an employer with claims alone', async () => {
    await store.commit(() => void store.addAccount(EMPLOYER));
    await store.commit(() => void store.addAccount(account('vat:101747696')));
    expect(await closerOf().closeDue()).toBe(0);
  });

  it('of the last year is closed in the new one', async () => {
    await claim(12, '2025-26');
    nowMs = Date.UTC(2026, 3, 20);
    expect(await closerOf().closeDue()).toBe(1);
    expect(closes()).toEqual(['2025-26/12']);
  });

  it('has the same id whichever node closes it', async () => {
    await claim(1);
    await closerOf().closeDue();
    const [key] = [...store.submitted.getKeys()];
    // 16 bytes of SHA-256 of ["tallystick/paye-period-closed/v1","paye:123/AB456","2026-27",1], version 8.
    expect(eventId(Buffer.from(key ?? []).toString('hex', 4))).toMatch(/^.{12}8.{3}[89ab].{15}$/);
  });
});

describe('the closer at work', () => {
  it('looks at once, says what the outbox refuses, and ends when told', async () => {
    await claim(1);
    const stopping = new AbortController();
    const outbox = {
      submit: () => Promise.reject(new TallyError('OUTBOX_FULL', 'full', {}, { retriable: true })),
    };
    const closer = new MonthCloser({
      store,
      outbox,
      clock: { civilMs: () => nowMs },
      rules: rules.paye,
      hold: FREE,
      onFault: ({ code }) => {
        faults.push(code);
        stopping.abort();
      },
    });
    await closer.run(stopping.signal);
    expect(faults).toEqual(['OUTBOX_FULL']);
  });
});

it('sends nothing while the clock is not believed', async () => {
  await claim(1);
  nowMs = Date.UTC(2026, 8, 20);
  let looks = 0;
  const hold = {
    leftMs: async () => {
      looks += 1;
      return looks < 4 ? 5 : 0;
    },
  };
  const submitted: number[] = [];
  const outbox = {
    submit: async (_tax: string, events: readonly unknown[]) => void submitted.push(looks, events.length),
  };
  const closer = new MonthCloser({
    store,
    outbox: outbox as never,
    clock: { civilMs: () => nowMs },
    rules: rules.paye,
    hold,
    onFault: () => undefined,
  });
  const stopping = new AbortController();
  const running = closer.run(stopping.signal);
  await until(() => submitted.length > 0);
  stopping.abort();
  await running;
  // At the fourth look, the months 1 to 5.
  expect(submitted).toEqual([4, 5]);
});
