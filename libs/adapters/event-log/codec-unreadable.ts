import { TallyError } from '../../core/errors/tally-error.ts';
import { KAFKA_CODECS } from './kafka-codecs.ts';

/** What the sender of a record in an unreadable compression is told: what it came in, and what to send it again in. */
export interface CodecFacts {
  readonly codec: string;
  readonly readable: string;
}

export function codecFacts(codec: string): CodecFacts {
  return { codec, readable: Object.keys(KAFKA_CODECS).join(', ') };
}

/** CODEC_UNREADABLE: a record that came in a compression which cannot be unpacked here. */
export function codecUnreadable(codec: string): TallyError {
  const facts = codecFacts(codec);
  const message = `it is compressed with ${codec}, which this version can not unpack: send it again with ${facts.readable}`;
  return new TallyError('CODEC_UNREADABLE', message, { ...facts });
}
