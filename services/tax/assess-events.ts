import { checkTopic, decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { EncodedLiabilities, encodeDecisions } from '../../libs/adapters/codec/liabilities-codec.ts';
import type { LogRecord, RecordBatch } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { KeyedState, type WrittenChanges } from '../../libs/adapters/stage/keyed-state.ts';
import type { FoldedMessage, Proposal, StageProgram } from '../../libs/adapters/stage/program.ts';
import { splitDecisions } from '../../libs/adapters/stage/split-decisions.ts';
import type { Checkpoint, StateStore, StorePut } from '../../libs/adapters/state-store/state-store.ts';
import type { CivilClock } from '../../libs/adapters/time/clock.ts';
import type { Decision, Rejection, StateView } from '../../libs/core/decisions/decision.ts';
import type { DecisionOfRecord, LiabilityBody } from '../../libs/core/decisions/liability-message.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { decideEvent, stateKeysOf, type TaxRules } from '../../libs/core/tax/decide-event.ts';
import {
  isRefusal,
  quarantined,
  type RulesFailure,
  type RulesStep,
  rejected,
  rulesFailure,
  unreadableRecord,
} from './quarantine.ts';

export interface AssessEventsOptions {
  /** Output partition, and the partition of each input. */
  readonly partition: number;
  /** Partitions of the keyed topics: where a key belongs. */
  readonly partitionCount: number;
  readonly stateEntriesMax?: number;
}

export interface AssessEventsDependencies {
  readonly rules: TaxRules;
  readonly store: StateStore;
  readonly clock: CivilClock;
  /** SHA-256 as 64 lower-case hex. */
  readonly sha256Hex: (data: Uint8Array) => string;
  /** Told of what became of the decisions of a message that is in the log, once per fold: metrics. */
  readonly onDecided?: (counts: OutcomeCounts) => void;
  /** Told of each record on which the rules threw: a fault of ours, of which that record alone is rejected. */
  readonly onRulesFailed?: (failure: RulesFailure) => void;
}

/** How many decisions have which outcome. */
export type OutcomeCounts = Readonly<Record<Decision['outcome'], number>>;

/** An input record as far as it could be read. */
interface Input {
  readonly topic: string;
  readonly record: LogRecord;
  readonly event: TaxEvent | null;
  readonly hash: string;
  readonly refusal: Rejection | null;
  /** What printing its decision threw, once it has. */
  unprintable: { readonly error: unknown } | null;
}

/**
 * The tax stage's program for one partition: events in, one decision for each, on the running state of its accounts
 * (design sections 3 and 5). What cannot be read or is in the wrong place is a rejection with a code, and so is an event on which the rules
 * throw, wherever they do: naming its keys, deciding it, printing its decision. Log and store alone can stop a partition.
 */
export function createAssessEvents(
  options: AssessEventsOptions,
  dependencies: AssessEventsDependencies,
): StageProgram<LiabilityBody> {
  return new AssessEvents(options, dependencies);
}

class AssessEvents implements StageProgram<LiabilityBody> {
  readonly #options: AssessEventsOptions;
  readonly #dependencies: AssessEventsDependencies;
  readonly #state: KeyedState;

  constructor(options: AssessEventsOptions, dependencies: AssessEventsDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { partition, stateEntriesMax } = options;
    this.#state = new KeyedState(
      stateEntriesMax === undefined ? { partition } : { partition, entriesMax: stateEntriesMax },
      { store: dependencies.store },
    );
  }

  async decide(batches: readonly RecordBatch[]): Promise<readonly Proposal<LiabilityBody>[]> {
    const inputs = batches.flatMap(({ topic, records }) => records.map((record) => this.#read(topic, record)));
    for (;;) {
      const decisions = await this.#state.decideAll(inputs, {
        keysOf: (input) => this.#keysOf(input),
        decide: (input, view) => this.#decide(input, view),
        failed: (input, error) => this.#failed(input, error, 'deciding'),
        changesOf: (decision) => decision.changes,
      });
      try {
        return this.#proposals(batches, decisions);
      } catch (error) {
        // Decided once more without those whose decisions cannot be printed: each time there are fewer.
        if (!this.#findUnprintable(inputs, decisions)) throw error;
      }
    }
  }

  #proposals(
    batches: readonly RecordBatch[],
    decisions: readonly DecisionOfRecord[],
  ): readonly Proposal<LiabilityBody>[] {
    const { rules, clock } = this.#dependencies;
    const head = { decidedAtMs: clock.civilMs(), payeRulesHash: rules.paye.hash, vatRulesHash: rules.vat.hash };
    const settle = (from: number, to: number) => this.#settled(decisions.slice(from, to), from, head);
    const parts = splitDecisions(batches, decisions, settle);
    this.#state.endBatch();
    return parts.map(({ covers, part }) => ({ covers, body: part }));
  }

  fold({ body }: FoldedMessage<LiabilityBody>): readonly StorePut[] {
    const isOwn = body instanceof OwnLiabilities;
    const decisions = isOwn ? [] : body.decisions;
    this.#dependencies.onDecided?.(isOwn ? body.counts : countsOf(decisions));
    return isOwn ? this.#state.foldWritten(body.written) : this.#state.fold(changesOf(decisions));
  }

  async onFolded(_messages: readonly FoldedMessage<LiabilityBody>[], checkpoint: Checkpoint): Promise<void> {
    this.#state.committed(checkpoint);
  }

  reset(): void {
    this.#state.reset();
  }

  /** Decisions of this batch, from the one at `from` on, as they stand in a message of their own. */
  #settled(decisions: readonly DecisionOfRecord[], from: number, head: MessageHead): OwnLiabilities {
    const standing = this.#state.standing(from, from + decisions.length);
    const { printed, texts } = encodeDecisions(decisions, standing);
    const written = this.#state.written(standing, texts);
    return new OwnLiabilities(head, printed, { written, counts: countsOf(decisions) });
  }

  /** Marks the inputs whose decision cannot be printed by itself; false where there is none. */
  #findUnprintable(inputs: readonly Input[], decisions: readonly DecisionOfRecord[]): boolean {
    let found = false;
    for (let at = 0; at < inputs.length; at += 1) {
      const input = inputs[at];
      if (input === undefined || input.event === null || input.unprintable !== null) continue;
      try {
        encodeDecisions(decisions.slice(at, at + 1), this.#state.standing(at, at + 1));
      } catch (error) {
        input.unprintable = { error };
        this.#report(input, error, 'printing');
        found = true;
      }
    }
    return found;
  }

  /** Keys are a hint: an event of which none can be named is decided all the same, and loads what it reads. */
  #keysOf(input: Input): readonly string[] {
    if (input.event === null || input.unprintable !== null) return NO_KEYS;
    try {
      return stateKeysOf(input.event);
    } catch (error) {
      this.#report(input, error, 'keys');
      return NO_KEYS;
    }
  }

  #read(topic: string, record: LogRecord): Input {
    const { sha256Hex } = this.#dependencies;
    try {
      if (record.value === null) throw new TallyError('RECORD_EMPTY', 'a record without a value', {});
      const event = decodeEvent(record.value);
      this.#checkPlace(topic, record, event);
      return { topic, record, event, hash: sha256Hex(record.value), refusal: null, unprintable: null };
    } catch (error) {
      return { topic, record, event: null, hash: '', refusal: unreadableRecord(error), unprintable: null };
    }
  }

  /** The key decides the partition: an account decided in two places would have two histories. */
  #checkPlace(topic: string, record: LogRecord, event: TaxEvent): void {
    checkTopic(event, topic);
    if (record.key !== event.account) {
      throw new TallyError('KEY_MISMATCH', 'the key of the record is not the account of its event', {});
    }
    const partition = partitionOf(event.account, this.#options.partitionCount);
    if (partition !== this.#options.partition) {
      throw new TallyError('WRONG_PARTITION', 'the record is not in the partition of its key', {
        expected: partition,
        found: this.#options.partition,
      });
    }
  }

  #decide(input: Input, view: StateView): DecisionOfRecord {
    const { topic, record, event, hash, refusal, unprintable } = input;
    if (event === null) {
      return { topic, offset: record.offset, ...rejected(refusal ?? unreadableRecord(null)) };
    }
    if (unprintable !== null) {
      return { topic, offset: record.offset, ...quarantined(event, unprintable.error, 'printing') };
    }
    const { outcome, results, rejections, changes } = decideEvent(event, hash, view, this.#dependencies.rules);
    return { topic, offset: record.offset, outcome, results, rejections, changes };
  }

  /** An event that the rules cannot carry is rejected with their code; one on which they throw anything else with RULES_FAILED, and it is said. */
  #failed(input: Input, error: unknown, step: RulesStep): DecisionOfRecord {
    const { topic, record, event } = input;
    if (event === null || (error instanceof TallyError && error.retriable)) throw error;
    if (!isRefusal(error)) this.#report(input, error, step);
    return { topic, offset: record.offset, ...quarantined(event, error, step) };
  }

  #report({ topic, record }: Input, error: unknown, step: RulesStep): void {
    const place = { topic, partition: this.#options.partition, offset: record.offset };
    this.#dependencies.onRulesFailed?.(rulesFailure(place, step, error));
  }
}

const NO_KEYS: readonly string[] = [];

type MessageHead = Omit<LiabilityBody, 'decisions'>;

/** A message that is decided here: of its decisions nothing is kept but their bytes and what folding them needs. */
class OwnLiabilities extends EncodedLiabilities {
  readonly written: WrittenChanges;
  readonly counts: OutcomeCounts;

  constructor(head: MessageHead, printed: Buffer, made: Pick<OwnLiabilities, 'written' | 'counts'>) {
    super(head, printed);
    this.written = made.written;
    this.counts = made.counts;
  }

  get bytes(): number {
    return this.end.length;
  }
}

function countsOf(decisions: readonly DecisionOfRecord[]): OutcomeCounts {
  const counts = { accepted: 0, rejected: 0, repeat: 0, held: 0 };
  for (const { outcome } of decisions) counts[outcome] += 1;
  return counts;
}

function* changesOf(decisions: readonly DecisionOfRecord[]) {
  for (const decision of decisions) yield* decision.changes;
}
