import type { LogRecord, RecordBatch } from '../../libs/adapters/event-log/event-log.ts';
import { KeyedState, type StandingChanges } from '../../libs/adapters/stage/keyed-state.ts';
import type { FoldedMessage, StageProgram } from '../../libs/adapters/stage/program.ts';
import { splitDecisions } from '../../libs/adapters/stage/split-decisions.ts';
import type { Checkpoint, StateStore } from '../../libs/adapters/state-store/state-store.ts';
import type { StateChange, StateView } from '../../libs/core/decisions/decision.ts';

/** One record's decision: its number within its key, as a tax decision has one, and the state it leaves. */
export interface Counted {
  readonly topic: string;
  readonly offset: number;
  readonly key: string;
  readonly number: number;
  readonly changes: readonly StateChange[];
}
export interface CountedBody {
  readonly decisions: readonly Counted[];
}

/** A small tax: numbers the records of each key without gap. The number depends on the state, so a decision made twice, lost or on stale state shows. */
export class CountingProgram implements StageProgram<CountedBody> {
  readonly #state: KeyedState;
  readonly #messageBytes: number;
  readonly folded: FoldedMessage<CountedBody>[] = [];

  constructor(
    options: { readonly partition: number; readonly entriesMax?: number; readonly messageBytes?: number },
    dependencies: { readonly store: StateStore },
  ) {
    this.#state = new KeyedState(
      { partition: options.partition, ...(options.entriesMax === undefined ? {} : { entriesMax: options.entriesMax }) },
      dependencies,
    );
    this.#messageBytes = options.messageBytes ?? 512 * 1024;
  }

  async decide(batches: readonly RecordBatch[]) {
    const items = batches.flatMap((batch) => batch.records.map((record) => ({ topic: batch.topic, record })));
    const decisions = await this.#state.decideAll(items, {
      keysOf: () => [],
      decide: count,
      changesOf: (decision) => decision.changes,
    });
    const settle = (from: number, to: number) => {
      const standing = this.#state.standing(from, to);
      const part = decisions.slice(from, to).map((one, index) => ({ ...one, changes: changesOf(standing, index) }));
      return { bytes: 100 * part.length, decisions: part };
    };
    const parts = splitDecisions(batches, decisions, settle, this.#messageBytes);
    return parts.map(({ covers, part }) => ({ covers, body: { decisions: part.decisions } }));
  }

  fold(message: FoldedMessage<CountedBody>) {
    return this.#state.fold(message.body.decisions.flatMap((decision) => decision.changes));
  }

  async onFolded(messages: readonly FoldedMessage<CountedBody>[], checkpoint: Checkpoint) {
    this.#state.committed(checkpoint);
    this.folded.push(...messages);
  }

  reset() {
    this.#state.reset();
  }
}

function changesOf({ slots, values, ends }: StandingChanges, index: number): StateChange[] {
  const begin = index === 0 ? 0 : (ends[index - 1] ?? 0);
  return slots.slice(begin, ends[index]).map(({ key }, at) => ({ key, value: values[begin + at] ?? null }));
}

function count({ topic, record }: { topic: string; record: LogRecord }, view: StateView): Counted {
  const key = record.key ?? '';
  const before = view.get(key);
  const number = (before === undefined ? 0 : Number((before as { count: number }).count)) + 1;
  return { topic, offset: record.offset, key, number, changes: [{ key, value: { count: number } }] };
}
