import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventLog } from './event-log.ts';

/** A topic as the log has it now. */
export interface TopicState {
  /** Of this very topic: one that was deleted and made anew under the same name has another. */
  readonly id: string;
  readonly partitions: number;
  /** First offset kept of each partition. */
  readonly lows: readonly number[];
  /** The settings by which the broker would delete records, for people; null where it keeps everything. */
  readonly forgets: string | null;
  /** The compression that the broker would keep batches in though it is not read here; null where it keeps none such. */
  readonly compression: string | null;
}

/** TOPIC_COMPRESSION_DIFFERS: a topic would take batches that are not read here. */
export function compressionDiffers(topic: string, compression: string): TallyError {
  const message =
    `topic ${topic} would keep batches that can not be read (compression.type=${compression}): ` +
    'set its compression.type to uncompressed or gzip, and the service goes on by itself';
  return new TallyError('TOPIC_COMPRESSION_DIFFERS', message, { topic, compression });
}

/** A log that says how its topics are, asked anew each time. */
export interface InspectableLog extends EventLog {
  /**
   * The state of each of these topics; one that does not exist is left out. Throws LOG_UNAVAILABLE where no answer comes soon, LOG_FULL,
   * LOG_BROKEN and LOG_CLOSED where nothing can be appended: so it tells as well whether the log can be worked with.
   */
  look(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>>;
}
