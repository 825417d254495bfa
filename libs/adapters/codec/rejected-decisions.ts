import type { Rejection } from '../../core/decisions/decision.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { MessageReader } from '../stage/program.ts';
import { readRejection, skipAssessment, skipChange } from './liabilities-codec.ts';
import { linkedMessageReader } from './linked-message.ts';
import { ownSchema } from './schema/single-object.ts';

/** A decision with rejections, at its place among the decisions of its message. */
export interface RejectedDecision {
  readonly index: number;
  readonly topic: string;
  readonly offset: number;
  readonly rejections: readonly Rejection[];
}

export interface RejectedBody {
  readonly rejected: readonly RejectedDecision[];
}

/**
 * Messages of liabilities.v1 for readers of rejections: few decisions have any, so all else is passed over, its lengths alone checked.
 */
export const rejectedDecisions: MessageReader<RejectedBody> = linkedMessageReader(
  ownSchema('liability-message.v1'),
  (reader) => {
    reader.skipLong();
    reader.skipRaw(32 + 32);
    const rejected: RejectedDecision[] = [];
    let topic = '';
    let index = 0;
    reader.skipArray(() => {
      topic = reader.readStringLike(topic);
      const offset = reader.readLong();
      const rejections = readRejections(reader);
      if (rejections.length > 0) rejected.push({ index, topic, offset, rejections });
      index += 1;
    });
    return { rejected };
  },
);

/** From behind a decision's offset to its end. */
function readRejections(reader: ByteReader): Rejection[] {
  reader.skipLong();
  reader.skipArray(skipAssessment);
  const rejections = reader.readArray(() => readRejection(reader));
  reader.skipArray(skipChange);
  return rejections;
}
