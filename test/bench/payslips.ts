import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { PAYE_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { loadRules } from '../../libs/adapters/rules/load-rules.ts';
import type { StageProgram } from '../../libs/adapters/stage/program.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import type { StateStore } from '../../libs/adapters/state-store/state-store.ts';
import { type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import type { StateChange, StateValue, StateView } from '../../libs/core/decisions/decision.ts';
import type { LiabilityBody } from '../../libs/core/decisions/liability-message.ts';
import type { NiCategory, PaymentMade, StudentLoanPlan } from '../../libs/core/events/paye-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../libs/core/identity/event-id.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { assessPayment } from '../../libs/core/paye/assess/assess-payment.ts';
import type { EmploymentState } from '../../libs/core/paye/employment/employment-state.ts';
import { decidePaye } from '../../libs/core/paye/payment/decide-paye.ts';
import { payDayOf } from '../../libs/core/paye/rates/paye-rules.ts';
import { createAssessEvents } from '../../services/tax/assess-events.ts';

/*
 * node test/bench/payslips.ts [--employees 200000] [--employer-size 100]
 *
 * 1. Complete payslips (tax, NICs, loans, state) a second on one core: the arithmetic alone, then as tax decides them (checks, repeats, entries).
 * 2. A year of monthly pay of so many employees streamed through the tax stage's own program, on the
 *    embedded store, in batches as the log gives them: events a second, and the heap after each month (node --expose-gc measures what is held).
 */
const MONTHS = 12;
const PARTITION = 0;
const NO_TIP = '0'.repeat(32);
const BATCH_RECORDS = 2_000;
const ARITHMETIC_EMPLOYEES = 20_000;
const LETTERS: readonly NiCategory[] = ['A', 'A', 'A', 'A', 'A', 'A', 'C', 'H', 'J', 'M'];
const PLANS: readonly (StudentLoanPlan | null)[] = [null, null, null, null, '01', '02', '02', '04', '05', null];
const CODES = ['1257L', '1257L', '1257L', 'S1257L', 'C1257L', 'BR', 'K475', '1185L', '0T', 'D0'];
const PAY_DAYS: readonly LocalDate[] = Array.from({ length: MONTHS }, (_, month) => {
  const [year, calendarMonth] = month < 9 ? [2026, month + 4] : [2027, month - 8];
  return localDate(`${year}-${String(calendarMonth).padStart(2, '0')}-28`);
});
const { rules } = loadRules();

const { values } = parseArgs({
  options: {
    employees: { type: 'string', default: '200000' },
    'employer-size': { type: 'string', default: '100' },
  },
});
const employees = Number(values.employees);
const employerSize = Number(values['employer-size']);

/** One employee's payment of a month: a mix of codes, letters, loans and pay that differs from person to person. */
function paymentOf(employee: number, month: number): PaymentMade {
  const day = PAY_DAYS[month] ?? localDate('2026-04-28');
  const grossPence = pence(120_000 + ((employee * 7_919) % 900_000) + month * 1_000);
  const mix = employee % 10;
  const employer = Math.floor(employee / employerSize);
  return {
    type: 'PaymentMade',
    eventId: eventId(idOf(employee, month)),
    account: account(`paye:${String(100 + (employer % 900))}/B${employer.toString(36).toUpperCase()}`),
    receivedAtMs: Date.UTC(2026, 3 + month, 25),
    person: personToken(idOf(employee, 0)),
    worksNumber: `W${employee}`,
    paymentDate: day,
    payFrequency: 'M1',
    period: month + 1,
    taxCode: CODES[mix] ?? '1257L',
    week1Month1: false,
    taxablePayPence: grossPence,
    payrolledBenefitsPence: pence(0),
    nicableEarningsPence: grossPence,
    niCategory: LETTERS[mix] ?? 'A',
    studentLoanPlan: PLANS[mix] ?? null,
    postgraduateLoan: employee % 37 === 0,
    starter: null,
    leavingDate: null,
    paymentAfterLeaving: false,
    directorsNic: null,
    directorAppointedWeek: null,
    onStrike: false,
    irregularEmployment: false,
    oldWorksNumber: null,
    lateReason: null,
    terminationAwardPence: pence(0),
    sportingTestimonialPence: pence(0),
    oddIntervalDays: null,
    stated: null,
    separateNics: false,
    toDate: null,
    openingBalance: null,
  };
}

/** 32 hex digits that are spread as those of a real id are. */
function idOf(employee: number, month: number): string {
  const high = Math.imul(employee * MONTHS + month + 1, 0x9e3779b1) >>> 0;
  return `${high.toString(16).padStart(8, '0')}0000${employee.toString(16).padStart(12, '0')}${month.toString(16).padStart(8, '0')}`;
}

function measureArithmetic(): void {
  const payments = everyPayment(ARITHMETIC_EMPLOYEES);
  const mark = '0'.repeat(24);
  for (let round = 0; round < 3; round += 1) {
    const states = new Map<string, EmploymentState>();
    const since = now();
    for (const event of payments) {
      const day = payDayOf(rules.paye, event.paymentDate);
      const { state } = assessPayment(event, mark, states.get(event.worksNumber) ?? null, day, rules.paye);
      states.set(event.worksNumber, state);
    }
    // The first rounds warm the engine up.
    if (round === 2) say('payslips, arithmetic and state alone', payments.length, since);
  }
}

function measureDecisions(): void {
  const payments = everyPayment(ARITHMETIC_EMPLOYEES);
  const hashes = payments.map(({ eventId: id }) => createHash('sha256').update(id).digest('hex'));
  for (let round = 0; round < 3; round += 1) {
    const state = new Map<string, StateValue>();
    const view: StateView = { get: (key) => state.get(key) };
    const since = now();
    payments.forEach((event, index) => {
      take(state, decidePaye(event, hashes[index] ?? '', view, rules.paye).changes);
    });
    if (round === 2) say('payslips, decided', payments.length, since);
  }
}

function everyPayment(count: number): readonly PaymentMade[] {
  return PAY_DAYS.flatMap((_, month) => Array.from({ length: count }, (__, employee) => paymentOf(employee, month)));
}

function take(state: Map<string, StateValue>, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) {
    if (value === null) state.delete(key);
    else state.set(key, value);
  }
}

/** A year through the tax stage's own program and the embedded store, month after month, as a log would bring it. */
async function streamYear(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-payslips-'));
  const store = await openEmbeddedStore({ folder, stage: 'tax' });
  try {
    const stream = new TaxStream(store);
    const since = now();
    for (let month = 0; month < MONTHS; month += 1) {
      for (let from = 0; from < employees; from += BATCH_RECORDS) {
        await stream.take(month, from, Math.min(employees, from + BATCH_RECORDS));
      }
      reportMemory(month);
    }
    const what = `a year of ${employees.toLocaleString('en-GB')} employees through the tax stage and its store`;
    say(what, stream.accepted, since);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tax stage's program fed by hand: decide, fold, commit, as the stage does, without the output log. */
class TaxStream {
  accepted = 0;
  readonly #store: StateStore;
  readonly #program: StageProgram<LiabilityBody>;
  #offset = 0;
  #tip: string | null = null;

  constructor(store: StateStore) {
    this.#store = store;
    const sha256Hex = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    this.#program = createAssessEvents(
      { partition: PARTITION, partitionCount: 1 },
      { rules, store, clock: { civilMs: () => 0 }, sha256Hex },
    );
  }

  async take(month: number, from: number, to: number): Promise<void> {
    const records: LogRecord[] = [];
    for (let employee = from; employee < to; employee += 1) {
      const event = paymentOf(employee, month);
      const value = encodeEvent(event);
      records.push({ offset: this.#offset, key: event.account, value, timestampMs: event.receivedAtMs, headers: {} });
      this.#offset += 1;
    }
    const place = { topic: PAYE_EVENTS, partition: PARTITION };
    const positions = { fromOffset: this.#offset - records.length, nextOffset: this.#offset, highOffset: this.#offset };
    const proposals = await this.#program.decide([{ ...place, ...positions, records }]);
    for (const { body } of proposals) {
      this.accepted += body.decisions.filter(({ outcome }) => outcome === 'accepted').length;
      await this.#fold(body);
    }
  }

  async #fold(body: LiabilityBody): Promise<void> {
    const id = createHash('sha256').update(`${this.#tip}${this.accepted}`).digest('hex').slice(0, 32);
    const message = { link: { id, previous: this.#tip ?? NO_TIP }, covers: [], body, offset: this.#offset };
    const puts = this.#program.fold(message);
    const checkpoint = { tip: id, tipOffset: this.#offset, outputNext: this.#offset + 1, inputs: [] };
    await this.#store.commit([{ partition: PARTITION, expectedTip: this.#tip, checkpoint, puts }]);
    await this.#program.onFolded?.([message], checkpoint);
    this.#tip = id;
  }
}

function reportMemory(month: number): void {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
  console.log(
    `  month ${month + 1}: heap ${mebibytes(heapUsed)}, resident (the store's pages in it) ${mebibytes(rss)}`,
  );
}

/** On a shared machine the second of processor time is what can be compared; the second by the clock stands beside it. */
function say(what: string, count: number, since: Moment): void {
  const { elapsedMs, processorMs } = elapsedOf(since);
  const aSecond = (ms: number): string => Math.round((count / ms) * 1_000).toLocaleString('en-GB');
  const rates = `${aSecond(processorMs)} a second of processor time, ${aSecond(elapsedMs)} by the clock`;
  console.log(`${what}: ${count.toLocaleString('en-GB')} in ${Math.round(elapsedMs)} ms: ${rates}`);
}

interface Moment {
  readonly startedMs: number;
  readonly processor: NodeJS.CpuUsage;
}

function now(): Moment {
  return { startedMs: performance.now(), processor: process.cpuUsage() };
}

function elapsedOf({ startedMs, processor }: Moment): { readonly elapsedMs: number; readonly processorMs: number } {
  const { user, system } = process.cpuUsage(processor);
  return { elapsedMs: performance.now() - startedMs, processorMs: (user + system) / 1_000 };
}

measureArithmetic();
measureDecisions();
await streamYear();
