import type { Clock } from '../../../libs/adapters/time/clock.ts';
import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { account } from '../../../libs/core/identity/account.ts';
import { EMPLOYERS } from './employers.ts';
import type { FeedEvent } from './feed-event.ts';
import { createPayroll, type DecidePayment, type Payroll, type PayrollState } from './payroll-feed.ts';
import { RETAILERS, TILLS } from './retailers.ts';
import { drawsOf, seededUuid } from './seeded-random.ts';
import { NEW_TILL, newTills, nextPurchase, nextTillEvent, type TillState } from './till-feed.ts';

export type { FeedEvent } from './feed-event.ts';

export interface FeedOptions {
  readonly seed: string;
  readonly eventsPerSecond: number;
}

export interface FeedDependencies {
  readonly clock: Clock;
  /** The civil date in London of a time. */
  readonly londonDate: (timeMs: number) => LocalDate;
  /** Resolves after this long, or sooner once the feed is to stop. */
  readonly wait: (forMs: number) => Promise<void>;
  readonly decide: DecidePayment;
}

/** Where a feed stands. Plain JSON: the caller keeps it. */
export interface FeedState {
  readonly seed: string;
  readonly made: number;
  readonly tills: Readonly<Record<string, TillState>>;
  readonly payroll: PayrollState | null;
  /** The events of the batch that came with this state: given out again first when the feed starts from it. */
  readonly unsent: readonly FeedEvent[];
}

export interface FeedBatch {
  readonly events: readonly FeedEvent[];
  /**
   * To be saved before the events are sent. Whoever starts again from it gets the very same events once more (the same bodies under the
   * same ids, which the doors take as repeats), so no till number is ever used twice and none is left out.
   */
  readonly state: FeedState;
}

export interface Feed {
  /** The accounts that the feed speaks for. */
  readonly accounts: readonly string[];
  /** Batches a few times a second, for ever or until stop(). */
  batches(): AsyncGenerator<FeedBatch, void>;
  stop(): void;
}

const BATCHES_PER_SECOND = 4;
/** A feed that was held up does not catch up with more than this at once. */
const BATCH_SECONDS_MAX = 1;
const PAYMENT_SHARE = 0.01;
const PAYROLL_SHARE = 0.3;
const PURCHASE_SHARE = 0.02;

/**
 * A seeded feed of six invented employers and eight tills of five retailers, in the JSON of docs/http-api.md. What happens depends on the
 * seed alone; when it happens is the caller's clock. Starts afresh where the state is of another seed.
 */
export function createFeed(options: FeedOptions, dependencies: FeedDependencies, saved: FeedState | null = null): Feed {
  const resumed = saved !== null && saved.seed === options.seed ? saved : null;
  let state: FeedState = resumed ?? { seed: options.seed, made: 0, tills: newTills(), payroll: null, unsent: [] };
  let stopped = false;
  const payroll = createPayroll(options.seed, state.payroll, dependencies.decide);
  const accounts = [...EMPLOYERS.map((of) => `paye:${of.payeReference}`), ...RETAILERS.map(({ vrn }) => `vat:${vrn}`)];

  async function* batches(): AsyncGenerator<FeedBatch, void> {
    if (state.unsent.length > 0) yield { events: state.unsent, state };
    let lastMs = dependencies.clock.elapsedMs();
    let owed = 0;
    while (!stopped) {
      await dependencies.wait(1000 / BATCHES_PER_SECOND);
      const elapsedMs = dependencies.clock.elapsedMs();
      const passedSeconds = Math.min((elapsedMs - lastMs) / 1000, BATCH_SECONDS_MAX);
      lastMs = elapsedMs;
      owed += passedSeconds * options.eventsPerSecond;
      const count = Math.floor(owed);
      owed -= count;
      if (stopped || count === 0) continue;
      state = nextState(state, count, dependencies.clock.civilMs(), payroll, dependencies);
      yield { events: state.unsent, state };
    }
  }

  return {
    accounts,
    batches,
    stop: () => {
      stopped = true;
    },
  };
}

function nextState(
  before: FeedState,
  count: number,
  civilMs: number,
  payroll: Payroll,
  dependencies: FeedDependencies,
): FeedState {
  const tills = { ...before.tills };
  const unsent: FeedEvent[] = [];
  const today = dependencies.londonDate(civilMs);
  const occurredAt = `${new Date(civilMs).toISOString().slice(0, 19)}Z`;
  let payrollState = before.payroll;
  for (let number = before.made + 1; number <= before.made + count; number++) {
    const draws = drawsOf(before.seed, `event/${number}`);
    const share = draws.fraction();
    if (share < PAYMENT_SHARE) {
      unsent.push(bankPayment(before.seed, number, today));
    } else if (share < PAYMENT_SHARE + PAYROLL_SHARE) {
      const paid = payroll.next(today);
      payrollState = paid.state;
      unsent.push(paid.event);
    } else if (share < PAYMENT_SHARE + PAYROLL_SHARE + PURCHASE_SHARE) {
      unsent.push(nextPurchase(before.seed, number, today));
    } else {
      const till = draws.oneOf(TILLS);
      const key = `${till.vrn}/${till.tillId}`;
      const said = nextTillEvent(before.seed, till, tills[key] ?? NEW_TILL, occurredAt);
      tills[key] = said.state;
      unsent.push(said.event);
    }
  }
  return { seed: before.seed, made: before.made + count, tills, payroll: payrollState, unsent };
}

/** Money that HMRC's bank received from one of the payers, or now and then paid back. */
function bankPayment(seed: string, number: number, bookedOn: LocalDate): FeedEvent {
  const draws = drawsOf(seed, `bank/${number}`);
  const payer = draws.chance(0.5)
    ? account(`paye:${draws.oneOf(EMPLOYERS).payeReference}`)
    : account(`vat:${draws.oneOf(RETAILERS).vrn}`);
  return {
    kind: 'payment',
    account: payer,
    json: {
      eventId: seededUuid(seed, `bank/${number}`),
      account: payer,
      direction: draws.chance(0.95) ? 'received' : 'repaid',
      // About what such an employer or shop owes in the time between two payments.
      amountPence: payer.startsWith('paye:') ? draws.between(100_000, 900_000) : draws.between(1_000, 20_000),
      bookedOn,
      reference: `FP${String(number).padStart(8, '0')}`,
    },
  };
}
