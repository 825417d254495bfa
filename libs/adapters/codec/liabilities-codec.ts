import type { Assessment, HeadAmount, Rejection, StateChange, StateValue } from '../../core/decisions/decision.ts';
import { ENTRY_KINDS, type EntryKind, entryKindOfNumber } from '../../core/decisions/entry-kinds.ts';
import { HEADS, type Head, headOfNumber } from '../../core/decisions/heads.ts';
import type { DecisionOfRecord, LiabilityBody } from '../../core/decisions/liability-message.ts';
import type { Account } from '../../core/identity/account.ts';
import type { PersonToken } from '../../core/identity/event-id.ts';
import { stateFormOf, stateOfText, stateText } from '../../core/tax/state-forms.ts';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { Utf8Text } from '../bytes/utf8-text.ts';
import type { StageCodec } from '../stage/program.ts';
import { linkedMessageCodec, type PrintedEnd } from './linked-message.ts';
import { ownSchema } from './schema/single-object.ts';
import { readEventId, readNullableEventId, readPence } from './typed-fields.ts';

/** Messages of liabilities.v1 (schemas/liability-message.v1.avsc). State values travel as JSON text. */
export const liabilitiesCodec: StageCodec<LiabilityBody> = codecWith(readChange);

/** The same for readers that have no use of tax's state: values are checked to be text, not parsed, and `changes` is empty. */
export const liabilitiesCodecWithoutState: StageCodec<LiabilityBody> = codecWith(null);

const OUTCOMES = ['accepted', 'rejected', 'repeat', 'held'] as const;

function codecWith(readStateChange: ((reader: ByteReader) => StateChange) | null): StageCodec<LiabilityBody> {
  return linkedMessageCodec<LiabilityBody>(ownSchema('liability-message.v1'), {
    write: writeBody,
    printed: (body) => (body instanceof EncodedLiabilities ? body : null),
    read: (reader) => ({
      decidedAtMs: reader.readLong(),
      payeRulesHash: reader.readHex(32),
      vatRulesHash: reader.readHex(32),
      decisions: reader.readArray(() => readDecision(reader, readStateChange)),
    }),
  });
}

function writeBody(writer: ByteWriter, body: LiabilityBody): void {
  writer.writeLong(body.decidedAtMs);
  writer.writeHex(body.payeRulesHash, 32);
  writer.writeHex(body.vatRulesHash, 32);
  if (body instanceof EncodedLiabilities) return;
  if (body.decisions.length > 0) writer.writeLong(body.decisions.length);
  for (const decision of body.decisions) {
    writeDecision(writer, decision);
    writeChanges(writer, decision.changes);
  }
  writer.writeLong(0);
}

/** What stands before the decisions of a message: header, link, coverage of a few inputs, hashes. */
const BEGINNING_BYTES_MAX = 512;

/** Of one message: its decisions as they stand in it, printed before the message is, at the place that they have in it. */
export class EncodedLiabilities implements LiabilityBody, PrintedEnd {
  readonly decidedAtMs: number;
  readonly payeRulesHash: string;
  readonly vatRulesHash: string;
  /** Room for what comes before it, and the array of decisions. */
  readonly #printed: Buffer;
  #isBegun = false;

  /** @param printed of encodeDecisions. */
  constructor(of: Omit<LiabilityBody, 'decisions'>, printed: Buffer) {
    this.decidedAtMs = of.decidedAtMs;
    this.payeRulesHash = of.payeRulesHash;
    this.vatRulesHash = of.vatRulesHash;
    this.#printed = printed;
  }

  /** The array of decisions. */
  get end(): Buffer {
    return this.#printed.subarray(BEGINNING_BYTES_MAX);
  }

  /** Once: a second message of it would change the first. */
  begin(bytes: number): Buffer | null {
    if (this.#isBegun || bytes > BEGINNING_BYTES_MAX) return null;
    this.#isBegun = true;
    return this.#printed.subarray(BEGINNING_BYTES_MAX - bytes);
  }

  /** Read back at each call: whoever made them has no use of them any more. */
  get decisions(): readonly DecisionOfRecord[] {
    const reader = new ByteReader(this.end, 0);
    return reader.readArray(() => readDecision(reader, readChange));
  }
}

/** The changes that stand at the end of some decisions, in order; `ends` says for each decision where its own end. */
interface ChangesToPrint {
  readonly slots: readonly { readonly key: string }[];
  readonly values: readonly (StateValue | null)[];
  readonly ends: readonly number[];
}

/** The array of decisions of one message behind room for what comes before it, and where each change's value stands; null: its key is removed. */
interface PrintedDecisions {
  readonly printed: Buffer;
  readonly texts: readonly (Utf8Text | null)[];
}

const PRINTER = new ByteWriter({ startBytes: 1024 * 1024 });

/** Prints decisions with the changes given, not their own. */
export function encodeDecisions(
  decisions: readonly DecisionOfRecord[],
  { slots, values, ends }: ChangesToPrint,
): PrintedDecisions {
  const writer = PRINTER;
  const textStarts = new Uint32Array(slots.length);
  const textEnds = new Uint32Array(slots.length);
  writer.reset(BEGINNING_BYTES_MAX);
  if (decisions.length > 0) writer.writeLong(decisions.length);
  let at = 0;
  for (let index = 0; index < decisions.length; index += 1) {
    writeDecision(writer, decisions[index] as DecisionOfRecord);
    const end = ends[index] ?? at;
    if (end > at) writer.writeLong(end - at);
    for (; at < end; at += 1) {
      const value = values[at] ?? null;
      const key = slots[at]?.key ?? '';
      writer.writeString(key);
      writer.writeBranch(value !== null);
      if (value === null) continue;
      const length = writer.writeJsonString(value, stateFormOf(key));
      textEnds[at] = writer.position;
      textStarts[at] = writer.position - length;
    }
    writer.writeLong(0);
  }
  writer.writeLong(0);
  const printed = writer.copy();
  const texts = values.map((value, index) =>
    value === null ? null : new Utf8Text(printed, textStarts[index] ?? 0, textEnds[index] ?? 0),
  );
  return { printed, texts };
}

/** A decision without its changes. */
function writeDecision(writer: ByteWriter, decision: DecisionOfRecord): void {
  writer.writeString(decision.topic);
  writer.writeLong(decision.offset);
  writer.writeLong(OUTCOMES.indexOf(decision.outcome));
  if (decision.results.length > 0) writer.writeLong(decision.results.length);
  for (let at = 0; at < decision.results.length; at += 1) writeAssessment(writer, decision.results[at] as Assessment);
  writer.writeLong(0);
  if (decision.rejections.length > 0) writer.writeLong(decision.rejections.length);
  for (const rejection of decision.rejections) writeRejection(writer, rejection);
  writer.writeLong(0);
}

function writeChanges(writer: ByteWriter, changes: readonly StateChange[]): void {
  if (changes.length > 0) writer.writeLong(changes.length);
  for (const change of changes) {
    writer.writeString(change.key);
    writer.writeNullableString(change.value === null ? null : (change.text ?? stateText(change.key, change.value)));
  }
  writer.writeLong(0);
}

function readDecision(
  reader: ByteReader,
  readStateChange: ((reader: ByteReader) => StateChange) | null,
): DecisionOfRecord {
  const topic = reader.readString();
  const offset = reader.readLong();
  const outcome = OUTCOMES[reader.readLong()];
  if (outcome === undefined) throw reader.unreadable('an outcome that its list does not have');
  const results = reader.readArray(() => readAssessment(reader));
  const rejections = reader.readArray(() => readRejection(reader));
  if (readStateChange !== null) {
    return { topic, offset, outcome, results, rejections, changes: reader.readArray(() => readStateChange(reader)) };
  }
  reader.skipArray(skipChange);
  return { topic, offset, outcome, results, rejections, changes: [] };
}

function writeAssessment(writer: ByteWriter, result: Assessment): void {
  writer.writeString(result.account);
  writer.writeHex(result.eventId, 16);
  writer.writeLong(ENTRY_KINDS[result.kind]);
  writer.writeLong(result.number);
  writer.writeString(result.taxPeriod);
  writer.writeLong(result.basePence);
  writeAmounts(writer, result.amounts);
  writer.writeNullableHex(result.person, 16);
  if (result.links.length > 0) writer.writeLong(result.links.length);
  for (const link of result.links) writer.writeHex(link, 16);
  writer.writeLong(0);
  if (result.flags.length > 0) writer.writeLong(result.flags.length);
  for (const flag of result.flags) writer.writeString(flag);
  writer.writeLong(0);
  writeAmounts(writer, result.stated);
  writer.writeLong(result.receivedAtMs);
}

function readAssessment(reader: ByteReader): Assessment {
  return {
    account: reader.readString() as Account,
    eventId: readEventId(reader),
    kind: readKind(reader),
    number: reader.readLong(),
    taxPeriod: reader.readString(),
    basePence: readPence(reader),
    amounts: reader.readArray(() => readAmount(reader)),
    person: reader.readNullableHex(16) as PersonToken | null,
    links: reader.readArray(() => readEventId(reader)),
    flags: reader.readArray(() => reader.readString()),
    stated: reader.readArray(() => readAmount(reader)),
    receivedAtMs: reader.readLong(),
  };
}

function writeRejection(writer: ByteWriter, rejection: Rejection): void {
  writer.writeNullableString(rejection.account);
  writer.writeNullableHex(rejection.eventId, 16);
  writer.writeString(rejection.code);
  writer.writeMap(rejection.facts, (fact) => writer.writeString(fact));
  writer.writeNullableLong(rejection.receivedAtMs);
}

/** A rejection of a decision. */
export function readRejection(reader: ByteReader): Rejection {
  return {
    account: reader.readNullableString() as Account | null,
    eventId: readNullableEventId(reader),
    code: reader.readString(),
    facts: reader.readMap(() => reader.readString()),
    receivedAtMs: reader.readNullableLong(),
  };
}

function readChange(reader: ByteReader): StateChange {
  const key = reader.readString();
  const text = reader.readNullableString();
  return { key, value: text === null ? null : stateOfText(key, text) };
}

/** Moves behind a change of state. */
export function skipChange(reader: ByteReader): void {
  reader.skipString();
  if (reader.readBranch()) reader.skipString();
}

/** Moves behind an assessment. */
export function skipAssessment(reader: ByteReader): void {
  reader.skipString();
  reader.skipRaw(16);
  reader.skipLong();
  reader.skipLong();
  reader.skipString();
  reader.skipLong();
  reader.skipArray(skipAmount);
  if (reader.readBranch()) reader.skipRaw(16);
  reader.skipArray(skipLink);
  reader.skipArray(skipFlag);
  reader.skipArray(skipAmount);
  reader.skipLong();
}

function skipAmount(reader: ByteReader): void {
  reader.skipLong();
  reader.skipLong();
}

function skipLink(reader: ByteReader): void {
  reader.skipRaw(16);
}

function skipFlag(reader: ByteReader): void {
  reader.skipString();
}

function writeAmounts(writer: ByteWriter, amounts: readonly HeadAmount[]): void {
  if (amounts.length > 0) writer.writeLong(amounts.length);
  for (let at = 0; at < amounts.length; at += 1) {
    const { head, pence } = amounts[at] as HeadAmount;
    writer.writeLong(HEADS[head]);
    writer.writeLong(pence);
  }
  writer.writeLong(0);
}

function readAmount(reader: ByteReader): HeadAmount {
  return { head: readHead(reader), pence: readPence(reader) };
}

function readHead(reader: ByteReader): Head {
  const head = headOfNumber(reader.readLong());
  if (head === undefined) throw reader.unreadable('a head that its list does not have');
  return head;
}

function readKind(reader: ByteReader): EntryKind {
  const kind = entryKindOfNumber(reader.readLong());
  if (kind === undefined) throw reader.unreadable('an entry kind that its list does not have');
  return kind;
}
