import { createHash } from 'node:crypto';
import { decodeEvent, encodeEvent, topicOfType } from '../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import type { LogRecord, RecordBatch } from '../../libs/adapters/event-log/event-log.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { eventOf, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import type { Assessment, Rejection } from '../../libs/core/decisions/decision.ts';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import type { PersonToken } from '../../libs/core/identity/event-id.ts';
import type { OwnEvent } from '../../libs/core/ledger/verify/recompute-entry.ts';
import type { TraderState } from '../../libs/core/vat/state/trader.ts';
import { createAssessEvents } from '../../services/tax/assess-events.ts';
import type { HostileStep } from './hostile-events.ts';
import { HostileLedger } from './hostile-ledger.ts';
import { MemoryStore } from './memory-store.ts';
import { uuidOfName } from './own-events.ts';
import { spreadVrns } from './spread-vrns.ts';
import type { Json } from './submissions.ts';

const RULES = loadTaxRules();
const VRNS = spreadVrns(3);
const PAYE_REFERENCES = ['123/AB456', '000/0', '999/ZZZZZZZZZZ'];
const BEGAN_AT_MS = Date.parse('2026-11-30T12:00:00Z');
const SALES_REMEMBERED_MAX = 64;
const NO_LINK = '0'.repeat(32);
const PERSON = 'ab'.repeat(16) as PersonToken;

/** What became of everything that was sent. */
export interface HostileOutcome {
  readonly refused: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly repeats: number;
  readonly held: number;
  /** `door <code>`, `tax <code>`, `accepted <kind>`, each with how often it came. */
  readonly codes: ReadonlyMap<string, number>;
  readonly blocks: number;
}

interface Pending extends OwnEvent {
  readonly topic: string;
  readonly record: LogRecord;
}

/**
 * The way of every event in one process and in memory: door → bytes → keys → decision → print → fold → entry → block → the payer's copy,
 * through the very functions that the services call. Whatever it is sent, nothing throws, and at its end each accepted event stands in
 * exactly one block of both copies.
 */
export class HostileWorld {
  readonly #store = new MemoryStore();
  readonly #ledger = new HostileLedger(RULES);
  readonly #program = createAssessEvents(
    { partition: 0, partitionCount: 1 },
    { rules: RULES, store: this.#store, clock: { civilMs: () => this.#nowMs }, sha256Hex },
  );
  readonly #tills = new Map<string, { seq: number; hash: string | null }>();
  readonly #sales = new Map<string, Json[]>();
  readonly #sent: { readonly step: HostileStep; readonly json: Json }[] = [];
  readonly #codes = new Map<string, number>();
  readonly #offsets = new Map<string, number>();
  /** Traders of whom the close of a period was sent: tax may have forgotten some of their ids. */
  readonly #closed = new Set<string>();
  readonly #counts = { refused: 0, accepted: 0, rejected: 0, repeats: 0, held: 0 };
  #pending: Pending[] = [];
  #nowMs = BEGAN_AT_MS;
  #message = 0;

  /** Sends one event to its door; where that takes it, the event waits for its batch to be decided. */
  async send(step: HostileStep): Promise<void> {
    this.#nowMs += step.advanceMs;
    const json = this.#filled(step);
    const { drafts, faults } = readSubmissions(step.door, json, RULES);
    if (faults.length === 0 && drafts.length !== 1) throw new Error('a door that finds no fault takes the event');
    for (const { code, pointer } of faults) this.#count(`door ${code}`, pointer === '' || pointer.startsWith('/'));
    if (faults.length > 0) this.#counts.refused += 1;
    for (const draft of drafts) {
      const bytes = encodeEvent(eventOf(draft, { receivedAtMs: this.#nowMs, person: PERSON }));
      const event = decodeEvent(bytes);
      this.#append(topicOfType(event.type), event, bytes);
      this.#sent.push({ step, json });
      if (event.type === 'VatPeriodClosed') this.#closed.add(event.account);
    }
    if (step.endsBatch) await this.decide();
  }

  /** Decides what waits, prints it, reads it back, folds it, and makes entries of it. */
  async decide(): Promise<void> {
    const pending = this.#pending.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
    this.#pending = [];
    const proposals = await this.#program.decide(batchesOf(pending));
    let decided = 0;
    for (const { body } of proposals) {
      const covers = pending.map(({ topic, record }) => ({
        topic,
        partition: 0,
        from: record.offset,
        next: record.offset + 1,
      }));
      const link = { id: sha256Hex(Buffer.from(String(this.#message))).slice(0, 32), previous: NO_LINK };
      const value = liabilitiesCodec.encode(link, covers, body);
      const read = liabilitiesCodec.decode({ offset: this.#message, timestampMs: 0, key: null, value, headers: {} });
      const message = { link, covers: read.covers, body, offset: this.#message };
      this.#store.take(this.#program.fold(message), link.id);
      await this.#program.onFolded?.([message], { tip: link.id, tipOffset: 0, outputNext: 0, inputs: [] });
      this.#message += 1;
      for (const { outcome, results, rejections } of read.body.decisions) {
        const own = pending[decided];
        decided += 1;
        // The payer keeps what became of its event: of several bodies under one id the one that counts.
        if (own !== undefined && (outcome === 'accepted' || outcome === 'held')) this.#ledger.own(own);
        if (own !== undefined && outcome === 'accepted') this.#tally(`accepted ${kindOf(own.event)}`);
        if (outcome === 'repeat') this.#counts.repeats += 1;
        if (outcome === 'held') this.#counts.held += 1;
        this.#takeAll(results, rejections);
      }
    }
    if (decided !== pending.length) throw new Error(`${pending.length} records have ${decided} decisions`);
  }

  /** Decides and seals everything that is left, and checks both copies. Throws what is wrong with them. */
  async finish(): Promise<HostileOutcome> {
    await this.decide();
    const blocks = this.#ledger.check();
    return { ...this.#counts, codes: this.#codes, blocks };
  }

  #takeAll(results: readonly Assessment[], rejections: readonly Rejection[]): void {
    for (const assessment of results) {
      this.#counts.accepted += 1;
      this.#ledger.take(assessment, this.#nowMs);
    }
    for (const { code, receivedAtMs } of rejections) {
      this.#counts.rejected += 1;
      this.#count(`tax ${code}`, receivedAtMs !== null);
    }
  }

  #count(code: string, isWhole: boolean): void {
    if (!isWhole || !/^(door|tax) [A-Z][A-Z0-9_]+(:[a-zA-Z]+)?$/.test(code)) throw new Error(`no code: ${code}`);
    this.#tally(code);
  }

  #tally(name: string): void {
    this.#codes.set(name, (this.#codes.get(name) ?? 0) + 1);
  }

  #append(topic: string, event: TaxEvent, value: Buffer): void {
    const offset = this.#offsets.get(topic) ?? 0;
    this.#offsets.set(topic, offset + 1);
    const record = { offset, timestampMs: this.#nowMs, key: event.account, value, headers: {} };
    this.#pending.push({ topic, record, event, hash: sha256Hex(value) });
  }

  /** The step as it is sent: with what the world alone knows. */
  #filled(step: HostileStep): Json {
    const before = this.#sent.filter((one) => one.step.door === step.door);
    const same = before[step.of % Math.max(1, before.length)];
    if (step.link === 'same' && same !== undefined) return same.json;
    const id = uuidOfName(`hostile ${this.#sent.length} ${this.#counts.refused}`);
    // The gateway reserves an id for one body, for ever. Of VAT tax itself knows an account's ids, until those of closed periods are forgotten:
    // so long it is asked here what it makes of another body.
    const isKnownToTax = step.door === 'vat' && !this.#closed.has(`vat:${VRNS[step.account]}`);
    const named = step.link === 'sameId' && isKnownToTax && same !== undefined ? same.json.eventId : id;
    switch (step.door) {
      case 'paye':
        return { ...step.json, eventId: named, payeReference: PAYE_REFERENCES[step.account] };
      case 'payments':
        return { ...step.json, eventId: named, account: accountOf(step) };
      case 'vat':
        return this.#filledVat(step, { ...step.json, eventId: named, vrn: VRNS[step.account] });
    }
  }

  #filledVat(step: HostileStep, json: Json): Json {
    if (json.tillId !== undefined) return this.#filledTill(step, json);
    if (json.type !== 'VatPeriodClosed' || !step.wholePeriod) return json;
    const trader = this.#store.valueOf(`trader|vat:${json.vrn}`) as unknown as TraderState | undefined;
    const period = trader?.o[step.of % Math.max(1, trader.o.length)];
    return period === undefined ? json : { ...json, periodStart: period[0], periodEnd: period[1] };
  }

  #filledTill(step: HostileStep, json: Json): Json {
    const till = `${json.vrn} ${json.tillId}`;
    const last = this.#tills.get(till) ?? { seq: 0, hash: null };
    const seq = last.seq + (step.of % 11 === 10 ? 2 : 1);
    const chained = { ...json, seq, prevHash: seq === 1 ? null : (last.hash ?? 'a'.repeat(64)) };
    const event = totalled(this.#linked(step, chained));
    this.#tills.set(till, { seq, hash: sha256Hex(Buffer.from(canonicalJson(event))) });
    if (event.type === 'SALE') {
      const sales = this.#sales.get(String(json.vrn)) ?? [];
      if (sales.length < SALES_REMEMBERED_MAX) this.#sales.set(String(json.vrn), [...sales, event]);
    }
    return event;
  }

  /** A refund or void of a sale that was sent, or of one that will be. */
  #linked(step: HostileStep, json: Json): Json {
    const isReturn = json.type === 'REFUND' || json.type === 'VOID';
    const lines = json.lines as readonly { paidPence: number }[];
    const negated = isReturn
      ? { ...json, lines: lines.map((line) => ({ ...line, paidPence: -line.paidPence })) }
      : json;
    if (!isReturn || step.link === 'none') return negated;
    const sales = this.#sales.get(String(json.vrn)) ?? [];
    const sale = sales[step.of % Math.max(1, sales.length)];
    if (sale === undefined)
      return { ...negated, originalEventId: uuidOfName('a sale that never comes'), claimedDate: null };
    const back = (sale.lines as readonly Json[]).map((line) => ({ ...line, paidPence: -Number(line.paidPence) }));
    const some = json.type === 'VOID' ? back : back.slice(0, 1 + (step.of % back.length));
    return { ...negated, lines: some, originalEventId: sale.eventId, claimedDate: null, vatPence: undefined };
  }
}

/** What an event is, as far as a list of all that was accepted tells events apart. */
function kindOf(event: TaxEvent): string {
  switch (event.type) {
    case 'TillEvent':
      return event.tillType;
    case 'VatAdjustmentMade':
      return event.kind;
    case 'VatPeriodClosed':
      return `${event.close} close`;
    case 'TraderRegistered':
      return event.scheme;
    case 'MoneyMoved':
      return event.direction;
    default:
      return event.type;
  }
}

function totalled(json: Json): Json {
  const lines = json.lines as readonly { paidPence: number }[];
  const totalPence = lines.reduce((sum, { paidPence }) => sum + paidPence, 0);
  const whole = { ...json, totalPence, payments: [{ method: 'card', amountPence: totalPence }] };
  return JSON.parse(JSON.stringify(whole));
}

function accountOf({ account, of }: HostileStep): string {
  return of % 2 === 0 ? `vat:${VRNS[account]}` : `paye:${PAYE_REFERENCES[account]}`;
}

function batchesOf(pending: readonly Pending[]): readonly RecordBatch[] {
  const byTopic = new Map<string, LogRecord[]>();
  for (const { topic, record } of pending) byTopic.set(topic, [...(byTopic.get(topic) ?? []), record]);
  return [...byTopic].map(([topic, records]) => {
    const fromOffset = records[0]?.offset ?? 0;
    const nextOffset = fromOffset + records.length;
    return { topic, partition: 0, records, fromOffset, nextOffset, highOffset: nextOffset };
  });
}

function sha256Hex(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
